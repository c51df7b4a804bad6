"""The line for searching the conversation."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static


class SearchBar(Horizontal):
    """Hidden until opened. Posts every change of the text; Enter steps to the next match."""

    DEFAULT_CSS = """
    SearchBar { height: 1; display: none; background: $panel; padding: 0 1; }
    SearchBar.-open { display: block; }
    SearchBar Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    SearchBar Input:focus { border: none; }
    SearchBar Static { width: auto; color: $text-muted; }
    """

    class Typed(Message):
        """The text to look for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Stepped(Message):
        """To the match before (-1) or after (1)."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.field = Input(compact=True, placeholder="type to search; Enter or Up: previous, Down: next, Esc closes")

        self._found, self._said = Static(Content(""), id="found"), ""

    def action_step(self, direction: int) -> None:
        self.post_message(self.Stepped(direction))

    def compose(self) -> ComposeResult:
        yield Static(Content("search "))
        yield self.field
        yield self._found

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self) -> None:
        self.add_class("-open")

    def close(self) -> None:
        self.field.value = ""
        self.remove_class("-open")

    def say(self, text: str) -> None:
        """What was found, in words."""
        if text != self._said:
            self._said = text
            self._found.update(Content(text))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Stepped(-1))
