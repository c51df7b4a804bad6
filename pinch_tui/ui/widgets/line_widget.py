"""A widget that is drawn from one piece of content, whose parts can run actions when clicked."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget


class LineWidget(Widget):
    """Subclasses implement `compose_line`; `redraw` repaints only if the content has changed."""

    DEFAULT_CSS = """
    LineWidget { height: 1; width: 1fr; }
    """
    auto_links = False  # parts with an action look as they are styled

    _drawn = Content("")
    _width = -1

    def compose_line(self, width: int) -> Content:
        raise NotImplementedError

    def redraw(self) -> None:
        """Repaint if the content differs from what is on the screen."""
        before = self._drawn
        self._compose_anew()
        if not self._drawn.is_same(before):
            self.refresh()

    def render(self) -> Content:
        if self._width != self.content_size.width:
            self._compose_anew()
        return self._drawn

    def _compose_anew(self) -> None:
        self._width = self.content_size.width
        self._drawn = self.compose_line(self._width)
