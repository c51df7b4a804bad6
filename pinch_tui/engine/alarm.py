"""Time in the engine: the system's clock, and a timer on the event loop. Both run on the loop's time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Alarm:
    """A timer that calls ``ring``. Setting it again replaces the time."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, t: float | None) -> None:
        """``t`` in the loop's time, None to cancel."""
        if self._handle is not None:
            if self._handle.when() == t:
                return
            self._handle.cancel()
            self._handle = None
        if t is not None:
            self._handle = asyncio.get_running_loop().call_at(t, self._fire)

    def _fire(self) -> None:
        self._handle = None
        self._ring()


class SystemClock:
    """The `Clock` port: the time of the first running loop that uses it, and the system's wall clock."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None  # kept, because each lookup costs a system call

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
