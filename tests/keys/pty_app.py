"""The sample app in a pseudo-terminal that a test types into and reads from: no X, no rig."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from typing import Any

XTERM_ATTRIBUTES = b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c"
"""The longest answer that a usual terminal gives: Textual's parser gives up earlier."""
SAMPLE = Path(__file__).with_name("sample_app.py")


def _lead() -> None:
    """Go on in a child; the parent heeds no hang-up and ends when the child does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class PtyApp:
    """Answers the two questions like kitty (or not at all), and keeps what the app wrote.

    ``is_led``: the app is not the session's leader; the one that is survives a hang-up and tells nobody of it.
    """

    def __init__(
        self,
        log: Path,
        *options: str,
        answers: bool = True,
        is_led: bool = False,
        env: dict[str, str] | None = None,
    ) -> None:
        self.log = log
        self.answers = answers
        self.output = b""
        self.status: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if is_led:
                _lead()
            os.environ.update({"TERM": "xterm-256color", "PINCH_TUI_TALK__PROBE": "false", **(env or {})})
            os.execv(sys.executable, [sys.executable, str(SAMPLE), str(log), *options])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.wait_for("ready")
        self.pump(0.3)

    def __enter__(self) -> PtyApp:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.hang_up()

    def hang_up(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def type(self, data: str | bytes, settle: float = 0.25) -> None:
        os.write(self.fd, data.encode() if isinstance(data, str) else data)
        self.pump(settle)

    def pump(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.fd >= 0:
            if not select.select([self.fd], [], [], 0.01)[0]:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            self.output += data
            if self.answers:
                for _ in range(data.count(b"\x1b[?u")):
                    os.write(self.fd, b"\x1b[?27u")
            for _ in range(data.count(b"\x1b[c")):
                os.write(self.fd, XTERM_ATTRIBUTES)

    def events(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines]

    def talk(self) -> list[str]:
        """``talk-start key`` and so on, in order."""
        return [f"{event['kind']} {event['source']}" for event in self.events() if event["kind"].startswith("talk-")]

    def texts(self) -> list[str]:
        return [event["value"] for event in self.events() if event["kind"] == "text"]

    def keys(self) -> list[str]:
        return [event["key"] for event in self.events() if event["kind"] == "key"]

    def wait_for(self, kind: str, seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(event["kind"] == kind for event in self.events()):
                return
            self.pump(0.05)
        raise AssertionError(f"no {kind} within {seconds} s: {self.output[-400:]!r}")

    def wait_exit(self, seconds: float = 8.0) -> int:
        """The exit status as of ``waitpid``."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
                self.pump(0.1)
                return status
            self.pump(0.05)
            time.sleep(0.01)
        raise AssertionError(f"still running after {seconds} s")

    def is_clean(self) -> bool:
        """Whether everything that was switched on was switched off again, flags included."""
        return (
            self.output.count(b"\x1b[>") == self.output.count(b"\x1b[<u")
            and self.output.rfind(b"\x1b[?1049l") > self.output.rfind(b"\x1b[?1049h")
            and self.output.rfind(b"\x1b[?1004l") > self.output.rfind(b"\x1b[?1004h")
            and self.output.rfind(b"\x1b[?25h") > self.output.rfind(b"\x1b[?25l")
        )
