"""The base of all panels: a flat sheet over the conversation, closed with Esc."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.ui.closing import ClosesOnce
from pinch_tui.ui.ports import Host

Result = TypeVar("Result")


class Panel(ClosesOnce, ModalScreen[Result], Generic[Result]):
    """A modal sheet with a title, a body and a line of keys. Subclasses yield the body's widgets from `body`."""

    DEFAULT_CSS = """
    Panel {
        align: center middle;
        background: $background 60%;
        & .panel { width: 76; max-width: 100%; height: auto; max-height: 100%; background: $surface; padding: 1 2; }
        & .panel:nocolor { border: round $border; padding: 0 1; }
        & .panel.-wide { width: 96; }
        & .panel.-full { height: 100%; max-height: 40; }
        & .panel-title { width: 1fr; height: auto; text-style: bold; color: $accent; margin-bottom: 1; }
        & .panel-text { width: 1fr; height: auto; margin-bottom: 1; }
        & .panel-muted { width: 1fr; height: auto; color: $text-muted; }
        & .panel-keys { width: 1fr; height: auto; color: $text-muted; margin-top: 1; }
        & .heading { height: auto; color: $accent; text-style: bold; }
        & .body { height: auto; max-height: 1fr; scrollbar-size-vertical: 1; }
        & .body > Static { height: auto; }
        & .panel.-full .body { height: 1fr; max-height: 100%; }
        & Input, & Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
        & OptionList, & OptionList:focus { border: none; background: $surface; padding: 0; scrollbar-size-vertical: 1; }
        & TextArea, & TextArea:focus { border: none; background: $panel; padding: 0 1; height: 5; }
        &.-narrow .panel, &.-short .panel, &.-low .panel { width: 100%; }
        &.-narrow .-wide, &.-snug .-wide, &.-short .-wide, &.-low .-wide { width: 100%; }
        &.-lifted .panel { margin: 1 0 5 0; }
        &.-short .panel, &.-short .panel:nocolor { border: none; padding: 0 1; height: 100%; max-height: 100%; }
        &.-short .body { height: 1fr; max-height: 100%; }
        &.-short .panel-title { margin-bottom: 0; }
        &.-short .panel-keys { margin-top: 0; }
    }
    """

    # A sheet takes the whole width if it would leave only a sliver of conversation beside it. It takes the whole height
    # without padding if that is short, and leaves the header and the talk bar uncovered if there is room.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (84, "-snug"), (108, "-roomy")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-low"), (36, "-lifted")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close")]
    TITLE: ClassVar[str | None] = None
    KEYS: ClassVar[str] = "Esc closes"
    SHEET: ClassVar[str] = "panel"
    """Classes of the sheet: ``-wide``, and ``-full`` for the whole height."""
    ENDS_TALK: ClassVar[bool] = False
    """The panel takes no input, so the talk key still ends the current utterance. It starts none."""
    OPENED_BY: ClassVar[str] = ""
    """The action whose keys open the panel; they also close it, unless there is a text field."""

    @property
    def host(self) -> Host:
        return cast("Host", self.app)

    @property
    def front(self) -> FrontEnd:
        return self.host.front

    def compose(self) -> ComposeResult:
        with Vertical(classes=self.SHEET):
            yield Static(Content(self.TITLE or ""), classes="panel-title")
            yield from self.body()
            yield Static(Content(self.KEYS), classes="panel-keys")

    def body(self) -> Iterable[Widget]:
        raise NotImplementedError

    def on_mount(self) -> None:
        """Stop the cursor's blinking if the user wants no motion."""
        if not self.front.settings.ui.motion:
            for field in (*self.query(Input), *self.query(TextArea)):
                field.cursor_blink = False

    def action_close(self) -> None:
        """Close without a result."""
        self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        if self.OPENED_BY and event.key in self.front.keys[self.OPENED_BY]:
            event.stop()
            self.action_close()

    def on_click(self, event: events.Click) -> None:
        """A click beside the sheet closes it."""
        if event.widget is self:
            self.action_close()
