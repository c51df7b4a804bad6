"""One line of a form: a label, and one of a few values, changed with Left and Right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from pinch_tui.core.transcript.clean import clean
from pinch_tui.ui.ports import Host
from pinch_tui.ui.text.layout import cut

LABEL_CELLS = 20


class Choice(Widget, can_focus=True):
    """Left and Right, or a click at the left or right of the value, change it; Space takes the next; Enter accepts
    the form."""

    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; }
    Choice:focus { background: $panel; }
    Choice:focus:nocolor { text-style: reverse; }
    Choice:hover { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("left", "step(-1)"),
        ("right,space", "step(1)"),
        ("up", "app.focus_previous"),
        ("down", "app.focus_next"),
        ("enter", "accept"),
    ]

    class Changed(Message):
        """Another value was chosen."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    class Accepted(Message):
        """Enter was pressed."""

    def __init__(
        self,
        name: str,
        label: str,
        options: Sequence[tuple[object, str]],
        value: object = None,
        *,
        note: str = "",
        wraps: bool = True,
    ) -> None:
        """``options``: values with their texts. ``note``: shown at the right. ``wraps``: after the last value comes the
        first."""
        super().__init__(id=name)
        self._label, self.note, self._wraps = label, note, wraps
        self.set_options(options, value)

    @property
    def value(self) -> object:
        """The chosen value; None if there are no options."""
        return self._options[self._at][0] if self._options else None

    def set_options(self, options: Sequence[tuple[object, str]], value: object) -> None:
        """Replace the options, without posting `Changed`. The first is chosen if none has this value."""
        self._options = list(options)
        self._at = next((n for n, (option, _) in enumerate(self._options) if option == value), 0)
        self.refresh()

    def action_step(self, step: int) -> None:
        if len(self._options) < 2:
            return
        at = self._at + step
        at = at % len(self._options) if self._wraps else max(0, min(len(self._options) - 1, at))
        if at != self._at:
            self._at = at
            self.refresh()
            self.post_message(self.Changed(self))

    def action_accept(self) -> None:
        self.post_message(self.Accepted())

    def on_click(self, event: events.Click) -> None:
        self.focus()
        if event.x >= LABEL_CELLS:
            self.action_step(-1 if event.x < LABEL_CELLS + 2 else 1)

    def render(self) -> Content:
        width = self.content_size.width
        is_here = self.has_focus
        marks = cast("Host", self.app).marks
        label = f" {clean(self._label):<{LABEL_CELLS - 1}}"
        room = max(4, width - LABEL_CELLS - 6 - len(self.note))
        value = cut(clean(self._options[self._at][1]), room) if self._options else "none"
        arrows = "bold $accent" if is_here else "$text-disabled"
        return Content.assemble(
            (label, "$foreground" if is_here else "$text-muted"),
            (f"{marks.left} ", arrows),
            (value, "bold $foreground" if is_here else "$foreground"),
            (f" {marks.right}", arrows),
            (f"  {self.note}" if self.note else "", "$text-muted"),
        )
