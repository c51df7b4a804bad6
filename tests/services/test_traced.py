from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from pinch_tui.core.events import SessionParams
from pinch_tui.core.hosts import Scope
from pinch_tui.core.wire import Allocation, Progress
from pinch_tui.errors import AllocationError, ConnectionLost, CredentialError, LinkError
from pinch_tui.services.wirelog import WireLog

TOKEN = "canary-token-77"


class Api:
    def __init__(self, *answers: Allocation | Exception) -> None:
        self.answers = list(answers)
        self.is_closed = False

    async def allocate(self, params: SessionParams) -> Allocation:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.is_closed = True


class Socket:
    def __init__(self, *messages: bytes | str) -> None:
        self.messages = list(messages)
        self.sent: list[bytes | str] = []
        self.calls: list[str] = []

    async def send(self, data: bytes | str) -> None:
        if "lost" in self.calls:
            raise ConnectionLost(1006)
        self.sent.append(data)

    async def ping(self) -> None:
        self.calls.append("ping")

    async def receive(self) -> bytes | str:
        if not self.messages:
            self.calls.append("lost")
            raise ConnectionLost(4503)
        return self.messages.pop(0)

    async def close(self, code: int = 1000) -> None:
        self.calls.append(f"close {code}")

    def progress(self) -> Progress | None:
        return None

    def abort(self) -> None:
        self.calls.append("abort")


class Opener:
    def __init__(self, *sockets: Socket | Exception) -> None:
        self.sockets = list(sockets)

    async def open(self, url: str, headers: Mapping[str, str] = {}, *, nearest: Scope = Scope.MACHINE) -> Socket:
        socket = self.sockets.pop(0)
        if isinstance(socket, Exception):
            raise socket
        return socket


def counting() -> Iterator[float]:
    n = 0.0
    while True:
        n += 1.0
        yield n


class Log:
    def __init__(self) -> None:
        self.lines: list[Mapping[str, object]] = []
        ticks = counting()
        self.wire = WireLog(self.lines.append, now=lambda: next(ticks))

    @property
    def kinds(self) -> list[object]:
        return [line["kind"] for line in self.lines]


async def test_what_passes_is_unchanged_and_logged() -> None:
    log = Log()
    socket = Socket('{"type":"ready","session_id":"ss_1"}', b"\0" * 8)
    connection = await log.wire.traced_sockets(Opener(socket).open)(f"wss://x/?token={TOKEN}")
    assert await connection.receive() == '{"type":"ready","session_id":"ss_1"}'
    await connection.send(b"\1" * 640)
    await connection.ping()
    assert await connection.receive() == b"\0" * 8
    await connection.close()
    assert socket.sent == [b"\1" * 640]
    assert socket.calls == ["ping", "close 1000"]
    assert log.kinds == ["opened", "received", "sent", "received", "closed"]
    assert [line["t"] for line in log.lines] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert log.lines[-1] == {"t": 5.0, "kind": "closed", "c": 1, "code": 1000, "by_us": True}
    assert TOKEN not in json.dumps(log.lines)


async def test_a_loss_is_logged_once() -> None:
    log = Log()
    connection = await log.wire.traced_sockets(Opener(Socket()).open)("wss://x")
    with pytest.raises(ConnectionLost):
        await connection.receive()
    with pytest.raises(ConnectionLost):
        await connection.send(b"")
    connection.abort()
    assert log.kinds == ["opened", "closed"]
    assert log.lines[-1]["code"] == 4503
    assert log.lines[-1]["by_us"] is False


async def test_an_abort_has_no_code() -> None:
    log = Log()
    connection = await log.wire.traced_sockets(Opener(Socket()).open)("wss://x")
    connection.abort()
    assert (log.lines[-1]["code"], log.lines[-1]["by_us"]) == (None, True)


async def test_a_socket_that_does_not_open_is_logged() -> None:
    log = Log()
    with pytest.raises(LinkError):
        await log.wire.traced_sockets(Opener(LinkError("no")).open)(f"wss://x/?token={TOKEN}")
    assert log.lines == [{"t": 1.0, "kind": "failed", "what": "open", "status": None}]


async def test_allocations_are_logged_without_secrets() -> None:
    log = Log()
    inner = Api(
        Allocation("ss_1", f"wss://x/?token={TOKEN}", 60.0, "m1"),
        AllocationError("busy", status=503, retryable=True),
        CredentialError("no", status=401),
        CredentialError("none"),
    )
    api = log.wire.traced_api(inner)
    assert (await api.allocate(SessionParams())).ws_url.endswith(TOKEN)
    for error in (AllocationError, CredentialError, CredentialError):
        with pytest.raises(error):
            await api.allocate(SessionParams())
    assert log.kinds == ["allocate", "allocated", "allocate", "failed", "allocate", "failed", "allocate", "failed"]
    assert [line["status"] for line in log.lines if line["kind"] == "failed"] == [503, 401, None]
    assert TOKEN not in json.dumps(log.lines)
    await api.aclose()
    assert inner.is_closed
