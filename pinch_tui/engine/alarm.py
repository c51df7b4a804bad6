"""One pending wake-up on the event loop, whose clock is the machines' clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Alarm:
    """Calls ``ring`` at the time it was last set to; setting it again replaces the time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None
        self._at = float("inf")

    def set(self, t: float | None) -> None:
        """``t`` in the loop's time (`time.monotonic()`), None for no wake-up."""
        if t == self._at or (t is None and self._handle is None):
            return
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._at = float("inf")
        if t is not None:
            self._at = t
            self._handle = self._loop.call_at(t, self._fire)

    def _fire(self) -> None:
        self._handle = None
        self._at = float("inf")
        self._ring()


class SystemClock:
    """The `Clock` port on the time of the loop that runs first, and the system's wall clock."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None  # to look it up costs a system call

    def monotonic(self) -> float:
        if self._loop is None:
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                return time.monotonic()
        return self._loop.time()

    def wall(self) -> float:
        return time.time()

    async def sleep_until(self, t: float) -> None:
        await asyncio.sleep(max(0.0, t - self.monotonic()))
