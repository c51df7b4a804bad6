"""Moving through a conversation: which row to select, and the scroll position that shows it. Pure. In a row that is
taller than the view, steps and pages scroll to its end before they move on.
"""

from __future__ import annotations

from pinch_tui.ui.transcript.book import LineBook
from pinch_tui.ui.transcript.row import MATCH


def is_in_view(book: LineBook, row: int, top: int, height: int) -> bool:
    """Whether any line of a row is in view."""
    return book.view.top(row + 1) > top and book.view.top(row) < top + height


def step(book: LineBook, row: int, by: int, top: int, height: int) -> tuple[int, int]:
    """The row ``by`` rows after the selected one, and the position. From a row out of view it goes to the nearest in
    view. In a row that is too tall it scrolls by ``by`` lines as long as there is more of it on that side.
    """
    view = book.view
    top = view.settle(top, height)
    first, end = view.top(row), view.top(row + 1)
    if not is_in_view(book, row, top, height):
        return _whole(book, top, height)[0 if first < top else -1], top
    if end - first > height and (end > top + height if by > 0 else first < top):
        return row, view.settle(max(first, min(top + by, end - height)), height)
    row = max(0, min(len(book) - 1, row + by))
    return row, view.show(row, top, height, is_near=True)


def page(book: LineBook, direction: int, top: int, height: int) -> tuple[int, int]:
    """A page down (1) or up (-1): the last (first) row that is wholly in view then, and the position."""
    top = book.view.settle(top + direction * max(1, height - 2), height)
    return _whole(book, top, height)[0 if direction < 0 else -1], top


def _whole(book: LineBook, top: int, height: int) -> list[int]:
    """The rows whose text is wholly in view, or else those whose text is partly in view."""
    placed = book.view.placed(top, height)
    starts = {p.row: p.top + book.gap_above(p.row) for p in placed}
    whole = [p.row for p in placed if starts[p.row] >= top and p.top + p.height <= top + height]
    return whole or [row for row, start in starts.items() if start < top + height] or list(starts)


def to_match(book: LineBook, row: int, top: int, height: int, covered: int) -> int:
    """The position that shows a row or, when it is too tall, a line of it with a match.

    ``covered``: how many lines at the bottom of the view are hidden by something else.
    """
    view = book.view
    top = view.show(row, top, height)
    start = view.top(row) + book.gap_above(row)
    lines = [
        start + at for at, line in enumerate(book.row(row).lines) if any(piece.marks & MATCH for piece in line.pieces)
    ]
    if not lines or any(top <= line < top + height - covered for line in lines):
        return top
    return view.settle(lines[0] - height // 2, height)
