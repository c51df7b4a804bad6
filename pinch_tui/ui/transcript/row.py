"""One utterance as lines of styled pieces. Pure.

From left to right: the edge that marks the selection, the time and the star, then the texts, each after a mark of its
state or speaker and its language code. Side by side, the original is left and the translation right (in a two-way
conversation the source language left and the target language right), segment by segment on the same lines; in a narrow
view the translation is below.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from pinch_tui.core.events import StateWord
from pinch_tui.core.transcript.sides import segment_side, speaker_side
from pinch_tui.core.transcript.unheard import note
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.ui.app.theme import UNICODE, Marks
from pinch_tui.ui.text.cells import Widths, drawable, width
from pinch_tui.ui.text.layout import Line, Mark, Order, cut, layout
from pinch_tui.ui.transcript import search

SIDE_BY_SIDE = 72
"""Fewest cells for two columns: 80 without borders, padding and the scrollbar."""

PROVISIONAL = 1
MATCH = 2
SPOKEN = 4
"""On the speaker's side of a two-way conversation."""

SAMPLE_NOTE = "sample (practice voice)"
_COLUMN_GAP = 2
_COLUMN_MAX = 76
"""Widest column: a mark, a code and about 70 cells of text. Longer lines are hard to read."""
_HEAD = 3
"""Cells of a text's mark and of the spaces around its code."""
_CODE_MIN = 2
_CODE_MAX = 7
_LRM = "\N{LEFT-TO-RIGHT MARK}"


class Role(StrEnum):
    """The content of a piece; the view's component classes have these names."""

    BLANK = "blank"
    EDGE = "edge"
    TIME = "time"
    STAR = "star"
    CODE = "code"
    LIVE = "live"
    SPEAKER = "speaker"
    ORIGINAL = "original"
    TRANSLATION = "translation"
    NOTE = "note"


class Piece(NamedTuple):
    text: str
    role: Role
    marks: int = 0


class RowLine(NamedTuple):
    """One line of a row; the edge and its pieces fill ``cells`` cells of the terminal."""

    pieces: tuple[Piece, ...]
    cells: int


@dataclass(frozen=True, slots=True)
class RowStyle:
    """Everything besides the utterance that determines a row's lines. ``folded``: the folded search needle."""

    width: int = 0
    has_times: bool = True
    order: Order = Order.LETTERS
    folded: str = ""
    shapes: Marks = UNICODE
    widths: Widths = Widths.GRAPHEMES
    is_one_column: bool = False
    """Whether there are no translations: one text over the full width."""

    @property
    def is_side_by_side(self) -> bool:
        return self.width >= SIDE_BY_SIDE and not self.is_one_column

    @property
    def gutter(self) -> int:
        """Cells of edge, time and star."""
        return 7 if self.has_times else 2

    @property
    def column(self) -> int:
        """Cells of a text with its mark and code."""
        room = self.width - self.gutter
        if self.is_side_by_side:
            return min(_COLUMN_MAX, (room - _COLUMN_GAP) // 2)
        return max(8, min(_COLUMN_MAX, room))


class _Text(NamedTuple):
    """A laid-out text with its role, mark and language code."""

    lines: tuple[Line, ...]
    role: Role
    code: str = ""
    mark: str = ""
    mark_role: Role = Role.LIVE
    is_wide: bool = False  # over both columns
    is_spoken: bool = False  # two-way: this is the speaker's side


def is_spoken_right(utterance: Utterance, segment: Segment | None = None) -> bool:
    """Whether the speaker's column is the right one: two-way, and spoken in the target language."""
    if not utterance.is_two_way:
        return False
    side = segment_side(utterance, segment) if segment is not None else None
    return (side or speaker_side(utterance)) == "right"


Size = tuple[int, int, int]
"""Lengths in characters: the longer text of each pair, the originals, the translations; each summed over a row."""


def size_of(utterance: Utterance) -> Size:
    """The lengths for `estimates`."""
    longer = originals = translations = 0
    for segment in utterance.segments:
        left, right = len(segment.original), len(segment.translation)
        longer += left if left > right else right
        originals += left
        translations += right
    # Without translations a text has the width of two columns.
    return longer if utterance.is_translated else longer // 2, originals, translations


def estimates(sizes: Iterable[Size], style: RowStyle) -> list[int]:
    """Estimated heights of rows without the gap above, good enough for a scrollbar."""
    room = max(4, style.column - _CODE_MIN - _HEAD)
    if style.is_side_by_side:
        return [-(-longer // room) or 1 for longer, _, _ in sizes]
    return [-(-originals // room) - (-translations // room) or 1 for _, originals, translations in sizes]


def _laid_out(text: str, stable: int, is_final: bool, room: int, style: RowStyle) -> tuple[Line, ...]:
    shown = drawable(text)
    marks: list[Mark] = []
    if not is_final:
        # Offsets count the text before cleaning, which can shorten it; cleaning the stable part alone is exact.
        start = min(len(drawable(text[:stable])), len(shown))
        shown += style.shapes.ellipsis
        marks.append(Mark(start, len(shown), PROVISIONAL))
    if style.folded:
        marks.extend(Mark(start, end, MATCH) for start, end in search.find(shown, style.folded))
    return layout(shown, room, tuple(marks), style.order, style.widths)


def _state_note(utterance: Utterance, style: RowStyle) -> str:
    """The words in place of a text."""
    dots = style.shapes.ellipsis
    match utterance.state:
        case UtteranceState.TALKING:
            return f"listening{dots}"
        case UtteranceState.WAITING:
            return f"kept, waiting{dots}" if utterance.attempt > 1 else f"waiting{dots}"
        case UtteranceState.CANCELLED:
            return "cancelled"
        case _:
            return note(utterance.unheard)


def _live_mark(utterance: Utterance, style: RowStyle) -> str:
    if utterance.state is UtteranceState.TALKING:
        return style.shapes.states[StateWord.TALKING]
    if utterance.state is UtteranceState.WAITING:
        return style.shapes.new_session if utterance.attempt > 1 else style.shapes.states[StateWord.FINALIZING]
    return ""


def _code(code: str) -> str:
    return cut(drawable(code), _CODE_MAX)


def _code_width(utterance: Utterance) -> int:
    codes = [utterance.source, utterance.target]
    for segment in utterance.segments:
        codes += [segment.detected_language or segment.source_language or "", segment.target_language or ""]
    return max(_CODE_MIN, *(width(_code(code)) for code in codes))


def _note(utterance: Utterance, room: int, style: RowStyle) -> _Text:
    """A note in place of all texts; ``room`` is the row's."""
    words = layout(_state_note(utterance, style), room)
    return _Text(words, Role.NOTE, _code(utterance.source), _live_mark(utterance, style), is_wide=True)


def _remark(segment: Segment, room: int) -> _Text:
    """One line of the service's words in place of an original; ``room`` is the row's."""
    return _Text(layout(cut(drawable(segment.note), room), room), Role.NOTE, is_wide=True)


def _pending(room: int, style: RowStyle) -> tuple[Line, ...]:
    return layout(style.shapes.ellipsis, room, (Mark(0, 3, PROVISIONAL),))


def _original(utterance: Utterance, segment: Segment, room: int, style: RowStyle, is_first: bool) -> _Text:
    mark, mark_role = _live_mark(utterance, style) if is_first else "", Role.LIVE
    of_segment, of_utterance = segment_side(utterance, segment), speaker_side(utterance)
    if not mark and (of_segment or (of_utterance and is_first)):
        mark, mark_role = style.shapes.right, Role.SPEAKER
    code = segment.detected_language
    if code is None:
        code = utterance.target if is_spoken_right(utterance, segment) else segment.source_language or utterance.source
    if segment.original:
        lines = _laid_out(segment.original, segment.original_stable, segment.original_is_final, room, style)
    else:
        lines = _pending(room, style) if utterance.is_live else ()
    return _Text(lines, Role.ORIGINAL, _code(code), mark, mark_role, is_spoken=bool(of_segment or of_utterance))


def _translation(utterance: Utterance, segment: Segment, room: int, style: RowStyle, is_spoken: bool) -> _Text:
    if is_spoken_right(utterance, segment):
        code = utterance.source
    else:
        code = segment.target_language or utterance.target
    role = Role.TRANSLATION
    if segment.translation:
        lines = _laid_out(segment.translation, segment.translation_stable, segment.translation_is_final, room, style)
    elif utterance.is_live:
        lines = _pending(room, style)
    else:
        lines, role = layout(drawable(segment.note) or "no translation arrived", room), Role.NOTE
    return _Text(lines, role, _code(code), style.shapes.states[StateWord.SPEAKING] if is_spoken else "")


def _cells(text: _Text | None, at: int, column: int, code_width: int, style: RowStyle) -> list[Piece]:
    """One line of one column, exactly ``column`` cells wide."""
    ground = SPOKEN if text is not None and text.is_spoken else 0
    if text is None or at >= len(text.lines):
        return [Piece(" " * column, Role.BLANK, ground)]
    head = _HEAD + code_width
    pieces: list[Piece] = []
    if at == 0:
        pieces.append(Piece(text.mark or " ", text.mark_role, ground))
        pieces.append(Piece(f" {text.code}" + " " * (code_width - width(text.code) + 1), Role.CODE, ground))
    else:
        pieces.append(Piece(" " * head, Role.BLANK, ground))
    line = text.lines[at]
    pad = Piece(" " * max(0, column - head - line.cells), Role.BLANK, ground)
    body = [Piece(run.text, text.role, run.marks | ground) for run in line.runs]
    if not line.is_rtl:
        return [*pieces, *body, pad]
    end = [Piece(_LRM, Role.BLANK, ground)] if style.order is Order.TERMINAL else []
    return [*pieces, pad, *body, *end]


def _gutter(utterance: Utterance, style: RowStyle, is_first: bool, is_starred: bool) -> list[Piece]:
    """The gutter without the edge, which the view draws."""
    if not is_first:
        return [Piece(" " * (style.gutter - 1), Role.BLANK)]
    pieces: list[Piece] = []
    if style.has_times:
        pieces.append(Piece(time.strftime("%H:%M", time.localtime(utterance.started)), Role.TIME))
    pieces.append(Piece(style.shapes.star if is_starred else " ", Role.STAR))
    return pieces


_Pair = tuple[_Text | None, _Text | None]


def _without_repeated_codes(pairs: list[_Pair]) -> list[_Pair]:
    """Each column names its language at the first text, and again only when it changes."""
    last = ["", ""]
    shown: list[_Pair] = []
    for pair in pairs:
        sides = list(pair)
        for side, text in enumerate(pair):
            if text is not None and text.code == last[side]:
                sides[side] = text._replace(code="")
            elif text is not None:
                last[side] = text.code
        shown.append((sides[0], sides[1]))
    return shown


def _side_by_side(pairs: list[_Pair], column: int, code_width: int, style: RowStyle) -> list[list[Piece]]:
    gap = Piece(" " * _COLUMN_GAP, Role.BLANK)
    rows: list[list[Piece]] = []
    for left, right in _without_repeated_codes(pairs):
        if left is not None and left.is_wide:
            rows.extend(_cells(left, at, 2 * column + _COLUMN_GAP, code_width, style) for at in range(len(left.lines)))
            continue
        tall = max(len(left.lines) if left else 0, len(right.lines) if right else 0)
        rows.extend(
            [*_cells(left, at, column, code_width, style), gap, *_cells(right, at, column, code_width, style)]
            for at in range(tall)
        )
    return rows


def build(
    utterance: Utterance, style: RowStyle, *, is_starred: bool = False, is_speaking: bool = False
) -> tuple[RowLine, ...]:
    """The lines of a row, without the edge (its first cell) and the gap above."""
    style = style if utterance.is_translated else replace(style, is_one_column=True)
    column = style.column
    code_width = _code_width(utterance)
    both = 2 * column + _COLUMN_GAP if style.is_side_by_side else column
    room = max(1, column - code_width - _HEAD)
    wide_room = room + both - column
    spoken: list[tuple[bool, _Text, _Text | None]] = []  # whether on the right, original, translation
    for i, segment in enumerate(utterance.segments if utterance.state is not UtteranceState.CANCELLED else ()):
        if segment.note and not (segment.original or segment.translation):
            spoken.append((False, _remark(segment, wide_room), None))
            continue
        original, translation = _original(utterance, segment, room, style, i == 0), None
        if utterance.is_translated:
            translation = _translation(utterance, segment, room, style, is_speaking and i == 0)
        spoken.append((is_spoken_right(utterance, segment), original, translation))
    if not spoken:
        spoken.append((False, _note(utterance, wide_room, style), None))
    if utterance.is_sample:
        spoken.append((is_spoken_right(utterance), _Text(layout(SAMPLE_NOTE, room), Role.NOTE), None))
    if style.is_side_by_side:
        pairs: list[_Pair] = [(t, o) if is_right else (o, t) for is_right, o, t in spoken]
        rows = _side_by_side(pairs, column, code_width, style)
    else:
        texts = [text for _, *pair in spoken for text in pair if text is not None]
        rows = [_cells(text, at, column, code_width, style) for text in texts for at in range(len(text.lines))]
    if not rows:
        rows.append([Piece(" " * column, Role.BLANK)])
    return tuple(
        RowLine((*_gutter(utterance, style, at == 0, is_starred), *pieces), style.gutter + both)
        for at, pieces in enumerate(rows)
    )
