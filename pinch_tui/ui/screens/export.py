"""The export dialog: which format, which side. Writing goes on while the conversation does."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from pinch_tui.core.transcript.export import ExportFormat, ExportSide
from pinch_tui.ui.screens.panel import Panel
from pinch_tui.ui.widgets.choice import Choice

_FORMATS = [
    (ExportFormat.MD, "Markdown (.md)"),
    (ExportFormat.TXT, "plain text (.txt)"),
    (ExportFormat.SRT, "SubRip subtitles (.srt)"),
    (ExportFormat.VTT, "WebVTT subtitles (.vtt)"),
    (ExportFormat.JSON, "JSON (.json)"),
    (ExportFormat.CSV, "table (.csv)"),
]
_SIDES = [
    (ExportSide.BOTH, "both languages"),
    (ExportSide.ORIGINAL, "what was said"),
    (ExportSide.TRANSLATION, "the translation"),
]


class ExportScreen(Panel[tuple[ExportFormat, ExportSide] | None]):
    """Ends with format and side, or None."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Static(Content("Export the conversation"), classes="panel-title")
            yield Choice("format", "Format", _FORMATS)
            yield Choice("side", "Text", _SIDES)
            yield Static(Content("Left and Right change, Enter writes the file, Esc closes"), classes="panel-keys")

    def on_mount(self) -> None:
        self.query_one("#format").focus()

    def on_choice_accepted(self) -> None:
        file_format, side = self.query_one("#format", Choice).value, self.query_one("#side", Choice).value
        if isinstance(file_format, ExportFormat) and isinstance(side, ExportSide):
            self.dismiss((file_format, side))
