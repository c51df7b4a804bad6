"""One session of version 1: a socket and the codec."""

from __future__ import annotations

from pinch_tui.core.wire import Allocation, Progress, WireEvent
from pinch_tui.services.pinch.protocol import decode, encode_finalize
from pinch_tui.services.ports import Opener, Socket


class PinchConnection:
    """The engine's `Connection` over one socket."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def send(self, pcm: bytes) -> None:
        await self._socket.send(pcm)

    def latch(self) -> None:
        """A latched utterance is treated like any other."""

    async def finalize(self) -> None:
        await self._socket.send(encode_finalize())

    async def ping(self) -> None:
        await self._socket.ping()

    async def receive(self) -> WireEvent:
        return decode(await self._socket.receive())

    def progress(self) -> Progress | None:
        return self._socket.progress()

    async def close(self, code: int = 1000) -> None:
        await self._socket.close(code)

    def abort(self) -> None:
        self._socket.abort()


class PinchConnector:
    """Opens what was allocated. No key goes to the socket: its address is signed."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> PinchConnection:
        return PinchConnection(await self._opener.open(allocation.ws_url, nearest=allocation.nearest))
