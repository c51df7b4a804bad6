"""When an utterance is settled. Pure.

`finalize` is not acknowledged by the service (reference, section 1.10), so the end is inferred: every segment has its
final original and final translation, and nothing more came for a quiet gap; or a ceiling has passed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

QUIET_TEXT_S = 0.6
"""Quiet gap after the last final when no speech is expected."""
QUIET_BEFORE_SPEECH_S = 2.0
"""Quiet gap after the last final while its speech has not begun."""
QUIET_SPEECH_S = 0.6
"""Quiet gap after the last chunk of speech."""
EMPTY_SILENT_S = 1.0
"""Ceiling for an utterance without voice and without any message."""
EMPTY_VOICED_S = 4.0
"""Ceiling for an utterance with voice but without any message."""
CEILING_S = 10.0
"""Ceiling after `finalize` for an utterance whose finals are incomplete, and at least"""
CEILING_IDLE_S = 5.0
"""this long after its last message."""


@dataclass(slots=True)
class _Halves:
    has_original: bool = False
    has_translation: bool = False


@dataclass(slots=True)
class SettleWatch:
    """Watches one attempt of one utterance."""

    expects_speech: bool
    finalized_at: float | None = None
    is_voiced: bool = True
    segments: dict[str, _Halves] = field(default_factory=dict)
    last_at: float = float("-inf")  # the last message or chunk
    speech_at: float | None = None  # the last chunk

    def message(self, message: TranscriptMessage, now: float) -> None:
        halves = self.segments.setdefault(message.id, _Halves())
        if message.is_final:
            if message.kind is TranscriptKind.ORIGINAL:
                halves.has_original = True
            else:
                halves.has_translation = True
        self.last_at = now

    def speech(self, now: float) -> None:
        self.last_at = self.speech_at = now

    @property
    def has_all_finals(self) -> bool:
        return bool(self.segments) and all(h.has_original and h.has_translation for h in self.segments.values())

    def settles_at(self, answered_at: float) -> float | None:
        """The time at which the utterance is settled if nothing more comes; None before `finalize`.

        ``answered_at``: when the newest ping left that the service has answered. Silence means that nothing was heard
        only from a service that has got the ``finalize`` and, where there was a voice, that lived all the time.
        """
        if self.finalized_at is None:
            return None
        if not self.segments and self.speech_at is None:
            if answered_at <= self.finalized_at:
                return None
            if not self.is_voiced:
                return self.finalized_at + EMPTY_SILENT_S
            at = self.finalized_at + EMPTY_VOICED_S
            return at if answered_at >= at else None
        ceiling = max(self.finalized_at + CEILING_S, self.last_at + CEILING_IDLE_S)
        if not self.has_all_finals:
            return ceiling
        since = max(self.last_at, self.finalized_at)
        if not self.expects_speech:
            return min(ceiling, since + QUIET_TEXT_S)
        quiet = QUIET_BEFORE_SPEECH_S if self.speech_at is None else QUIET_SPEECH_S
        return min(ceiling, since + quiet)
