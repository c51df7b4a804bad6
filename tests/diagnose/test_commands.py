"""The commands as people run them: in a terminal, without one, with an app that listens and without."""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pinch_tui.control.messages import ControlCommand
from pinch_tui.control.talking import answer
from pinch_tui.core.events import MicState, StateWord, Status
from tests.fakes.control import serving

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals and sockets")

IN_TERMINAL = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "PINCH_TUI_HOME": str(tmp_path / "home"), "PYTHONUTF8": "1", "TERM": "xterm-256color"}


def run(env: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pinch_tui", *args],
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # no controlling terminal, wherever the tests run
        timeout=60,
    )


class Terminal:
    """A command in a terminal of its own that answers like kitty, or like a legacy one."""

    def __init__(self, env: dict[str, str], *args: str, answers: bytes) -> None:
        self.master, slave = os.openpty()
        self.answers = answers
        self.heard = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_TERMINAL, str(slave), sys.executable, "-m", "pinch_tui", *args],
            env=env,
            pass_fds=[slave],
            start_new_session=True,
        )
        self.slave = slave

    def wait_for(self, what: bytes, within_s: float = 30.0) -> None:
        end = time.monotonic() + within_s
        while what not in self.heard:
            left = end - time.monotonic()
            assert left > 0, self.heard.decode(errors="replace")
            if select.select([self.master], [], [], min(left, 0.2))[0]:
                data = os.read(self.master, 65_536)
                self.heard += data
                if b"\x1b[c" in data:
                    os.write(self.master, self.answers)

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def end(self) -> int:
        code = self.process.wait(30)
        while select.select([self.master], [], [], 0.05)[0]:
            self.heard += os.read(self.master, 65_536)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for one in opened:
        one.close()


KITTY = b"\x1b[?27u\x1b[?62;52;c"
LEGACY = b"\x1b[?64;1;2c"


def test_keys_shows_an_exact_terminal_and_leaves_it_as_it_was(env: dict[str, str], terminals: list[Terminal]) -> None:
    import termios

    terminal = Terminal(env, "keys", answers=KITTY)
    terminals.append(terminal)
    before = termios.tcgetattr(terminal.slave)
    terminal.wait_for(b"device attributes")
    terminal.wait_for(b"hold: exact")
    terminal.type(b"\x1b[32;;32u")
    terminal.wait_for(b"talk: start (key)")
    terminal.type(b"\x1b[32;1:2;32u")
    terminal.wait_for(b"repeat   space")
    terminal.type(b"\x1b[32;1:3u")
    terminal.wait_for(b"release  space")
    terminal.wait_for(b"talk: ")
    terminal.type(b"\x1b[99;5u")
    assert terminal.end() == 0
    assert termios.tcgetattr(terminal.slave) == before
    assert terminal.heard.count(b"\x1b[>25u") == 1
    assert terminal.heard.rstrip().endswith(b"\x1b[<u")
    assert b"\x1b[?1004l" in terminal.heard
    assert b"\x1b[32" not in terminal.heard, "keys are shown, never echoed raw"


def test_keys_shows_a_legacy_terminal(env: dict[str, str], terminals: list[Terminal]) -> None:
    terminal = Terminal(env, "keys", answers=LEGACY)
    terminals.append(terminal)
    terminal.wait_for(b"does not report key releases")
    terminal.type(b" ")
    terminal.wait_for(b"press    space")
    terminal.type(b" ")
    terminal.wait_for(b"repeat?  space")
    terminal.type(b"\x03")
    assert terminal.end() == 0


def test_keys_leaves_by_itself_when_told(env: dict[str, str], terminals: list[Terminal]) -> None:
    terminal = Terminal(env, "keys", "--seconds", "0.2", answers=LEGACY)
    terminals.append(terminal)
    terminal.wait_for(b"\x1b[<u\x1b[>27u")
    assert terminal.end() == 0
    assert terminal.heard.rstrip().endswith(b"\x1b[<u")


def test_keys_without_a_terminal(env: dict[str, str]) -> None:
    done = run(env, "keys")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no TTY" in done.stderr
    assert done.stderr.count("\n") == 1


def test_doctor_in_a_terminal_asks_it_about_keys(env: dict[str, str], terminals: list[Terminal]) -> None:
    terminal = Terminal(env, "doctor", "--offline", "--silent", answers=KITTY)
    terminals.append(terminal)
    terminal.wait_for(b"talk key")
    terminal.wait_for(b"Hold: exact")
    terminal.end()
    assert terminal.heard.count(b"\x1b[<u") == 1


def test_doctor_without_a_terminal_as_json(env: dict[str, str]) -> None:
    done = run({**env, "PINCH_API_KEY": "canary"}, "doctor", "--offline", "--silent", "--json")
    data = json.loads(done.stdout)
    assert done.returncode == data["exit_code"]
    found = {finding["name"]: finding for finding in data["findings"]}
    assert found["terminal"]["verdict"] == "warn"
    assert found["key"] == {
        "name": "key",
        "verdict": "ok",
        "sentence": "The API key comes from: environment.",
        "cure": "",
        "exit_code": 0,
        "facts": {"source": "environment"},
    }
    assert "canary" not in done.stdout + done.stderr


def test_doctor_says_what_is_wrong_in_the_settings(env: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[talk]\nmood = 1\n")
    done = run(env, "doctor", "--offline", "--silent", "--config", str(config))
    assert done.returncode == 2
    assert "mood" in done.stdout
    assert "Traceback" not in done.stderr


async def test_talk_reaches_the_running_app(env: dict[str, str]) -> None:
    calls: list[bool] = []
    status = Status(word=StateWord.READY, session_id="ss_1")

    def control(is_start: bool, t: float) -> None:
        calls.append(is_start)

    def on_command(command: ControlCommand) -> dict[str, object]:
        return answer(command, control, False, status, time.monotonic())

    path = Path(env["PINCH_TUI_HOME"]) / "runtime" / "control.sock"
    async with serving(path, on_command):
        for command in ControlCommand:
            done = await asyncio.to_thread(run, env, "talk", command.value)
            assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout == f"ready, en to es, process {os.getpid()}\n"
        done = await asyncio.to_thread(run, env, "talk", "start", "--json")
        assert json.loads(done.stdout)["talking"] is True
        status = replace(status, mic=MicState.ABSENT)
        done = await asyncio.to_thread(run, env, "talk", "start")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "pinch-tui has no microphone, so nothing is recorded.\n"
    assert calls == [True, False, True, True, True]
    done = await asyncio.to_thread(run, env, "talk", "start")
    assert done.returncode == 5
    assert done.stderr.startswith("pinch-tui: No pinch-tui is open.")


def test_replay_of_what_is_no_trace(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    done = run(env, "replay", str(tmp_path / "x"))
    assert done.returncode == 2
    assert "is not a trace" in done.stderr
