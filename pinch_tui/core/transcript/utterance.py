"""The public rows of a conversation: an utterance and its segments. Pure, frozen values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pinch_tui.core.transcript.merge import whole
from pinch_tui.core.transcript.unheard import Unheard


@dataclass(frozen=True, slots=True)
class Segment:
    """The texts of one correlation id, as they are now. Times are in ms since the conversation began."""

    id: str
    """The correlation id, with a suffix if an older attempt's session has used the same one."""
    original: str = ""
    original_is_final: bool = False
    """Whether the whole text is final."""
    original_stable: int = 0
    """Number of leading characters that are final; the rest is provisional."""
    translation: str = ""
    translation_is_final: bool = False
    translation_stable: int = 0
    source_language: str | None = None
    target_language: str | None = None
    detected_language: str | None = None
    start_ms: int = 0
    """When its voice began according to the sound: never after its first text, nor before the end of the previous
    segment."""
    end_ms: int = 0
    """When its last text came, or the next segment began."""
    revision: int = 0
    attempt: int = 1
    """The attempt that the texts belong to; those that a resend keeps belong to the new one."""
    marks: tuple[tuple[int, int], ...] = ()
    """(characters of the original, when they had been said), rising: from the service's times of words, or else from
    the arrival of the finals of a growing text."""
    first_original: str | None = None
    """The service's wording of an original that a person has corrected."""
    first_translation: str | None = None
    note: str = ""
    """Why a text is missing, in the service's words. It is shown, but never kept, exported or spoken."""

    @property
    def is_corrected(self) -> bool:
        return self.first_original is not None or self.first_translation is not None

    @property
    def wording(self) -> tuple[str, str]:
        """Original and translation in the service's words."""
        return (
            self.original if self.first_original is None else self.first_original,
            self.translation if self.first_translation is None else self.first_translation,
        )


def final_part(segment: Segment) -> Segment | None:
    """The segment with only the final parts of its texts; None if there are none."""
    original = segment.original if segment.original_is_final else segment.original[: segment.original_stable]
    translation = (
        segment.translation if segment.translation_is_final else segment.translation[: segment.translation_stable]
    )
    if not original and not translation:
        return None
    return all_final(segment, original, translation)


def all_final(segment: Segment, original: str, translation: str) -> Segment:
    """The segment with these texts, both final as a whole."""
    return replace(
        segment,
        original=original,
        original_is_final=True,
        original_stable=len(original),
        translation=translation,
        translation_is_final=True,
        translation_stable=len(translation),
    )


class UtteranceState(StrEnum):
    TALKING = "talking"  # sound still comes
    WAITING = "waiting"  # finalized; the last words still come
    SETTLED = "settled"  # nothing more is expected (late finals are still taken)
    EMPTY = "empty"  # settled without any text
    CANCELLED = "cancelled"  # discarded by Escape


@dataclass(frozen=True, slots=True)
class Utterance:
    """One row. ``source`` and ``target`` are the languages it was spoken under, ``target`` empty without translation.
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
    unheard: Unheard | None = None  # why it is empty, if known
    heard_as: str | None = None  # the language that the service detected, without any text
    can_send_again: bool = False  # its sound is kept

    @property
    def is_translated(self) -> bool:
        """Whether it has or will have a translation; otherwise the row is a transcript."""
        return bool(self.target)

    @property
    def original(self) -> str:
        return whole(s.original for s in self.segments)

    @property
    def translation(self) -> str:
        return whole(s.translation for s in self.segments)

    @property
    def spoken_language(self) -> str | None:
        """The language that the service detected, None if unknown."""
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
        """Whether a person has corrected one of its texts."""
        return any(s.is_corrected for s in self.segments)

    @property
    def is_live(self) -> bool:
        """Whether sound or text still comes."""
        return self.state in (UtteranceState.TALKING, UtteranceState.WAITING)

    @property
    def has_content(self) -> bool:
        """Whether there is text to show, or text can still come."""
        return self.is_live or self.has_text
