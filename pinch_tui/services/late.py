"""The networking part of a service, made when it is first used, because its libraries are slow to import."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from pinch_tui.core.events import SessionParams
from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation
from pinch_tui.services.ports import Opener, SessionApi, Socket

Made = TypeVar("Made")


class Late(Generic[Made]):
    """What ``make`` returns, made once."""

    def __init__(self, make: Callable[[], Awaitable[Made]]) -> None:
        self._make = make
        self._making = asyncio.Lock()
        self.made: Made | None = None

    async def get(self) -> Made:
        async with self._making:
            if self.made is None:
                self.made = await self._make()
            return self.made


class LateSessionApi:
    """A `SessionApi` that is made for its first allocation."""

    def __init__(self, make: Callable[[], Awaitable[SessionApi]]) -> None:
        self._inner = Late(make)

    async def allocate(self, params: SessionParams) -> Allocation:
        return await (await self._inner.get()).allocate(params)

    async def aclose(self) -> None:
        if self._inner.made is not None:
            await self._inner.made.aclose()


class LateOpener:
    """An `Opener` that is made, in a worker thread, for its first socket."""

    def __init__(self, make: Callable[[], Opener]) -> None:
        self._inner = Late(lambda: asyncio.to_thread(make))

    async def open(
        self, url: str, headers: Mapping[str, str] = MappingProxyType({}), *, nearest: Scope = Scope.MACHINE
    ) -> Socket:
        return await (await self._inner.get()).open(url, headers, nearest=nearest)
