"""Finds the stretches of voice within an utterance. Pure.

The service gives no offsets for its texts, so a segment's beginning and end are estimated from the voice.
"""

from __future__ import annotations

from collections import deque

from pinch_tui.core.events import FRAME_S
from pinch_tui.core.session.outbox import VOICE_PEAK

FRAME_MS = round(FRAME_S * 1000)
GAP_MS = 100
"""Shorter gaps are inside a word."""
LEAST_MS = 60
"""Shorter sounds are not voice: a key click, a knock."""
PAUSE_MS = 300
"""The shortest gap at which a service ends a segment."""
LATE_MS = 1_000
"""Maximum delay of a segment's last text after the next segment's voice began."""
LOOKBACK_MS = 10_000
"""The longest stretch before a text that the text can cover; older voice was noise."""
_KEPT = 4096


class Voicing:
    """The stretches of voice of one utterance, the newest `_KEPT` of them."""

    __slots__ = ("_runs", "begin_ms", "has_voice", "peak", "was_muted")

    def __init__(self) -> None:
        self.begin_ms: int | None = None
        """When the first frame of the utterance began; None before that frame."""
        self.peak = 0.0
        """The highest peak, 0-1 of full scale."""
        self.has_voice = False
        """Whether any stretch was long enough for a voice."""
        self.was_muted = False
        """Whether the microphone was muted by the system at any time."""
        self._runs: deque[tuple[int, int]] = deque(maxlen=_KEPT)  # begin and end in ms, in order of time

    def hear(self, end_ms: int, peak: float, *, is_muted: bool = False) -> None:
        """Add one frame. ``end_ms``: when its last sample was captured; ``peak``: 0-1 of full scale."""
        begin = max(0, end_ms - FRAME_MS)
        self.peak = max(self.peak, peak)
        self.was_muted = self.was_muted or is_muted
        if self.begin_ms is None:
            self.begin_ms = begin
        if peak <= VOICE_PEAK:
            return
        if self._runs and begin <= self._runs[-1][1] + GAP_MS:
            first, last = self._runs[-1]
            self._runs[-1] = first, max(last, end_ms)
        else:
            self._runs.append((begin, end_ms))
        first, last = self._runs[-1]
        self.has_voice = self.has_voice or last - first >= LEAST_MS

    def onset(self, since_ms: int, now_ms: int) -> int:
        """When the speech of a text began that came at ``now_ms``: at the first voice since ``since_ms``.

        Always between ``since_ms`` and ``now_ms``, which it is if there was no voice.
        """
        runs = [run for run in self._runs if run[1] - run[0] >= LEAST_MS and run[0] < now_ms and run[1] > since_ms]
        if not runs:
            return max(since_ms, now_ms)
        oldest = min(now_ms, runs[-1][1]) - LOOKBACK_MS
        return next(max(begin, oldest, since_ms) for begin, end in runs if end > oldest)

    def pause_before(self, end_ms: int, begin_ms: int) -> int:
        """When the speech of a segment ended that began at ``begin_ms`` and whose last text came at ``end_ms``.

        Texts are late, so the next segment may have begun: voice after a pause shortly before ``end_ms`` belongs to it.
        """
        runs = [run for run in self._runs if run[1] - run[0] >= LEAST_MS]
        for before, run in zip(reversed(runs[:-1]), reversed(runs[1:]), strict=True):
            if run[0] <= max(begin_ms, end_ms - LATE_MS):
                break
            if run[0] < end_ms and run[0] - before[1] >= PAUSE_MS:
                return run[0]
        return end_ms
