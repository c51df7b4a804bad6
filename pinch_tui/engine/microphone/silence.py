"""Detects a microphone that delivers only zeros during an utterance. Pure: frames in, a verdict out."""

from __future__ import annotations

from enum import StrEnum

from pinch_tui.core.events import Frame

ZEROS_S = 2.0
"""Seconds of exact zeros during an utterance before it is reported."""


class Silence(StrEnum):
    """What the newest frame says."""

    NEVER_HEARD = "never heard"  # no sound at all since the press
    FELL_SILENT = "fell silent"  # nothing any more; some microphones do so by themselves in a pause
    OVER = "over"  # what was told is no longer true


class SilenceWatch:
    """Names the silence once, and takes it back with the first sound."""

    def __init__(self) -> None:
        self._heard_t = float("-inf")  # of the newest frame that was not all zeros
        self._has_told = False

    def opened(self, *, is_recording: bool) -> None:
        """Another source is heard; a recording's silences are its own, from its beginning on."""
        if is_recording:
            self._heard_t = float("inf")

    def hear(self, frame: Frame, started: float | None, *, has_pauses: bool) -> Silence | None:
        """``started``: when the utterance under way began. ``has_pauses``: silence belongs to it (files, listening)."""
        if frame.peak > 0.0:
            self._heard_t = frame.t
            if not self._has_told:
                return None
            self._has_told = False
            return Silence.OVER
        if self._has_told or started is None or frame.t - max(started, self._heard_t) < ZEROS_S:
            return None
        has_heard = self._heard_t > started
        if has_heard and has_pauses:
            return None
        self._has_told = True
        return Silence.FELL_SILENT if has_heard else Silence.NEVER_HEARD
