"""One WebSocket connection against a real server on loopback."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from pinch_tui.core.hosts import Scope
from pinch_tui.errors import ConnectionLost, LinkError
from pinch_tui.network.targets import check_socket
from pinch_tui.services.kernel import delivered, unacknowledged
from pinch_tui.services.parsing import MAX_UNPARSED, MAX_UNSENT
from pinch_tui.services.socket import open_socket

TOKEN = "token_canary_27182"


@asynccontextmanager
async def server(
    handler: Callable[[ServerConnection], Awaitable[None]],
    process: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, process_request=process, ping_interval=None) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/session?token={TOKEN}"


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_bytes_and_text_pass_and_pings_are_answered() -> None:
    seen: list[Request] = []

    async def hold(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request)
        await echo(connection)

    async with server(hold) as url:
        connection = await open_socket(url)
        for message in (b"\x00" * 640, '{"type":"finalize"}', b"", "é" * 100_000):
            await connection.send(message)
            assert await connection.receive() == message
        await asyncio.wait_for(connection.ping(), 2)
        await connection.close()
    headers = seen[0].headers
    assert "authorization" not in headers
    assert "permessage-deflate" not in headers.get("Sec-WebSocket-Extensions", "")


async def test_a_frame_does_not_wait_for_the_acknowledgement_of_the_one_before() -> None:
    async with server(echo) as url:
        connection = await open_socket(url)
        raw = connection._inner.transport.get_extra_info("socket")
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await connection.close()


@pytest.mark.parametrize("code", [1000, 1001, 4400, 4401, 4500, 4503])
async def test_close_codes_pass_through(code: int) -> None:
    async def close(connection: ServerConnection) -> None:
        await connection.send("last")
        await connection.close(code, "why")

    async with server(close) as url:
        connection = await open_socket(url)
        assert await connection.receive() == "last"
        with pytest.raises(ConnectionLost) as caught:
            await connection.receive()
        assert (caught.value.code, caught.value.reason) == (code, "why")
        with pytest.raises(ConnectionLost):
            await connection.send(b"x")
        await connection.close()


async def test_a_dropped_transport_is_1006() -> None:
    async def drop(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with server(drop) as url:
        connection = await open_socket(url)
        with pytest.raises(ConnectionLost) as caught:
            await connection.receive()
        assert caught.value.code == 1006


async def test_abort_ends_a_waiting_receive() -> None:
    async with server(echo) as url:
        connection = await open_socket(url)
        async with asyncio.timeout(2), asyncio.TaskGroup() as tasks:

            async def wait() -> None:
                with pytest.raises(ConnectionLost):
                    await connection.receive()

            tasks.create_task(wait())
            await asyncio.sleep(0)
            connection.abort()


async def test_too_large_a_message_is_a_lost_connection() -> None:
    async def flood(connection: ServerConnection) -> None:
        await connection.send(b"x" * (5 * 1024 * 1024))

    async with server(flood) as url:
        connection = await open_socket(url)
        with pytest.raises(ConnectionLost):
            await connection.receive()
        await connection.close()


async def test_a_flood_is_parsed_piece_by_piece_and_heard_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    parse = ClientConnection.data_received

    def counted(self: ClientConnection, data: bytes) -> None:
        sizes.append(len(data))
        parse(self, data)

    async def flood(connection: ServerConnection) -> None:
        connection.transport.write(b"\x81\x00" * 50_000 + b"\x81\x04last")
        await connection.close(4503)

    monkeypatch.setattr(ClientConnection, "data_received", counted)
    async with server(flood) as url:
        connection = await open_socket(url)
        got = []
        with pytest.raises(ConnectionLost) as caught:
            while True:
                got.append(await connection.receive())
    assert got == [""] * 50_000 + ["last"]
    assert caught.value.code == 4503
    assert len(sizes) > 10 and max(sizes) <= 8 * 1024


PING = b"\x89\x00"
EMPTY_FRAGMENT = b"\x00\x00"


@pytest.mark.parametrize("together", [1_000, 100_000])
async def test_a_flood_of_pings_pauses_reading_costs_half_a_core_and_leaves_at_once(
    monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    parsing = longest = 0.0
    parse = ClientConnection.data_received

    def timed(self: ClientConnection, data: bytes) -> None:
        nonlocal parsing, longest
        began = time.thread_time()  # what a core spends, whoever else wants it
        parse(self, data)
        took = time.thread_time() - began
        parsing, longest = parsing + took, max(longest, took)

    async def flood(connection: ServerConnection) -> None:
        while not connection.transport.is_closing():
            if connection.transport.get_write_buffer_size() < 10 * together:
                connection.transport.write(PING * together)
            await asyncio.sleep(0.0002)

    monkeypatch.setattr(ClientConnection, "data_received", timed)
    async with server(flood) as url:
        connection = await open_socket(url)
        inner = connection._inner
        turns, began, computed = 0, time.monotonic(), time.thread_time()
        parsing = longest = 0.0
        while time.monotonic() - began < 0.5 or (turns < 5 and time.thread_time() - computed < 0.5):
            await asyncio.sleep(0.01)
            turns += 1
            assert inner._n_held <= MAX_UNPARSED + 256 * 1024
            assert inner.transport.get_write_buffer_size() <= 2 * MAX_UNSENT
        # Each piece but the last one was followed by a rest of at least its length.
        assert 0.02 < parsing <= longest + (time.monotonic() - began) / 2
        assert turns >= 5
        left, parsed = time.thread_time(), parsing
        connection.abort()
        with pytest.raises(ConnectionLost):
            while True:
                await connection.receive()
        assert time.thread_time() - left < 0.2
        assert parsing == parsed, "what was not parsed yet is thrown away"


async def test_a_message_in_too_many_fragments_ends_the_connection() -> None:
    async def flood(connection: ServerConnection) -> None:
        connection.transport.write(b"\x01\x00" + EMPTY_FRAGMENT * 200_000)
        await connection.wait_closed()

    async with server(flood) as url:
        connection = await open_socket(url)
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(connection.receive(), 10)


async def test_unread_messages_pause_reading_and_are_all_heard_in_the_end() -> None:
    async def flood(connection: ServerConnection) -> None:
        connection.transport.write(b"".join(b"\x81\x05%05d" % n for n in range(60_000)))
        await connection.close(4503)

    async with server(flood) as url:
        connection = await open_socket(url)
        await asyncio.sleep(0.3)
        assert connection._inner._n_held <= MAX_UNPARSED + 256 * 1024
        got = []
        with pytest.raises(ConnectionLost) as caught:
            while True:
                got.append(await connection.receive())
    assert got == [f"{n:05d}" for n in range(60_000)] and caught.value.code == 4503


@pytest.mark.parametrize("status", [302, 401, 404, 503])
async def test_refusals_and_redirects_are_link_errors_without_the_url(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    asked = 0

    def refuse(connection: ServerConnection, request: Request) -> Response:
        nonlocal asked
        asked += 1
        response = connection.respond(status, f"no \x1b[31mroom for {TOKEN}")  # type: ignore[arg-type]
        response.headers["Location"] = f"ws://127.0.0.1:9/elsewhere?token={TOKEN}"
        return response

    with caplog.at_level(logging.DEBUG, logger="pinch_tui"):
        async with server(echo, refuse) as url:
            with pytest.raises(LinkError) as caught:
                await open_socket(url)
    assert asked == 1
    text = "".join(traceback.format_exception(caught.value)) + str(caught.value)
    assert str(status) in caught.value.title
    assert caught.value.words == "no room for <hidden>"
    assert TOKEN not in text and TOKEN not in caplog.text


async def test_nobody_listening_is_a_link_error() -> None:
    with pytest.raises(LinkError) as caught:
        await open_socket(f"ws://127.0.0.1:9/session?token={TOKEN}")
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.retryable


@pytest.mark.parametrize(
    "url", ["wss://ws.startpinch.com/session?token=x", "wss://127.0.0.1/x", "ws://127.0.0.1:80/x", "ws://[::1]/x"]
)
def test_allowed_urls(url: str) -> None:
    check_socket(url, Scope.MACHINE)


@pytest.mark.parametrize(
    "url",
    [
        "ws://ws.startpinch.com/x",
        "http://127.0.0.1/x",
        "https://a.example",
        "ws://10.0.0.1/x",
        "wss://",
        "",
        "ws://[::1",
        "x",
    ],
)
async def test_refused_urls_are_not_opened(url: str) -> None:
    with pytest.raises(LinkError) as caught:
        await open_socket(url)
    assert not url or url not in str(caught.value)


async def test_what_the_peer_acknowledged_is_known_on_this_system() -> None:
    async with server(echo) as url:
        connection = await open_socket(url)
        await connection.send(bytes(640))
        await connection.receive()
        progress = connection.progress()
        if sys.platform in ("linux", "darwin"):
            assert progress is not None and progress.written >= 640
            assert progress.acknowledged == progress.written and 0.0 <= progress.rtt_s < 1.0
        connection.abort()
        assert connection.progress() is None


@pytest.mark.slow
async def test_a_peer_that_does_not_read_acknowledges_only_what_its_system_takes() -> None:
    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with server(deaf) as url:
        connection = await open_socket(url)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:
                    await connection.send(bytes(64_000))
        progress = connection.progress()
        if progress is not None:
            assert progress.acknowledged < progress.written - 16_000
        connection.abort()


class AskedSocket:
    """Answers as the systems' manuals say."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def fileno(self) -> int:
        return -1

    def getsockopt(self, level: int, optname: int, buflen: int = 0) -> int:
        self.asked.append((level, optname))
        return 4_242


def test_macos_tells_by_an_option_and_windows_not_at_all() -> None:
    sock = AskedSocket()
    assert unacknowledged(sock, "darwin") == 4_242 and sock.asked == [(socket.SOL_SOCKET, 0x1024)]
    assert delivered(sock, "darwin") == (None, 0.0)
    assert unacknowledged(sock, "win32") is None and delivered(sock, "win32") == (None, 0.0)
