"""The screen for an error that ends the program's work: what happened, and what to do."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from pinch_tui.core.events import NoticePosted
from pinch_tui.core.transcript.clean import clean
from pinch_tui.ui.screens.panel import Panel


class FatalScreen(Panel[None]):
    """Stays until the user goes back to the conversation (Esc) or quits."""

    def __init__(self, notice: NoticePosted) -> None:
        super().__init__()
        self._notice = notice

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Static(Content("The program cannot continue"), classes="panel-title -bad")
            yield Static(Content.styled(clean(self._notice.title), "bold"), classes="panel-text")
            if self._notice.hint:
                yield Static(Content(clean(self._notice.hint)), classes="panel-text")
            yield Static(
                Content("Ctrl+Q quits. Esc shows the conversation: it can be read, copied and exported."),
                classes="panel-keys",
            )
