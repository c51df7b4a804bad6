"""The networking part of a service, made when it is first used, because its libraries are slow to import."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from pinch_tui.core.events import SessionParams
from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation
from pinch_tui.loading import load
from pinch_tui.services.ports import SessionApi, Socket


class LateSessionApi:
    """A `SessionApi` that is made, once, for its first allocation."""

    def __init__(self, make: Callable[[], Awaitable[SessionApi]]) -> None:
        self._make = make
        self._making = asyncio.Lock()
        self._made: SessionApi | None = None

    async def allocate(self, params: SessionParams) -> Allocation:
        async with self._making:
            if self._made is None:
                self._made = await self._make()
        return await self._made.allocate(params)

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()


class LateOpener:
    """An `Opener` of WebSockets whose library is loaded for the first one."""

    async def open(
        self, url: str, headers: Mapping[str, str] = MappingProxyType({}), *, nearest: Scope = Scope.MACHINE
    ) -> Socket:
        await load("pinch_tui.services.socket")
        from pinch_tui.services.socket import WebSocketOpener

        return await WebSocketOpener().open(url, headers, nearest=nearest)
