"""Correct the two texts of a line. The history keeps the first wording as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static, TextArea

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.frontend.languages_text import full_name
from pinch_tui.frontend.ports import Wording
from pinch_tui.ui.screens.panel import Panel


class CorrectScreen(Panel[Wording | None]):
    """Returns both texts, or None."""

    DEFAULT_CSS = """
    CorrectScreen .field { height: 1; color: $text-muted; }
    CorrectScreen TextArea, CorrectScreen TextArea:focus { height: 4; margin-bottom: 1; }
    CorrectScreen.-short TextArea { height: 3; margin-bottom: 0; }
    """
    TITLE = "Correct this line"
    KEYS = "Enter saves, Tab other text, Esc leaves it as it is. The history keeps the first wording."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,ctrl+s", "save", priority=True)]

    def __init__(self, line: Utterance) -> None:
        super().__init__()
        self._line = line

    def body(self) -> Iterator[Widget]:
        line = self._line
        fields = [("original", line.spoken_language or line.source, line.original)]
        if line.is_translated:
            fields.append(("translation", line.target, line.translation))
        for name, language, text in fields:
            yield Static(Content(full_name(language)), classes="field")
            yield TextArea(clean(text), id=name, tab_behavior="focus", compact=True)

    def on_mount(self) -> None:
        first = self.query(TextArea).first()
        first.focus()
        first.move_cursor(first.document.end)

    def action_save(self) -> None:
        """Close with the texts as edited. Line breaks, which come from a paste, become spaces."""
        texts = {field.id: " ".join(field.text.split()) for field in self.query(TextArea)}
        self.dismiss((texts.get("original", ""), texts.get("translation", "")))
