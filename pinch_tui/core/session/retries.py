"""How long to wait before the next try, and when to give up. Pure: time and random numbers are arguments."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pinch_tui.core.session.reactions import Policy

GIVE_UP_AFTER_S = 60.0
"""After this long without success, the next try waits for a press."""
FAULT_TRIES = 5
_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double from ``first_s`` up to ``cap_s``, each spread by up to 20 % to either side."""

    first_s: float
    cap_s: float = 10.0

    def delay(self, tries: int, rnd: float) -> float:
        """Seconds before try number ``tries`` (0 is the first wait). ``rnd`` is uniform in 0.0-1.0."""
        plain = min(self.cap_s, self.first_s * 2.0 ** min(tries, 16))
        return min(self.cap_s, plain * (1.0 - _JITTER + 2.0 * _JITTER * rnd))


_BUSY = Backoff(first_s=1.0)
"""HTTP 429, 503, 5xx and close 4500."""
_LOST = Backoff(first_s=0.5)
"""Transport loss."""


class Retries:
    """Counts tries since the last success. Call `delay` once per failure."""

    def __init__(self) -> None:
        self._since: float | None = None  # the first of the tries
        self._tries: Counter[Policy] = Counter()
        self._may_rush = False

    def clear(self) -> None:
        """The session has proven itself, or the user asks for another try."""
        self._since = None
        self._tries.clear()

    def was_stable(self) -> None:
        """It was ready for a while before it failed: try again at once, and count the tries anew."""
        self._may_rush = True
        self._since = None
        del self._tries[Policy.LOST], self._tries[Policy.EXPIRED]

    def has_another_bad(self) -> bool:
        """Whether to try once more after a request that the service could not read."""
        return self._count(Policy.BAD) == 1

    def delay(self, policy: Policy, now: float, rnd: float) -> float | None:
        """Seconds to the next try; None if there were enough. ``rnd`` is uniform in 0.0-1.0."""
        if self._since is None:
            self._since = now
        delay = self._spacing(policy, rnd)
        return None if delay is None or now + delay - self._since > GIVE_UP_AFTER_S else delay

    def _spacing(self, policy: Policy, rnd: float) -> float | None:
        if policy is Policy.FAULT:
            tries = self._count(policy)
            return _BUSY.delay(tries - 1, rnd) if tries <= FAULT_TRIES else None
        if policy is Policy.BUSY:
            return _BUSY.delay(self._count(policy) - 1, rnd)
        if policy is Policy.EXPIRED and self._count(policy) == 1:
            return 0.0
        if self._may_rush:
            self._may_rush = False
            return 0.0
        return _LOST.delay(self._count(Policy.LOST) - 1, rnd)

    def _count(self, policy: Policy) -> int:
        self._tries[policy] += 1
        return self._tries[policy]
