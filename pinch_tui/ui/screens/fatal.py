"""The screen for an error that stops the program's work: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from pinch_tui.core.events import NoticePosted
from pinch_tui.core.transcript.clean import clean
from pinch_tui.ui.screens.panel import Panel


class FatalScreen(Panel[None]):
    """Stays until the user goes back to the conversation (Esc) or quits."""

    DEFAULT_CSS = "FatalScreen .panel-title { color: $error; }"
    TITLE = "The program cannot continue"
    KEYS = "Ctrl+Q quits. Esc shows the conversation: it can be read, copied and exported."

    def __init__(self, notice: NoticePosted) -> None:
        super().__init__()
        self._notice = notice

    def body(self) -> Iterator[Widget]:
        yield Static(Content.styled(clean(self._notice.title), "bold"), classes="panel-text")
        if self._notice.hint:
            yield Static(Content(clean(self._notice.hint)), classes="panel-text")
