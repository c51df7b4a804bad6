"""Limits how often the conversation is painted. Pure but for its clock."""

from __future__ import annotations

from collections.abc import Callable

PAINT_INTERVAL_S = 0.05
"""Changes are painted at most 20 times a second over any longer time."""
_PAINT_SLACK_S = 0.045
"""How early one painting may come, so that a steady 20 changes a second never wait for one another."""


class Pace:
    """Keeps paintings to the interval."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = float("-inf")

    @property
    def wait_s(self) -> float:
        """Seconds until the next painting; 0 or less for now."""
        return self._next - _PAINT_SLACK_S - self._clock()

    def count(self) -> None:
        """Count a painting."""
        self._next = max(self._clock(), self._next) + PAINT_INTERVAL_S
