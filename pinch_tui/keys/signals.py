"""SIGTERM and SIGHUP end the program as the quit key does, so that the terminal is restored."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable


def install(
    loop: asyncio.AbstractEventLoop, on_quit: Callable[[], None], on_hang_up: Callable[[], None] | None = None
) -> Callable[[], None]:
    """Call ``on_quit`` on the loop at each SIGTERM, and ``on_hang_up`` (by default ``on_quit``) at each SIGHUP.

    Returns a function that undoes it. Does nothing on Windows.
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
