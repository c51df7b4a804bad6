"""One session of version 1: a socket and the codec."""

from __future__ import annotations

from pinch_tui.core.wire import Allocation, WireEvent
from pinch_tui.services.pinch.protocol import FINALIZE, decode
from pinch_tui.services.ports import OpenSocket, Socket


class PinchConnection:
    """The engine's `Connection`: the socket itself, except for the codec."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.send, self.ping, self.progress = socket.send, socket.ping, socket.progress
        self.close, self.abort = socket.close, socket.abort

    def latch(self) -> None:
        """Latched utterances are treated like any other."""

    async def finalize(self) -> None:
        await self.send(FINALIZE)

    async def receive(self) -> WireEvent:
        return decode(await self._socket.receive())


class PinchConnector:
    """Opens allocated sessions. The address is signed, so no key is sent to it."""

    def __init__(self, open_socket: OpenSocket) -> None:
        self._open = open_socket

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> PinchConnection:
        return PinchConnection(await self._open(allocation.ws_url, nearest=allocation.nearest))
