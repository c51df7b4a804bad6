"""Time as a port, as the device half needs it; the engine's clock fits."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """``monotonic`` is shared with every process of the program."""

    def monotonic(self) -> float: ...

    async def sleep_until(self, t: float) -> None: ...
