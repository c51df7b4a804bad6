"""Corrections of settled lines: they replace the texts, and keep the service's wording beside them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.merge import whole
from pinch_tui.core.transcript.utterance import Segment

_TOKENS = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)


def corrected(segments: Sequence[Segment], original: str | None, translation: str | None) -> tuple[Segment, ...]:
    """The segments of a line with these whole texts; None or an empty text leaves a side as it is.

    A text that equals the service's wording withdraws the correction.
    """
    originals = _spread([one.original for one in segments], [one.wording[0] for one in segments], original)
    translations = _spread([one.translation for one in segments], [one.wording[1] for one in segments], translation)
    return tuple(map(with_wording, segments, originals, translations))


def with_wording(segment: Segment, original: str | None, translation: str | None) -> Segment:
    """The segment with these corrected texts; None leaves a side as it is."""
    first_original, first_translation = segment.wording
    if original is not None:
        segment = replace(
            segment,
            original=original,
            original_is_final=True,
            original_stable=len(original),
            first_original=None if original == first_original else first_original,
            revision=segment.revision + (original != segment.original),
        )
    if translation is not None:
        segment = replace(
            segment,
            translation=translation,
            translation_is_final=True,
            translation_stable=len(translation),
            first_translation=None if translation == first_translation else first_translation,
            revision=segment.revision + (translation != segment.translation),
        )
    return segment


def first_wording(segment: Segment) -> Segment:
    """The segment as the service worded it."""
    return with_wording(segment, *segment.wording)


def new_words(before: str, after: str) -> tuple[str, ...]:
    """The runs of words that a correction added; usually they are names that belong in the context."""
    old, new = before.split(), after.split()
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    runs = (" ".join(new[first:last]) for kind, _, _, first, last in changes if kind in ("replace", "insert"))
    return tuple(dict.fromkeys(word for run in runs if (word := run.strip(".,;:!?…\"'“”«»()¿¡"))))


def _spread(parts: Sequence[str], first: Sequence[str], new_text: str | None) -> Sequence[str | None]:
    """Distribute a line's new text over its parts, so that unchanged words stay in theirs. All None if empty."""
    text = clean(new_text or "")
    if not text:
        return [None] * len(parts)
    if text == whole(first):
        return list(first)
    if len(parts) == 1:
        return [text]
    old = [_TOKENS.findall(part) for part in parts]
    new = _TOKENS.findall(text)
    flat = [token for tokens in old for token in tokens if not token.isspace()]
    places = [at for at, token in enumerate(new) if not token.isspace()]
    matcher = SequenceMatcher(None, flat, [new[at] for at in places], autojunk=False)
    opcodes = matcher.get_opcodes()
    cuts, count = [0], 0
    for tokens in old[:-1]:
        count += sum(not token.isspace() for token in tokens)
        end = _mapped(count, opcodes)
        cuts.append(places[end] if end < len(places) else len(new))
    return ["".join(new[low:high]).strip() for low, high in pairwise([*cuts, len(new)])]


def _mapped(at: int, opcodes: Sequence[tuple[str, int, int, int, int]]) -> int:
    """The position among the new tokens of the boundary behind the first ``at`` old ones."""
    for kind, old_low, old_high, new_low, new_high in opcodes:
        if old_low < at <= old_high:
            if kind == "equal":
                return new_low + at - old_low
            share = (at - old_low) / (old_high - old_low)
            return new_low + round(share * (new_high - new_low))
    return 0
