"""Ending by SIGTERM or SIGHUP as by a key, so that the terminal gets its own state back."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable


def install(loop: asyncio.AbstractEventLoop, on_quit: Callable[[], None]) -> Callable[[], None]:
    """Call ``on_quit`` on the loop at SIGTERM and SIGHUP; returns the way to undo it. Nothing happens on Windows.

    ``on_quit`` comes again with a second signal, as with a second press of the quit key.
    """
    if sys.platform == "win32":
        return lambda: None
    signals = (signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, on_quit)

    def undo() -> None:
        for number in signals:
            loop.remove_signal_handler(number)

    return undo
