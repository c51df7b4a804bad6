"""Outside control of the real app, in a terminal of its own."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals"),
    pytest.mark.timeout(180),
]

IN_TERMINAL = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"


class App:
    """The app in a terminal that answers like a legacy one; ``drawn`` is what it wrote."""

    def __init__(self, env: dict[str, str], events: Path) -> None:
        import termios

        self.events = events
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        command = [sys.executable, "-m", "pinch_tui", "--practice", "--events", str(events)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_TERMINAL, str(slave), *command], env=env, pass_fds=[slave], start_new_session=True
        )
        os.close(slave)
        self.drawn = b""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._over.is_set():
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self.master, 65_536)
                if b"\x1b[c" in data:
                    os.write(self.master, b"\x1b[?62c")
            except OSError:
                return
            self.drawn += data

    def seen(self) -> list[dict[str, Any]]:
        if not self.events.exists():
            return []
        return [json.loads(line) for line in self.events.read_text().splitlines()]

    def wait_for(self, kind: str, n: int = 1, within_s: float = 40.0) -> dict[str, Any]:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            found = [event for event in self.seen() if event["kind"] == kind]
            if len(found) >= n:
                return found[n - 1]
            time.sleep(0.05)
        raise AssertionError(f"no {kind}: {[event['kind'] for event in self.seen()]} {self.drawn[-500:]!r}")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._over.set()
        self._thread.join()
        os.close(self.master)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "PINCH_TUI_HOME": str(tmp_path / "home"),
        "PINCH_TUI_TALK__LIMIT_S": "5",
        "PULSE_SERVER": "unix:/nonexistent",
        "PYTHONUTF8": "1",
        "TERM": "xterm-256color",
    }


@pytest.fixture
def apps() -> Iterator[list[App]]:
    opened: list[App] = []
    yield opened
    for app in opened:
        app.close()


def talk(env: dict[str, str], what: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "pinch_tui", "talk", what, "--json"], env=env, capture_output=True, text=True, timeout=30
    )
    return json.loads(done.stdout) if done.returncode == 0 else {"code": done.returncode, "error": done.stderr}


def test_a_true_hold_from_outside(env: dict[str, str], apps: list[App], tmp_path: Path) -> None:
    app = App(env, tmp_path / "first")
    apps.append(app)
    app.wait_for("ready")
    assert talk(env, "status")["talking"] is False
    assert talk(env, "start")["talking"] is True
    assert app.wait_for("talk-start")["source"] == "control"
    assert talk(env, "start")["was_talking"] is True, "a second start changes nothing"
    assert talk(env, "stop")["talking"] is False
    assert app.wait_for("talk-stop")["source"] == "control"
    assert talk(env, "toggle")["talking"] is True
    app.wait_for("talk-start", 2)
    # Nobody stops it: the longest-utterance limit does, or before that the want of any microphone.
    stopped = app.wait_for("talk-stop", 2)
    assert stopped["source"] in ("limit", "device")
    starts = [event for event in app.seen() if event["kind"] == "talk-start"]
    assert len(starts) == 2

    # A second copy is told about the first, and the first goes on answering.
    second = App(env, tmp_path / "second")
    apps.append(second)
    second.wait_for("ready")
    end = time.monotonic() + 20
    while b"Another pinch-tui is open" not in second.drawn and time.monotonic() < end:
        time.sleep(0.05)
    assert b"Another pinch-tui is open" in second.drawn
    assert str(app.process.pid).encode() in second.drawn
    assert talk(env, "status")["pid"] == app.process.pid
    second.close()
    apps.remove(second)

    # What a killed app leaves behind is in nobody's way.
    app.process.send_signal(signal.SIGKILL)
    app.process.wait()
    assert talk(env, "status")["code"] == 5
    third = App(env, tmp_path / "third")
    apps.append(third)
    third.wait_for("ready")
    assert talk(env, "status")["pid"] == third.process.pid
