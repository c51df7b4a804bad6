"""The record of a session's failures, and how long the next try waits. Pure: time and chance are arguments."""

from __future__ import annotations

from pinch_tui.core.session.backoff import BUSY, GIVE_UP_AFTER_S, LOST
from pinch_tui.core.session.reactions import FAULT_TRIES, Policy


class Retries:
    """Counts tries since the last success. `delay` is asked once a failure."""

    def __init__(self) -> None:
        self._since: float | None = None  # the first of the tries
        self._lost = self._busy = self._fault = self._bad = 0
        self._is_expired_used = False
        self._may_rush = False

    def clear(self) -> None:
        """The session has proven itself, or a person asks for another try."""
        self._since = None
        self._lost = self._busy = self._fault = self._bad = 0
        self._is_expired_used = False

    def was_stable(self) -> None:
        """It was ready for a while before it failed: the next try is at once, and the bound on tries counts anew."""
        self._may_rush = True
        self._since = None
        self._lost = 0
        self._is_expired_used = False

    def has_another_bad(self) -> bool:
        """Whether a request that could not be read may be tried once more."""
        self._bad += 1
        return self._bad <= 1

    def delay(self, policy: Policy, now: float, rnd: float) -> float | None:
        """Seconds to the next try; None when there were enough. ``rnd`` is uniform in 0.0-1.0."""
        if self._since is None:
            self._since = now
        delay = self._spacing(policy, rnd)
        return None if delay is None or now + delay - self._since > GIVE_UP_AFTER_S else delay

    def _spacing(self, policy: Policy, rnd: float) -> float | None:
        if policy is Policy.FAULT:
            self._fault += 1
            return BUSY.delay(self._fault - 1, rnd) if self._fault <= FAULT_TRIES else None
        if policy is Policy.BUSY:
            self._busy += 1
            return BUSY.delay(self._busy - 1, rnd)
        if policy is Policy.EXPIRED and not self._is_expired_used:
            self._is_expired_used = True
            return 0.0
        if self._may_rush:
            self._may_rush = False
            return 0.0
        self._lost += 1
        return LOST.delay(self._lost - 1, rnd)
