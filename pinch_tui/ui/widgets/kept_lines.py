"""Paints only what changed; Textual renders every visible widget whenever one of them changes.

The screen paints 20 times a second while someone talks, and most of a paint went into widgets that had not changed
and into looking up, line by line, borders that no widget here has. `keep_lines` puts a cache of finished lines in the
place of a widget's own: the one private name of Textual that this module touches, which is why the version is pinned.
Where that name is missing nothing is done, and everything is painted as Textual does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

_NAME = "_styles_cache"


class KeptLines(StylesCache):
    """Returns the same lines until they change.

    They become stale for the same reasons as in the base class: a region was refreshed, or the style or size changed.
    The lines of a widget without box, outline, tint and padding are its content lines as they are.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Strip] | None = None
        self._kept_for: tuple[Region, Sequence[LineFilter]] | None = None
        self._is_bare: bool | None = None

    def clear(self) -> None:
        super().clear()
        self._kept = None
        self._is_bare = None

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        wanted = (crop, widget.get_line_filters())
        if self._kept is None or wanted != self._kept_for:
            self._kept, self._kept_for = super().render_widget(widget, crop), wanted
            return self._kept
        changed = [y for y in self._dirty_lines if crop.y <= y < crop.bottom]
        if changed:
            first, end = min(changed), max(changed) + 1
            part = Region(crop.x, first, crop.width, end - first)
            lines = list(self._kept)  # a new list: the old one may still be looked at
            lines[first - crop.y : end - crop.y] = super().render_widget(widget, part)
            self._kept = lines
        return self._kept

    def render_line(self, styles: Any, y: int, size: Any, content_size: Any, *rest: Any) -> Strip:
        if self._is_bare is None:
            self._is_bare = is_bare(styles)
        _padding, base_background, background, render_content_line, _title, _subtitle, opacity = rest[:7]
        if not self._is_bare or size != content_size or opacity != 1.0:
            return super().render_line(styles, y, size, content_size, *rest)
        inner, _ = self.get_inner_outer(base_background, background)
        line: Strip = render_content_line(y)
        return line.adjust_cell_length(content_size.width, inner.rich_style)


def is_bare(styles: Any) -> bool:
    """Whether nothing is drawn around or over the content."""
    edges = (*styles.border, *styles.outline)
    has_box = any(kind for kind, _ in edges) or any(styles.gutter) or any(styles.padding)
    has_hatch = styles.has_rule("hatch") and styles.hatch != "none"
    tint: Color = styles.tint
    return not (has_box or has_hatch or tint.a or styles.opacity != 1.0 or styles.text_opacity != 1.0)


def keep_lines(*widgets: Widget) -> None:
    """Let these widgets keep their finished lines. They look the same as before."""
    for widget in widgets:
        if isinstance(getattr(widget, _NAME, None), StylesCache):
            setattr(widget, _NAME, KeptLines())
