"""How long to wait before the next try. Pure: the random number is an argument."""

from __future__ import annotations

from dataclasses import dataclass

GIVE_UP_AFTER_S = 60.0
"""Seconds of tries without success after which the next try waits for a press."""
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


BUSY = Backoff(first_s=1.0)
"""HTTP 429, 503, 5xx and close 4500."""
LOST = Backoff(first_s=0.5)
"""Transport loss."""
