"""The real program, as a person runs it: in a terminal, with (virtual) sound, against a practice service of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyte

from tests.audio.rig import VirtualAudio, why_not
from tests.keys.pty_app import XTERM_ATTRIBUTES
from tests.services.practice.spoken import RATE, spoken

PROGRAM = Path(sys.executable).with_name("pinch-tui")
RIG = Path(__file__).resolve().parents[3] / "shared" / "rig"
PRESS, REPEAT, RELEASE = b"\x1b[32;;32u", b"\x1b[32;1:2;32u", b"\x1b[32;1:3u"
CTRL_Q, CTRL_C, ESCAPE = b"\x1b[113;5u", b"\x1b[99;5u", b"\x1b[27u"


def why_no_sound() -> str | None:
    """Why there can be no test with sound here, None when there can."""
    return "sox is not installed" if shutil.which("sox") is None else why_not()


def why_no_terminal() -> str | None:
    """Why there can be no test in a real terminal here, None when there can."""
    for program in ("Xvfb", "xdotool", "kitty", "import", "setxkbmap", "xset", "xwininfo"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None if (RIG / "terminal.py").is_file() else "the rig (../shared/rig) is not beside the checkout"


def say(folder: Path, text: str, language: str = "en") -> Path:
    """A 16 kHz mono PCM16 file of a spoken text, which the virtual microphone passes on bit for bit."""
    path = folder / "spoken.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((spoken(text, language) * 32_767).round().astype("<i2").tobytes())
    return path


def samples(path: Path) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The samples of a PCM16 WAV, also of one whose header was not finished."""
    data = path.read_bytes()
    try:
        with wave.open(str(path)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    except (wave.Error, EOFError):
        return np.frombuffer(data[44 : len(data) // 2 * 2], dtype="<i2")


def find(haystack: np.ndarray[Any, Any], needle: np.ndarray[Any, Any]) -> int:
    """Where ``needle`` stands in ``haystack`` sample for sample, -1 if it does not."""
    return haystack.tobytes().find(needle.tobytes())


def starved_s(pid: int) -> float:
    """Seconds that a program, or the child of its that waited longest, was ready to run and got no core. 0.0 where the
    system does not tell."""
    with contextlib.suppress(OSError, ValueError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return _starved_s(pid) + max((_starved_s(int(child)) for child in children), default=0.0)
    return 0.0


def _starved_s(pid: int) -> float:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    return 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Practice:
    """``pinch-tui practice`` as a process of its own."""

    def __init__(self, *options: str, port: int = 0, record: Path | None = None) -> None:
        recording = ["--record", str(record)] if record is not None else []
        self.process = subprocess.Popen(
            [str(PROGRAM), "practice", "--port", str(port), *recording, *options], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.base_url = self.process.stdout.readline().strip().split()[-1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def practice(*options: str, port: int = 0, record: Path | None = None) -> Iterator[Practice]:
    service = Practice(*options, port=port, record=record)
    try:
        yield service
    finally:
        service.kill()


class LiveApp:
    """``pinch-tui`` in a pseudo-terminal that reports releases, with a screen that the test can read."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        audio: VirtualAudio | None = None,
        env: dict[str, str] | None = None,
        size: tuple[int, int] = (100, 30),
        is_exact: bool = True,
        background: str = "",
    ) -> None:
        """``background``: what the terminal answers when it is asked for its own, "" for nothing."""
        self.log = folder / "events.jsonl"
        self.home = folder / "home"
        self.is_exact = is_exact
        self.background = background
        self.output = b""
        self.status: int | None = None
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
            "TERM": "xterm-256color",
            "PINCH_TUI_HOME": str(self.home),
            "PINCH_TUI_SESSION__SPARE": "false",  # scripts give a plan to each session in turn
            "PINCH_TUI_TALK__PROBE": "false",
            **(audio.env if audio is not None else {}),
            **(env or {}),
        }
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(str(PROGRAM), [str(PROGRAM), "--events", str(self.log), *options], environment)
        self.resize(*size)
        self.wait("ready", 20)
        self.pump(0.4)

    def __enter__(self) -> LiveApp:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size; the test's `screen` keeps its own."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def pump(self, seconds: float) -> None:
        """Let the program run, and read what it draws."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.01)[0]:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            self.output += data
            self._stream.feed(data)
            if self.is_exact:
                for _ in range(data.count(b"\x1b[?u")):
                    os.write(self.fd, b"\x1b[?27u")
            for _ in range(data.count(b"\x1b[c")):
                os.write(self.fd, XTERM_ATTRIBUTES)
            if self.background and b"\x1b]11;?" in data:
                os.write(self.fd, f"\x1b]11;{self.background}\x1b\\".encode())

    def type(self, keys: bytes, settle: float = 0.1) -> float:
        """Type; returns when (monotonic)."""
        t = time.monotonic()
        os.write(self.fd, keys)
        self.pump(settle)
        return t

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        events = [json.loads(line) for line in lines]
        return events if kind is None else [event for event in events if event["kind"] == kind]

    def wait(self, kind: str, seconds: float, *, n: int = 1, **fields: object) -> dict[str, Any]:
        """The ``n``-th event of a kind with these fields; fails when it does not come in time. What the machine does
        not give the program does not count."""
        began, starved = time.monotonic(), starved_s(self.pid)
        while time.monotonic() - began - max(0.0, starved_s(self.pid) - starved) < seconds:
            found = [e for e in self.events(kind) if all(e.get(name) == value for name, value in fields.items())]
            if len(found) >= n:
                return found[n - 1]
            self.pump(0.05)
        raise AssertionError(f"no {kind} {fields} in {seconds} s; the screen:\n{self.text()}\n{self.events()[-8:]}")

    def text(self) -> str:
        """The screen, as text."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_text(self, text: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while text not in self.text():
            if time.monotonic() > end:
                raise AssertionError(f"{text!r} did not appear in {seconds} s; the screen:\n{self.text()}")
            self.pump(0.05)

    def close_terminal(self) -> None:
        """Hang up: the terminal's window is closed."""
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, self.fd)
        os.close(nothing)

    def leave(self, seconds: float = 8.0) -> int:
        """Wait until the program has ended; its exit code."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.pump(0.1)
                return self.status
            self.pump(0.05)
        raise AssertionError(f"still running after {seconds} s; the screen:\n{self.text()}")
