"""Lines with pieces at the left and the right end; a click on a piece can run an action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content

from pinch_tui.ui.text.layout import Order, apart, cut, layout

_ENDLESS = 10_000


class Piece(NamedTuple):
    """Plain text in one style, which can use theme variables such as ``$accent``.

    ``action``: the action that a click runs, "" for none.
    """

    text: str
    style: str = ""
    action: str = ""


def displayed(text: str, order: Order) -> str:
    """A cleaned line of text in the order that this terminal needs."""
    return text if text.isascii() else " ".join(line.text for line in layout(text, _ENDLESS, order=order))


def parts_of(shown: str, style: str, order: Order) -> list[tuple[str, str]]:
    """A `displayed` text as parts of a `Content`; parts that this terminal must not reorder together are in bold."""
    found: list[tuple[str, str]] = []
    at = 0
    for start, end in apart(shown) if order is Order.WORDS else ():
        found += [(shown[at:start], style), (shown[start:end], f"bold {style}")]
        at = end
    return [part for part in (*found, (shown[at:], style)) if part[0]]


def cells(pieces: Iterable[Piece]) -> int:
    """Total width of the pieces."""
    return sum(cell_len(piece.text) for piece in pieces)


def lay_out(width: int, left: Sequence[Piece], right: Sequence[Piece] = ()) -> Content:
    """A line of exactly ``width`` cells. If space is short the left side is cut; the right side is left out only if it
    does not fit by itself."""
    right_cells = cells(right)
    if right_cells > width:
        right, right_cells = (), 0
    gap = 1 if right and not right[0].text.startswith(" ") else 0
    room = max(0, width - right_cells - gap)
    shown: list[Piece] = []
    used = 0
    for piece in left:
        text = piece.text if used + cell_len(piece.text) <= room else cut(piece.text, room - used)
        if text != piece.text and room - used <= 1:
            break
        shown.append(piece._replace(text=text))
        used += cell_len(text)
        if text != piece.text:
            break
    pieces = (*shown, Piece(" " * (width - right_cells - used)), *right)
    return Content.assemble(*((piece.text, _style(piece)) for piece in pieces if piece.text))


def _style(piece: Piece) -> str:
    return f"{piece.style} @click=app.do({piece.action!r})" if piece.action else piece.style


def first_fit(width: int, choices: Iterable[tuple[Sequence[Piece], Sequence[Piece]]]) -> Content:
    """The first of several versions of a line that fits into ``width``; if none does, the last one, cut."""
    left: Sequence[Piece] = ()
    right: Sequence[Piece] = ()
    for left, right in choices:
        if cells(left) + cells(right) + 1 <= width:
            break
    return lay_out(width, left, right)
