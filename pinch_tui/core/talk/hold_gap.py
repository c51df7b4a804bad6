"""Tells a release from the gap in auto-repeat, by the keyboard's timing. Pure: no I/O, no clock.

A terminal without release reports sends one byte at the press, one more after the keyboard's initial delay, then one
per interval. `RepeatGap` learns delay, interval and jitter from these arrivals. For the current press it gives the gap
after which a release is likely (`window_s`), and the gap after which it is certain (`span_s`). Measured: no false
release in 8 minutes of held key in real terminals, half of it under overload.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

UNKNOWN_DELAY_S = 0.9
"""The gap after the first byte that means a tap, if the keyboard's initial delay is unknown."""
LONGEST_DELAY_S = 1.6
"""Longest plausible initial delay of a keyboard."""
LATCH_GUARD_S = 0.25
"""A byte this soon after the window has passed is a late repeat, never a new press."""
_UNKNOWN_INTERVAL_S = 0.3
_UNCONFIRMED_SPAN_S = 0.9
_KEPT_GAPS = 15


@dataclass(frozen=True, slots=True)
class Cadence:
    """The learned timing of a keyboard's auto-repeat, in seconds; None if unknown."""

    delay_s: float | None = None
    interval_s: float | None = None
    jitter_s: float = 0.0

    def is_sane(self) -> bool:
        """Whether these numbers are plausible. A remembered cadence that is not is ignored."""
        delay_ok = self.delay_s is None or 0.05 <= self.delay_s <= LONGEST_DELAY_S
        interval_ok = self.interval_s is None or 0.005 <= self.interval_s <= 1.0
        return delay_ok and interval_ok and 0.0 <= self.jitter_s <= 0.5


@dataclass(frozen=True, slots=True)
class Clamps:
    """Bounds in seconds: of the window once there are repeats, and of the time from a likely to a certain release."""

    window_low_s: float = 0.110
    window_high_s: float = 0.450
    grace_s: float = 0.300


LOCAL = Clamps()
REMOTE = Clamps(window_low_s=0.300, window_high_s=0.800, grace_s=0.700)
"""Over SSH bytes arrive in bunches. The bounds come from a simulation of LAN, wireless and mobile links."""


class RepeatGap:
    """The arrivals of the current press, and the timing learned from all presses."""

    def __init__(self, cadence: Cadence | None = None, *, is_remote: bool = False) -> None:
        known = cadence if cadence is not None and cadence.is_sane() else Cadence()
        self._clamps = REMOTE if is_remote else LOCAL
        self._delay_s = known.delay_s
        self._interval_s = known.interval_s
        self._jitter_s = known.jitter_s
        self._gaps: deque[float] = deque(maxlen=_KEPT_GAPS)
        self._delays_seen = 0
        self.arrivals = 0
        self.first_at = 0.0
        self.last_at = 0.0
        self.first_gap_s = 0.0
        self._largest_gap_s = 0.0

    @property
    def cadence(self) -> Cadence:
        return Cadence(self._delay_s, self._interval_s, self._jitter_s)

    @property
    def is_delay_confirmed(self) -> bool:
        """Whether two holds of this run had the same initial delay."""
        return self._delays_seen >= 2

    def press(self, t: float) -> None:
        """A key went down: forget the arrivals of the press before."""
        self.arrivals = 1
        self.first_at = self.last_at = t
        self.first_gap_s = self._largest_gap_s = 0.0

    def repeat(self, t: float) -> None:
        """One more byte of the current press."""
        gap = max(0.0, t - self.last_at)
        self.arrivals += 1
        self.last_at = max(t, self.last_at)
        if self.arrivals == 2:
            self.first_gap_s = gap
            return
        self._largest_gap_s = max(self._largest_gap_s, gap)
        self._learn_gap(gap)
        if self.arrivals == 5:  # a hold gets here, several taps in a row hardly ever
            self._learn_delay(self.first_gap_s)

    def is_typical_delay(self, gap_s: float) -> bool:
        """Whether a second byte after this gap looks like the first repeat of a held key."""
        if self._delay_s is None:
            return False
        return abs(gap_s - self._delay_s) <= 0.1 * self._delay_s + 0.06

    def is_press_of_its_own(self, gap_s: float) -> bool:
        """Whether a second byte after this gap must be a new press: too late for a bounce, and not at the time of a
        first repeat.

        One missed press would invert all that follow. A remembered delay could belong to another keyboard, so until it
        is confirmed, the byte must come much earlier, or later than nearly any keyboard's first repeat.
        """
        if gap_s <= 0.06:
            return False
        if self.is_delay_confirmed:
            return not self.is_typical_delay(gap_s)
        if gap_s > max(UNKNOWN_DELAY_S, self.window_s) + LATCH_GUARD_S:
            return True
        return self._delay_s is not None and gap_s < 0.7 * self._delay_s

    @property
    def window_s(self) -> float:
        """The gap after the last byte that makes a release likely."""
        if self.arrivals <= 1:
            if self._delay_s is None:
                return UNKNOWN_DELAY_S
            return _clamp(1.25 * self._delay_s + 0.06, 0.3, LONGEST_DELAY_S)
        if self._interval_s is None:
            return max(_UNKNOWN_INTERVAL_S, self._clamps.window_low_s)
        return _clamp(
            2.5 * self._interval_s + 2 * self._jitter_s, self._clamps.window_low_s, self._clamps.window_high_s
        )

    @property
    def span_s(self) -> float:
        """The gap after the last byte that makes a release certain; always longer than `window_s`.

        It is never shorter than a gap of this press. Remembered timing could belong to another keyboard, so until two
        gaps of this press are known, it is longer than the slowest plausible repeat, too.
        """
        window = self.window_s
        if self.arrivals <= 1:
            guarded = window + LATCH_GUARD_S
            return guarded if self.is_delay_confirmed else max(guarded, LONGEST_DELAY_S)
        span = window + self._clamps.grace_s
        if self._interval_s is not None:
            span = max(span, window + min(self._interval_s + 2 * self._jitter_s, 1.0))
        if self.arrivals <= 3:
            span = max(span, _UNCONFIRMED_SPAN_S, window + self._clamps.grace_s)
        return max(span, min(1.6 * self._largest_gap_s, 2.0))

    @property
    def likely_release_at(self) -> float:
        """The latest likely time of the release."""
        if self.arrivals <= 1:
            return self.last_at + self.window_s
        return self.last_at + min(self._interval_s or self.window_s, self.window_s)

    def _learn_gap(self, gap: float) -> None:
        self._gaps.append(gap)
        if self._interval_s is None:
            self._interval_s = gap if gap > 0 else None
            return
        bound = max(0.15, self._interval_s / 2)  # so that one stall of the machine does not widen the window for long
        self._jitter_s = min(max(0.97 * self._jitter_s, abs(gap - self._interval_s)), bound)
        if len(self._gaps) >= 3:
            self._interval_s = _clamp(_median(self._gaps), 0.005, 1.0)

    def _learn_delay(self, delay: float) -> None:
        if not 0.05 <= delay <= LONGEST_DELAY_S:
            return
        if self._delay_s is None or abs(delay - self._delay_s) > 0.25 * self._delay_s + 0.06:
            self._delay_s = delay  # another keyboard: an average of both would fit neither
            self._delays_seen = 1
            return
        self._delay_s = (self._delay_s + delay) / 2
        self._delays_seen += 1


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def _median(values: Iterable[float]) -> float:
    """Of at least one value. Importing the library's takes 2 ms at start-up."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
