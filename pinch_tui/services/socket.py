"""One WebSocket, over the websockets library: what every service with a socket is made of.

The address is a secret: it is never logged, never part of an error. It is accepted only as ``wss:``, or as ``ws:`` to
loopback. Audio is not compressed, redirects are not followed, and the library's own pings are off because the session
machine times them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket as _socket
import struct
import sys
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from pinch_tui import __version__
from pinch_tui.core.hosts import is_loopback
from pinch_tui.core.wire import Progress
from pinch_tui.errors import ConnectionLost, LinkError

OPEN_WITHIN_S = 8.0
MAX_MESSAGE = 4 * 1024 * 1024
_LOW_WATER = 4096
_SEND_BUFFER = 16 * 1024
_PIECE = 8 * 1024
"""Bytes that are parsed at a time: 4,000 empty messages, 50 ms. asyncio reads 256 KiB at once, which would be 1.4 s."""
MAX_UNPARSED = 64 * 1024
"""Bytes that may wait to be parsed before reading is paused."""
MAX_UNSENT = 256 * 1024
"""Bytes, such as answers to pings, that may wait for a peer that does not read; parsing stops above."""
_UNSENT_WAIT_S = 0.05
MAX_FRAGMENTS = 4_096
"""Fragments of one message; a message of more is an attack, since each costs far more memory than its bytes."""
_CLOSE_WITHIN_S = 1.0
_FRAME_OVERHEAD = 8
"""Bytes around a message of a frame's size. TLS adds some more, which the count forgives once they are acknowledged."""
_SIOCOUTQ = 0x5411  # Linux, tcp(7): bytes in the send queue, acknowledged ones not among them
_SO_NWRITE = 0x1024  # macOS, sys/socket.h: the same
_TCP_INFO = 11
_DELIVERED = struct.Struct("=192xI")  # linux/tcp.h, struct tcp_info since 4.18: tcpi_delivered

_silent = logging.getLogger("pinch_tui.websockets")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.setLevel(logging.CRITICAL + 1)


class HandshakeRefused(LinkError):
    """The opening was answered with an HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The session's socket was refused ({status}).", retryable=True)
        self.status = status


class Socket(Protocol):
    """What a service needs of a socket; a traced one is another."""

    async def send(self, data: bytes | str) -> None:
        """Returns when the socket has taken the data below its low-water mark. Raises `ConnectionLost`."""

    async def receive(self) -> bytes | str:
        """The next message. Raises `ConnectionLost` with the close code (1000 included)."""

    async def ping(self) -> None:
        """Returns when the peer has answered. Raises `ConnectionLost`."""

    def progress(self) -> Progress | None:
        """How far what was sent has got; None where the system does not tell."""

    async def close(self, code: int = 1000) -> None:
        """Close, waiting a short while for the peer; never raises."""

    def abort(self) -> None:
        """Drop the transport at once."""


class Opener(Protocol):
    async def open(self, url: str, headers: Mapping[str, str] = ...) -> Socket: ...


class _Connect(connect):
    """Follows no redirects."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _ChunkedParser(ClientConnection):
    """Parses what was read piece by piece, so that a flood of tiny messages leaves the loop its turns.

    Reading is paused above `MAX_UNPARSED` bytes, while the application has too many messages to take, and while the
    answers to the peer's pings are not taken; what was read before the end is heard before the end is told.
    """

    _held: deque[bytes] | None = None
    _n_held = 0
    _offset = 0  # of the next piece in the first block that is held
    _next_piece: asyncio.Handle | None = None
    _has_eof = False
    _lost: tuple[Exception | None] | None = None  # connection_lost was called, with this
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
            self.protocol.data_to_send()  # nobody is there to take it

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._n_fragments = 0 if event.fin else self._n_fragments + 1
            if self._n_fragments > MAX_FRAGMENTS:
                self.drop()
                return
        super().process_event(event)

    def drop(self) -> None:
        """End at once; what was read and not parsed is discarded."""
        self._discard()
        self.transport.abort()
        self._end()

    def _parse(self) -> None:
        """Parse one piece; the next one gets its turn after as long a pause, so that a flood takes half a core."""
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
        if self._n_held:
            if self._next_piece is None:
                self._next_piece = self.loop.call_later(self.loop.time() - began, self._parse)
        else:
            self._end()
        self._update_reading()

    def _resume(self) -> None:
        """The application takes messages again."""
        if self._n_held and self._next_piece is None:
            self._next_piece = self.loop.call_soon(self._parse)
        self._update_reading()

    def _update_reading(self) -> None:
        if self._n_held > MAX_UNPARSED or self.recv_messages.paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _end(self) -> None:
        """Tell the end that came while there was something left to parse."""
        if self._has_eof:
            super().eof_received()
        if self._lost is not None and not self.connection_lost_waiter.done():
            super().connection_lost(*self._lost)

    def _discard(self) -> None:
        if self._next_piece is not None:
            self._next_piece.cancel()
            self._next_piece = None
        if self._held is not None:
            self._held.clear()
        self._n_held = self._offset = 0


class WebSocket:
    """An open socket. All methods raise `ConnectionLost` once it is closed."""

    def __init__(self, inner: _ChunkedParser) -> None:
        self._inner = inner
        self._written = 0

    async def send(self, data: bytes | str) -> None:
        self._written += len(data) + _FRAME_OVERHEAD
        try:
            await self._inner.send(data)
        except ConnectionClosed as exc:
            raise _lost(exc) from None

    async def ping(self) -> None:
        try:
            pong = await self._inner.ping()
            await pong
        except ConnectionClosed as exc:
            raise _lost(exc) from None

    def progress(self) -> Progress | None:
        """Bytes written less those that the kernel still keeps: it keeps them until the peer's acknowledges them."""
        transport = self._inner.transport
        sock = transport.get_extra_info("socket")
        if sock is None or transport.is_closing():
            return None
        try:
            unacknowledged = kept_by_kernel(sock, sys.platform)
            arrived = packets_arrived(sock, sys.platform)
        except (OSError, ValueError, struct.error):
            return None
        if unacknowledged is None:
            return None
        waiting = transport.get_write_buffer_size() + unacknowledged
        return Progress(self._written, self._written - waiting, arrived)

    async def receive(self) -> bytes | str:
        try:
            return await self._inner.recv()
        except ConnectionClosed as exc:
            raise _lost(exc) from None

    async def close(self, code: int = 1000) -> None:
        with contextlib.suppress(WebSocketException, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN_S + 0.5):
                await self._inner.close(code)

    def abort(self) -> None:
        self._inner.drop()


class WebSocketOpener:
    """Opens sockets."""

    async def open(self, url: str, headers: Mapping[str, str] = MappingProxyType({})) -> WebSocket:
        """An open socket. Raises `HandshakeRefused` and other `LinkError`s, which quote neither URL nor headers."""
        is_local = check_ws_url(url)
        try:
            inner = await _Connect(
                url,
                additional_headers=headers,
                user_agent_header=f"pinch-tui/{__version__}",
                create_connection=_ChunkedParser,
                compression=None,
                proxy=None if is_local else True,
                open_timeout=OPEN_WITHIN_S,
                close_timeout=_CLOSE_WITHIN_S,
                ping_interval=None,
                max_size=MAX_MESSAGE,
                max_queue=64,
                write_limit=_LOW_WATER,
                logger=_silent,
            )
        except InvalidStatus as exc:
            status = exc.response.status_code
            raise HandshakeRefused(status) from None
        except ImportError:
            raise LinkError(
                "The session's socket cannot pass the proxy that the environment names.",
                "Name an http:// proxy in HTTPS_PROXY, or add the service to NO_PROXY; SOCKS is not supported.",
                retryable=True,
            ) from None
        except (WebSocketException, OSError, TimeoutError, ValueError) as exc:
            kind = "does not answer" if isinstance(exc, TimeoutError) else "could not be opened"
            raise LinkError(
                f"The session's socket {kind}.", "Check for a firewall or proxy; your words are kept.", retryable=True
            ) from None
        # A small send buffer makes a dead connection felt within about a second of speech.
        raw = inner.transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, _SEND_BUFFER)
        assert isinstance(inner, _ChunkedParser)
        return WebSocket(inner)


class KernelSocket(Protocol):
    """The part of a socket that is asked."""

    def fileno(self) -> int: ...

    def getsockopt(self, level: int, optname: int, buflen: int = 0, /) -> Any: ...


def kept_by_kernel(sock: KernelSocket, platform: str) -> int | None:
    """Bytes in the send queue, sent or not, that are not acknowledged; None where the system does not tell."""
    if platform.startswith("linux") and sys.platform != "win32":
        import fcntl

        kept = bytearray(4)
        fcntl.ioctl(sock.fileno(), _SIOCOUTQ, kept)
        return int.from_bytes(kept, sys.byteorder)
    if platform == "darwin":
        return int(sock.getsockopt(_socket.SOL_SOCKET, _SO_NWRITE))
    return None


def packets_arrived(sock: KernelSocket, platform: str) -> int | None:
    """Packets that the peer's system has, also out of order; None where the system does not tell."""
    if not platform.startswith("linux"):
        return None
    info = sock.getsockopt(_socket.IPPROTO_TCP, _TCP_INFO, _DELIVERED.size)
    return int(_DELIVERED.unpack(info)[0]) if len(info) == _DELIVERED.size else None


def check_ws_url(url: str) -> bool:
    """Whether it is on this machine; raises `LinkError` unless the URL is wss, or ws to loopback."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = None, None
    is_local = is_loopback(host)
    if parts is None or not host or not (parts.scheme == "wss" or (parts.scheme == "ws" and is_local)):
        raise LinkError(
            "The service gave a socket address that is not safe to use.", "Report this with the session id."
        )
    return is_local


def _lost(exc: ConnectionClosed) -> ConnectionLost:
    received = exc.rcvd
    return ConnectionLost(received.code if received is not None else 1006)
