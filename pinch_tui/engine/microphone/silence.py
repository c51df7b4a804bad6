"""Detects a microphone that delivers only zeros during an utterance. Pure."""

from __future__ import annotations

from enum import StrEnum

from pinch_tui.core.events import Frame

ZEROS_S = 2.0
"""Seconds of exact zeros during an utterance before they are reported."""


class Silence(StrEnum):
    """A change that the newest frame brought."""

    NEVER_HEARD = "never heard"  # no sound at all since the press
    FELL_SILENT = "fell silent"  # no sound any more; some microphones mute themselves in a pause
    OVER = "over"  # there is sound again after a reported silence


class SilenceWatch:
    """Reports a silence once, and its end with the first sound."""

    def __init__(self) -> None:
        self._heard_t = float("-inf")  # of the newest frame with any sound
        self._has_reported = False

    def hear(self, frame: Frame, started: float | None, *, has_pauses: bool) -> Silence | None:
        """``started``: when the utterance under way began. ``has_pauses``: long pauses are normal."""
        if frame.peak > 0.0:
            self._heard_t = frame.t
            if not self._has_reported:
                return None
            self._has_reported = False
            return Silence.OVER
        if self._has_reported or started is None or frame.t - max(started, self._heard_t) < ZEROS_S:
            return None
        has_heard = self._heard_t > started
        if has_heard and has_pauses:
            return None
        self._has_reported = True
        return Silence.FELL_SILENT if has_heard else Silence.NEVER_HEARD
