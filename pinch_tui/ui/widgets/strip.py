"""A line with pieces at its left and at its right end; a click on a piece may run an action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content

from pinch_tui.ui.text.layout import Order, apart, cut, layout

_ENDLESS = 10_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of plain text in one style (theme variables such as ``$accent`` are understood).

    ``action``: what a click on it runs, "" for nothing.
    """

    text: str
    style: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """A line laid out: its content, and which columns run which action."""

    content: Content
    targets: tuple[tuple[int, int, str], ...] = ()

    def action_at(self, x: int) -> str:
        """The action under column ``x``; "" for none."""
        return next((action for start, end, action in self.targets if start <= x < end), "")


def displayed(text: str, order: Order) -> str:
    """A cleaned line of text in the order in which this terminal must get it."""
    return text if text.isascii() else " ".join(line.text for line in layout(text, _ENDLESS, reorders=order))


def parts_of(shown: str, style: str, order: Order) -> list[tuple[str, str]]:
    """A `displayed` text as parts of a content: what has to be set apart for this terminal in bold."""
    found: list[tuple[str, str]] = []
    at = 0
    for start, end in apart(shown) if order is Order.WORDS else ():
        found += [(shown[at:start], style), (shown[start:end], f"bold {style}")]
        at = end
    return [part for part in (*found, (shown[at:], style)) if part[0]]


def cells(pieces: Iterable[Piece]) -> int:
    """Width of pieces side by side."""
    return sum(cell_len(piece.text) for piece in pieces)


def lay_out(width: int, left: Sequence[Piece], right: Sequence[Piece] = ()) -> Strip:
    """A line of exactly ``width`` cells. Where there is too little room the left side is cut; the right side only where
    it alone does not fit."""
    right_cells = cells(right)
    if right_cells > width:
        right, right_cells = (), 0
    gap = 1 if right and not right[0].text.startswith(" ") else 0
    room = max(0, width - right_cells - gap)
    shown: list[Piece] = []
    used = 0
    for piece in left:
        wanted = cell_len(piece.text)
        if used + wanted > room:
            rest = cut(piece.text, room - used) if room - used > 1 else ""
            if rest:
                shown.append(Piece(rest, piece.style, piece.action))
                used += cell_len(rest)
            break
        shown.append(piece)
        used += wanted
    shown.append(Piece(" " * (width - right_cells - used)))
    shown.extend(right)
    targets: list[tuple[int, int, str]] = []
    x = 0
    for piece in shown:
        end = x + cell_len(piece.text)
        if piece.action:
            targets.append((x, end, piece.action))
        x = end
    content = Content.assemble(*((piece.text, piece.style) for piece in shown if piece.text))
    return Strip(content, tuple(targets))


def first_fit(width: int, choices: Iterable[tuple[Sequence[Piece], Sequence[Piece]]]) -> Strip:
    """The first of several ways to write a line that fits into ``width``; the last one, cut, when none does."""
    left: Sequence[Piece] = ()
    right: Sequence[Piece] = ()
    for left, right in choices:
        if cells(left) + cells(right) + 1 <= width:
            break
    return lay_out(width, left, right)
