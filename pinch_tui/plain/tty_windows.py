"""The line mode's Windows console. It is polled, so there is no thread. Keys without a character are ignored."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from functools import partial

from pinch_tui.errors import UsageError
from pinch_tui.plain.console import ConsoleInput
from pinch_tui.plain.terminal import KeyHandler, Terminal, key_names

POLL_S = 0.02


class WindowsTerminal(Terminal):
    """`open` raises `UsageError` without a console. ``console``, ``out`` and ``is_tty`` replace the real ones in
    tests."""

    has_keys = True

    def __init__(
        self,
        console: ConsoleInput | None = None,
        out: Callable[[str], object] | None = None,
        is_tty: Callable[[], bool] | None = None,
    ) -> None:
        self._console = console
        self._out = out or partial(print, end="", flush=True)
        self._is_tty = is_tty or (lambda: sys.stdin.isatty())
        self._on_key: KeyHandler = lambda name, t: None
        self._poller: asyncio.TimerHandle | None = None
        self._typed = ""
        self._answer: asyncio.Future[str] | None = None

    def open(self, on_key: KeyHandler) -> None:
        if not self._is_tty():
            raise UsageError(
                "The line mode reads keys, and the standard input is not a console.",
                "For files and pipes there is `pinch-tui translate`.",
            )
        self._on_key = on_key
        self._poll(self._console or ConsoleInput())

    def _poll(self, console: ConsoleInput) -> None:
        now = time.monotonic()
        for char in console.typed():
            if self._answer is not None:
                self._edit(char)
                continue
            for name in key_names(char):
                self._on_key(name, now)
        self._poller = asyncio.get_running_loop().call_later(POLL_S, self._poll, console)

    def _edit(self, char: str) -> None:
        """Edit the answer being typed, with echo. The cursor cannot be moved, so backspace starts over."""
        if char in "\r\n":
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(self._typed.strip())
            self._out("\n")
        elif char in "\x08\x7f":
            self._typed = ""
            self._out("\n")
        elif char in "\x03\x11\x1b":
            self._typed = ""
            self._edit("\r")
            if char != "\x1b":
                self._on_key(key_names(char)[0], time.monotonic())
        elif char.isprintable():
            self._typed += char
            self._out(char)

    def write(self, line: str) -> None:
        self._out(line + "\n")

    async def ask(self, question: str) -> str:
        self.write(question)
        self._typed = ""
        self._answer = asyncio.get_running_loop().create_future()
        try:
            return await self._answer
        finally:
            self._answer = None

    def close(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
