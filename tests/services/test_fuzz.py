"""Anything that a network can answer, through the adapters: an answer, one of our own errors, and nothing else.

More of it at random: ``pytest tests/services/test_fuzz.py --hypothesis-profile=random``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from pinch_tui.core.events import SessionParams
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import ConnectionLost, LinkError, PinchError
from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.pinch.protocol import decode
from pinch_tui.services.socket import WebSocketOpener

pytestmark = pytest.mark.slow

KEY = "pk_canary_31415926535"
GOOD = {"session_id": "ss_1", "ws_url": "wss://ws.startpinch.com/session?token=t", "expires_in": 60}

headers = st.lists(
    st.tuples(
        st.sampled_from([b"Location", b"Set-Cookie", b"Content-Type", b"Content-Encoding", b"Content-Length", b"X-A"]),
        st.binary(max_size=60) | st.sampled_from([b"javascript:x", b"//[", b"gzip", b"text/html", b"-1", b"a=\xff"]),
    ),
    max_size=4,
)
bodies = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["session_id", "ws_url", "expires_in", "model_version_id", "x"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4)
        | st.sampled_from(["wss://", "wss://127.1/", "ws://localhost", "wss://[", "wss://a:99999/", "ss_1", KEY]),
        max_size=5,
    ).map(lambda fields: json.dumps({**GOOD, **fields}).encode("utf-8", "surrogatepass")),
)


@settings(max_examples=300)
@given(st.integers(100, 999), headers, bodies)
@example(302, [(b"Location", b"javascript:x")], b"")
@example(200, [(b"Set-Cookie", b"a=\xff; path=/")], json.dumps(GOOD).encode())
@example(200, [(b"Content-Encoding", b"gzip")], b"\x1f\x8b\x08")
def test_any_answer_to_an_allocation(status: int, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
    async def ask() -> None:
        answers = [httpx.Response(200, json=GOOD)]
        try:
            answers.append(httpx.Response(status, headers=fields, stream=httpx.ByteStream(body)))
        except (ValueError, LookupError):  # what httpx itself cannot even build, no network can make it read
            return
        transport = httpx.MockTransport(lambda request: answers.pop())
        api = HttpSessionApi("https://ws.startpinch.com", KEY, "the test", transport=transport)
        try:
            assert isinstance(await api.allocate(SessionParams()), Allocation)
        except PinchError as exc:
            assert KEY not in f"{exc!r}{exc}"
        assert (await api.allocate(SessionParams())).session_id == "ss_1", "the next one is as good as the first"
        await api.aclose()

    asyncio.run(ask())


@asynccontextmanager
async def answering(reply: bytes) -> AsyncIterator[int]:
    """A port whose clients get these bytes, whatever they say."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(4096)
            writer.write(reply)
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


replies = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda line, head, body: b"HTTP/1.1 " + line + b"\r\n" + head + b"\r\n\r\n" + body,
        st.sampled_from([b"200 OK", b"101 Switching Protocols", b"302 Found", b"999", b"-1 x", b"\xff"]),
        st.sampled_from(
            [
                b"",
                b"Transfer-Encoding: chunked",
                b"Content-Length: 99999999999",
                b"A" * 70_000,
                b": :",
                b"Location: \xff",
            ]
        ),
        st.binary(max_size=60),
    ),
)


@settings(max_examples=60)
@given(replies)
def test_any_bytes_in_place_of_http(reply: bytes) -> None:
    async def ask() -> None:
        async with answering(reply) as port:
            api = HttpSessionApi(f"http://127.0.0.1:{port}", KEY, "the test")
            with pytest.raises(PinchError):
                async with asyncio.timeout(5):
                    await api.allocate(SessionParams())
            await api.aclose()
            with pytest.raises(LinkError):
                async with asyncio.timeout(5):
                    await WebSocketOpener().open(f"ws://127.0.0.1:{port}/session?token=t")

    asyncio.run(ask())


frames = st.lists(
    st.builds(
        lambda first, length, payload: bytes([first, length]) + payload,
        st.integers(0, 255),
        st.integers(0, 255),
        st.binary(max_size=140),
    )
    | st.sampled_from(
        [b"\x81\x02{}", b"\x82\x04\0\0\0\0", b"\x89\x00", b"\x88\x02\x03\xe8", b"\x00\x00", b"\x01\x01a"]
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=100)
@given(frames)
def test_any_bytes_in_place_of_frames(data: bytes) -> None:
    async def listen(pour: Callable[[ServerConnection], None]) -> None:
        async def talk(connection: ServerConnection) -> None:
            pour(connection)
            await asyncio.sleep(0)
            connection.transport.close()

        async with serve(talk, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            socket = await WebSocketOpener().open(f"ws://127.0.0.1:{port}/session")
            with pytest.raises(ConnectionLost):
                async with asyncio.timeout(5):
                    while True:
                        decode(await socket.receive())
            socket.abort()

    asyncio.run(listen(lambda connection: connection.transport.write(data)))
