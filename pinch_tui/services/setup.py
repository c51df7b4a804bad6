"""What every service is made from. Network libraries are slow to import, so they are loaded on first use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pinch_tui.core.events import SessionParams
from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation
from pinch_tui.loading import load
from pinch_tui.services.ports import OpenSocket, SessionApi, Socket
from pinch_tui.settings.model import Settings


async def open_socket(
    url: str, headers: Mapping[str, str] = MappingProxyType({}), *, nearest: Scope = Scope.MACHINE
) -> Socket:
    """Open a WebSocket."""
    await load("pinch_tui.services.socket")
    from pinch_tui.services import socket

    return await socket.open_socket(url, headers, nearest=nearest)


@dataclass(frozen=True, slots=True)
class ServiceSetup:
    """``key_place`` says where the key was found. ``start_practice`` starts the practice service and returns its base
    URL; ``practice_key`` is the only key that it accepts. ``is_continuous``: utterances may be of any length.
    ``is_hands_free``: no key is held, so utterances come straight from a microphone."""

    settings: Settings
    key: str = field(repr=False)
    key_place: str
    start_practice: Callable[[], Awaitable[str]]
    practice_key: str = field(repr=False)
    is_continuous: bool = False
    is_hands_free: bool = False
    open_socket: OpenSocket = open_socket
    now: Callable[[], float] = time.monotonic


class LateSessionApi:
    """A `SessionApi` that is made at its first allocation."""

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
