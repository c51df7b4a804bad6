"""The Windows named pipe, with a loop that hands out connections without Windows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pinch_tui.control import client
from pinch_tui.control.address import pipe_name
from pinch_tui.control.errors import AlreadyRunning, ControlError
from pinch_tui.control.messages import ControlCommand
from pinch_tui.control.pipe import PipeEndpoint
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


async def test_pipe_serves_the_same_protocol(tmp_path: Path) -> None:
    loop = FakeLoop()
    heard: list[ControlCommand] = []

    def on_command(command: ControlCommand) -> dict[str, object]:
        heard.append(command)
        return {"state": "ready"}

    server = ControlServer(tmp_path, on_command, endpoint=PipeEndpoint(r"\\.\pipe\pinch-tui-x", loop))
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


async def test_name_in_use_means_another_copy() -> None:
    endpoint = PipeEndpoint("p", FakeLoop(PermissionError(13, "Access is denied")))

    async def serve(*args: object) -> None: ...

    with pytest.raises(AlreadyRunning) as caught:
        await endpoint.start(serve)
    assert caught.value.pid is None
    await endpoint.stop()


async def test_other_failures_are_plain() -> None:
    async def serve(*args: object) -> None: ...

    with pytest.raises(ControlError, match="Outside control is off"):
        await PipeEndpoint("p", FakeLoop(OSError(123, "bad name"))).start(serve)
    with pytest.raises(ControlError, match="named pipes"):
        await PipeEndpoint("p").start(serve)  # the running loop of this system has none


def test_windows_gets_the_pipe_and_a_name_of_its_own(tmp_path: Path) -> None:
    assert isinstance(default_endpoint(tmp_path / "a", "win32"), PipeEndpoint)
    name = pipe_name(tmp_path / "a")
    assert name.startswith(r"\\.\pipe\pinch-tui-")
    assert name != pipe_name(tmp_path / "b")
    assert str(tmp_path) not in name


def test_the_client_speaks_to_a_pipe_as_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "pipe"
    stand_in.write_bytes(b'....................\n{"ok": true, "state": "ready"}\n')
    monkeypatch.setattr(client, "pipe_name", lambda path: stand_in)
    # A plain file keeps one position for reading and writing, as the written request moves it to the answer.
    line = b'{"command": "start"}\n'
    assert client._over_pipe(tmp_path, line, 1.0) == b'{"ok": true, "state": "ready"}\n'
    assert stand_in.read_bytes().startswith(line)
