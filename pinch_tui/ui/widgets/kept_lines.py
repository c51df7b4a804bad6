"""Paints only what changed; Textual renders every visible widget whenever one of them changes.

The screen paints 20 times a second during talk, and most of that time went into unchanged widgets and into looking up
borders, which no widget here has. `keep_lines` replaces a widget's private cache, the only private name of Textual used
here, and the reason for pinning its version. If a version has no such cache, Textual paints as usual.
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
    A widget without border, outline, tint and padding needs only its content lines.
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
            lines = list(self._kept)  # a copy: the old list might still be in use
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
    """Whether only the content is drawn, with nothing around or over it."""
    edges = (*styles.border, *styles.outline)
    has_box = any(kind for kind, _ in edges) or any(styles.gutter) or any(styles.padding)
    has_hatch = styles.has_rule("hatch") and styles.hatch != "none"
    tint: Color = styles.tint
    return not (has_box or has_hatch or tint.a or styles.opacity != 1.0 or styles.text_opacity != 1.0)


def keep_lines(*widgets: Widget) -> None:
    """Let these widgets keep their finished lines; they look the same as before."""
    for widget in widgets:
        if isinstance(getattr(widget, _NAME, None), StylesCache):
            setattr(widget, _NAME, KeptLines())
