"""Anything that a network can answer, through the adapters: an answer, one of our own errors, and nothing else.

More of it at random: ``pytest tests/services/test_fuzz.py --hypothesis-profile=random``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from pinch_tui.children import pack
from pinch_tui.core.events import SessionParams
from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation
from pinch_tui.errors import ConnectionLost, LinkError, PinchError
from pinch_tui.services.beta1.connection import Beta1Connector
from pinch_tui.services.beta1.pipe import Kind
from pinch_tui.services.pinch.api import HttpSessionApi
from pinch_tui.services.pinch.protocol import decode
from pinch_tui.services.ports import Connection, HandshakeRefused
from pinch_tui.services.registry import make
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.services.socket import open_socket
from pinch_tui.settings.model import CartesiaSettings, Settings

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
                    await open_socket(f"ws://127.0.0.1:{port}/session?token=t")

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
            socket = await open_socket(f"ws://127.0.0.1:{port}/session")
            with pytest.raises(ConnectionLost):
                async with asyncio.timeout(5):
                    while True:
                        decode(await socket.receive())
            socket.abort()

    asyncio.run(listen(lambda connection: connection.transport.write(data)))


# ---- services that only hear, and beta1's helper ------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["word", "start", "end"]), inner),
    max_leaves=5,
)
MESSAGES = st.one_of(
    st.binary(max_size=30),
    st.text(max_size=30),
    st.sampled_from(["[" * 5_000, '{"type":1e999}', '{"type":"done"}', '{"type":"turn.end","transcript":"x"}']),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(
                ["transcript", "flush_done", "done", "error", "turn.update", "turn.end", "connected", "transcription"]
            )
            | VALUES,
            "text": st.text(max_size=9) | VALUES,
            "transcript": st.text(max_size=9) | VALUES,
            "is_final": st.booleans() | VALUES,
            "is_last": st.booleans() | VALUES,
            "language": VALUES,
            "languages": VALUES,
            "words": VALUES,
            "status": VALUES,
            "status_code": st.sampled_from([400, 401, 402, 429, 500, 99, "x", None]),
            "code": VALUES,
            "message": st.just(f"the key {KEY}") | VALUES,
            "error": st.just(f"the key {KEY}") | VALUES,
        },
    ).map(lambda fields: json.dumps(fields, allow_nan=True)),
)


class OddSocket:
    """Brings messages, then closes."""

    def __init__(self, messages: list[bytes | str], code: int) -> None:
        self._messages = list(messages)
        self._code = code

    async def send(self, data: bytes | str) -> None:
        if not self._messages:
            raise ConnectionLost(self._code)

    async def receive(self) -> bytes | str:
        await asyncio.sleep(0)
        if not self._messages:
            raise ConnectionLost(self._code, "\x1b[31m")
        return self._messages.pop(0)

    async def ping(self) -> None: ...

    def progress(self) -> None:
        return None

    async def close(self, code: int = 1000) -> None: ...

    def abort(self) -> None: ...


async def nowhere() -> str:
    return ""


class OddOpener:
    """Opens sockets that behave so, one after the other; then it is refused."""

    def __init__(self, sockets: list[tuple[list[bytes | str], int]]) -> None:
        self._sockets = list(sockets)

    async def open(self, url: str, headers: Mapping[str, str] = {}, *, nearest: Scope = Scope.MACHINE) -> OddSocket:
        if not self._sockets:
            raise HandshakeRefused(402, "\x1b[31m")
        return OddSocket(*self._sockets.pop(0))


async def drain(connection: Connection) -> None:
    """Receive until a failure of ours comes, or nothing more."""
    try:
        async with asyncio.timeout(0.05):
            while True:
                event = await connection.receive()
                assert KEY not in repr(event)
    except TimeoutError:
        pass
    except PinchError as exc:
        assert KEY not in f"{exc!r}{exc}{exc.words}"


@settings(max_examples=150)
@given(
    st.sampled_from(["manual", "turns", "latched", "smallest"]),
    st.lists(st.tuples(st.lists(MESSAGES, max_size=5), st.sampled_from([1000, 1006, 4400, 0])), max_size=3),
    st.booleans(),
)
def test_anything_a_service_that_hears_can_say(
    kind: str, sockets: list[tuple[list[bytes | str], int]], is_finalized: bool
) -> None:
    async def talk() -> None:
        name = "smallest" if kind == "smallest" else "cartesia"
        is_turns = kind == "turns"
        setup = ServiceSetup(
            Settings(cartesia=CartesiaSettings(turns=kind == "latched")),
            KEY,
            "the test",
            nowhere,
            "",
            is_continuous=is_turns,
            is_hands_free=is_turns,
            open_socket=OddOpener(sockets).open,
        )
        service = make(name, setup)
        try:
            allocation = await service.api.allocate(SessionParams(source="en"))
            connection = await service.connector.connect(allocation, has_sound=True)
        except PinchError:
            return
        try:
            for number in range(12):
                if number == 3 and kind == "latched":
                    connection.latch()
                await connection.send(bytes(640))
            if is_finalized:
                await connection.finalize()
            await connection.ping()
        except PinchError:
            pass
        await drain(connection)
        await connection.close()
        connection.abort()

    asyncio.run(talk())


class OddChannel:
    """A helper that writes these bytes and ends."""

    def __init__(self, data: bytes) -> None:
        self._data = [data, b""]

    async def write(self, data: bytes) -> None: ...

    async def read(self) -> bytes:
        return self._data.pop(0) if self._data else b""

    def kill(self) -> None: ...

    async def wait(self) -> None: ...


PIPED = st.lists(
    st.builds(pack, st.sampled_from(Kind), st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
    | st.binary(max_size=9),
    max_size=6,
).map(b"".join)


@settings(max_examples=150)
@given(PIPED, st.booleans())
def test_anything_the_helper_of_beta1_can_write(data: bytes, is_talking: bool) -> None:
    async def talk() -> None:
        async def start() -> OddChannel:
            return OddChannel(data)

        connection = await Beta1Connector(start).connect(Allocation("r", "wss://a.example", 60.0, token=KEY))
        if is_talking:
            await connection.send(bytes(640))
        await drain(connection)
        with pytest.raises(PinchError):
            while True:
                await connection.receive()
        await connection.close()

    asyncio.run(talk())
