from __future__ import annotations

import asyncio
import base64
import datetime
import email.utils
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pinch_tui.core.events import SessionParams
from pinch_tui.core.wire import Allocation
from pinch_tui.diagnose import network
from pinch_tui.diagnose.facts import NetProblem, Target
from pinch_tui.errors import AllocationError, ConnectionLost, CredentialError, LinkError
from pinch_tui.services.pinch.connection import PinchConnection, PinchConnector

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def no_bypass(host: str) -> bool:
    return False


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[Target]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Target("127.0.0.1", port, is_tls=context is not None, is_loopback=True)


async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


# ---- where --------------------------------------------------------------------------------------------------------


def test_targets() -> None:
    assert network.target_of("https://ws.startpinch.com", {}, no_bypass) == Target(
        "ws.startpinch.com", 443, is_tls=True, is_loopback=False
    )
    assert network.target_of("http://127.0.0.1:8765/", {"http": "http://p:1"}, no_bypass) == Target(
        "127.0.0.1", 8765, is_tls=False, is_loopback=True
    )
    for bad in (
        "http://example.org",
        "ftp://x",
        "https://user:pw@x.org",
        "https://x.org/?a=1",
        "https://",
        "https://x:99999",
        "nonsense",
    ):
        assert network.target_of(bad, {}, no_bypass) is None


def test_proxies_are_those_of_the_environment_without_their_passwords() -> None:
    proxies = {"https": "http://me:canary-pw@proxy.corp:3128"}
    target = network.target_of("https://x.org", proxies, no_bypass)
    assert target is not None
    assert (target.proxy, target.proxy_from, target.proxy_kind) == ("proxy.corp:3128", "HTTPS_PROXY", "http")
    assert "canary-pw" not in repr(target)
    bypassed = network.target_of("https://x.org", proxies, lambda host: host == "x.org")
    assert bypassed is not None
    assert bypassed.proxy == ""
    socks = network.target_of("https://x.org", {"all": "socks5://127.0.0.1:9050"}, no_bypass)
    assert socks is not None
    assert (socks.proxy_kind, socks.proxy_from) == ("socks5", "ALL_PROXY")
    bare = network.target_of("https://x.org", {"https": "proxy.corp:8080"}, no_bypass)
    assert bare is not None
    assert bare.proxy == "proxy.corp:8080"


# ---- stages -------------------------------------------------------------------------------------------------------


async def test_names() -> None:
    facts = await network.probe_name("localhost", 80)
    assert facts.problem is None
    assert facts.detail

    def failing(error: Exception) -> network.Resolve:
        async def resolve(host: str, port: int) -> list[str]:
            raise error

        return resolve

    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    cases = [
        (failing(socket.gaierror(socket.EAI_NONAME, "x")), NetProblem.NO_SUCH_NAME),
        (failing(socket.gaierror(socket.EAI_AGAIN, "x")), NetProblem.NO_RESOLVER),
        (failing(UnicodeError("label too long")), NetProblem.NO_SUCH_NAME),
        (never, NetProblem.TIMEOUT),
    ]
    for resolve, problem in cases:
        assert (await network.probe_name("x", 1, resolve, within_s=0.05)).problem is problem


async def test_connections() -> None:
    async with serving(swallow) as target:
        assert (await network.probe_connection(target.host, target.port)).problem is None
    assert (await network.probe_connection("127.0.0.1", free_port())).problem is NetProblem.REFUSED
    assert (await network.probe_connection("no-such-host.invalid", 1)).problem is not None


@asynccontextmanager
async def proxying(answer: bytes, upstream: Target | None = None) -> AsyncIterator[tuple[Target, list[bytes]]]:
    heads: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        if upstream is not None:
            far_reader, far_writer = await asyncio.open_connection(upstream.host, upstream.port)
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(reader, far_writer))
                group.create_task(pump(far_reader, writer))

    async with serving(handle) as proxy:
        target = upstream or Target("far.example", 443, is_tls=True, is_loopback=False)
        yield replace(target, proxy_host=proxy.host, proxy_port=proxy.port, proxy_kind="http"), heads


@pytest.mark.parametrize(
    ("answer", "problem", "detail"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", None, ""),
        (b"HTTP/1.1 407 Who?\r\n\r\n", NetProblem.PROXY_AUTH, "407"),
        (b"HTTP/1.1 403 No\r\n\r\n", NetProblem.PROXY_REFUSED, "403"),
        (b"", NetProblem.PROXY_REFUSED, "no answer"),
        (b"\r\n\r\n", NetProblem.PROXY_REFUSED, "no status"),
    ],
)
async def test_proxies(answer: bytes, problem: NetProblem | None, detail: str) -> None:
    async with proxying(answer) as (target, heads):
        facts = await network.probe_proxy(replace(target, proxy_login="me:pw"))
        assert (facts.problem, facts.detail) == (problem, detail)
    assert heads[0].startswith(b"CONNECT far.example:443 HTTP/1.1\r\n")
    assert base64.b64encode(b"me:pw") in heads[0]


async def test_a_dead_proxy_is_refused() -> None:
    target = Target("far.example", 443, True, False, proxy_host="127.0.0.1", proxy_port=free_port(), proxy_kind="http")
    assert (await network.probe_proxy(target)).problem is NetProblem.REFUSED
    assert (await network.probe_tls(target)).problem is NetProblem.REFUSED
    assert (await network.probe_date(target)).theirs is None


# ---- TLS ----------------------------------------------------------------------------------------------------------


def certificate(folder: Path, name: str, start_days: int, end_days: int) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for ``name``, and a client's that trusts it."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=start_days))
        .not_valid_after(now + datetime.timedelta(days=end_days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, key_file = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, key_file)
    client = ssl.create_default_context(cafile=str(pem))
    return server, client


@pytest.mark.parametrize(
    ("name", "start", "end", "problem"),
    [
        ("localhost", -1, 1, None),
        ("localhost", 1, 2, NetProblem.NOT_YET_VALID),
        ("localhost", -2, -1, NetProblem.EXPIRED),
        ("elsewhere.example", -1, 1, NetProblem.WRONG_NAME),
    ],
)
async def test_certificates(tmp_path: Path, name: str, start: int, end: int, problem: NetProblem | None) -> None:
    server, client = certificate(tmp_path, name, start, end)
    async with serving(swallow, server) as target:
        facts = await network.probe_tls(replace(target, host="localhost"), client)
    assert facts.problem is problem
    assert facts.detail == ("TLSv1.3" if problem is None else "")


async def test_a_certificate_of_nobody_and_a_server_without_tls(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, "localhost", -1, 1)
    async with serving(swallow, server) as target:
        assert (await network.probe_tls(replace(target, host="localhost"))).problem is NetProblem.UNTRUSTED

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with serving(plain) as target:
        assert (await network.probe_tls(target)).problem is NetProblem.NO_TLS


async def test_tls_through_a_proxy(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "localhost", -1, 1)
    async with (
        serving(swallow, server) as far,
        proxying(b"HTTP/1.1 200 OK\r\n\r\n", replace(far, host="localhost")) as (target, _),
    ):
        assert (await network.probe_tls(target, client)).problem is None


# ---- clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_secret", [False, True])
async def test_the_clock_is_asked_for_even_behind_a_bad_certificate(tmp_path: Path, is_secret: bool) -> None:
    heads: list[bytes] = []

    async def dated(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 404 No\r\ndate: {email.utils.formatdate(1_000_000, usegmt=True)}\r\n\r\n".encode())
        await writer.drain()

    context = certificate(tmp_path, "elsewhere.example", -9, -8)[0] if is_secret else None
    async with serving(dated, context) as target:
        facts = await network.probe_date(target, lambda: 1_007_200.0)
    assert (facts.theirs, facts.ours) == (1_000_000, 1_007_200)
    assert b"uthorization" not in heads[0]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\nDate: x", b"HTTP/1.1 200 OK\r\nDate: soon\r\n\r\n"])
async def test_no_date_is_no_clock(answer: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with serving(handle) as target:
        assert (await network.probe_date(target)).theirs is None


# ---- service ------------------------------------------------------------------------------------------------------


async def test_sessions() -> None:
    async def given() -> Allocation:
        return Allocation("ss_1", "wss://x/?token=canary", 60, "m1")

    facts, allocation = await network.probe_session(given)
    assert (facts.status, facts.session_id, facts.model_version_id) == (200, "ss_1", "m1")
    assert allocation is not None
    assert "canary" not in repr(facts)
    for error, status in (
        (CredentialError("no", status=401), 401),
        (AllocationError("", status=503, retryable=True), 503),
        (LinkError("odd"), None),
    ):

        async def refused(error: Exception = error) -> Allocation:
            raise error

        facts, allocation = await network.probe_session(refused)
        assert (facts.status, facts.error, allocation) == (status, error, None)


class Socket:
    """Plays ``script`` to the receiver: texts, exceptions; then waits."""

    def __init__(self, *script: str | Exception, after_sound: Exception | None = None) -> None:
        self.script = list(script)
        self.after_sound = after_sound
        self.sent: list[bytes | str] = []
        self.is_closed = False

    async def send(self, data: bytes | str) -> None:
        self.sent.append(data)

    async def ping(self) -> None: ...

    async def receive(self) -> bytes | str:
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            return step
        if self.sent and self.after_sound is not None:
            raise self.after_sound
        await asyncio.Event().wait()
        return b""

    def abort(self) -> None: ...

    async def close(self, code: int = 1000) -> None:
        self.is_closed = True


READY = '{"type":"ready","session_id":"ss_1"}'


def to(socket: Socket | Exception) -> network.Connect:
    async def connect(allocation: Allocation) -> network.Connection:
        if isinstance(socket, Exception):
            raise socket
        return PinchConnection(socket)

    return connect


async def test_talks() -> None:
    allocation = Allocation("ss_1", "wss://x", 60)
    good = Socket('{"type":"party"}', READY)
    facts = await network.probe_talk(to(good), allocation)
    assert facts.ready_ms is not None
    assert len(facts.round_trips_ms) == network.PINGS
    assert facts.has_taken_sound
    assert good.sent[-1] == '{"type":"finalize"}'
    assert {len(data) for data in good.sent[:-1]} == {640}
    assert good.is_closed

    facts = await network.probe_talk(to(LinkError("refused")), allocation)
    assert facts.open_error is not None

    late = Socket('{"type":"error","error":"bad \\u001b[31mthing"}')
    facts = await network.probe_talk(to(late), allocation, ready_s=0.05)
    assert (facts.ready_ms, facts.said) == (None, "bad thing")
    assert late.is_closed

    facts = await network.probe_talk(to(Socket(ConnectionLost(4401))), allocation)
    assert (facts.ready_ms, facts.close_code) == (None, 4401)

    facts = await network.probe_talk(to(Socket(READY, after_sound=ConnectionLost(4400))), allocation)
    assert facts.ready_ms is not None
    assert (facts.close_code, facts.has_taken_sound) == (4400, False)


async def test_the_whole_way_against_the_practice_service() -> None:
    from pinch_tui.services.pinch.api import HttpSessionApi
    from pinch_tui.services.practice.service import PracticeOptions, PracticeService
    from pinch_tui.services.socket import WebSocketOpener

    service = PracticeService(PracticeOptions(ear="plain", voice="tones"))
    url = await service.start()
    try:
        target = network.target_of(url, {}, no_bypass)
        assert target is not None
        assert (await network.probe_connection(target.host, target.port)).problem is None
        date = await network.probe_date(target)
        assert date.theirs is not None
        assert abs(date.theirs - date.ours) < 5
        api = HttpSessionApi(url, "k", "test")
        facts, allocation = await network.probe_session(lambda: api.allocate(SessionParams()))
        await api.aclose()
        assert facts.error is None
        assert allocation is not None
        talk = await network.probe_talk(PinchConnector(WebSocketOpener()).connect, allocation)
        assert talk.has_taken_sound
        assert talk.close_code is None
    finally:
        await service.stop()
