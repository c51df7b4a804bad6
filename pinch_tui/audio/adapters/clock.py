"""Time as a port, as the device half needs it; the engine's clock fits."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """``monotonic`` is shared with every process of the program."""

    def monotonic(self) -> float: ...

    async def sleep_until(self, t: float) -> None: ...


class SystemClock:
    """The system's clocks, for commands that use sound without an engine."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    async def sleep_until(self, t: float) -> None:
        await asyncio.sleep(max(0.0, t - time.monotonic()))
