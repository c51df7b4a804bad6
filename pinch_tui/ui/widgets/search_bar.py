"""The line for searching the conversation."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from pinch_tui.ui.transcript.search import Found
from pinch_tui.ui.transcript.view import TranscriptView


class SearchBar(Horizontal):
    """Searches a view for the typed text. Hidden until opened."""

    DEFAULT_CSS = """
    SearchBar { height: 1; display: none; background: $panel; padding: 0 1; }
    SearchBar.-open { display: block; }
    SearchBar Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    SearchBar Input:focus { border: none; }
    SearchBar Static { width: auto; color: $text-muted; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [("up", "step(-1)"), ("down", "step(1)")]

    def __init__(self, view: TranscriptView) -> None:
        super().__init__()
        self._view = view
        self.field = Input(compact=True, placeholder="type to search; Enter or Up: previous, Down: next, Esc closes")
        self._found, self._said = Static(Content(""), id="found"), ""

    def compose(self) -> ComposeResult:
        yield Static(Content("search "))
        yield self.field
        yield self._found

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self) -> None:
        """Show the search field and give it the focus."""
        self.add_class("-open")
        self.screen.set_focus(self.field)

    def close(self) -> bool:
        """End the search; False if it was not open."""
        if not self.is_open:
            return False
        self.field.value = ""
        self.remove_class("-open")
        self._view.search("")
        self.screen.set_focus(self._view)
        return True

    def action_step(self, direction: int) -> None:
        """Go to the previous (-1) or next (1) match."""
        self._say(self._view.search_step(direction))

    def follow(self) -> None:
        """The conversation has changed, or the selection has moved: update the count."""
        if self.is_open and self.field.value:
            self._say(self._view.found)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._say(self._view.search(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_step(-1)

    def _say(self, found: Found) -> None:
        if found.words != self._said:
            self._said = found.words
            self._found.update(Content(found.words))
