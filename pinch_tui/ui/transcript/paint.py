"""Turns row lines into strips; styles are resolved once per theme."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from pinch_tui.ui.app.theme import Marks
from pinch_tui.ui.text.cells import width
from pinch_tui.ui.text.layout import APART, cut
from pinch_tui.ui.transcript.book import LineBook
from pinch_tui.ui.transcript.row import MATCH, PROVISIONAL, SPOKEN, Role, RowLine

COMPONENT_CLASSES: frozenset[str] = frozenset(
    {f"transcript--{role.value}" for role in Role if role is not Role.BLANK}
    | {"transcript--provisional", "transcript--match", "transcript--cursor", "transcript--jump", "transcript--spoken"}
)

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
    """The style without its background, which the selection decides."""
    return Style(
        color=style.color,
        bold=style.bold or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        reverse=style.reverse or None,
    )


class Painter:
    """Strips of row lines. ``resolve(name)`` gives the whole style of a component class, its colours blended."""

    def __init__(self, resolve: Callable[[str], Style], base: Style, shapes: Marks) -> None:
        self._edge = shapes.edge
        self._arrow = "v" if shapes.edge.isascii() else "↓"
        self._base = base
        self._cursor = base + Style(bgcolor=resolve("transcript--cursor").bgcolor)
        self._spoken = Style(bgcolor=resolve("transcript--spoken").bgcolor)
        self._jump = resolve("transcript--jump")
        self._roles: dict[Role, Style] = {Role.BLANK: Style.null()}
        for role in Role:
            if role is not Role.BLANK:
                self._roles[role] = _groundless(resolve(f"transcript--{role.value}"))
        self._provisional = _groundless(resolve("transcript--provisional"))
        self._match = resolve("transcript--match")
        self._cache: dict[tuple[Role, int, bool], Style] = {}

    def style(self, role: Role, marks: int, is_selected: bool) -> Style:
        key = (role, marks, is_selected)
        found = self._cache.get(key)
        if found is None:
            found = self._cursor if is_selected else self._base
            if marks & SPOKEN:
                found += self._spoken
            found += self._roles[role]
            if marks & PROVISIONAL:
                found += self._provisional
            if marks & MATCH:
                found += self._match
            if marks & APART:
                found += Style(bold=not found.bold)
            self._cache[key] = found
        return found

    def blank(self, cells: int, is_selected: bool = False) -> Strip:
        if not is_selected:
            return Strip.blank(cells, self._base)
        return self._framed([], 1, cells, True)

    def line(self, line: RowLine, cells: int, is_selected: bool) -> Strip:
        """A line of a row with its edge, cut or padded to ``cells``."""
        segments = [Segment(piece.text, self.style(piece.role, piece.marks, is_selected)) for piece in line.pieces]
        return self._framed(segments, line.cells, cells, is_selected)

    def _framed(self, segments: list[Segment], used: int, cells: int, is_selected: bool) -> Strip:
        """The strip gets its length from us: terminals count the cells of some scripts differently."""
        edge = Segment(self._edge if is_selected else " ", self.style(Role.EDGE, 0, is_selected))
        ground = self._cursor if is_selected else self._base
        if used > cells:
            return Strip([edge, *segments]).adjust_cell_length(cells, ground)
        return Strip([edge, *segments, Segment(" " * (cells - used), ground)], cells)

    def book_line(self, book: LineBook, line: int, cells: int, selected: int | None) -> Strip:
        """One line of the conversation; strips are kept beside the rows."""
        if line >= book.view.total:
            return self.blank(cells)
        row = book.view.row_at(line)
        at = line - book.view.top(row) - book.gap_above(row)
        if at < 0:
            return self.blank(cells)
        shown = book.row(row)
        is_selected = row == selected
        kept = shown.painted.get((at, is_selected))
        if isinstance(kept, Strip):
            return kept
        strip = (
            self.line(shown.lines[at], cells, is_selected) if at < len(shown.lines) else self.blank(cells, is_selected)
        )
        shown.painted[(at, is_selected)] = strip
        return strip

    def jump_mark(self, count: int, cells: int, key: str) -> Strip:
        """The mark over the last line: how many rows are new below, and the key that goes there."""
        text = cut(f"{count} new {self._arrow} jump to latest" + (f" ({key})" if key else ""), cells)
        left = (cells - width(text)) // 2
        return Strip([Segment(" " * left + text + " " * (cells - left - width(text)), self._jump)], cells)
