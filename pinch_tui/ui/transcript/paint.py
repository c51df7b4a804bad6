"""Turns row lines into strips; styles are resolved once per theme."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from pinch_tui.ui.app.theme import Marks
from pinch_tui.ui.text.cells import width
from pinch_tui.ui.text.layout import APART, cut
from pinch_tui.ui.transcript.row import MATCH, PROVISIONAL, SPOKEN, Role, RowLine

COMPONENT_CLASSES: frozenset[str] = frozenset(
    {f"transcript--{role.value}" for role in Role if role is not Role.BLANK}
    | {"transcript--provisional", "transcript--match", "transcript--cursor", "transcript--jump", "transcript--spoken"}
)

_KEPT_STRIPS = 256

CSS = """
TranscriptView {
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-gutter: stable;
    scrollbar-size-vertical: 1;
    background: $background;
    color: $foreground;
    & > .transcript--edge { color: $accent; }
    & > .transcript--time { color: $text-muted; }
    & > .transcript--star { color: $warning; }
    & > .transcript--code { color: $text-muted; }
    & > .transcript--live { color: $accent; text-style: bold; }
    & > .transcript--speaker { color: $accent; text-style: bold; }
    & > .transcript--original { color: $foreground 80%; }
    & > .transcript--translation { color: $foreground; }
    & > .transcript--note { color: $text-muted; text-style: italic; }
    & > .transcript--provisional { color: $text-muted; text-style: italic; }
    & > .transcript--match { text-style: reverse; }
    & > .transcript--cursor { background: $surface; }
    & > .transcript--spoken { background: $accent 10%; }
    & > .transcript--jump { background: $accent; color: $background; text-style: bold; }
}
"""


def _groundless(style: Style) -> Style:
    """The style without its background, which depends on the selection."""
    return Style(
        color=style.color,
        bold=style.bold or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        reverse=style.reverse or None,
    )


class Painter:
    """Makes strips of row lines. ``resolve(name)`` returns the style of a component class, its colours blended."""

    def __init__(self, resolve: Callable[[str], Style], base: Style, shapes: Marks) -> None:
        self._edge = shapes.edge
        self._arrow = "v" if shapes.edge.isascii() else "↓"
        self._base = base
        self._cursor = base + Style(bgcolor=resolve("transcript--cursor").bgcolor)
        self._spoken = Style(bgcolor=resolve("transcript--spoken").bgcolor)
        self._jump = resolve("transcript--jump")
        roles = [role for role in Role if role is not Role.BLANK]
        self._roles: dict[Role, Style] = {role: _groundless(resolve(f"transcript--{role.value}")) for role in roles}
        self._roles[Role.BLANK] = Style.null()
        self._provisional = _groundless(resolve("transcript--provisional"))
        self._match = resolve("transcript--match")
        self.style = cache(self._style)
        self.line = lru_cache(_KEPT_STRIPS)(self._line)

    def _style(self, role: Role, marks: int, is_selected: bool) -> Style:
        style = self._cursor if is_selected else self._base
        if marks & SPOKEN:
            style += self._spoken
        style += self._roles[role]
        if marks & PROVISIONAL:
            style += self._provisional
        if marks & MATCH:
            style += self._match
        if marks & APART:
            style += Style(bold=not style.bold)
        return style

    def _line(self, line: RowLine | None, cells: int, is_selected: bool) -> Strip:
        """A line of a row (None: an empty one) with its edge, cut or padded to ``cells``."""
        ground = self._cursor if is_selected else self._base
        if line is None and not is_selected:
            return Strip.blank(cells, ground)
        pieces, used = line or ((), 1)
        segments = [Segment(self._edge if is_selected else " ", self.style(Role.EDGE, 0, is_selected))]
        segments += [Segment(piece.text, self.style(piece.role, piece.marks, is_selected)) for piece in pieces]
        if used > cells:
            return Strip(segments).adjust_cell_length(cells, ground)
        # With an explicit length, since terminals count the cells of some scripts differently.
        return Strip([*segments, Segment(" " * (cells - used), ground)], cells)

    def jump_mark(self, count: int, cells: int, key: str) -> Strip:
        """The mark over the last line: the number of new rows below, and the key that goes there."""
        text = cut(f"{count} new {self._arrow} jump to latest" + (f" ({key})" if key else ""), cells)
        left = (cells - width(text)) // 2
        return Strip([Segment(" " * left + text + " " * (cells - left - width(text)), self._jump)], cells)
