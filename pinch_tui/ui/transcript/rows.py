"""The laid-out conversation: its rows, their heights and their lines. Pure.

A row is laid out when it comes into view and kept for a while; all other heights are estimates. A row that was live
does not shrink at once, so that nothing below it jumps; `release` shrinks it when lines move anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.ui.transcript import row as line_row
from pinch_tui.ui.transcript.index import Viewport
from pinch_tui.ui.transcript.row import RowLine, RowStyle

GAP = 1
"""Empty lines between two rows."""
KEPT_ROWS = 400
"""Limit of laid-out rows; beyond it the oldest half is dropped."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The lines to paint. ``top``: the scroll position at which nothing in view moves. ``lines``: the changed
    content lines; ``from_line``: everything from this content line down (None: no height changed)."""

    top: int
    lines: tuple[int, ...] = ()
    from_line: int | None = None


class Rows:
    """All rows of a conversation. ``read`` returns its utterances in press order; rows are counted from 0."""

    def __init__(self, read: Callable[[], Sequence[Utterance]], style: RowStyle) -> None:
        self._read = read
        self.style = style
        self._laid_out: dict[int, tuple[RowLine, ...]] = {}
        self._floor: dict[int, int] = {}
        self._row_of: dict[int, int] = {}
        self._sizes: list[line_row.Size] = []  # kept, since a new width must not read 10,000 texts
        self.view = Viewport(self._measure)
        self.stars: frozenset[int] = frozenset()
        self.speaking: int | None = None

    def __len__(self) -> int:
        return len(self.view)

    @property
    def is_laid_out(self) -> bool:
        """Whether the view has a width yet."""
        return self.style.width > 0

    def utterance(self, row: int) -> Utterance:
        return self._read()[row]

    def row_of(self, number: int | None) -> int | None:
        """The row of an utterance; None if it has none."""
        return None if number is None else self._row_of.get(number)

    def bottom(self, number: int) -> int:
        """The line below an utterance."""
        row = self._row_of.get(number)
        return 0 if row is None else self.view.top(row + 1)

    def gap_above(self, row: int) -> int:
        return GAP if row else 0

    def lines(self, row: int) -> tuple[RowLine, ...]:
        """A row's lines, laid out on demand."""
        found = self._laid_out.get(row)
        if found is None:
            utterance = self.utterance(row)
            found = line_row.build(
                utterance,
                self.style,
                is_starred=utterance.number in self.stars,
                is_speaking=utterance.number == self.speaking,
            )
            if len(self._laid_out) >= KEPT_ROWS:
                for old in list(self._laid_out)[: KEPT_ROWS // 2]:
                    del self._laid_out[old]
            self._laid_out[row] = found
        return found

    def line(self, line: int) -> tuple[int | None, RowLine | None]:
        """The row of a content line (None: a gap, or below the end) and its pieces (None: empty)."""
        if line >= self.view.total:
            return None, None
        row = self.view.row_at(line)
        at = line - self.view.top(row) - self.gap_above(row)
        if at < 0:
            return None, None
        lines = self.lines(row)
        return row, lines[at] if at < len(lines) else None

    def _measure(self, row: int) -> int:
        height = max(self.gap_above(row) + len(self.lines(row)), self._floor.get(row, 0))
        if row in self._floor or self.utterance(row).is_live:
            self._floor[row] = height
        return height

    def _estimate(self, row: int) -> int:
        (height,) = line_row.estimates((self._sizes[row],), self.style)
        return max(self.gap_above(row) + height, self._floor.get(row, 0))

    def newest(self) -> int:
        """The last row that has a text or can still get one; without such a row, the last one."""
        utterances = self._read()
        last = len(self) - 1
        return next((row for row in range(last, -1, -1) if utterances[row].has_content), last)

    def release(self) -> bool:
        """Drop the empty lines below rows that are no longer live; returns False if there were none."""
        return self._release([row for row in self._floor if not self.utterance(row).is_live])

    def release_last(self) -> bool:
        """`release` for the last row only, since nothing below it can jump."""
        last = len(self) - 1
        return last in self._floor and not self.utterance(last).is_live and self._release([last])

    def _release(self, rows: Sequence[int]) -> bool:
        has_shrunk = False
        for row in rows:
            del self._floor[row]
            has_shrunk = self.view.measure(row) < 0 or has_shrunk
        return has_shrunk

    # ---- a new layout ---------------------------------------------------------------------------------------------

    def lay_out(self, style: RowStyle, height: int, top: int | None) -> int:
        """Lay out everything anew. The row at line ``top`` stays in place (None: the end does); returns the new
        position."""
        anchor: tuple[int, float] | None = None
        if top is not None and len(self.view):
            row = self.view.row_at(top)
            anchor = (row, (top - self.view.top(row)) / max(1, self.view.height(row)))
        self.style = style
        self._laid_out.clear()
        self._floor.clear()
        utterances = self._read()
        if len(utterances) < len(self._sizes):
            self.clear()
        for row in range(len(self._sizes), len(utterances)):
            self._keep_size(row, utterances[row])
        heights = [height + GAP for height in line_row.estimates(self._sizes, style)]
        if heights:
            heights[0] -= GAP - self.gap_above(0)
        self.view.reset(heights)
        if not self.is_laid_out or height <= 0:
            return 0
        if anchor is None or anchor[0] >= len(self.view):
            return self.view.settle_end(height)
        row, share = anchor
        self.view.measure(row)
        return self.view.settle(self.view.top(row) + int(share * self.view.height(row)), height)

    def clear(self) -> None:
        """Forget the conversation, before another one is shown."""
        self._sizes.clear()
        self._row_of.clear()

    def _keep_size(self, row: int, utterance: Utterance) -> None:
        self._sizes[row : row + 1] = [line_row.size_of(utterance)]
        self._row_of[utterance.number] = row

    def mark_matches(self, folded: str) -> None:
        """Mark the matches of a folded needle; no height changes."""
        self.style = replace(self.style, folded=folded)
        self._laid_out.clear()

    def forget(self, numbers: Iterable[int]) -> Iterator[int]:
        """The look of these utterances changed, but not their height; returns their rows."""
        for number in numbers:
            row = self._row_of.get(number)
            if row is not None:
                self._laid_out.pop(row, None)
                yield row

    # ---- changes --------------------------------------------------------------------------------------------------

    def add_new(self) -> list[int] | None:
        """Add new utterances; returns their numbers, or None if utterances have gone."""
        utterances = self._read()
        known = len(self.view)
        if len(utterances) < known:
            return None
        fresh: list[int] = []
        for row in range(known, len(utterances)):
            number = utterances[row].number
            self._keep_size(row, utterances[row])
            self.view.append(self._estimate(row))
            fresh.append(number)
        return fresh

    def change(self, numbers: Iterable[int], top: int, height: int) -> Changes:
        """Update changed utterances: rows in view are laid out, others get a new estimate."""
        utterances = self._read()
        lines: list[int] = []
        from_line: int | None = None
        for row in sorted(row for row in map(self._row_of.get, numbers) if row is not None):
            first = self.view.top(row)
            before = self._laid_out.pop(row, None)
            self._keep_size(row, utterances[row])
            if first >= top + height or first + self.view.height(row) <= top:
                delta = self.view.estimate(row, self._estimate(row))
                if first < top:
                    top += delta
            elif self.view.measure(row):
                from_line = first if from_line is None else from_line
            else:
                start = first + self.gap_above(row)
                lines += (
                    start + at for at, (old, new) in enumerate(zip_longest(before or (), self.lines(row))) if old != new
                )
        return Changes(top, tuple(lines), from_line)
