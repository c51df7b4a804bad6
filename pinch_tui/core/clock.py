"""Time as a port. Pure."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol


class Clock(Protocol):
    """``monotonic`` is shared with every process of the program."""

    def monotonic(self) -> float: ...

    def wall(self) -> float:
        """Unix seconds."""

    def sleep_until(self, t: float) -> Awaitable[None]: ...
