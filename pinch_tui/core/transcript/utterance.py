"""The rows of a conversation as everybody sees them: an utterance and its segments. Pure, frozen values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pinch_tui.core.transcript.merge import whole
from pinch_tui.core.transcript.unheard import Unheard


@dataclass(frozen=True, slots=True)
class Segment:
    """One correlation id. The texts as shown now; ``*_is_final``: they will not be rewritten.

    ``original_stable`` / ``translation_stable``: how many leading characters are final (the rest is provisional).
    ``start_ms``: when its voice began as far as the sound tells, never after its first text came and never before the
    segment of the row before it ended; ``end_ms``: when its last text came, or the next segment began. In ms since the
    conversation began (for exports).
    ``id`` is the correlation id, told apart from older attempts' ids where a new session uses the same one again.
    ``attempt``: the attempt to which the texts belong; what a resend leaves in place belongs to the new one.
    ``marks``: characters of the original and when they had been said, in ms since the conversation began: by the times
    of words where the service gives them, else by when the finals of a growing text came. Rising.
    ``first_original`` / ``first_translation``: the service's wording of a text that a person has corrected since.
    ``note``: why a text is missing, in the service's words; it is shown, and never kept, exported or spoken.
    """

    id: str
    original: str = ""
    original_is_final: bool = False
    original_stable: int = 0
    translation: str = ""
    translation_is_final: bool = False
    translation_stable: int = 0
    source_language: str | None = None
    target_language: str | None = None
    detected_language: str | None = None
    start_ms: int = 0
    end_ms: int = 0
    revision: int = 0
    attempt: int = 1
    marks: tuple[tuple[int, int], ...] = ()
    first_original: str | None = None
    first_translation: str | None = None
    note: str = ""

    @property
    def is_corrected(self) -> bool:
        return self.first_original is not None or self.first_translation is not None

    @property
    def wording(self) -> tuple[str, str]:
        """Original and translation as the service worded them."""
        original, translation = self.first_original, self.first_translation
        return self.original if original is None else original, self.translation if translation is None else translation


def final_part(segment: Segment) -> Segment | None:
    """The segment with its final texts alone; None while nothing of it is final."""
    original = segment.original if segment.original_is_final else segment.original[: segment.original_stable]
    translation = (
        segment.translation if segment.translation_is_final else segment.translation[: segment.translation_stable]
    )
    if not original and not translation:
        return None
    return all_final(replace(segment, original=original, translation=translation))


def all_final(segment: Segment) -> Segment:
    """The segment with both texts final as a whole."""
    return replace(
        segment,
        original_is_final=True,
        original_stable=len(segment.original),
        translation_is_final=True,
        translation_stable=len(segment.translation),
    )


class UtteranceState(StrEnum):
    TALKING = "talking"  # sound is still being taken
    WAITING = "waiting"  # finalized; last words are awaited
    SETTLED = "settled"  # nothing more is expected (late finals are still taken)
    EMPTY = "empty"  # settled, and nothing was heard
    CANCELLED = "cancelled"  # thrown away by Escape


@dataclass(frozen=True, slots=True)
class Utterance:
    """One row. ``source``/``target``: the pair it was spoken under, ``target`` empty where nothing is translated.
    ``attempt`` counts from 1; a resend adds one."""

    number: int
    started: float  # Unix seconds
    start_ms: int  # since the conversation began
    source: str
    target: str
    is_two_way: bool = False
    state: UtteranceState = UtteranceState.TALKING
    segments: tuple[Segment, ...] = ()
    attempt: int = 1
    session_id: str | None = None
    end_ms: int | None = None
    has_speech: bool = False
    is_sample: bool = False  # spoken by a voice of the program, not by a person
    unheard: Unheard | None = None  # why it is empty, where that is known
    heard_as: str | None = None  # the language that the service told without any text
    can_send_again: bool = False  # its sound is kept

    @property
    def is_translated(self) -> bool:
        """Whether a translation comes, or came; else the row is a transcript."""
        return bool(self.target)

    @property
    def original(self) -> str:
        return whole(s.original for s in self.segments)

    @property
    def translation(self) -> str:
        return whole(s.translation for s in self.segments)

    @property
    def spoken_language(self) -> str | None:
        """The detected language when the service gave one, else None."""
        return next((s.detected_language for s in self.segments if s.detected_language), None)

    @property
    def has_text(self) -> bool:
        return any(s.original or s.translation for s in self.segments)

    @property
    def has_note(self) -> bool:
        """Whether the service said why a text is missing."""
        return any(s.note for s in self.segments)

    @property
    def is_corrected(self) -> bool:
        """Whether a person has changed a text of it."""
        return any(s.is_corrected for s in self.segments)

    @property
    def is_live(self) -> bool:
        """Whether more may come."""
        return self.state in (UtteranceState.TALKING, UtteranceState.WAITING)

    @property
    def has_content(self) -> bool:
        """Whether there is something to copy, hear or show, or there may still be."""
        return self.is_live or self.has_text
