"""The microphone's level meter: frames in, `Levels` out.

Pure: no I/O; times are arguments. A frame costs about 15 us.
"""

from __future__ import annotations

from collections import deque

from pinch_tui.audio.dsp.loudness import SILENCE_DBFS, amplitude, dbfs
from pinch_tui.core.events import FRAME_BYTES, FRAME_S, Frame, Levels

WINDOW_S = 0.1
"""Span of the peak: one poll at 10 Hz."""
STALE_S = 0.5
"""Without a frame for this long, the meter shows silence."""
HOLD_S = 1.5
"""How long the highest peak stays visible."""
CLIP_SHOWN_S = 1.0
CLIP_LEVEL = 32_760 / 32_768
QUIET_DBFS = -60.0
"""A microphone that stays below this for `QUIET_S` is too quiet."""
QUIET_S = 5.0

_ZEROS = bytes(FRAME_BYTES)
_QUIET = amplitude(QUIET_DBFS)


class Meter:
    """Takes every frame; its levels are polled 10-20 times a second."""

    def __init__(self) -> None:
        self._window: deque[tuple[float, float]] = deque()  # (t, peak) of the newest `WINDOW_S`, never empty once fed
        self._hold = 0.0
        self._hold_t = float("-inf")
        self._clipped_t = float("-inf")
        self._loud_t = float("-inf")  # the last peak above the quiet level, or the start
        self._zero_frames = 0
        self._has_heard = False
        self._last_t = float("-inf")

    def feed(self, frame: Frame) -> None:
        t, peak = frame.t, frame.peak
        if t - self._last_t > 1.0:  # closed, or stalled: earlier counts are void
            self._zero_frames = 0
            self._loud_t = t - FRAME_S
        self._last_t = t
        if frame.pcm == _ZEROS:
            self._zero_frames += 1
        else:
            self._zero_frames = 0
            self._has_heard = True
        self._window.append((t, peak))
        while self._window[0][0] <= t - WINDOW_S:
            self._window.popleft()
        if peak >= self._hold or t - self._hold_t > HOLD_S:
            self._hold, self._hold_t = peak, t
        if peak >= CLIP_LEVEL:
            self._clipped_t = t
        if peak >= _QUIET:
            self._loud_t = t

    def levels(self, now: float) -> Levels:
        """The levels at ``now``. ``is_too_quiet`` excludes exact zeros, which are reported as ``zeros_s``."""
        if now - self._last_t > STALE_S:
            return Levels(has_heard=self._has_heard)
        return Levels(
            peak_dbfs=dbfs(max(peak for _, peak in self._window)),
            hold_dbfs=dbfs(self._hold) if now - self._hold_t <= HOLD_S else SILENCE_DBFS,
            is_clipping=now - self._clipped_t <= CLIP_SHOWN_S,
            is_too_quiet=self._zero_frames == 0 and self._last_t - self._loud_t >= QUIET_S,
            zeros_s=self._zero_frames * FRAME_S,
            has_heard=self._has_heard,
        )
