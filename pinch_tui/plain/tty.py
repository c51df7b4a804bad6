"""The keyboard of the line mode: single keys without echo, and whole lines when something is asked.

Writes nothing but whole lines, moves no cursor, uses no thread. Whatever happens, `close` gives the terminal back as
it was. This module is for POSIX terminals; `pinch_tui.plain.tty_windows` polls the console of Windows.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from pinch_tui.core.keymap import talk_key
from pinch_tui.errors import UsageError

KeyHandler = Callable[[str, float], None]
HANG_UP = "hang-up"
"""Told as a key when the terminal is gone."""

_MOVES = ("up", "down", "right", "left", "home", "end")
_NAMES = {
    **{chr(code): f"ctrl+{chr(code + 96)}" for code in range(1, 27)},
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x1b": "escape",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1c": "ctrl+backslash",
}
_SEQUENCES = {
    **{f"\x1b{lead}{letter}": name for lead in "[O" for letter, name in zip("ABCDHF", _MOVES, strict=True)},
    **{f"\x1bO{letter}": f"f{n}" for n, letter in enumerate("PQRS", start=1)},
    **{f"\x1b[{code}~": f"f{n}" for n, code in enumerate((11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24), start=1)},
    "\x1b[1~": "home",
    "\x1b[2~": "insert",
    "\x1b[3~": "delete",
    "\x1b[4~": "end",
    "\x1b[5~": "pageup",
    "\x1b[6~": "pagedown",
}
"""What the usual terminals send for keys that are no characters."""
_ASCII = frozenset(talk_key(chr(code)) or chr(code) for code in range(0x20, 0x7F))
_OTHERS: frozenset[str] = frozenset() if sys.platform == "win32" else frozenset(_SEQUENCES.values())
TYPED_KEYS = _ASCII | frozenset(_NAMES.values()) | _OTHERS
"""The keys that can be read here by name; other letters can, too."""
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[ -Z\\^-~])")
_LONGEST = 64
"""Characters that are kept of a sequence whose end has not come; those of keys are shorter."""
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?")


def key_names(text: str) -> list[str]:
    """Names of the keys that typed a text, as Textual calls them; sequences of unknown keys are left out."""
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _SEQUENCE.match(text, at) if text[at] == "\x1b" else None
        if match is not None:
            at = match.end()
            if match[0] in _SEQUENCES:
                found.append(_SEQUENCES[match[0]])
            continue
        char = text[at]
        at += 1
        if char in _NAMES:
            found.append(_NAMES[char])
        elif char >= " " and char != "\x7f":
            found.append(talk_key(char) or char)
    return found


class Terminal(Protocol):
    """What the line mode needs of a terminal."""

    @property
    def fd(self) -> int | None:
        """The descriptor that keys are read from, where there is one."""

    def open(self, on_key: KeyHandler) -> None: ...

    def write(self, line: str) -> None:
        """One whole line."""

    async def ask(self, question: str) -> str:
        """Print a question and read a line, with the terminal's own editing and echo; "" at the end of input."""

    def suspend(self) -> None:
        """To the shell, until the program is continued."""

    def close(self) -> None: ...


class PosixTerminal:
    """A terminal on two descriptors. Raises `UsageError` from `open` when it is none."""

    def __init__(self, fd: int | None = None, out: Callable[[str], object] | None = None) -> None:
        self._fd = sys.stdin.fileno() if fd is None else fd
        self._out = out
        self._saved: list[Any] | None = None
        self._on_key: KeyHandler | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._escape: asyncio.TimerHandle | None = None
        self._answer: asyncio.Future[str] | None = None
        self._is_gone = False
        self._has_ended = False

    @property
    def fd(self) -> int | None:
        return self._fd

    def __enter__(self) -> PosixTerminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def open(self, on_key: KeyHandler) -> None:
        import termios

        if not os.isatty(self._fd):
            raise UsageError(
                "The line mode reads keys, and the standard input is not a terminal.",
                "For files and pipes there is `pinch-tui translate`.",
            )
        self._saved = termios.tcgetattr(self._fd)
        self._on_key = on_key
        self._loop = asyncio.get_running_loop()
        self._use_keys()
        self._loop.add_reader(self._fd, self._read)

    def _use_keys(self) -> None:
        """Single keys, no echo, no signals from keys; output processing stays as it is."""
        import termios

        mode = termios.tcgetattr(self._fd)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        mode[0] &= ~(termios.ICRNL | termios.IXON)
        mode[6][termios.VMIN] = 1
        mode[6][termios.VTIME] = 0
        termios.tcsetattr(self._fd, termios.TCSADRAIN, mode)

    def _use_lines(self) -> None:
        import termios

        if self._saved is not None:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)

    def write(self, line: str) -> None:
        """A terminal that is gone takes no line, and ends the program as its end of input does."""
        if self._is_gone:
            return
        text = line + "\n"
        try:
            if self._out is not None:
                self._out(text)
            else:
                sys.stdout.write(text)
                sys.stdout.flush()
        except (OSError, ValueError):
            self._is_gone = True
            if self._loop is not None:
                self._loop.call_soon(self._at_end, time.monotonic())

    def _read(self) -> None:
        now = time.monotonic()
        try:
            data = os.read(self._fd, 4096)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # EIO: the terminal is gone
            data = b""
        if not data:
            self._at_end(now)
            return
        if self._answer is not None:
            self._take_line(data)
            return
        self._pending += self._decoder.decode(data)
        if self._escape is not None:
            self._escape.cancel()
            self._escape = None
        tail = _UNFINISHED.fullmatch(self._pending, self._pending.rfind("\x1b")) if "\x1b" in self._pending else None
        ready = self._pending[: tail.start()] if tail else self._pending
        self._pending = self._pending[len(ready) :][:_LONGEST]  # what is cut off belongs to no key
        if self._pending and self._loop is not None:
            self._escape = self._loop.call_later(0.05, self._settle_escape)
        self._tell(ready, now)

    def _settle_escape(self) -> None:
        """What looked like the beginning of a sequence was the Escape key."""
        pending, self._pending = self._pending, ""
        self._tell(pending[:1], time.monotonic())

    def _tell(self, text: str, now: float) -> None:
        for name in key_names(text):
            if self._on_key is not None:
                self._on_key(name, now)

    def _at_end(self, now: float) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        if self._loop is not None:
            self._loop.remove_reader(self._fd)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result("")
        if self._on_key is not None:
            self._on_key(HANG_UP, now)

    def _take_line(self, data: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._decoder.decode(data, final=True).strip())

    async def ask(self, question: str) -> str:
        self.write(question)
        self._answer = asyncio.get_running_loop().create_future()
        self._use_lines()
        try:
            return await self._answer
        finally:
            self._answer = None
            if self._saved is not None:
                self._use_keys()

    def suspend(self) -> None:
        self._use_lines()
        os.kill(os.getpid(), signal.SIGTSTP)  # stops here; what follows runs when continued
        self._use_keys()

    def close(self) -> None:
        """Give the terminal back; may be called twice."""
        if self._saved is None:
            return
        import termios

        if self._escape is not None:
            self._escape.cancel()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
        try:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)
        except OSError:
            return  # a terminal that is gone needs nothing back
        except termios.error:
            return
        finally:
            self._saved = None


def this_terminal() -> Terminal:
    """The terminal that the program was started in."""
    if sys.platform == "win32":
        from pinch_tui.plain.tty_windows import WindowsTerminal

        return WindowsTerminal()
    return PosixTerminal()
