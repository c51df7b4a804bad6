"""SIGTERM and SIGHUP end the program like a key, so that the terminal is restored."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable


def install(
    loop: asyncio.AbstractEventLoop, on_quit: Callable[[], None], on_hang_up: Callable[[], None] | None = None
) -> Callable[[], None]:
    """Call ``on_quit`` on the loop at SIGTERM, and at SIGHUP ``on_hang_up`` (``on_quit`` where that is not given);
    returns a function that undoes it. Does nothing on Windows.

    A second signal calls it again, like a second press of the quit key.
    """
    if sys.platform == "win32":
        return lambda: None
    signals = {signal.SIGTERM: on_quit, signal.SIGHUP: on_hang_up or on_quit}
    for number, callback in signals.items():
        loop.add_signal_handler(number, callback)

    def undo() -> None:
        for number in signals:
            loop.remove_signal_handler(number)

    return undo
