"""Every child ends when its parent does, however that ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinch_tui.store import secrets

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are found through /proc"),
]

WATCH = """
import asyncio
from pinch_tui.audio.devices.server_watch import ServerWatch
async def main():
    await ServerWatch(lambda state: None).run()
asyncio.run(main())
"""
HOST = """
import asyncio
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.audio.host.supervisor import SoundHost
async def main():
    async with SoundHost(clock=SystemClock()) as host:
        while not (host.capture.host_pid and host.playback.host_pid):
            await asyncio.sleep(0.01)
        print("up", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
HELPER = """
import asyncio
from pinch_tui.services.practice.service import PracticeService
async def main():
    async with PracticeService() as service:
        await service.helper.hello(20)
        print("up", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
KEYRING = """
from pinch_tui.store.keyring_child import ChildKeyring
ChildKeyring(get_timeout_s=600.0).get()
"""
NO_SERVERS = {"PULSE_SERVER": "unix:/nonexistent", "JACK_DEFAULT_SERVER": "none of ours", "JACK_NO_START_SERVER": "1"}
"""The hosts meet no sound server. The libraries can still abort in what killed servers left in shared memory: then
the supervision starts another host, as it does for users."""
HUNG_BACKEND = """
import time
from keyring.backend import KeyringBackend
class Hung(KeyringBackend):
    priority = 9
    def get_password(self, service, username): time.sleep(600)
    def set_password(self, service, username, password): time.sleep(600)
"""


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    todo = [pid]
    while todo:
        children = children_of(todo.pop())
        todo += children - found
        found |= children
    return found


def children_of(pid: int) -> set[int]:
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that ended meanwhile
                found |= {int(child) for child in (task / "children").read_text().split()}
    return found


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextlib.contextmanager
def parent(code: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_until(condition: object, seconds: float) -> bool:
    assert callable(condition)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def ends_with(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    children = descendants(process.pid)
    assert children
    process.send_signal(how)
    process.wait(10)
    assert wait_until(lambda: not any(map(is_running, children)), 5.0), [
        Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in children if is_running(pid)
    ]


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A `pactl` that never answers and ignores that nobody listens."""
    tool = tmp_path / "bin" / "pactl"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\ntrap '' PIPE HUP TERM\nwhile :; do sleep 60; done\n")
    tool.chmod(0o755)
    return tool.parent


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT])
def test_the_watch_of_the_sound_server_ends_with_its_parent(tools: Path, how: signal.Signals) -> None:
    with parent(WATCH, PATH=f"{tools}:{os.environ['PATH']}") as process:
        assert wait_until(lambda: _runs(process.pid, b"pactl\0subscribe"), 20.0)
        # Its own children alone: the script's `sleep` is still called `sh` for a moment after it is forked.
        pactl = {pid for pid in children_of(process.pid) if _command(pid).startswith(b"/bin/sh")}
        process.send_signal(how)
        process.wait(10)
        assert pactl and wait_until(lambda: not any(map(is_running, pactl)), 5.0)


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _runs(pid: int, words: bytes) -> bool:
    return any(_command(child).startswith(b"/bin/sh") and words in _command(child) for child in descendants(pid))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT])
@pytest.mark.parametrize("code", [HOST, HELPER], ids=["sound host", "practice helper"])
def test_our_own_children_end_with_their_parent(code: str, how: signal.Signals) -> None:
    with parent(code, **NO_SERVERS) as process:
        assert process.stdout is not None and process.stdout.readline() == b"up\n"
        ends_with(process, how)


def test_a_hung_keyring_ends_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "hung.py").write_text(HUNG_BACKEND)
    env = {"PYTHON_KEYRING_BACKEND": "hung.Hung", "PYTHONPATH": str(tmp_path)}
    with parent(KEYRING, **env) as process:
        assert wait_until(lambda: bool(descendants(process.pid)), 10.0)
        time.sleep(0.5)  # until it hangs
        ends_with(process, signal.SIGKILL)


PROBE = """
from pathlib import Path
from pinch_tui.dub import probe
probe._WITHIN_S = 600.0
probe.probe(Path("talk.mp4"))
"""
DECODE = """
import sys
from pathlib import Path
from pinch_tui.audio.recordings import ffmpeg
from pinch_tui.audio.recordings.source import ByteSource
for block in ffmpeg.decode(ByteSource(lambda n: b"", "talk.aac", path=Path("talk.aac"))):
    pass
"""
FONTS = """
from pinch_tui.ui.big import fonts
from pinch_tui.ui.big.scripts import script_of
fonts.TIMEOUT_S = 600.0
fonts.Fontconfig().find(script_of("x"), "x")
"""
CLIPBOARD = """
import asyncio
from pinch_tui.frontend.clipboard import Clipboard
asyncio.run(Clipboard(timeout_s=600.0, platform="linux").copy("text"))
"""


@pytest.mark.parametrize(
    ("tool", "code"),
    [("ffprobe", PROBE), ("ffmpeg", DECODE), ("fc-match", FONTS), ("xclip", CLIPBOARD)],
    ids=["ffprobe", "ffmpeg", "fc-match", "clipboard"],
)
def test_a_foreign_program_that_hangs_ends_with_its_parent_and_has_no_key(tmp_path: Path, tool: str, code: str) -> None:
    program, log = tmp_path / tool, tmp_path / "env"
    program.write_text(f"#!/bin/sh\ntrap '' PIPE HUP TERM\nenv > '{log}'\nexec sleep 600\n")
    program.chmod(0o755)
    keys = {variable: "canary" for name in secrets.KEYS.values() for variable in name.variables}
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DISPLAY": ":77", **keys}
    with parent(code, **env) as process:
        assert wait_until(lambda: any(b"sleep\x00600" in _command(pid) for pid in children_of(process.pid)), 20.0)
        ends_with(process, signal.SIGKILL)
    assert "canary" not in log.read_text()
