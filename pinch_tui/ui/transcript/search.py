"""Finds words in the conversation, regardless of case and accents. Pure."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.ui.text.layout import drawable

Spans = tuple[tuple[int, int], ...]


def _fold_char(char: str) -> str:
    if char.isascii():
        return char.lower()
    return "".join(
        part
        for part in unicodedata.normalize("NFKD", char).casefold()
        if unicodedata.category(part) not in ("Mn", "Cf")
    )


class _Folds(dict[int, str]):
    """Folds characters for `str.translate`, each when it is first seen."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _MOST_FOLDS:
            self.clear()
        folded = self[code] = _fold_char(chr(code))
        return folded


_MOST_FOLDS = 20_000
_FOLDS = _Folds()


def fold(text: str) -> str:
    """A text without case, accents and vowel points, compatibility forms made plain."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


@lru_cache(maxsize=512)
def find(text: str, folded: str) -> Spans:
    """Spans of a folded needle in a text, as offsets of its characters; none for an empty needle."""
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


def matches(utterance: Utterance, folded: str) -> bool:
    """Whether either text of an utterance holds a folded needle."""
    return any(
        folded in fold(drawable(text))
        for segment in utterance.segments
        for text in (segment.original, segment.translation)
        if text
    )


@dataclass(frozen=True, slots=True)
class Found:
    """The state of a search: the current utterance (None: nothing found) and its place among ``total``, from 1."""

    number: int | None
    place: int
    total: int
    numbers: Sequence[int] = field(default=(), compare=False, repr=False)  # of all matches, oldest first

    @property
    def words(self) -> str:
        """As the search line puts it."""
        if not self.total:
            return " nothing found"
        return f" line {self.place} of {self.total}" if self.place else f" {self.total} found"


NOTHING_FOUND = Found(None, 0, 0)


class Search:
    """One needle over one conversation. ``read`` gives the utterances; the newest match comes first.

    Folded texts are kept for utterances that did not change since (their frozen values are compared by identity), so
    that a next key or a further letter over 10,000 utterances stays quick.
    """

    def __init__(self, read: Callable[[], Sequence[Utterance]]) -> None:
        self._read = read
        self._folded: dict[int, tuple[Utterance, str]] = {}
        self.needle = ""

    @property
    def folded(self) -> str:
        """The folded needle; empty when nothing is searched."""
        return fold(drawable(self.needle))

    def _haystack(self, utterance: Utterance) -> str:
        kept = self._folded.get(utterance.number)
        if kept is not None and kept[0] is utterance:
            return kept[1]
        parts = [part for segment in utterance.segments for part in (segment.original, segment.translation)]
        text = "\n".join(parts)
        if "  " not in text and "\ufffc" not in text and text.replace("\n", " ").isprintable():
            text = fold(text)  # checked as a whole, since most texts need no cleaning
        else:
            text = "\n".join(fold(drawable(part)) for part in parts)
        self._folded[utterance.number] = (utterance, text)
        return text

    def numbers(self) -> list[int]:
        """Numbers of all matching utterances, oldest first."""
        needle = self.folded
        if not needle:
            return []
        return [u.number for u in self._read() if needle in self._haystack(u)]

    def step(self, current: int | None, direction: int) -> Found:
        """The next match after (``direction`` > 0) or before an utterance, round the ends.

        Without a current utterance the newest match is the first one.
        """
        numbers = self.numbers()
        if not numbers:
            return NOTHING_FOUND
        if current is None:
            return Found(numbers[-1], len(numbers), len(numbers), numbers)
        if direction > 0:
            number = next((n for n in numbers if n > current), numbers[0])
        else:
            number = next((n for n in reversed(numbers) if n < current), numbers[-1])
        return Found(number, numbers.index(number) + 1, len(numbers), numbers)

    def here(self, current: int | None) -> Found:
        """The match at the current utterance, or the nearest before it, or the newest."""
        numbers = self.numbers()
        if not numbers:
            return NOTHING_FOUND
        place = len(numbers)
        if current is not None:
            place = sum(1 for n in numbers if n <= current) or len(numbers)
        return Found(numbers[place - 1], place, len(numbers), numbers)


class Tally:
    """Keeps a search's matches up to date; only changed utterances are searched again."""

    def __init__(self, needle: str, found: Found) -> None:
        self._folded = fold(drawable(needle))
        self._numbers = list(found.numbers)

    def update(self, changed: Iterable[Utterance]) -> None:
        """These utterances changed or began."""
        for utterance in changed:
            at = bisect_left(self._numbers, utterance.number)
            was_match = self._numbers[at : at + 1] == [utterance.number]
            is_match = bool(self._folded) and matches(utterance, self._folded)
            if was_match and not is_match:
                del self._numbers[at]
            elif is_match and not was_match:
                self._numbers.insert(at, utterance.number)

    def found(self, current: int | None) -> Found:
        """The place of the current utterance (0 for no match) and the number of matches."""
        if not self._numbers:
            return NOTHING_FOUND
        at = 0 if current is None else bisect_left(self._numbers, current)
        is_match = self._numbers[at : at + 1] == [current]
        return Found(current if is_match else self._numbers[-1], at + 1 if is_match else 0, len(self._numbers))
