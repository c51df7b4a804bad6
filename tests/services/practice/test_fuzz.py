"""Anything that another program can send to the practice service, and that its helper can write: it goes on serving."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from pinch_tui.services.practice.allocation import parse_query
from pinch_tui.services.practice.helper import helper
from pinch_tui.services.practice.helper.pipe import Kind, pack
from pinch_tui.services.practice.service import PracticeOptions, PracticeService

pytestmark = pytest.mark.slow

HELLO = pack(
    Kind.HELLO, 0, json.dumps({"ear": "plain", "voice": "tones", "languages": [], "spoken": [], "problem": ""}).encode()
)


class OddChild:
    """A helper that writes these bytes and ends; it goes on without a word after `HELLO`, or with none."""

    def __init__(self, data: bytes = HELLO) -> None:
        self.pid, self.returncode, self.stderr = 0, 0, None
        self.stdin = self.transport = self
        self.stdout = asyncio.StreamReader()
        self.stdout.feed_data(data)
        if data not in (b"", HELLO):
            self.stdout.feed_eof()

    def write(self, data: bytes) -> None: ...

    def close(self) -> None:
        self.stdout.feed_eof()

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    async def wait(self) -> int:
        return 0


@asynccontextmanager
async def served(spawn: Callable[[], Any]) -> AsyncIterator[PracticeService]:
    async def made(*_: Any, **__: Any) -> Any:
        return spawn()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(helper, "start_module", made)
        patch.setattr(helper, "_RESTART_SECONDS", 0.001)
        patch.setattr(helper, "kill", lambda child: child.close())
        async with PracticeService(PracticeOptions(ear="plain", voice="tones")) as service:
            yield service


async def is_alive(service: PracticeService) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(service))
    writer.write(f"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1:{port_of(service)}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.startswith(b"HTTP/1.1 404")


def port_of(service: PracticeService) -> int:
    return int(service.base_url.rpartition(":")[2])


def play(scene: Callable[[], Awaitable[None]]) -> None:
    """Run; what asyncio itself reports is a fault."""
    faults: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
        await scene()

    asyncio.run(main())
    assert not faults


REQUESTS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda line, headers, more: b"\r\n".join([line, *headers, b"", more]),
        st.sampled_from(
            [
                b"GET /v1/session?sourceLanguage=%ff&x=\xff HTTP/1.1",
                b"GET //[ HTTP/1.1",
                b"GET /session?token=a HTTP/1.1",
                b"GET /v1/session?context=" + b"a" * 9_000 + b" HTTP/1.1",
                b"POST /v1/session HTTP/1.1",
                b"GET / HTTP/9.9",
            ]
        ),
        st.lists(
            st.sampled_from(
                [
                    b"Host: OURS",
                    b"Host: \xff",
                    b"Host: a\r\nHost: b",
                    b"Authorization: Bearer \xff",
                    b"Authorization: Bearer any",
                    b"Origin: null",
                    b"Origin: http://[",
                    b"Upgrade: websocket",
                    b"Connection: Upgrade",
                    b"Sec-WebSocket-Key: x",
                    b"Sec-WebSocket-Version: 13",
                    b"A: " + b"b" * 9_000,
                ]
            ),
            max_size=6,
        ),
        st.binary(max_size=20),
    ),
)


@settings(max_examples=20)
@given(st.lists(REQUESTS, min_size=1, max_size=8))
def test_anything_in_place_of_a_request(requests: list[bytes]) -> None:
    async def scene() -> None:
        async with served(OddChild) as service:
            port = port_of(service)
            for request in requests:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request.replace(b"OURS", f"127.0.0.1:{port}".encode()))
                writer.write_eof()
                try:
                    async with asyncio.timeout(5):
                        await reader.read()
                except ConnectionError:
                    pass
                writer.close()
            assert await is_alive(service)

    play(scene)


MESSAGES = st.lists(
    st.binary(max_size=30)
    | st.text(max_size=30)
    | st.sampled_from(
        [
            bytes(640),
            '{"type":"finalize"}',
            '{"type":"update_metadata","x":' + "[" * 2_000 + "]" * 2_000 + "}",
            '{"type":["finalize"]}',
            '{"type":"update_metadata","a":"\\ud800"}',
            "[" * 20_000,
            bytes(70_000),
        ]
    ),
    max_size=6,
)


@settings(max_examples=15)
@given(MESSAGES)
def test_anything_in_place_of_a_message(messages: list[bytes | str]) -> None:
    async def scene() -> None:
        async with served(OddChild) as service:
            query = parse_query("sourceLanguage=en&targetLanguage=es")
            token, _ = service._grants.add(query, time.monotonic(), "a client")
            try:
                url = f"ws://127.0.0.1:{port_of(service)}/session?token={token}"
                async with connect(url, compression=None) as socket:
                    while '"ready"' not in str(await socket.recv()):
                        pass
                    for message in messages:
                        await socket.send(message)
            except WebSocketException:
                pass
            assert await is_alive(service)

    play(scene)


PACKETS = st.lists(
    st.builds(
        pack,
        st.sampled_from(Kind),
        st.integers(0, 3),
        st.binary(max_size=30)
        | st.dictionaries(
            st.sampled_from(["kind", "segment", "text", "ear", "voice", "languages", "spoken", "problem"]),
            st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
        ).map(lambda fields: json.dumps(fields).encode()),
    )
    | st.binary(min_size=1, max_size=12)
    | st.just(pack(Kind.HELLO, 0, b"[" * 50_000)),
    min_size=1,
    max_size=5,
).map(b"".join)


@settings(max_examples=25)
@given(st.lists(PACKETS, min_size=1, max_size=3))
def test_anything_the_helper_can_write(writes: list[bytes]) -> None:
    left = list(writes)

    async def scene() -> None:
        async with served(lambda: OddChild(left.pop(0)) if left else OddChild()) as service:
            async with asyncio.timeout(5):
                while left:
                    await asyncio.sleep(0.002)
            assert await is_alive(service)

    play(scene)
