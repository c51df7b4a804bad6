"""Correct the two texts of a line. Their first wording is kept beside the correction."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TextArea

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.frontend.languages_text import full_name
from pinch_tui.frontend.ports import Wording
from pinch_tui.ui.screens.panel import Panel


class CorrectScreen(Panel[Wording | None]):
    """Ends with both texts, or None."""

    DEFAULT_CSS = """
    CorrectScreen .field { height: 1; color: $text-muted; }
    CorrectScreen TextArea, CorrectScreen TextArea:focus { height: 4; margin-bottom: 1; }
    CorrectScreen.-short TextArea { height: 3; margin-bottom: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,ctrl+s", "save", show=False, priority=True)]

    def __init__(self, line: Utterance) -> None:
        super().__init__()
        self._line = line

    def compose(self) -> ComposeResult:
        line = self._line
        with Vertical(classes="panel"):
            yield Static(Content("Correct this line"), classes="panel-title")
            yield Static(Content(full_name(line.spoken_language or line.source)), classes="field")
            yield TextArea(clean(line.original), id="original", tab_behavior="focus", compact=True)
            if line.is_translated:
                yield Static(Content(full_name(line.target)), classes="field")
                yield TextArea(clean(line.translation), id="translation", tab_behavior="focus", compact=True)
            keys = "Enter saves, Tab other text, Esc leaves it as it is. The history keeps the first wording."
            yield Static(Content(keys), classes="panel-keys")

    def on_mount(self) -> None:
        first = self.query(TextArea).first()
        first.focus()
        first.move_cursor(first.document.end)

    def action_save(self) -> None:
        """Close with the texts as they are in the fields; line breaks from a paste become spaces."""
        texts = {field.id: " ".join(field.text.split()) for field in self.query(TextArea)}
        self.dismiss((texts.get("original", ""), texts.get("translation", "")))
