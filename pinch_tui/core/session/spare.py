"""Decides when to keep a spare session open for the swapped pair of languages. Pure.

It opens a moment after the session in use is ready, closes after a while without talk, and opens again at the next
press. If it fails, nothing is said, and the next try follows after a growing delay.
"""

from __future__ import annotations

from pinch_tui.core.session.retries import Backoff

AFTER_READY_S = 1.0
"""Delay after the session in use is ready, whose own traffic comes first."""
IDLE_S = 300.0
"""It closes after this long without talk."""
_AGAIN = Backoff(first_s=30.0, cap_s=600.0)


class SparePolicy:
    """Says whether a spare session is wanted now."""

    def __init__(self, now: float) -> None:
        self._used_at = now
        self._not_before = float("-inf")
        self._failures = 0

    def used(self, now: float) -> None:
        """An utterance or a swap began."""
        self._used_at = now

    def is_ready(self, now: float) -> None:
        """The session in use is ready."""
        self._not_before = max(self._not_before, now + AFTER_READY_S)

    def has_opened(self) -> None:
        """The spare session is ready."""
        self._failures = 0

    def has_failed(self, now: float, rnd: float) -> None:
        """It could not be opened, or was closed by the service. ``rnd`` is uniform in 0.0-1.0."""
        self._not_before = max(self._not_before, now + _AGAIN.delay(self._failures, rnd))
        self._failures += 1

    def is_wanted(self, now: float) -> bool:
        return self._not_before <= now < self._used_at + IDLE_S

    def next_at(self, now: float) -> float | None:
        """When `is_wanted` next changes without an event; None if not before the user talks."""
        idle_at = self._used_at + IDLE_S
        if now >= idle_at:
            return None
        return self._not_before if now < self._not_before else idle_at
