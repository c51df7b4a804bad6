"""The way to the service: every stage that breaks has its own sentence, and stops what depends on it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email.utils
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.diagnose.checks.network import Connect, Resolve, Target, Way, target_of
from pinch_tui.diagnose.finding import Finding, Verdict
from pinch_tui.errors import ConfigError
from pinch_tui.network.proxy import Proxy, UnusableProxy, choose
from tests.network.certificates import certificate

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REAL = Target("ws.startpinch.com", 443, is_tls=True)


def straight(url: str) -> None:
    return None


async def found(way: Way) -> dict[str, Finding]:
    return {finding.name: finding async for finding in way.check()}


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[Target]:
    running: set[asyncio.Task[None]] = set()

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Target("127.0.0.1", port, is_tls=context is not None)
        await asyncio.gather(*running)


def answering(date: str = "") -> Handler:
    """A web server with one answer."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"date: {date}\r\n" if date else ""
        writer.write(f"HTTP/1.1 404 No\r\n{head}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()

    return handle


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


# ---- where --------------------------------------------------------------------------------------------------------


def test_targets() -> None:
    assert target_of("https://ws.startpinch.com", straight) == REAL
    assert target_of("http://127.0.0.1:8765/", straight) == Target("127.0.0.1", 8765, is_tls=False)


def test_proxies_are_those_that_the_client_chooses() -> None:
    def through(**env: str) -> Target:
        return target_of("https://x.org", lambda url: choose(url, env, can_socks=lambda: False))

    proxied = through(HTTPS_PROXY="http://me:canary-pw@proxy.corp:3128")
    assert isinstance(proxied.proxy, Proxy)
    assert (proxied.proxy.address, proxied.proxy.source) == ("proxy.corp:3128", "HTTPS_PROXY")
    assert "canary-pw" not in repr(proxied)
    socks = through(ALL_PROXY="socks5://127.0.0.1:9050")
    assert isinstance(socks.proxy, UnusableProxy) and socks.proxy.source == "ALL_PROXY"
    assert through(HTTPS_PROXY="http://proxy.corp:3128", NO_PROXY="x.org") == Target("x.org", 443, True)


def test_the_address_names_the_service_and_says_if_it_is_not_the_default() -> None:
    way = Way(REAL, "smallest.ai", "smallest.base_url", is_default=True)
    assert way.address().sentence == "smallest.ai at ws.startpinch.com:443."
    assert "not the default" in replace(way, is_default=False).address().sentence


# ---- name and connection ------------------------------------------------------------------------------------------


def resolving(error: Exception | None) -> Resolve:
    async def resolve(host: str, port: int) -> list[str]:
        if error is not None:
            raise error
        return ["192.0.2.1"]

    return resolve


def connecting(error: Exception | None) -> Connect:
    async def connect(host: str, port: int) -> None:
        if error is not None:
            raise error

    return connect


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "was not found"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "no name server can be reached"),
        (UnicodeError("label too long"), "was not found"),
        (TimeoutError(), "name server did not answer"),
    ],
)
async def test_names(error: Exception, words: str) -> None:
    finding = await Way(REAL, resolve=resolving(error)).check_name()
    assert (finding.verdict, finding.exit_code) == (Verdict.FAIL, 5)
    assert words in finding.sentence
    assert finding.cure


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(), ":443 refuses connections"),
        (TimeoutError(), "does not answer"),
        (OSError(101, "Network is unreachable"), "no route to"),
    ],
)
async def test_connections(error: Exception, words: str) -> None:
    found_ = await found(Way(REAL, resolve=resolving(None), connect=connecting(error)))
    assert list(found_) == ["proxy", "dns", "connection"]
    assert found_["connection"].exit_code == 5
    assert words in found_["connection"].sentence
    assert found_["connection"].cure


async def test_a_name_that_is_not_found_asks_about_the_network_before_it_blames_the_address() -> None:
    gone = resolving(socket.gaierror(socket.EAI_NONAME, "x"))
    ours = await Way(REAL, is_default=True, resolve=gone).check_name()
    assert "online" in ours.cure
    assert "api.base_url" not in ours.cure
    other = await Way(REAL, "Cartesia", "cartesia.base_url", resolve=gone).check_name()
    assert other.cure.index("online") < other.cure.index("cartesia.base_url")


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_a_host_s_name_cannot_paint(name: str) -> None:
    finding = asyncio.run(Way(replace(REAL, host=name), resolve=resolving(UnicodeError())).check_name())
    for text in (finding.sentence, finding.cure):
        assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in text)


async def test_a_service_on_this_machine_is_reached() -> None:
    async with serving(answering(email.utils.formatdate(usegmt=True))) as target:
        findings = await found(Way(target))
    assert list(findings) == ["proxy", "dns", "connection", "tls", "clock"]
    assert {finding.verdict for finding in findings.values()} == {Verdict.OK}


# ---- proxy --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def proxying(answer: bytes, upstream: Target | None = None) -> AsyncIterator[tuple[Target, list[bytes]]]:
    heads: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                writer.write(data)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

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
        target = upstream or Target("far.example", 443, is_tls=True)
        yield replace(target, proxy=Proxy("http", proxy.host, proxy.port, "HTTPS_PROXY", "me", "pw")), heads


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Who?\r\n\r\n", "wants a user name and a password"),
        (b"HTTP/1.1 403 No\r\n\r\n", "refused the connection (403)"),
        (b"", "refused the connection (no answer)"),
    ],
)
async def test_proxies_that_refuse(answer: bytes, words: str) -> None:
    async with proxying(answer) as (target, heads):
        findings = await found(Way(target))
    assert list(findings) == ["proxy", "dns", "connection"]
    assert findings["proxy"].exit_code == 5
    assert words in findings["proxy"].sentence
    assert not any("pw" in finding.sentence + finding.cure for finding in findings.values())
    assert heads[0].startswith(b"CONNECT far.example:443 HTTP/1.1\r\n")
    assert base64.b64encode(b"me:pw") in heads[0]


async def test_a_proxy_that_is_not_there() -> None:
    proxied = replace(REAL, proxy=Proxy("http", "127.0.0.1", free_port(), "HTTPS_PROXY"))
    assert isinstance(proxied.proxy, Proxy)
    findings = await found(Way(proxied))
    assert f"{proxied.proxy.address} (HTTPS_PROXY) refuses connections" in findings["proxy"].sentence
    assert findings["proxy"].exit_code == 5


async def test_what_the_client_refuses_the_doctor_refuses_with_the_same_words() -> None:
    refusal = UnusableProxy("ALL_PROXY", "p:1", "is a SOCKS proxy", "Install it.")
    findings = await found(Way(replace(REAL, proxy=refusal)))
    assert list(findings) == ["proxy"]
    assert (findings["proxy"].sentence, findings["proxy"].cure) == (refusal.title, "Install it.")

    def broken() -> ssl.SSLContext:
        raise ConfigError("SSL_CERT_FILE names /nowhere.pem.", "Unset it.")

    findings = await found(Way(REAL, store=broken))
    assert (findings["tls"].exit_code, findings["tls"].sentence) == (2, "SSL_CERT_FILE names /nowhere.pem.")


async def test_the_whole_way_through_a_proxy(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "localhost", -1, 1)
    async with (
        serving(answering(email.utils.formatdate(usegmt=True)), server) as far,
        proxying(b"HTTP/1.1 200 OK\r\n\r\n", replace(far, host="localhost")) as (target, _),
    ):
        findings = await found(Way(target, store=lambda: client))
    assert [(name, finding.verdict.value) for name, finding in findings.items()] == [
        ("proxy", "ok"), ("dns", "skip"), ("connection", "skip"), ("tls", "ok"), ("clock", "ok")
    ]  # fmt: skip


async def test_what_is_wrong_behind_a_proxy_is_not_the_proxy_s_fault() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with (
        serving(plain) as far,
        proxying(b"HTTP/1.1 200 OK\r\n\r\n", replace(far, is_tls=True)) as (target, _),
    ):
        findings = await found(Way(target))
    assert findings["proxy"].verdict is Verdict.OK
    assert "does not speak TLS" in findings["tls"].sentence


# ---- TLS ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "start", "end", "words"),
    [
        ("localhost", -1, 1, "trusted (TLSv1.3"),
        ("localhost", 1, 2, "not valid yet"),
        ("localhost", -2, -1, "has expired"),
        ("elsewhere.example", -1, 1, "not for localhost"),
    ],
)
async def test_certificates(tmp_path: Path, name: str, start: int, end: int, words: str) -> None:
    server, client = certificate(tmp_path, name, start, end)
    async with serving(answering(), server) as target:
        finding = (await found(Way(replace(target, host="localhost"), store=lambda: client)))["tls"]
    assert words in finding.sentence
    assert finding.exit_code == (0 if "trusted" in words else 5)


async def test_a_certificate_of_nobody_and_a_server_without_tls(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, "localhost", -1, 1)
    async with serving(answering(), server) as target:
        assert "not signed by anyone" in (await found(Way(replace(target, host="localhost"))))["tls"].sentence

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async with serving(plain) as target:
        assert "does not speak TLS" in (await found(Way(replace(target, is_tls=True))))["tls"].sentence


# ---- clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_secret", [False, True])
async def test_the_clock_is_compared_even_behind_a_bad_certificate(tmp_path: Path, is_secret: bool) -> None:
    context = certificate(tmp_path, "elsewhere.example", -9, -8)[0] if is_secret else None
    async with serving(answering(email.utils.formatdate(1_000_000, usegmt=True)), context) as target:
        finding = (await found(Way(target, wall=lambda: 1_007_200.0)))["clock"]
    assert (finding.verdict, finding.exit_code) == (Verdict.FAIL, 5)
    assert "2 h ahead" in finding.sentence


@pytest.mark.parametrize(
    ("ours", "verdict", "words"),
    [
        (100.0, Verdict.OK, "right"),
        (400.0, Verdict.WARN, "5 min ahead"),
        (100.0 + 3 * 3600 + 60, Verdict.FAIL, "3 h 1 min ahead"),
        (100.0 - 5 * 86_400, Verdict.FAIL, "5 days behind"),
    ],
)
async def test_clocks(ours: float, verdict: Verdict, words: str) -> None:
    async with serving(answering(email.utils.formatdate(100, usegmt=True))) as target:
        finding = (await found(Way(target, wall=lambda: ours)))["clock"]
    assert finding.verdict is verdict
    assert words in finding.sentence


@pytest.mark.parametrize("date", ["", "soon"])
async def test_no_date_is_no_clock(date: str) -> None:
    async with serving(answering(date)) as target:
        assert (await found(Way(target)))["clock"].verdict is Verdict.SKIP
