"""Parses what arrives on a WebSocket in bounded pieces, however much the peer sends."""

from __future__ import annotations

import asyncio
from collections import deque

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

_PIECE = 8 * 1024
"""Bytes parsed at a time: 4,000 empty messages, 50 ms. asyncio reads 256 KiB at once, which would take 1.4 s."""
MAX_UNPARSED = 64 * 1024
"""Bytes waiting to be parsed above which reading is paused."""
MAX_UNSENT = 256 * 1024
"""Bytes waiting to be sent, such as answers to pings, above which parsing stops: the peer does not read."""
_UNSENT_WAIT_S = 0.05
MAX_FRAGMENTS = 4_096
"""Fragments of one message. More would be an attack, since each takes far more memory than its bytes."""


class ChunkedParser(ClientConnection):
    """A connection that parses piece by piece, so that a flood of tiny messages does not block the loop.

    Reading is paused above `MAX_UNPARSED` bytes, while the application has too many messages waiting, and while the
    peer does not read the answers to its pings. The end is reported only after everything before it was parsed.
    """

    _held: deque[bytes] | None = None
    _n_held = 0
    _offset = 0  # of the next piece in the first held block
    _next_piece: asyncio.Handle | None = None
    _rests_until = 0.0
    _has_eof = False
    _lost: tuple[Exception | None] | None = None  # the argument of connection_lost, once called
    _n_fragments = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._held = deque()
        super().connection_made(transport)
        self.recv_messages.pause = self._update_reading
        self.recv_messages.resume = self._resume

    def data_received(self, data: bytes) -> None:
        assert self._held is not None
        self._held.append(data)
        self._n_held += len(data)
        if self._next_piece is None and not self.recv_messages.paused:
            if self.loop.time() < self._rests_until:
                self._next_piece = self.loop.call_at(self._rests_until, self._parse)
            else:
                self._parse()
        self._update_reading()

    def eof_received(self) -> None:
        self._has_eof = True
        if not self._n_held:
            super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = (exc,)
        if not self._n_held:
            super().connection_lost(exc)

    def send_data(self) -> None:
        if self._lost is None and not self._has_eof:
            super().send_data()
        else:
            self.protocol.data_to_send()  # the peer is gone

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._n_fragments = 0 if event.fin else self._n_fragments + 1
            if self._n_fragments > MAX_FRAGMENTS:
                self.drop()
                return
        super().process_event(event)

    async def send_frame(self, data: bytes) -> None:
        """Send a binary message, as `send` does but without entering the library's context for each."""
        if self.protocol.state is not State.OPEN or self.send_in_progress is not None or self.transport.is_closing():
            await self.send(data)
            return
        self.protocol.send_binary(data)
        self.send_data()
        if self.paused:
            async with self.send_context():
                pass  # wait until the peer has read some of it

    def drop(self) -> None:
        """End at once and discard everything unparsed."""
        if self._next_piece is not None:
            self._next_piece.cancel()
            self._next_piece = None
        if self._held is not None:
            self._held.clear()
        self._n_held = self._offset = 0
        self.transport.abort()
        self._end()

    def _parse(self) -> None:
        """Parse one piece, then rest for as long as that took, so that a flood takes half a core at most."""
        self._next_piece = None
        if self.recv_messages.paused or not self._held:
            return
        if self.transport.get_write_buffer_size() > MAX_UNSENT and self._lost is None:
            self._next_piece = self.loop.call_later(_UNSENT_WAIT_S, self._parse)
            return
        began = self.loop.time()
        block = self._held[0]
        piece = block[self._offset : self._offset + _PIECE]
        self._offset += len(piece)
        self._n_held -= len(piece)
        if self._offset >= len(block):
            self._held.popleft()
            self._offset = 0
        super().data_received(piece)
        now = self.loop.time()
        self._rests_until = now + (now - began)
        if self._n_held:
            if self._next_piece is None:
                self._next_piece = self.loop.call_at(self._rests_until, self._parse)
        else:
            self._end()
        self._update_reading()

    def _resume(self) -> None:
        """The application has room for messages again."""
        if self._n_held and self._next_piece is None:
            self._next_piece = self.loop.call_soon(self._parse)
        self._update_reading()

    def _update_reading(self) -> None:
        if self._n_held > MAX_UNPARSED or self.recv_messages.paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _end(self) -> None:
        """Report an end that came while something was left to parse."""
        if self._has_eof:
            super().eof_received()
        if self._lost is not None and not self.connection_lost_waiter.done():
            super().connection_lost(*self._lost)
