"""Probes of the network, stage by stage: proxy, name, connection, TLS, clock; and of the service, through the client.

The stages use plain asyncio streams, carry no key, and never raise: each returns its facts. The session and the socket
are asked for through the client's own adapters, handed in as ports.
"""

from __future__ import annotations

import asyncio
import base64
import email.utils
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

from pinch_tui.core.events import FRAME_BYTES
from pinch_tui.core.hosts import is_loopback
from pinch_tui.core.secrecy import redact, secrets_of
from pinch_tui.core.wire import Allocation, ErrorMessage, ReadyMessage, WireEvent
from pinch_tui.diagnose.facts import DateFacts, NetProblem, SessionFacts, StageFacts, TalkFacts, Target
from pinch_tui.errors import AllocationError, ConnectionLost, CredentialError, LinkError, PinchError

STAGE_S = 6.0
READY_S = 8.0
PINGS = 3
SOUND_FRAMES = 10
_CLOSED_WITHIN_S = 0.4
"""A service that does not like what it got closes the socket about at once."""

Resolve = Callable[[str, int], Awaitable[list[str]]]


class Connection(Protocol):
    """What is asked of an open session (`pinch_tui.services.ports`)."""

    async def send(self, pcm: bytes) -> None: ...

    async def finalize(self) -> None: ...

    async def ping(self) -> None: ...

    async def receive(self) -> WireEvent: ...

    async def close(self, code: int = 1000) -> None: ...


Allocate = Callable[[], Awaitable[Allocation]]
Connect = Callable[[Allocation], Awaitable[Connection]]


# ---- where --------------------------------------------------------------------------------------------------------


def target_of(base_url: str, proxies: Mapping[str, str], bypasses: Callable[[str], bool]) -> Target | None:
    """What a base URL means; None when it is not one that the key may go to.

    ``proxies`` maps schemes to proxy URLs, as `urllib.request.getproxies` tells.
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.username or parts.query or parts.fragment:
        return None
    is_local = is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        return None
    target = Target(host, port or (443 if parts.scheme == "https" else 80), parts.scheme == "https", is_local)
    if is_local or bypasses(host):
        return target
    for scheme in (parts.scheme, "all"):
        if proxies.get(scheme):
            return _through(target, proxies[scheme], f"{scheme.upper()}_PROXY")
    return target


def _through(target: Target, url: str, variable: str) -> Target:
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port, parts = "", 0, urlsplit("http://")
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}" if parts.username else ""
    return Target(
        target.host,
        target.port,
        target.is_tls,
        target.is_loopback,
        proxy_host=host or "(unreadable)",
        proxy_port=port,
        proxy_kind=parts.scheme,
        proxy_from=variable,
        proxy_login=login,
    )


# ---- stages -------------------------------------------------------------------------------------------------------


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system finds them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def probe_name(host: str, port: int, resolve: Resolve = system_resolve, within_s: float = STAGE_S) -> StageFacts:
    """Look a name up."""
    start = time.monotonic()
    try:
        async with asyncio.timeout(within_s):
            addresses = await resolve(host, port)
    except TimeoutError:
        return StageFacts(NetProblem.TIMEOUT, _since(start))
    except socket.gaierror as exc:
        unknown = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
        return StageFacts(NetProblem.NO_SUCH_NAME if exc.errno in unknown else NetProblem.NO_RESOLVER, _since(start))
    except (OSError, UnicodeError):
        return StageFacts(NetProblem.NO_SUCH_NAME, _since(start))
    return StageFacts(None, _since(start), ", ".join(addresses[:3]))


async def probe_connection(host: str, port: int, within_s: float = STAGE_S) -> StageFacts:
    """Open a connection and close it again."""
    start = time.monotonic()
    try:
        async with asyncio.timeout(within_s):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as exc:
        return StageFacts(_problem(exc), _since(start))
    writer.close()
    return StageFacts(None, _since(start))


async def probe_proxy(target: Target, within_s: float = STAGE_S) -> StageFacts:
    """Ask the proxy for a tunnel to the service."""
    start = time.monotonic()
    try:
        async with asyncio.timeout(within_s):
            _, writer = await _open(target)
    except _ProxyRefused as exc:
        return StageFacts(exc.problem, _since(start), exc.detail)
    except (OSError, TimeoutError) as exc:
        return StageFacts(_problem(exc), _since(start))
    writer.close()
    return StageFacts(None, _since(start))


async def probe_tls(target: Target, context: ssl.SSLContext | None = None, within_s: float = STAGE_S) -> StageFacts:
    """A TLS handshake with the service, certificate and name checked."""
    start = time.monotonic()
    try:
        async with asyncio.timeout(within_s):
            _, writer = await _open(target)
            try:
                await writer.start_tls(context or ssl.create_default_context(), server_hostname=target.host)
                version = writer.get_extra_info("ssl_object").version()
            finally:
                writer.close()
    except _ProxyRefused as exc:
        return StageFacts(exc.problem, _since(start), exc.detail)
    except ssl.SSLCertVerificationError as exc:
        return StageFacts(_untrusted(exc), _since(start))
    except ssl.SSLError:
        return StageFacts(NetProblem.NO_TLS, _since(start))
    except (OSError, TimeoutError) as exc:
        return StageFacts(_problem(exc), _since(start))
    return StageFacts(None, _since(start), str(version))


async def probe_date(target: Target, wall: Callable[[], float] = time.time, within_s: float = STAGE_S) -> DateFacts:
    """The service's ``Date``, from a request without key.

    The certificate is not checked here: with a wrong clock it could not be, and nothing but the time is believed.
    """
    theirs: float | None = None
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await _open(target)
            try:
                if target.is_tls:
                    context = ssl.create_default_context()
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                    await writer.start_tls(context, server_hostname=target.host)
                host = target.host if ":" not in target.host else f"[{target.host}]"
                writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                theirs = _date(await reader.read(16_384))
            finally:
                writer.close()
    except (_ProxyRefused, OSError, TimeoutError):
        theirs = None
    return DateFacts(theirs, wall())


async def probe_session(allocate: Allocate) -> tuple[SessionFacts, Allocation | None]:
    """Ask for a session; the allocation is handed on to `probe_talk` and nowhere else."""
    start = time.monotonic()
    try:
        allocation = await allocate()
    except (CredentialError, AllocationError) as exc:
        return SessionFacts(exc, exc.status, ms=_since(start)), None
    except PinchError as exc:
        return SessionFacts(exc, ms=_since(start)), None
    facts = SessionFacts(
        None, 200, allocation.session_id, allocation.model_version_id or "", allocation.expires_in, _since(start)
    )
    return facts, allocation


async def probe_talk(connect: Connect, allocation: Allocation, ready_s: float = READY_S) -> TalkFacts:
    """Open the socket, wait for `ready`, go there and back, and hand over a moment of silence."""
    start = time.monotonic()
    try:
        connection = await connect(allocation)
    except LinkError as exc:
        return TalkFacts(open_error=exc)
    talk = _Talk(connection, _since(start), secrets_of(allocation.ws_url))
    try:
        async with asyncio.timeout(ready_s):
            await talk.until_ready(start)
        if talk.ready_ms is not None:
            async with asyncio.timeout(STAGE_S):
                await talk.there_and_back()
    except ConnectionLost as exc:
        talk.close_code = exc.code
    except TimeoutError:
        pass  # what is missing from the facts says it
    finally:
        await connection.close()
    return talk.facts()


@dataclass(slots=True)
class _Talk:
    connection: Connection
    open_ms: int
    secrets: tuple[str, ...] = field(repr=False)
    ready_ms: int | None = None
    session_id: str = ""
    said: str = ""
    close_code: int | None = None
    trips: tuple[float, ...] = ()
    has_taken_sound: bool = False

    async def until_ready(self, start: float) -> None:
        while True:
            match await self.connection.receive():
                case ReadyMessage(session_id):
                    self.ready_ms, self.session_id = _since(start), session_id
                    return
                case ErrorMessage(text):
                    self._hear(text)
                case _:
                    pass

    async def there_and_back(self) -> None:
        for _ in range(PINGS):
            sent = time.monotonic()
            await self.connection.ping()
            self.trips = (*self.trips, (time.monotonic() - sent) * 1000)
        for _ in range(SOUND_FRAMES):
            await self.connection.send(bytes(FRAME_BYTES))
        await self.connection.finalize()
        try:
            async with asyncio.timeout(_CLOSED_WITHIN_S):
                while True:
                    message = await self.connection.receive()
                    if isinstance(message, ErrorMessage):
                        self._hear(message.text)
        except TimeoutError:
            self.has_taken_sound = True

    def _hear(self, complaint: str) -> None:
        self.said = redact(complaint, self.secrets)

    def facts(self) -> TalkFacts:
        return TalkFacts(
            None,
            self.open_ms,
            self.ready_ms,
            self.session_id,
            self.trips,
            self.has_taken_sound,
            self.close_code,
            self.said,
        )


# ---- inside -------------------------------------------------------------------------------------------------------


class _ProxyRefused(Exception):
    def __init__(self, problem: NetProblem, detail: str) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.detail = detail


async def _open(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the service, through the proxy if there is one. Raises OSError and `_ProxyRefused`."""
    if not target.proxy_host:
        return await asyncio.open_connection(target.host, target.port)
    secure = ssl.create_default_context() if target.proxy_kind == "https" else None
    reader, writer = await asyncio.open_connection(target.proxy_host, target.proxy_port, ssl=secure)
    request = f"CONNECT {target.host}:{target.port} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
    if target.proxy_login:
        request += f"Proxy-Authorization: Basic {base64.b64encode(target.proxy_login.encode()).decode()}\r\n"
    writer.write(f"{request}\r\n".encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as exc:
        writer.close()
        raise _ProxyRefused(NetProblem.PROXY_REFUSED, "no answer") from exc
    status = head.split(b" ", 2)[1:2]
    if status == [b"200"]:
        return reader, writer
    writer.close()
    code = status[0].decode("ascii", "replace")[:3] if status else "no status"
    raise _ProxyRefused(NetProblem.PROXY_AUTH if code == "407" else NetProblem.PROXY_REFUSED, code)


def _problem(exc: OSError | TimeoutError) -> NetProblem:
    if isinstance(exc, TimeoutError):
        return NetProblem.TIMEOUT
    if isinstance(exc, socket.gaierror):
        return NetProblem.NO_SUCH_NAME
    if isinstance(exc, ConnectionRefusedError) or "refused" in str(exc).lower():
        return NetProblem.REFUSED
    if isinstance(exc, ConnectionError):
        return NetProblem.BROKEN
    return NetProblem.UNREACHABLE


_EXPIRED, _NOT_YET, _HOST_MISMATCH = 10, 9, 62  # X509_V_ERR_* of OpenSSL


def _untrusted(exc: ssl.SSLCertVerificationError) -> NetProblem:
    return {
        _EXPIRED: NetProblem.EXPIRED,
        _NOT_YET: NetProblem.NOT_YET_VALID,
        _HOST_MISMATCH: NetProblem.WRONG_NAME,
        64: NetProblem.WRONG_NAME,  # an IP address instead of a name
    }.get(exc.verify_code, NetProblem.UNTRUSTED)


def _date(answer: bytes) -> float | None:
    for line in answer.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"date":
            try:
                return email.utils.parsedate_to_datetime(value.decode("ascii", "replace").strip()).timestamp()
            except (ValueError, TypeError, OverflowError):
                return None
    return None


def _since(start: float) -> int:
    return round((time.monotonic() - start) * 1000)
