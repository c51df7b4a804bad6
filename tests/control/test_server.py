from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pinch_tui.control import client, unix
from pinch_tui.control.address import Serve, reachable
from pinch_tui.control.messages import MAX_REQUEST, AlreadyRunning, ControlCommand, ControlError
from pinch_tui.control.server import MAX_CONNECTIONS, ControlServer
from tests.fakes.control import serving

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")


class Recorder:
    def __init__(self) -> None:
        self.commands: list[ControlCommand] = []

    def __call__(self, command: ControlCommand) -> dict[str, object]:
        self.commands.append(command)
        return {"command": command.value, "count": len(self.commands)}


async def ask(path: Path, command: ControlCommand) -> dict[str, object]:
    return await asyncio.to_thread(client.send, command, path)


async def raw(path: Path, data: bytes, *, eof: bool = False) -> bytes:
    with reachable(path) as name:
        reader, writer = await asyncio.open_unix_connection(name)
    writer.write(data)
    if eof:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


async def test_commands_arrive_in_order_and_are_answered(path: Path) -> None:
    heard = Recorder()
    async with serving(path, heard):
        for command in ("start", "stop", "toggle", "status"):
            reply = await ask(path, ControlCommand(command))
            assert reply["command"] == command
    assert heard.commands == ["start", "stop", "toggle", "status"]


async def test_socket_is_for_the_owner_alone_and_goes_with_the_server(path: Path) -> None:
    mask = os.umask(0o000)
    try:
        async with serving(path, Recorder()):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert stat.S_IMODE(Path(f"{path}.lock").stat().st_mode) == 0o600
            assert os.umask(0o000) == 0o000, "the process's umask is as before"
    finally:
        os.umask(mask)
    assert not path.exists()
    with pytest.raises(ControlError, match="No pinch-tui is open"):
        await ask(path, ControlCommand.START)


async def test_several_requests_on_one_connection(path: Path) -> None:
    heard = Recorder()
    async with serving(path, heard):
        answer = await raw(path, b'{"command":"start"}\n{"command":"stop"}\n', eof=True)
    assert [json.loads(line)["command"] for line in answer.splitlines()] == ["start", "stop"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "not a JSON line"),
        (b'{"command":"explode"}\n', "Known commands"),
        (b"x" * (MAX_REQUEST * 40) + b"\n", "too long"),
        (b'{"command":"start"}', "cut off"),
    ],
)
async def test_nonsense_is_refused_and_never_reaches_the_app(path: Path, data: bytes, words: str) -> None:
    heard = Recorder()
    async with serving(path, heard):
        answer = await raw(path, data, eof=not data.endswith(b"\n"))
        assert words in json.loads(answer)["error"]
        assert (await ask(path, ControlCommand.STATUS))["ok"] is True
    assert heard.commands == [ControlCommand.STATUS]


async def test_a_silent_connection_is_dropped(path: Path) -> None:
    async with serving(path, Recorder(), idle_s=0.05):
        assert await raw(path, b'{"comm') == b""


async def test_connections_are_bounded_and_room_comes_back(path: Path) -> None:
    async with serving(path, Recorder()):
        with reachable(path) as name:
            idle = [await asyncio.open_unix_connection(name) for _ in range(MAX_CONNECTIONS)]
        for _, writer in idle:  # all of them are served, so that the next one is one too many
            writer.write(b'{"command":"status"}\n')
        for reader, _ in idle:
            await reader.readline()
        with pytest.raises(ControlError, match="Too many"):
            await ask(path, ControlCommand.START)
        for reader, writer in idle:
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        assert (await ask(path, ControlCommand.START))["ok"] is True


async def test_second_copy_is_told_about_the_first(path: Path) -> None:
    heard = Recorder()
    async with serving(path, heard):
        with pytest.raises(AlreadyRunning) as caught:
            await ControlServer(path, Recorder()).start()
        assert caught.value.pid == os.getpid()
        assert str(os.getpid()) in caught.value.title
        await ask(path, ControlCommand.START)  # the first still has the address
    assert heard.commands == [ControlCommand.START]
    async with serving(path, Recorder()):  # and gives it up at its end
        pass


async def test_a_second_copy_takes_over_when_the_first_ends(path: Path) -> None:
    first, heard = ControlServer(path, Recorder()), Recorder()
    await first.start()
    second = ControlServer(path, heard)
    with pytest.raises(AlreadyRunning):
        await second.start()
    async with asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(second.take_over(0.01))
        await asyncio.sleep(0.05)
        assert not taking.done()
        await first.stop()
    await ask(path, ControlCommand.TOGGLE)
    assert heard.commands == [ControlCommand.TOGGLE]
    await second.stop()


async def test_a_full_disk_leaves_no_descriptor_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "ftruncate", full)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(3):
        with pytest.raises(ControlError):
            await ControlServer(path, Recorder()).start()
    assert not before or len(os.listdir("/proc/self/fd")) == before


async def test_stop_of_a_copy_that_never_started_leaves_the_first_alone(path: Path) -> None:
    async with serving(path, Recorder()):
        second = ControlServer(path, Recorder())
        with pytest.raises(AlreadyRunning):
            await second.start()
        await second.stop()
        assert (await ask(path, ControlCommand.STATUS))["ok"] is True


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from pinch_tui.control.server import ControlServer
async def main():
    await ControlServer(Path(sys.argv[1]), lambda command: {}).start()
    print("up", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def test_socket_of_a_killed_app_is_stale(path: Path) -> None:
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True
    )
    assert done.stdout == "up\n", done.stderr
    assert path.exists(), "the killed app leaves its socket"
    with pytest.raises(ControlError, match="No pinch-tui is open"):
        await ask(path, ControlCommand.START)
    async with serving(path, Recorder()):
        assert (await ask(path, ControlCommand.STATUS))["ok"] is True


async def test_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix, "peer_uid", lambda sock: os.geteuid() + 1)
    heard = Recorder()
    async with serving(path, heard):
        with pytest.raises(ControlError, match="Another user"):
            await ask(path, ControlCommand.START)
    assert heard.commands == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become another user")
async def test_a_real_other_user_cannot_connect(path: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and folder != Path("/") and folder.stat().st_mode & 0o077 == 0:
            folder.chmod(0o711)
    heard = Recorder()
    async with serving(path, heard):
        path.parent.chmod(0o755)  # as if the folder were open
        script = (
            "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "print(s.recv(999).decode())"
        )

        def run() -> subprocess.CompletedProcess[str]:
            with reachable(path) as name:
                fd = int(name.split("/")[4]) if name.startswith("/proc/self/fd") else None
                return subprocess.run(
                    [sys.executable, "-S", "-c", script, name],
                    capture_output=True,
                    text=True,
                    pass_fds=[] if fd is None else [fd],
                )

        refused = await asyncio.to_thread(run)
        assert "PermissionError" in refused.stderr
        path.chmod(0o666)  # and as if the socket were open as well: the peer's user still decides
        refused = await asyncio.to_thread(run)
        assert "Another user" in refused.stdout, refused.stderr
    assert heard.commands == []


async def test_long_paths_work(tmp_path: Path) -> None:
    path = tmp_path / ("d" * 120) / "control.sock"
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc")
    async with serving(path, Recorder()):
        assert (await ask(path, ControlCommand.STATUS))["ok"] is True


async def test_a_folder_that_cannot_be_made_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlError, match="Control from other programs is off"):
        await ControlServer(tmp_path / "file" / "control.sock", Recorder()).start()


def answering(path: Path, answer: bytes | None) -> threading.Thread:
    """A stranger's server that takes one request and gives ``answer`` (None: never answers)."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1)

    def run() -> None:
        peer, _ = server.accept()
        with server, peer:
            peer.recv(4096)
            if answer is None:
                peer.recv(1)  # until the client gives up
            else:
                peer.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("answer", [b"hello\n", b"", b'{"ok": true', None])
def test_client_survives_what_is_no_pinch_tui(answer: bytes | None) -> None:
    path = Path(f"/tmp/pinch-control-{os.getpid()}.sock")
    path.unlink(missing_ok=True)
    thread = answering(path, answer)
    try:
        with pytest.raises(ControlError):
            client.send(ControlCommand.STATUS, path, timeout_s=0.1)
    finally:
        thread.join()
        path.unlink()


def failing(error: OSError) -> Callable[[Path, bytes, float], bytes]:
    def exchange(path: Path, line: bytes, timeout_s: float) -> bytes:
        raise error

    return exchange


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(), "No pinch-tui is open."),
        (ConnectionRefusedError(), "No pinch-tui is open."),
        (PermissionError(), "belongs to another user"),
        (TimeoutError(), "does not answer"),
        (OSError(5, "Input/output error"), "cannot be reached (Input/output error)"),
    ],
)
def test_client_translates_what_goes_wrong(
    error: OSError, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "exchange", failing(error))
    with pytest.raises(ControlError) as caught:
        client.send(ControlCommand.START, tmp_path / "s")
    assert words in caught.value.title
    assert caught.value.exit_code == 5
    assert caught.value.hint


class Deaf:
    """An endpoint that only counts."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def start(self, serve: Serve) -> None:
        self.calls.append("start")

    async def stop(self) -> None:
        self.calls.append("stop")


async def test_server_starts_and_stops_its_endpoint(tmp_path: Path) -> None:
    endpoint = Deaf()
    async with serving(tmp_path / "s", Recorder(), endpoint=endpoint):
        assert endpoint.calls == ["start"]
    assert endpoint.calls == ["start", "stop"]


async def test_a_runtime_folder_that_is_a_link_is_refused_and_its_target_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    target.chmod(0o755)
    (tmp_path / "run").symlink_to(target)
    with pytest.raises(ControlError, match="link"):
        async with serving(tmp_path / "run" / "control.sock", Recorder()):
            pass
    assert stat.S_IMODE(target.stat().st_mode) == 0o755 and not list(target.iterdir())


async def test_a_folder_that_others_may_write_to_is_refused_and_not_changed(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o777)
    with pytest.raises(ControlError, match="can be written to by others"):
        async with serving(path, Recorder()):
            pass
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o777


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
async def test_only_a_socket_is_removed_to_make_room(path: Path, kind: str) -> None:
    path.parent.mkdir(mode=0o700)
    victim = path.parent / "victim"
    victim.write_text("theirs")
    match kind:
        case "file":
            path.write_text("theirs")
        case "link":
            path.symlink_to(victim)
        case _:
            path.mkdir()
    with pytest.raises(ControlError, match="no socket"):
        async with serving(path, Recorder()):
            pass
    assert path.is_symlink() or path.exists()
    assert victim.read_text() == "theirs"


async def test_what_took_the_sockets_place_is_left_there(path: Path) -> None:
    async with serving(path, Recorder()):
        path.unlink()
        path.write_text("theirs")
    assert path.read_text() == "theirs"
