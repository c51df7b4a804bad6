"""WebSockets, over the websockets library.

The address is a secret: it is never logged and never part of an error. Audio is not compressed, redirects are not
followed, and the library's own pings are off because the session machine times them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket as _socket
import ssl
import struct
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidProxyStatus, InvalidStatus, ProxyError, WebSocketException

from pinch_tui import __version__
from pinch_tui.core.hosts import Scope
from pinch_tui.core.secrecy import secrets_of
from pinch_tui.core.service_words import of_body
from pinch_tui.core.wire import Progress
from pinch_tui.errors import ConfigError, ConnectionLost, LinkError
from pinch_tui.network import targets
from pinch_tui.network.way import PROXY_LOGIN, UNTRUSTED, Way, wants_login
from pinch_tui.network.way import find as find_way
from pinch_tui.services.kernel import delivered, unacknowledged
from pinch_tui.services.parsing import ChunkedParser
from pinch_tui.services.ports import HandshakeRefused

OPEN_WITHIN_S = 8.0
MAX_MESSAGE = 4 * 1024 * 1024
_LOW_WATER = 4096
_SEND_BUFFER = 16 * 1024
"""Bytes. With a small send buffer a dead connection is noticed within about a second of speech."""
_CLOSE_WITHIN_S = 1.0
_FRAME_OVERHEAD = 8
"""Bytes around an audio message. TLS adds a few more; they no longer count once they are acknowledged."""

_silent = logging.getLogger("pinch_tui.websockets")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.setLevel(logging.CRITICAL + 1)


class _Connect(connect):
    """Follows no redirects."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class WebSocket:
    """An open `Socket`."""

    def __init__(self, inner: ChunkedParser, *, is_direct: bool = True) -> None:
        """``is_direct``: no proxy acknowledges sent data before the service has it."""
        self._inner = inner
        self._is_direct = is_direct
        self._written = 0

    async def send(self, data: bytes | str) -> None:
        self._written += len(data) + _FRAME_OVERHEAD
        with _losses():
            await (self._inner.send(data) if isinstance(data, str) else self._inner.send_frame(data))

    async def ping(self) -> None:
        with _losses():
            await (await self._inner.ping())

    async def receive(self) -> bytes | str:
        with _losses():
            return await self._inner.recv()

    def progress(self) -> Progress | None:
        """Sent data that the kernel no longer holds: it holds everything until the peer acknowledges it."""
        transport = self._inner.transport
        sock = transport.get_extra_info("socket")
        if sock is None or transport.is_closing() or not self._is_direct:
            return None
        try:
            held = unacknowledged(sock, sys.platform)
            packets, rtt_s = delivered(sock, sys.platform)
        except (OSError, ValueError, struct.error):
            return None
        if held is None:
            return None
        return Progress(self._written, self._written - transport.get_write_buffer_size() - held, packets, rtt_s)

    async def close(self, code: int = 1000) -> None:
        with contextlib.suppress(WebSocketException, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN_S + 0.5):
                await self._inner.close(code)

    def abort(self) -> None:
        self._inner.drop()


@contextlib.contextmanager
def _losses() -> Iterator[None]:
    """Raise `ConnectionLost` in place of the library's exception."""
    try:
        yield
    except ConnectionClosed as exc:
        received = exc.rcvd
        raise (ConnectionLost(1006) if received is None else ConnectionLost(received.code, received.reason)) from None


async def open_socket(
    url: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    *,
    nearest: Scope = Scope.MACHINE,
    resolve: targets.Resolve = targets.addresses_of,
) -> WebSocket:
    """Raises `HandshakeRefused` and other `LinkError`s that quote neither URL nor headers. ``resolve`` is for tests."""
    targets.check_socket(url, nearest)
    try:
        way = find_way(url)
    except ConfigError as exc:
        raise LinkError(exc.title, exc.hint, retryable=False) from None
    try:
        async with asyncio.timeout(OPEN_WITHIN_S):
            inner = await _connected(url, headers, way, nearest, resolve)
    except InvalidStatus as exc:
        keys = [value.removeprefix("Bearer ") for value in headers.values()]
        _, said = of_body(bytes(exc.response.body or b""), (*secrets_of(url), *keys))
        raise HandshakeRefused(exc.response.status_code, said) from None
    except ProxyError as exc:
        if wants_login(exc) or (isinstance(exc, InvalidProxyStatus) and exc.response.status_code == 407):
            title = "The proxy wants a user name and a password."
            raise LinkError(title, PROXY_LOGIN, retryable=False) from None
        title = "The proxy does not let the session's socket through."
        raise LinkError(title, "Check HTTPS_PROXY; your words are safe.", retryable=True) from None
    except ssl.SSLCertVerificationError:
        title = "The session's certificate cannot be trusted."
        raise LinkError(title, f"{UNTRUSTED} Your words are safe.", retryable=True) from None
    except (WebSocketException, OSError, TimeoutError, ValueError) as exc:
        kind = "does not answer" if isinstance(exc, TimeoutError) else "could not be opened"
        title = f"The connection to the session {kind}."
        raise LinkError(title, "Check for a firewall or proxy; your words are safe.", retryable=True) from None
    raw = inner.transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, _SEND_BUFFER)
    return WebSocket(inner, is_direct=way.proxy is None)


async def _connected(
    url: str, headers: Mapping[str, str], way: Way, nearest: Scope, resolve: targets.Resolve
) -> ChunkedParser:
    parts = urlsplit(url)
    # The library accepts these two only where there is TLS.
    options: dict[str, Any] = {"ssl": way.context} if parts.scheme == "wss" else {}
    if way.proxy is not None and way.proxy.kind == "https":
        options["proxy_ssl"] = way.context
    raw = None
    if way.proxy is None:
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        raw = options["sock"] = await targets.connect(parts.hostname or "", port, nearest, resolve)
    try:
        inner = await _Connect(
            url,
            additional_headers=headers,
            user_agent_header=f"pinch-tui/{__version__}",
            create_connection=ChunkedParser,
            compression=None,
            proxy=None if way.proxy is None else way.proxy.url,
            **options,
            open_timeout=None,
            close_timeout=_CLOSE_WITHIN_S,
            ping_interval=None,
            max_size=MAX_MESSAGE,
            max_queue=64,
            write_limit=_LOW_WATER,
            logger=_silent,
        )
    except BaseException:
        if raw is not None:
            raw.close()
        raise
    assert isinstance(inner, ChunkedParser)
    return inner
