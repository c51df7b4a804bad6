"""The export dialog: which format, which language, which lines. The conversation continues meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from textual.widget import Widget

from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.frontend.ports import Export
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


class ExportScreen(Panel[Export | None]):
    """Returns format, side and lines, or None. ``selected``: the number of the selected line, if there is one."""

    TITLE = "Export the conversation"
    KEYS = "Left and Right change, Enter writes the file, Esc closes"

    def __init__(self, selected: int | None = None) -> None:
        super().__init__()
        self._parts = [(ExportPart(), "all"), (ExportPart(is_starred_only=True), "starred")]
        if selected is not None:
            self._parts += [
                (ExportPart(first=selected), "from the selected one on"),
                (ExportPart(last=selected), "up to the selected one"),
            ]

    def body(self) -> Iterator[Widget]:
        yield Choice("format", "Format", _FORMATS)
        yield Choice("side", "Text", _SIDES)
        yield Choice("part", "Lines", self._parts)

    def on_mount(self) -> None:
        self.query_one("#format").focus()

    def on_choice_accepted(self) -> None:
        chosen = tuple(self.query_one(f"#{name}", Choice).value for name in ("format", "side", "part"))
        match chosen:
            case (ExportFormat() as file_format, ExportSide() as side, ExportPart() as part):
                self.dismiss((file_format, side, part))
