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

    def compose_line(self, width: int) -> Content:
        raise NotImplementedError

    def redraw(self) -> None:
        """Repaint if the content differs from what is on the screen."""
        if not self.compose_line(self.content_size.width).is_same(self._drawn):
            self.refresh()

    def render(self) -> Content:
        self._drawn = self.compose_line(self.content_size.width)
        return self._drawn
