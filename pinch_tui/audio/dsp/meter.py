"""The microphone's level meter: frames in, `Levels` out.

Pure: no I/O; time comes with the frames and with the question. Cheap enough for every frame (about 15 us).
"""

from __future__ import annotations

from collections import deque

from pinch_tui.audio.dsp.loudness import SILENCE_DBFS, amplitude, dbfs
from pinch_tui.core.events import FRAME_BYTES, FRAME_S, Frame, Levels

WINDOW_S = 0.1
"""The peak is taken over the newest frames of this length, which covers one poll at 10 Hz."""
STALE_S = 0.5
"""Without a newer frame for this long the meter falls to silence."""
HOLD_S = 1.5
CLIP_SHOWN_S = 1.0
CLIP_LEVEL = 32_760 / 32_768
QUIET_DBFS = -60.0
QUIET_S = 5.0

_ZEROS = bytes(FRAME_BYTES)
_QUIET = amplitude(QUIET_DBFS)


class Meter:
    """Feed it every frame, ask it 10-20 times a second."""

    def __init__(self) -> None:
        self._window: deque[tuple[float, float]] = deque()  # t, peak
        self._hold = 0.0
        self._hold_t = float("-inf")
        self._clipped_t = float("-inf")
        self._loud_t: float | None = None  # when something above the quiet level was last heard (or the start)
        self._zero_frames = 0
        self._has_heard = False
        self._last_t = float("-inf")

    def feed(self, frame: Frame) -> None:
        """Take one frame in."""
        t = frame.t
        if t - self._last_t > 1.0:  # closed, or stalled: what was counted before says nothing about now
            self._zero_frames = 0
            self._loud_t = t - FRAME_S
        self._last_t = t
        is_zero = frame.pcm == _ZEROS
        peak = frame.peak
        if is_zero:
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
        """The levels at ``now``. ``is_too_quiet`` excludes exact zeros, which ``zeros_s`` tells."""
        if now - self._last_t > STALE_S:
            return Levels(has_heard=self._has_heard)
        # Of the newest frames, not of this moment: they may come a few at a time.
        recent = [peak for t, peak in self._window if t > self._last_t - WINDOW_S]
        loud_t = self._last_t if self._loud_t is None else self._loud_t
        return Levels(
            peak_dbfs=dbfs(max(recent)),
            hold_dbfs=dbfs(self._hold) if now - self._hold_t <= HOLD_S else SILENCE_DBFS,
            is_clipping=now - self._clipped_t <= CLIP_SHOWN_S,
            is_too_quiet=self._zero_frames == 0 and self._last_t - loud_t >= QUIET_S,
            zeros_s=self._zero_frames * FRAME_S,
            has_heard=self._has_heard,
        )
