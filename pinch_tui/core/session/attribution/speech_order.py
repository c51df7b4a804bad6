"""Which segment a chunk of speech belongs to: speech carries no id, but follows the translations in order. Pure."""

from __future__ import annotations

from pinch_tui.core.session.attribution.sent import Segment

_GAP_S = 0.35
"""A pause between chunks that lets speech move on to the next segment."""
_FULL_CHUNK = 1_900
"""Samples; the service's chunks have about 1,920, and a shorter one ends a segment's speech."""
_RECENT = 64  # translations in which a repeated one is looked for


class SpeechOrder:
    """Moves on after a pause or a short chunk. Segments of settled utterances are passed over."""

    def __init__(self) -> None:
        self._translated: list[Segment] = []  # in the order of their first translation
        self._current = 0
        self._chunk_at = float("-inf")
        self._was_short = False

    def translated(self, segment: Segment) -> None:
        """A translation of the segment came, so its speech may follow."""
        if segment not in self._translated[-_RECENT:]:
            self._translated.append(segment)

    def of_chunk(self, n_samples: int, now: float) -> Segment | None:
        """The segment that this chunk speaks; None while nothing is translated."""
        if not self._translated:
            return None
        has_spoken = self._chunk_at > float("-inf")
        if not has_spoken or now - self._chunk_at > _GAP_S or self._was_short:
            following = range(self._current + has_spoken, len(self._translated))
            awaited = (i for i in following if not self._translated[i].utterance.is_settled)
            self._current = next(awaited, following.start if following else self._current)
        self._chunk_at = now
        self._was_short = n_samples < _FULL_CHUNK
        return self._translated[self._current]
