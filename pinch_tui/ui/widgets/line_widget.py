"""A widget of one line, drawn from a `Strip`, whose pieces can be clicked."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widget import Widget

from pinch_tui.ui.widgets.strip import Strip


class LineWidget(Widget):
    """Subclasses give `compose_strip`; `redraw` repaints when the line has really changed."""

    DEFAULT_CSS = """
    LineWidget { height: 1; width: 1fr; }
    """

    _strip = Strip(Content(""))
    _drawn_at = -1

    def compose_strip(self, width: int) -> Strip:
        """The line at this width."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Repaint if the line differs from the one shown."""
        width = self.size.width
        if width <= 0:
            return
        strip = self.compose_strip(width)
        if width == self._drawn_at and strip.content.is_same(self._strip.content):
            self._strip = strip
            return
        self._strip, self._drawn_at = strip, width
        self.refresh()

    def render(self) -> Content:
        if self._drawn_at != self.size.width and self.size.width > 0:
            self._strip, self._drawn_at = self.compose_strip(self.size.width), self.size.width
        return self._strip.content

    async def on_click(self, event: events.Click) -> None:
        action = self._strip.action_at(event.x)
        if action:
            event.stop()
            await self.run_action(f"app.do({action!r})")
