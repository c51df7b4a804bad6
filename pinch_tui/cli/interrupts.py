"""Ctrl-C as an event that a command can wait for: the first press drains, the second quits at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

if sys.platform == "win32":
    _SIGNALS: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
else:
    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class Interrupt:
    """The presses of Ctrl-C so far."""

    count: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by each press."""
    since: float | None = None
    """The loop's time at the first press."""

    def press(self) -> None:
        if self.since is None:
            self.since = asyncio.get_running_loop().time()
        self.count += 1
        self.changed.set()


@contextlib.contextmanager
def interrupts() -> Iterator[Interrupt]:
    """SIGINT, SIGTERM and SIGHUP as an `Interrupt`, if the loop supports that. Restores the handlers at the end."""
    interrupt = Interrupt()
    loop = asyncio.get_running_loop()
    before: list[tuple[signal.Signals, Any]] = []
    try:
        for number in _SIGNALS:
            old = signal.getsignal(number)
            if old is signal.SIG_IGN:  # nohup
                continue
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, interrupt.press)
                before.append((number, old))
        yield interrupt
    finally:
        for number, old in before:
            loop.remove_signal_handler(number)
            signal.signal(number, old)
