"""Makes subtitle cues: short, in order, without overlaps, at a readable speed. Pure.

The rules follow broadcasters' guides. A cue has at most two lines of `MAX_COLUMNS` columns and lasts at most
`MAX_CUE_MS`. Longer text is cut at the end of a sentence or clause near the middle, or else between words. A bilingual
cue has one line per language. Wide characters (Chinese, Japanese, Korean) take two columns.

The times of a piece follow from the times of words if those are known, otherwise from its share of the text's length. A
cue stays long enough to be read if the next one leaves room; the next one can start up to `MAX_LATE_MS` late for that.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from pinch_tui.core.transcript.clean import is_between_clusters
from pinch_tui.core.transcript.merge import CLOSERS, SENTENCE_ENDS

MAX_COLUMNS: Final = 42
MAX_CUE_MS: Final = 7_000
MIN_CUE_MS: Final = 1_000
"""A shorter cue is extended to this if the next one leaves room."""
COLUMNS_PER_S: Final = 17.0
"""Reading speed of adults, according to broadcasters' guides."""
MAX_LATE_MS: Final = 2_000
"""Longest delay of a cue so that the one before can be read. Beyond it, the one before is cut short."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One segment to show: a text, or an original and its translation, clean and without line breaks.

    ``marks``: (share of the text from 0 to 1, ms), rising: when that much of the text had been said.
    """

    start_ms: int
    end_ms: int
    texts: tuple[str, ...]
    speaker: str | None = None
    marks: tuple[tuple[float, int], ...] = ()

    def at(self, share: float) -> int:
        """When ``share`` of the text had been said, in ms."""
        before, after = (0.0, self.start_ms), (1.0, self.end_ms)
        for mark in self.marks:
            if mark[0] <= share:
                before = max(before, mark)
            else:
                after = mark
                break
        (low, from_ms), (high, to_ms) = before, after
        if high <= low:
            return from_ms
        ms = from_ms + (to_ms - from_ms) * (share - low) / (high - low)
        return min(max(self.start_ms, round(ms)), max(self.start_ms, self.end_ms))


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue with its final times and its lines."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None = None


def columns(text: str) -> int:
    """The width of a text: two columns per wide character, one per other."""
    return sum(2 if _is_wide(char) else 1 for char in text)


def cues_of(spoken: Sequence[Spoken]) -> list[Cue]:
    """The cues of a conversation, in the order of their times."""
    pieces = [piece for one in sorted(spoken, key=lambda one: one.start_ms) for piece in _pieces(one)]
    cues: list[Cue] = []
    free_from = 0
    for index, piece in enumerate(pieces):
        start = max(piece.start_ms, free_from)
        readable = start + max(MIN_CUE_MS, math.ceil(max(map(columns, piece.texts)) * 1000 / COLUMNS_PER_S))
        end = max(piece.end_ms, readable)
        if index + 1 < len(pieces):
            following = pieces[index + 1].start_ms
            end = min(end, max(following, min(readable, following + MAX_LATE_MS)))
        least = start + max(1, min(piece.end_ms - piece.start_ms, MIN_CUE_MS))
        free_from = end = min(max(end, least), start + MAX_CUE_MS)
        cues.append(Cue(start, end, _lines(piece.texts), piece.speaker))
    return cues


# ---- cutting ------------------------------------------------------------------------------------------------------


class _Cut(IntEnum):
    """The places to cut a text, from best to worst."""

    SENTENCE = 0
    CLAUSE = 1
    WORD = 2
    CHARACTER = 3
    CLUSTER = 4


_CLAUSE_ENDS: Final = frozenset(",;:–—，、；：،؛")
_NEVER_FIRST: Final = frozenset("ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ々ゝゞ・‐゠–〜?!‼⁇⁈⁉%％")
_PENALTY: Final = {_Cut.SENTENCE: 0.0, _Cut.CLAUSE: 0.15, _Cut.WORD: 0.4, _Cut.CHARACTER: 0.5, _Cut.CLUSTER: 9.0}
"""Added to a cut's distance from the wanted place, as a share of the text."""


def _cut_at(text: str, at: int) -> _Cut | None:
    """The kind of place before the character ``at``; None if the text must not be cut there."""
    before, after = text[at - 1], text[at]
    last = at - 1
    while last > 0 and text[last] in CLOSERS:
        last -= 1
    if after != " ":
        is_open = unicodedata.category(before) in ("Ps", "Pi")
        if not _is_wide(before) or is_open or not _may_begin(after) or not is_between_clusters(before, after):
            return None
    if text[last] in SENTENCE_ENDS:
        return _Cut.SENTENCE
    if text[last] in _CLAUSE_ENDS:
        return _Cut.CLAUSE
    return _Cut.WORD if after == " " else _Cut.CHARACTER


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _may_begin(char: str) -> bool:
    """Whether a line can begin with this character."""
    is_closing = unicodedata.category(char) in ("Pe", "Pf") or char in CLOSERS
    return not (is_closing or char in _NEVER_FIRST or char in SENTENCE_ENDS or char in _CLAUSE_ENDS)


def _cuts(text: str) -> Iterator[tuple[int, _Cut]]:
    """Every place to cut the text. A long text without any, such as a URL, is cut between letters."""
    found = [(at, cut) for at in range(1, len(text)) if (cut := _cut_at(text, at)) is not None]
    yield from found
    if found or columns(text) <= MAX_COLUMNS:
        return
    for at in range(1, len(text)):
        yield at, _Cut.CHARACTER if is_between_clusters(text[at - 1], text[at]) else _Cut.CLUSTER


def _best_cut(text: str, share: float = 0.5, worst: _Cut = _Cut.CLUSTER) -> int | None:
    """The best place near ``share`` of the text and no worse than ``worst``; None if there is none."""
    places = ((_PENALTY[cut] + abs(at / len(text) - share), at) for at, cut in _cuts(text) if cut <= worst)
    return min(places, default=(0.0, None))[1]


def _pieces(one: Spoken) -> list[Spoken]:
    """The segment in pieces that fit into one cue each."""
    waiting, done = [(one.texts, 0.0, 1.0)], []
    while waiting:
        texts, low, high = waiting.pop()
        if halves := _halved(one, texts, low, high):
            waiting += reversed(halves)
        else:
            done.append(replace(one, texts=texts, start_ms=one.at(low), end_ms=one.at(high), marks=()))
    return done


_Part = tuple[tuple[str, ...], float, float]


def _halved(one: Spoken, texts: tuple[str, ...], low: float, high: float) -> list[_Part] | None:
    """Two halves of a piece that does not fit into a cue, or that is too long and can be cut at a clause; else None."""
    fits = all(columns(line) <= MAX_COLUMNS for line in _lines(texts))
    if fits and one.at(high) - one.at(low) <= MAX_CUE_MS:
        return None
    longest = max(texts, key=columns)
    at = _best_cut(longest, worst=_Cut.CLAUSE if fits else _Cut.CLUSTER)
    if at is None:
        return None
    first, second = _split(longest, at)
    end = columns(first) / columns(longest)
    begin = 1 - columns(second) / columns(longest)
    cuts = [at if text is longest else _best_cut(text, end) for text in texts]
    left, right = zip(*(_split(text, cut) for text, cut in zip(texts, cuts, strict=True)), strict=True)
    return [(left, low, low + (high - low) * end), (right, low + (high - low) * begin, high)]


def _split(text: str, at: int | None) -> tuple[str, str]:
    """The halves of a text; all of it in the first if there is no place to cut."""
    return (text[:at].strip(), text[at:].strip()) if at is not None else (text, "")


def _lines(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The lines of a cue: one per language, or one text in two balanced lines if it is too wide for one."""
    if len(texts) > 1 or columns(texts[0]) <= MAX_COLUMNS:
        return tuple(text for text in texts if text)
    text = texts[0]
    places = [
        (_PENALTY[cut] + abs(at / len(text) - 0.5), at)
        for at, cut in _cuts(text)
        if columns(text[:at].strip()) <= MAX_COLUMNS and columns(text[at:].strip()) <= MAX_COLUMNS
    ]
    return _split(text, min(places)[1]) if places else texts
