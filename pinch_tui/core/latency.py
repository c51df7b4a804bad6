"""Measures how long an utterance's text and speech take. Pure.

Every `Span` begins at the commit of the utterance, when the talk key was really released. The service translates
during speech too; text and speech that arrive before the commit are not measured.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum

from pinch_tui.core.events import Delay, Latency

_REMEMBERED = 64
"""Utterances that can still be measured; older ones are forgotten."""
_SAMPLES = 2_000
"""Measurements of each span that the percentiles cover."""


class Span(StrEnum):
    """The fields of `Latency`."""

    FIRST_TEXT = "first_text"  # to the first text, original or translated, interim or final
    FINAL = "final"  # to the first final translation, or final original if nothing is translated
    FIRST_SOUND = "first_sound"  # until the first sample of its speech reaches the device
    LAST_SOUND = "last_sound"  # until its speech ends; each further stretch of speech moves it on


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of a sorted, non-empty sequence: always one of the measured values."""
    rank = math.ceil(percent / 100 * len(ordered))
    return ordered[min(max(rank, 1), len(ordered)) - 1]


class LatencyMeter:
    """Collects the spans of utterances; `latency` gives the result. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._committed: dict[int, float] = {}
        self._measured: dict[int, dict[Span, float]] = {}
        self._forgotten: deque[int] = deque(maxlen=_REMEMBERED)
        self._samples: dict[Span, deque[float]] = {span: deque(maxlen=_SAMPLES) for span in Span}
        self._latency: Latency | None = None  # None after a new measurement

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

    def measure(self, span: Span, number: int, t: float) -> float | None:
        """End a span of an utterance at ``t``; returns its milliseconds, None if there is no earlier commit.

        Only the first end of a span counts, but the latest one of `Span.LAST_SOUND`.
        """
        committed = self._committed.get(number)
        if committed is None:
            return None
        measured, ms = self._measured[number], (t - committed) * 1000.0
        before = measured.get(span)
        if ms < 0 or (before is not None and (span is not Span.LAST_SOUND or ms <= before)):
            return before
        if before is not None:
            with suppress(ValueError):  # it can be older than the oldest sample kept
                self._samples[span].remove(before)
        measured[span] = ms
        self._samples[span].append(ms)
        self._latency = None
        return ms

    def forget(self, number: int) -> None:
        """Measure this utterance no more: it was cancelled, or is sent again."""
        self._latency = None
        self._forgotten.append(number)
        self._committed.pop(number, None)
        self._measured.pop(number, None)

    def latency(self) -> Latency:
        """The newest committed utterance's milliseconds, and p50/p95 over the conversation with their counts."""
        if self._latency is None:
            self._latency = Latency(**{span.value: self._delay(span) for span in Span})
        return self._latency

    def _delay(self, span: Span) -> Delay:
        newest = self._measured[next(reversed(self._measured))] if self._measured else {}
        ordered = sorted(self._samples[span])
        p50_p95 = (percentile(ordered, 50), percentile(ordered, 95)) if ordered else None
        return Delay(newest.get(span), p50_p95, len(ordered))
