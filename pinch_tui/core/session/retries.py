"""The record of a session's failures, and how long the next try waits. Pure: time and chance are arguments."""

from __future__ import annotations

from collections import Counter

from pinch_tui.core.session.backoff import BUSY, GIVE_UP_AFTER_S, LOST
from pinch_tui.core.session.reactions import Policy

FAULT_TRIES = 5


class Retries:
    """Counts tries since the last success. `delay` is asked once a failure."""

    def __init__(self) -> None:
        self._since: float | None = None  # the first of the tries
        self._tries: Counter[Policy] = Counter()
        self._may_rush = False

    def clear(self) -> None:
        """The session has proven itself, or a person asks for another try."""
        self._since = None
        self._tries.clear()

    def was_stable(self) -> None:
        """It was ready for a while before it failed: the next try is at once, and the bound on tries counts anew."""
        self._may_rush = True
        self._since = None
        del self._tries[Policy.LOST], self._tries[Policy.EXPIRED]

    def has_another_bad(self) -> bool:
        """Whether a request that could not be read may be tried once more."""
        return self._count(Policy.BAD) == 1

    def delay(self, policy: Policy, now: float, rnd: float) -> float | None:
        """Seconds to the next try; None when there were enough. ``rnd`` is uniform in 0.0-1.0."""
        if self._since is None:
            self._since = now
        delay = self._spacing(policy, rnd)
        return None if delay is None or now + delay - self._since > GIVE_UP_AFTER_S else delay

    def _spacing(self, policy: Policy, rnd: float) -> float | None:
        if policy is Policy.FAULT:
            tries = self._count(policy)
            return BUSY.delay(tries - 1, rnd) if tries <= FAULT_TRIES else None
        if policy is Policy.BUSY:
            return BUSY.delay(self._count(policy) - 1, rnd)
        if policy is Policy.EXPIRED and self._count(policy) == 1:
            return 0.0
        if self._may_rush:
            self._may_rush = False
            return 0.0
        return LOST.delay(self._count(Policy.LOST) - 1, rnd)

    def _count(self, policy: Policy) -> int:
        self._tries[policy] += 1
        return self._tries[policy]
