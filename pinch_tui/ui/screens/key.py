"""Enter the API key, or go back to practice.

The key is typed into a hidden field and passed to `AppServices.store_key`, which tests it before storing it. It is
never shown, logged or kept here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import PinchError
from pinch_tui.ui.screens.panel import Panel

KEYS_ARE_MADE_AT = "https://portal.startpinch.com"


class KeyScreen(Panel[None]):
    """Enter tests and stores the key and switches to the service. The conversation stays."""

    TITLE = "Your Pinch key"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+b", "practice", priority=True)]

    def body(self) -> Iterator[Widget]:
        yield Static(Content(self._about()), classes="panel-text")
        yield Input(placeholder="paste it here; it stays hidden", password=True, restrict=r"\S*", compact=True)
        yield Static(Content(""), id="answer", classes="panel-muted")

    @property
    def _is_practice(self) -> bool:
        return self.front.engine.status.is_practice

    def _about(self) -> str:
        where = f"Create one at {KEYS_ARE_MADE_AT}."
        if self._is_practice:
            return (
                "You are in practice: nothing leaves your computer. "
                f"With a key, Pinch translates everything you say. {where}"
            )
        source = clean(self.front.services.key_source)
        used = f"Using the key from {source}." if source else "Using the saved key."
        return f"{used} Paste a new one to replace it. {where}"

    def on_mount(self) -> None:
        leaving = "Esc back to practice" if self._is_practice else "Ctrl+B back to practice, Esc closes"
        self.query_one(".panel-keys", Static).update(Content(f"Enter saves it, {leaving}"))
        self.query_one(Input).focus()

    def _say(self, text: str, style: str) -> None:
        self.query_one("#answer", Static).update(Content.styled(clean(text), style))

    def action_practice(self) -> None:
        """Use the practice service from the next utterance on."""
        if not self._is_practice:
            self.front.face.begin("service", self.front.session.use_service("practice"))
            self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        key, event.input.value = event.value.strip(), ""
        if not key:
            self.dismiss(None)
            return
        self._say("Testing the key...", "$text-muted")
        self._store(key)

    @work(exclusive=True)
    async def _store(self, key: str) -> None:
        try:
            await self.front.services.store_key(key)
        except PinchError as error:
            self._say(f"{error} The key was not saved.", "bold $warning")
        else:
            self.dismiss(None)
