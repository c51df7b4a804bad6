"""Finds words in the conversation, regardless of case and accents. Pure."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.ui.text.cells import drawable

Spans = tuple[tuple[int, int], ...]


class _Folds(dict[int, str]):
    """Folds characters for `str.translate`, and keeps up to 20,000 of them."""

    def __missing__(self, code: int) -> str:
        if len(self) >= 20_000:
            self.clear()
        parts = unicodedata.normalize("NFKD", chr(code)).casefold()
        folded = self[code] = "".join(part for part in parts if unicodedata.category(part) not in ("Mn", "Cf"))
        return folded


_FOLDS = _Folds()


def fold(text: str) -> str:
    """A text without case, accents, vowel points and compatibility forms."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


@lru_cache(maxsize=512)
def find(text: str, folded: str) -> Spans:
    """Spans of a folded needle in a text, as character offsets; none for an empty needle."""
    if not folded:
        return ()
    if text.isascii():
        haystack = text.lower()
        origin: Sequence[int] = range(len(text) + 1)
    else:
        pieces = [_FOLDS[ord(char)] for char in text]
        haystack = "".join(pieces)
        origin = [i for i, piece in enumerate(pieces) for _ in piece]
        origin.append(len(text))
    found: list[tuple[int, int]] = []
    at = haystack.find(folded)
    while at >= 0:
        stop = at + len(folded)
        end = origin[stop - 1] + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        found.append((origin[at], end))
        at = haystack.find(folded, stop)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Found:
    """The state of a search: the present match (None: nothing found) and its place among ``total``, from 1."""

    number: int | None
    place: int
    total: int

    @property
    def words(self) -> str:
        """For the search line."""
        if not self.total:
            return " nothing found"
        return f" line {self.place} of {self.total}" if self.place else f" {self.total} found"


NOTHING_FOUND = Found(None, 0, 0)


class Search:
    """Searches one conversation; ``read`` returns its utterances. The newest match comes first.

    The folded texts of unchanged utterances (the same frozen object) are kept, so that one more letter is quick to
    search in 10,000 utterances.
    """

    def __init__(self, read: Callable[[], Sequence[Utterance]]) -> None:
        self._read = read
        self._texts: dict[int, tuple[Utterance, str]] = {}
        self.folded = ""
        """The folded needle; "" without a search."""
        self.numbers: list[int] = []
        """Numbers of all matching utterances, oldest first."""

    def look_for(self, needle: str) -> None:
        """Search for a needle; an empty one ends the search."""
        self.folded = fold(drawable(needle))
        self.numbers = [utterance.number for utterance in self._read() if self._matches(utterance)]

    def update(self, changed: Iterable[Utterance]) -> None:
        """These utterances changed or began."""
        for utterance in changed:
            at = bisect_left(self.numbers, utterance.number)
            was_match = self.numbers[at : at + 1] == [utterance.number]
            is_match = self._matches(utterance)
            if was_match and not is_match:
                del self.numbers[at]
            elif is_match and not was_match:
                self.numbers.insert(at, utterance.number)

    def _matches(self, utterance: Utterance) -> bool:
        return self.folded != "" and self.folded in self._haystack(utterance)

    def _haystack(self, utterance: Utterance) -> str:
        kept = self._texts.get(utterance.number)
        if kept is not None and kept[0] is utterance:
            return kept[1]
        parts = [part for segment in utterance.segments for part in (segment.original, segment.translation)]
        text = "\n".join(parts)
        if "  " not in text and "\ufffc" not in text and text.replace("\n", " ").isprintable():
            text = fold(text)  # most texts need no cleaning
        else:
            text = "\n".join(fold(drawable(part)) for part in parts)
        self._texts[utterance.number] = (utterance, text)
        return text

    def step(self, current: int | None, direction: int) -> Found:
        """The next match after (``direction`` > 0) or before an utterance, past the last one the first; without a
        current utterance the newest match."""
        at = len(self.numbers) - 1
        if current is not None and direction > 0:
            at = bisect_right(self.numbers, current) % max(1, len(self.numbers))
        elif current is not None:
            at = bisect_left(self.numbers, current) - 1
        return self._found(at)

    def nearest(self, current: int | None) -> Found:
        """The match at the current utterance, or the nearest before it, or the newest."""
        return self._found(-1 if current is None else bisect_right(self.numbers, current) - 1)

    def _found(self, at: int) -> Found:
        n = len(self.numbers)
        return Found(self.numbers[at], at % n + 1, n) if n else NOTHING_FOUND

    def count(self, current: int | None) -> Found:
        """The place of the current utterance (0: no match) and the number of matches."""
        here = self.nearest(current)
        return here if here.number == current else replace(here, number=None, place=0)
