"""The line mode's POSIX terminal: single keys without echo, and whole lines as answers to questions.

Writes only whole lines, moves no cursor, uses no thread. `pinch_tui.plain.tty_windows` is its counterpart.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from pinch_tui.errors import UsageError
from pinch_tui.outlet import LAST_WORDS_S, PatientStream, key_decoder
from pinch_tui.plain.terminal import HANG_UP, KeyHandler, Terminal, key_names

assert sys.platform != "win32"
import termios  # noqa: E402

_LONGEST = 64
"""Maximum length of an unfinished sequence, in characters; those of keys are shorter."""
ESCAPE_S = 0.05
"""An Escape character was the Escape key if nothing follows it for this time."""
MOST_PENDING = 64 * 1024
"""Maximum output that waits for a blocked terminal, in bytes; further lines are dropped and counted."""
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?")


class PosixTerminal(Terminal):
    """Keys come from ``fd``, output goes to ``out`` or stdout. `open` raises `UsageError` if ``fd`` is no terminal."""

    has_keys = True

    def __init__(self, fd: int | None = None, out: Callable[[str], object] | None = None) -> None:
        self.fd: int = sys.stdin.fileno() if fd is None else fd
        self._out = out
        self._saved: list[Any] | None = None
        self._on_key: KeyHandler = lambda name, t: None
        self._decoder = key_decoder()
        self._pending = ""
        self._loop: asyncio.AbstractEventLoop
        self._escape: asyncio.TimerHandle | None = None
        self._answer: asyncio.Future[str] | None = None
        self._stream: PatientStream | None = None
        self._n_missed = 0  # lines dropped
        self._is_gone = False
        self._has_ended = False
        self._has_closed_question = False

    def open(self, on_key: KeyHandler) -> None:
        if not os.isatty(self.fd):
            raise UsageError(
                "The line mode reads keys, and the standard input is not a terminal.",
                "For files and pipes there is `pinch-tui translate`.",
            )
        self._saved = termios.tcgetattr(self.fd)
        self._on_key = on_key
        self._loop = asyncio.get_running_loop()
        self._use_keys()
        self._loop.add_reader(self.fd, self._read)

    def _use_keys(self) -> None:
        """Single keys, no echo, no signals from keys; output processing stays as it is."""
        mode = termios.tcgetattr(self.fd)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        mode[0] &= ~(termios.ICRNL | termios.IXON)
        mode[6][termios.VMIN] = 1
        mode[6][termios.VTIME] = 0
        termios.tcsetattr(self.fd, termios.TCSANOW, mode)

    def _use_lines(self) -> None:
        if self._saved is not None:
            termios.tcsetattr(self.fd, termios.TCSANOW, self._saved)

    def _use_question(self) -> None:
        """Whole lines with the terminal's own editing and echo. Escape, Ctrl+C and Ctrl+Q end the line, as Enter does,
        so that they are read at once."""
        if self._saved is None:
            return
        mode = [*self._saved[:6], list(self._saved[6])]
        mode[3] |= termios.ICANON | termios.ECHO | termios.IEXTEN
        mode[0] = (mode[0] | termios.ICRNL) & ~termios.IXON
        nothing = os.fpathconf(self.fd, "PC_VDISABLE").to_bytes(1, "little")
        for index, char in (
            (termios.VINTR, nothing),
            (termios.VEOL, b"\x1b"),
            (termios.VEOL2, b"\x03"),
            (termios.VEOF, b"\x11"),  # not part of the line that it ends: an empty line arrives as no byte at all
        ):
            mode[6][index] = char
        termios.tcsetattr(self.fd, termios.TCSADRAIN, mode)

    def write(self, line: str) -> None:
        """Write a line. If the terminal is gone the program ends, as at the end of input."""
        if self._is_gone:
            return
        text = line + "\n"
        try:
            if self._out is not None:
                self._out(text)
            else:
                self._print(text)
        except (OSError, ValueError):
            self._is_gone = True
            self._loop.call_soon(self._at_end, time.monotonic())

    def _print(self, text: str) -> None:
        """Print without waiting: a blocked terminal must not block anything else."""
        if self._stream is None:
            self._stream = PatientStream(sys.stdout, "pinch-lines")
        if self._stream.outlet.pending > MOST_PENDING:
            self._n_missed += 1
            return
        if self._n_missed:
            text = f"({self._n_missed} lines were not shown: the terminal was blocked.)\n{text}"
            self._n_missed = 0
        self._stream.write(text)

    def _read(self) -> None:
        now = time.monotonic()
        try:
            data = os.read(self.fd, 4096)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # EIO: the terminal is gone
            data = b""
        if self._answer is not None and not self._answer.done():
            self._end_question(data, now)
            return
        if not data:
            self._at_end(now)
            return
        self._pending += self._decoder.decode(data)
        if self._escape is not None:
            self._escape.cancel()
            self._escape = None
        tail = _UNFINISHED.fullmatch(self._pending, self._pending.rfind("\x1b")) if "\x1b" in self._pending else None
        if not tail:
            self._has_closed_question = False
        ready = self._pending[: tail.start()] if tail else self._pending
        self._pending = self._pending[len(ready) :][:_LONGEST]  # no key has a longer sequence
        if self._pending:
            self._escape = self._loop.call_later(ESCAPE_S, self._on_escape_timeout)
        self._send_keys(ready, now)

    def _on_escape_timeout(self) -> None:
        """Nothing followed an Escape: it was the key, and if it closed a question it does nothing more."""
        pending, self._pending = self._pending, ""
        if not self._has_closed_question:
            self._send_keys(pending[:1], time.monotonic())
        self._has_closed_question = False

    def _send_keys(self, text: str, now: float) -> None:
        for name in key_names(text):
            self._on_key(name, now)

    def _at_end(self, now: float) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self._loop.remove_reader(self.fd)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result("")
        self._on_key(HANG_UP, now)

    def _end_question(self, data: bytes, now: float) -> None:
        """Answer the question. A key other than Enter that ended the line leaves the answer empty, and takes effect."""
        assert self._answer is not None
        text = self._decoder.decode(data, final=True)
        if text.endswith("\n"):
            self._answer.set_result(text.strip())
            return
        self._answer.set_result("")
        self.write("")  # output continues on a new line
        if text.endswith("\x1b"):
            # Perhaps the start of an arrow key's sequence, whose rest must not be read as keys either.
            self._pending, self._has_closed_question = "\x1b", True
            self._escape = self._loop.call_later(ESCAPE_S, self._on_escape_timeout)
        else:
            self._on_key("ctrl+c" if text.endswith("\x03") else "ctrl+q", now)

    async def ask(self, question: str) -> str:
        self.write(question)
        self._answer = asyncio.get_running_loop().create_future()
        self._use_question()
        try:
            return await self._answer
        finally:
            self._answer = None
            if self._saved is not None:
                self._use_keys()

    def suspend(self) -> None:
        if self._stream is not None:
            self._stream.outlet.drain(LAST_WORDS_S)
        self._use_lines()
        os.kill(os.getpid(), signal.SIGTSTP)  # returns when the shell continues the process
        self._use_keys()

    def close(self) -> None:
        """Restore the terminal. Can be called twice."""
        if self._saved is None:
            return
        if self._escape is not None:
            self._escape.cancel()
        if self._stream is not None:
            self._stream.outlet.close(LAST_WORDS_S)
        if not self._loop.is_closed():
            self._loop.remove_reader(self.fd)
        with contextlib.suppress(OSError, termios.error):  # the terminal is gone
            termios.tcsetattr(self.fd, termios.TCSANOW, self._saved)
        self._saved = None
