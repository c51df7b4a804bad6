"""How soon the conversation's next painting may be. Pure but for the clock it is given."""

from __future__ import annotations

from collections.abc import Callable

PAINT_INTERVAL_S = 0.05
"""Changes are painted at most 20 times a second over any longer time."""
_PAINT_SLACK_S = 0.045
"""By how much one painting may come early, so that a steady 20 changes a second never wait for one another."""


class Pace:
    """Counts paintings, so that they keep to the interval."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = float("-inf")

    @property
    def wait_s(self) -> float:
        """How long the next painting has to wait; not above 0 when it may be now."""
        return self._next - _PAINT_SLACK_S - self._clock()

    def count(self) -> None:
        """Something is painted now."""
        self._next = max(self._clock(), self._next) + PAINT_INTERVAL_S
