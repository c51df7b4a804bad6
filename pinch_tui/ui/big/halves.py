"""The texts of a line, for the halves of the big view. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.core.languages import same_language
from pinch_tui.core.transcript.sides import speaker_side
from pinch_tui.core.transcript.utterance import Utterance


@dataclass(frozen=True, slots=True)
class HalfText:
    """A text and its language, "" if unknown."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Halves:
    """A line for two people: ``far`` for the person across the table, ``near`` for the one at the keyboard.

    ``near`` is None if the service does not translate. ``translation`` is for the view of one language: the original
    until the translation comes.
    """

    far: HalfText
    near: HalfText | None
    translation: HalfText


def halves(line: Utterance, near: str) -> Halves:
    """Each language stays in its half, whoever speaks.

    ``near``: the language of the person at the keyboard, "" for the language spoken in this line.
    """
    reported = next((s.target_language for s in line.segments if s.translation and s.target_language), None)
    original = HalfText(line.original, line.spoken_language or line.source)
    translation = HalfText(line.translation, reported or line.target)
    if not line.is_translated:
        return Halves(original, None, original)
    is_theirs = speaker_side(line) == "right" if line.is_two_way else bool(near) and same_language(line.target, near)
    far, own = (original, translation) if is_theirs else (translation, original)
    return Halves(far, own, translation if translation.text else original)
