"""The Windows named pipe, with a loop that hands out connections without Windows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pinch_tui.control import client
from pinch_tui.control.address import pipe_name
from pinch_tui.control.messages import AlreadyRunning, ControlCommand, ControlError
from pinch_tui.control.pipe import PipeEndpoint
from pinch_tui.control.pipe_client import exchange
from pinch_tui.control.server import ControlServer, default_endpoint


class FakeServer:
    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class FakeLoop:
    """Takes the place of the proactor loop: remembers the factory, fails when told to."""

    def __init__(self, error: OSError | None = None) -> None:
        self.error = error
        self.server = FakeServer()
        self.address = ""
        self.factory: Callable[[], asyncio.BaseProtocol] | None = None

    async def start_serving_pipe(
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], address: str
    ) -> Sequence[FakeServer]:
        if self.error is not None:
            raise self.error
        self.factory, self.address = protocol_factory, address
        return [self.server]


class MemoryTransport(asyncio.Transport):
    """The server's end of a pipe, in memory."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.sent = b""
        self.closed = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def close(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        raise AssertionError("not needed")

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol


async def test_pipe_serves_the_same_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = FakeLoop()
    monkeypatch.setattr(asyncio.get_running_loop(), "start_serving_pipe", loop.start_serving_pipe, raising=False)
    heard: list[ControlCommand] = []

    def on_command(command: ControlCommand) -> dict[str, object]:
        heard.append(command)
        return {"state": "ready"}

    server = ControlServer(tmp_path, on_command, endpoint=PipeEndpoint(r"\\.\pipe\pinch-tui-x"))
    await server.start()
    assert loop.address == r"\\.\pipe\pinch-tui-x"
    assert loop.factory is not None
    protocol = loop.factory()
    assert isinstance(protocol, asyncio.Protocol)
    transport = MemoryTransport(protocol)
    protocol.connection_made(transport)
    protocol.data_received(b'{"command": "toggle"}\n')
    protocol.eof_received()
    await transport.closed.wait()
    assert transport.sent == b'{"ok": true, "state": "ready"}\n'
    assert heard == [ControlCommand.TOGGLE]
    await server.stop()
    assert loop.server.is_closed


def refusing(error: OSError, monkeypatch: pytest.MonkeyPatch) -> PipeEndpoint:
    start = FakeLoop(error).start_serving_pipe
    monkeypatch.setattr(asyncio.get_running_loop(), "start_serving_pipe", start, raising=False)
    return PipeEndpoint("p")


async def test_name_in_use_means_another_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = refusing(PermissionError(13, "Access is denied"), monkeypatch)

    async def serve(*args: object) -> None: ...

    with pytest.raises(AlreadyRunning) as caught:
        await endpoint.start(serve)
    assert caught.value.pid is None
    await endpoint.stop()


async def test_other_failures_are_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(*args: object) -> None: ...

    with pytest.raises(ControlError, match="named pipes"):
        await PipeEndpoint("p").start(serve)  # the running loop of this system has none
    with pytest.raises(ControlError, match="the pipe cannot be made"):
        await refusing(OSError(123, "bad name"), monkeypatch).start(serve)


def test_windows_gets_the_pipe_and_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        assert isinstance(default_endpoint(tmp_path / "a"), PipeEndpoint)
    name = pipe_name(tmp_path / "a")
    assert name.startswith(r"\\.\pipe\pinch-tui-")
    assert name != pipe_name(tmp_path / "b")
    assert str(tmp_path) not in name


def failed(winerror: int, kind: type[OSError] = OSError) -> OSError:
    error = kind(22, "as Windows says it")
    error.winerror = winerror  # type: ignore[attr-defined,unused-ignore]
    return error


class FakeOverlapped:
    event = 5

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def GetOverlappedResult(self, wait: bool) -> tuple[int, int]:
        return len(self.data), 995 if self.is_cancelled else 0

    def getbuffer(self) -> bytes | None:
        return self.data or None


class FakeWinapi:
    """The named-pipe half of ``_winapi``. ``opened``: what each try to open meets; ``answers``: what each read does."""

    GENERIC_READ, GENERIC_WRITE, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL = 1 << 31, 1 << 30, 3, 1 << 30, 0
    ERROR_SEM_TIMEOUT, ERROR_PIPE_BUSY, ERROR_IO_PENDING, WAIT_OBJECT_0, WAIT_TIMEOUT = 121, 231, 997, 0, 258

    def __init__(self, opened: list[OSError | None], answers: list[bytes | OSError | None]) -> None:
        self.opened = opened
        self.answers = answers
        self.now = 0.0
        self.written = b""
        self.closed: list[int] = []
        self.started: list[FakeOverlapped] = []

    def WaitNamedPipe(self, name: str, timeout_ms: int) -> None:
        assert 0 < timeout_ms <= 1000
        self.now += 0.1

    def CreateFile(self, *arguments: object) -> int:
        error = self.opened.pop(0) if len(self.opened) > 1 else self.opened[0]
        if error is not None:
            raise error
        return 7

    def WriteFile(self, handle: int, data: bytes, overlapped: bool) -> tuple[FakeOverlapped, int]:
        self.written += data
        return FakeOverlapped(b""), 0

    def ReadFile(self, handle: int, size: int, overlapped: bool) -> tuple[FakeOverlapped, int]:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        self.started.append(FakeOverlapped(answer or b""))
        return self.started[-1], self.ERROR_IO_PENDING if answer is None else 0

    def WaitForMultipleObjects(self, events: list[int], wait_all: bool, timeout_ms: int) -> int:
        self.now += timeout_ms / 1000
        return self.WAIT_TIMEOUT

    def CloseHandle(self, handle: int) -> None:
        self.closed.append(handle)

    def ask(self, line: bytes = b"{}\n") -> bytes:
        return exchange("pipe", line, 1.0, api=self, clock=lambda: self.now)


class TestThePipesClient:
    def test_it_sends_a_line_and_reads_one(self) -> None:
        windows = FakeWinapi([None], [b'{"ok": ', b"true}\n"])
        assert windows.ask(b"start\n") == b'{"ok": true}\n'
        assert (windows.written, windows.closed) == (b"start\n", [7])

    def test_a_busy_pipe_is_tried_again_until_the_time_is_over(self) -> None:
        windows = FakeWinapi([failed(231), failed(121), None], [b"{}\n"])
        assert windows.ask() == b"{}\n"
        with pytest.raises(TimeoutError):
            FakeWinapi([failed(231)], []).ask()

    def test_a_read_has_a_limit_too(self) -> None:
        windows = FakeWinapi([None], [b'{"ok', None])
        with pytest.raises(TimeoutError):
            windows.ask()
        assert windows.now == pytest.approx(1.0)
        assert windows.started[-1].is_cancelled
        assert windows.closed == [7]

    def test_an_end_without_a_newline_is_an_answer(self) -> None:
        assert FakeWinapi([None], [b"half", failed(109)]).ask() == b"half"

    def test_other_errors_are_the_callers(self) -> None:
        for error in (failed(2, FileNotFoundError), failed(5, PermissionError)):
            with pytest.raises(type(error)):
                FakeWinapi([error], []).ask()

    def test_the_command_uses_it_on_windows(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        windows = FakeWinapi([None], [b'{"ok": true}\n'])
        monkeypatch.setitem(sys.modules, "_winapi", windows)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "platform", "win32")
            assert client.exchange(tmp_path, b"{}\n", 1.0) == b'{"ok": true}\n'
