"""Moving through a conversation: the row to select, and the scroll position that shows it. Pure.

Within a row taller than the view, steps and pages scroll to its end before they go on.
"""

from __future__ import annotations

from pinch_tui.ui.transcript.row import MATCH
from pinch_tui.ui.transcript.rows import Rows


def is_in_view(rows: Rows, row: int, top: int, height: int) -> bool:
    """Whether any line of a row is in view."""
    return rows.view.top(row + 1) > top and rows.view.top(row) < top + height


def step(rows: Rows, row: int, by: int, top: int, height: int) -> tuple[int, int]:
    """The row ``by`` rows after the selected one, and the position. From a row out of view it goes to the nearest in
    view. Within a row that is too tall it scrolls by ``by`` lines while there are more on that side.
    """
    view = rows.view
    top = view.settle(top, height)
    first, end = view.top(row), view.top(row + 1)
    if not is_in_view(rows, row, top, height):
        return _whole(rows, top, height)[0 if first < top else -1], top
    if end - first > height and (end > top + height if by > 0 else first < top):
        return row, view.settle(max(first, min(top + by, end - height)), height)
    row = max(0, min(len(rows) - 1, row + by))
    return row, view.show(row, top, height, is_near=True)


def page(rows: Rows, direction: int, top: int, height: int) -> tuple[int, int]:
    """A page down (1) or up (-1): the last (first) row that is then wholly in view, and the position."""
    top = rows.view.settle(top + direction * max(1, height - 2), height)
    return _whole(rows, top, height)[0 if direction < 0 else -1], top


def _whole(rows: Rows, top: int, height: int) -> list[int]:
    """The rows whose text is wholly in view; without any, those whose text is partly in view."""
    starts = {row: rows.view.top(row) + rows.gap_above(row) for row in rows.view.in_view(top, height)}
    whole = [row for row, start in starts.items() if start >= top and rows.view.top(row + 1) <= top + height]
    return whole or [row for row, start in starts.items() if start < top + height] or list(starts)


def to_match(rows: Rows, row: int, top: int, height: int, covered: int) -> int:
    """The position that shows a row or, if it is too tall, one of its lines with a match.

    ``covered``: the number of hidden lines at the bottom of the view.
    """
    view = rows.view
    top = view.show(row, top, height)
    start = view.top(row) + rows.gap_above(row)
    lines = [start + at for at, line in enumerate(rows.lines(row)) if any(piece.marks & MATCH for piece in line.pieces)]
    if not lines or any(top <= line < top + height - covered for line in lines):
        return top
    return view.settle(lines[0] - height // 2, height)
