"""A connector whose sockets take their time, as behind a network that is slower than speech."""

from __future__ import annotations

import asyncio

from pinch_tui.core.wire import Allocation, Progress, WireEvent
from pinch_tui.services.pinch.connection import PinchConnector
from pinch_tui.services.ports import Connection
from pinch_tui.services.socket import open_socket


class SlowConnector:
    """Each message takes ``send_s`` seconds to leave."""

    def __init__(self, send_s: float) -> None:
        self._send_s = send_s
        self._inner = PinchConnector(open_socket)

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> Connection:
        return _Slow(await self._inner.connect(allocation), self._send_s)


class _Slow:
    def __init__(self, inner: Connection, send_s: float) -> None:
        self._inner = inner
        self._send_s = send_s

    async def send(self, pcm: bytes) -> None:
        await asyncio.sleep(self._send_s)
        await self._inner.send(pcm)

    def latch(self) -> None:
        self._inner.latch()

    async def finalize(self) -> None:
        await asyncio.sleep(self._send_s)
        await self._inner.finalize()

    async def ping(self) -> None:
        await self._inner.ping()

    async def receive(self) -> WireEvent:
        return await self._inner.receive()

    async def close(self, code: int = 1000) -> None:
        await self._inner.close(code)

    def progress(self) -> Progress | None:
        return self._inner.progress()

    def abort(self) -> None:
        self._inner.abort()
