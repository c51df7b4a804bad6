"""The base of panels with a list: a field that keeps the focus, and below it the rows that match the typed text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Generic

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from pinch_tui.ui.screens.panel import Panel, Result
from pinch_tui.ui.transcript.search import find


def marked(text: str, needle: str) -> Content:
    """A text with the matches of a folded needle in it."""
    content = Content(text)
    for start, end in find(text, needle):
        content = content.stylize("reverse", start, end)
    return content


class FilterField(Input):
    """A panel's search field. A key for which ``handle`` returns True does not reach the field."""

    def __init__(self, placeholder: str, handle: Callable[[events.Key], bool]) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self._handle = handle

    def on_key(self, event: events.Key) -> None:
        if self._handle(event):
            event.stop()
            event.prevent_default()


class ListPanel(Panel[Result], Generic[Result]):
    """Subclasses implement `find` and `choose`."""

    DEFAULT_CSS = """
    ListPanel OptionList { height: 1fr; margin-top: 1; }
    ListPanel .none { height: 1fr; margin-top: 1; padding: 0 1; }
    ListPanel.-short OptionList { margin-top: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("down", "move(1)"),
        ("up", "move(-1)"),
        ("pagedown", "page(1)"),
        ("pageup", "page(-1)"),
    ]
    SHEET = "panel -wide -full"
    PLACEHOLDER: ClassVar[str]
    PAGE_ROWS: ClassVar[int] = 10

    def body(self) -> Iterable[Widget]:
        yield FilterField(self.PLACEHOLDER, self.field_key)
        yield OptionList(markup=False, compact=True)
        yield Static(classes="panel-muted none")

    def on_mount(self) -> None:
        self.listed.can_focus = False
        self.field.focus()
        self.find()

    @property
    def field(self) -> Input:
        return self.query_one(Input)

    @property
    def listed(self) -> OptionList:
        return self.query_one(OptionList)

    def find(self) -> None:
        """Fill the list with the rows that match the field's text."""
        raise NotImplementedError

    def choose(self, at: int) -> None:
        """The row at this index was chosen."""
        raise NotImplementedError

    def field_key(self, _event: events.Key) -> bool:
        """Handle a key pressed in the field; False leaves it to the field."""
        return False

    def fill(self, rows: Iterable[Content], highlighted: int) -> None:
        self.listed.clear_options()
        self.listed.add_options([Option(row) for row in rows])
        self.listed.highlighted = highlighted if self.listed.option_count else None

    def set_texts(self, title: Content, keys: Content, none: str) -> None:
        """Set the texts around the list. ``none``: shown in place of an empty list, "" to show the list."""
        empty = self.query_one(".none", Static)
        empty.display, self.listed.display = bool(none), not none
        empty.update(Content(none))
        for name, content in (("title", title), ("keys", keys)):
            self.query_one(f".panel-{name}", Static).update(content)

    def action_move(self, step: int) -> None:
        if n := self.listed.option_count:
            at = self.listed.highlighted if self.listed.highlighted is not None else -1
            self.listed.highlighted = max(0, min(n - 1, at + step))

    def action_page(self, direction: int) -> None:
        self.action_move(direction * self.PAGE_ROWS)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.find()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.submit()

    def submit(self) -> None:
        """Enter was pressed in the field."""
        if self.listed.highlighted is not None:
            self.choose(self.listed.highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.choose(event.option_index)
