"""Detects the end of auto-repeat: learns a keyboard's timing and how long a gap means a release.

Pure: no I/O, no clock. A terminal without release reports sends one byte at the press, the next after the keyboard's
initial delay, then one an interval. `RepeatGap` learns delay, interval and jitter from those arrivals. For the current
press it gives the gap after which a release is likely (`window_s`) and the one after which it is certain (`span_s`).
Figures: 0 false releases in 8 minutes of held key in real terminals, half of it under overload.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

UNKNOWN_DELAY_S = 0.9
"""The gap after the first byte that means a tap, while the keyboard's initial delay is unknown."""
LONGEST_DELAY_S = 1.6
"""Longest plausible initial delay of a keyboard."""
LATCH_GUARD_S = 0.25
"""A byte this soon after a window closed is taken for a late repeat, never for a new press."""
_UNKNOWN_INTERVAL_S = 0.3
_UNCONFIRMED_SPAN_S = 0.9
_KEPT_GAPS = 15


@dataclass(frozen=True, slots=True)
class Cadence:
    """A keyboard's auto-repeat as learned: initial delay, interval and jitter in seconds, None for unknown."""

    delay_s: float | None = None
    interval_s: float | None = None
    jitter_s: float = 0.0

    def is_sane(self) -> bool:
        """Whether these numbers are plausible; an implausible remembered cadence is dropped."""
        delay_ok = self.delay_s is None or 0.05 <= self.delay_s <= LONGEST_DELAY_S
        interval_ok = self.interval_s is None or 0.005 <= self.interval_s <= 1.0
        return delay_ok and interval_ok and 0.0 <= self.jitter_s <= 0.5


@dataclass(frozen=True, slots=True)
class Clamps:
    """Bounds in seconds: of the window once repeats come, and of the grace between a likely and a sure release."""

    window_low_s: float = 0.110
    window_high_s: float = 0.450
    grace_s: float = 0.300


LOCAL = Clamps()
REMOTE = Clamps(window_low_s=0.300, window_high_s=0.800, grace_s=0.700)
"""Over SSH bytes bunch; these bounds follow a simulation of LAN, wireless and mobile links."""


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
        """Two holds of this run agreed about the initial delay."""
        return self._delays_seen >= 2

    def press(self, t: float) -> None:
        """A key went down: forget the arrivals of the press before."""
        self.arrivals = 1
        self.first_at = self.last_at = t
        self.first_gap_s = self._largest_gap_s = 0.0

    def repeat(self, t: float) -> None:
        """One more byte of the press under way."""
        gap = max(0.0, t - self.last_at)
        self.arrivals += 1
        self.last_at = max(t, self.last_at)
        if self.arrivals == 2:
            self.first_gap_s = gap
            return
        self._largest_gap_s = max(self._largest_gap_s, gap)
        self._learn_gap(gap)
        if self.arrivals == 5:  # several taps in a row rarely get here; a hold does
            self._learn_delay(self.first_gap_s)

    def is_typical_delay(self, gap_s: float) -> bool:
        """Whether a second byte after this gap looks like the first repeat of a held key."""
        if self._delay_s is None:
            return False
        return abs(gap_s - self._delay_s) <= 0.1 * self._delay_s + 0.06

    def is_press_of_its_own(self, gap_s: float) -> bool:
        """Whether a second byte after this gap must be a new press: too late for a bounce, and not when a first repeat
        is due. A remembered delay may belong to another keyboard, so then only bytes much earlier than it count, and
        those later than nearly any keyboard's first repeat: one missed press would invert all that follow.
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
        """The gap after the last byte that makes a release certain; always longer than `window_s`. Remembered timing
        may belong to another keyboard, so until two gaps of this press are known it exceeds the slowest plausible
        repeat, and it is never shorter than a gap of this press.
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
        """The latest possible time of the release, given the arrivals."""
        if self.arrivals <= 1:
            return self.last_at + self.window_s
        return self.last_at + min(self._interval_s or self.window_s, self.window_s)

    def _learn_gap(self, gap: float) -> None:
        self._gaps.append(gap)
        if self._interval_s is None:
            self._interval_s = gap if gap > 0 else None
            return
        bound = max(0.15, self._interval_s / 2)  # one stall of the machine must not widen the window for long
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
    """Of at least one value. The library's would cost 2 ms at the start of the program."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
