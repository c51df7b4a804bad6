"""Sessions of the embedded practice service, which starts with the first one: nothing on the screen waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pinch_tui.core.events import SessionParams
from pinch_tui.core.wire import Allocation
from pinch_tui.services.ports import SessionApi


class PracticeApi:
    """``start`` gives the service's base URL, ``make`` an API there, in a worker thread."""

    def __init__(self, start: Callable[[], Awaitable[str]], make: Callable[[str], SessionApi]) -> None:
        self._start, self._make = start, make
        self._inner: SessionApi | None = None
        self._starting = asyncio.Lock()

    async def allocate(self, params: SessionParams) -> Allocation:
        async with self._starting:
            if self._inner is None:
                self._inner = await asyncio.to_thread(self._make, await self._start())
        return await self._inner.allocate(params)

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()
