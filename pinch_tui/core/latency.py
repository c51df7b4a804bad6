"""Latency from the commit of an utterance to its text and its speech. Pure.

All four spans begin at the commit, the moment the talk key was really released:

- first text: the first message with any text, original or translated, that arrives after the commit;
- final: the first final translation that arrives after it (or whatever the caller counts as the last word);
- first sound: the first sample of this utterance's translated speech that reaches the device after it;
- last sound: the last one of them, moved on by each further stretch of its speech.

What arrives before the commit (the service translates during speech) is not counted. Only the first measurement of each
of the first three spans counts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum

from pinch_tui.core.events import Delay, Latency

_REMEMBERED = 64
"""Utterances whose measurements may still come; older ones are forgotten."""
_SAMPLES = 2_000
"""Measurements of each span that the percentiles look back on."""


class _Span(StrEnum):
    """The fields of `Latency`."""

    FIRST_TEXT = "first_text"
    FINAL = "final"
    FIRST_SOUND = "first_sound"
    LAST_SOUND = "last_sound"


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of a sorted, not empty sequence: always one of the measured values."""
    rank = math.ceil(percent / 100 * len(ordered))
    return ordered[min(max(rank, 1), len(ordered)) - 1]


class LatencyMeter:
    """Collects events of utterances with their monotonic times; `latency` gives the result."""

    def __init__(self) -> None:
        self._committed: dict[int, float] = {}
        self._measured: dict[int, dict[_Span, float]] = {}
        self._forgotten: deque[int] = deque(maxlen=_REMEMBERED)
        self._samples: dict[_Span, deque[float]] = {span: deque(maxlen=_SAMPLES) for span in _Span}
        self._latency: Latency | None = None  # None: something was measured since it was made

    def commit(self, number: int, t: float) -> None:
        """The talk key was released. A second commit of the same utterance is ignored."""
        if number in self._committed or number in self._forgotten:
            return
        self._latency = None
        self._committed[number] = t
        self._measured[number] = {}
        if len(self._committed) > _REMEMBERED:
            oldest = next(iter(self._committed))
            del self._committed[oldest], self._measured[oldest]

    def first_text(self, number: int, t: float) -> Latency:
        """Text came for an utterance; any text will do, the first after the commit counts."""
        return self._measure(_Span.FIRST_TEXT, number, t)

    def final(self, number: int, t: float) -> Latency:
        """A final translation came for an utterance; the first after the commit counts."""
        return self._measure(_Span.FINAL, number, t)

    def first_sound(self, number: int, t: float) -> Latency:
        """Translated speech of an utterance reached the device; the first after the commit counts."""
        return self._measure(_Span.FIRST_SOUND, number, t)

    def last_sound(self, number: int, t: float) -> Latency:
        """A stretch of an utterance's translated speech was played to its end; the latest end counts."""
        ms = self._measured.get(number, {}).get(_Span.LAST_SOUND)
        if ms is not None and t >= self._committed[number] + ms / 1000.0:
            del self._measured[number][_Span.LAST_SOUND]
            with suppress(ValueError):  # it may be older than all that are kept
                self._samples[_Span.LAST_SOUND].remove(ms)
        return self._measure(_Span.LAST_SOUND, number, t)

    def forget(self, number: int) -> None:
        """Nothing of this utterance is measured any more (it was cancelled, or is sent again)."""
        self._latency = None
        self._forgotten.append(number)
        self._committed.pop(number, None)
        self._measured.pop(number, None)

    def latency(self) -> Latency:
        """The newest committed utterance's milliseconds, and p50/p95 over the conversation with their counts."""
        if self._latency is None:
            self._latency = Latency(**{span.value: self._delay(span) for span in _Span})
        return self._latency

    def _delay(self, span: _Span) -> Delay:
        newest = self._measured[next(reversed(self._measured))] if self._measured else {}
        ordered = sorted(self._samples[span])
        p50_p95 = (percentile(ordered, 50), percentile(ordered, 95)) if ordered else None
        return Delay(newest.get(span), p50_p95, len(ordered))

    def _measure(self, span: _Span, number: int, t: float) -> Latency:
        committed = self._committed.get(number)
        if committed is not None and t >= committed and span not in self._measured[number]:
            ms = (t - committed) * 1000.0
            self._measured[number][span] = ms
            self._samples[span].append(ms)
            self._latency = None
        return self.latency()
