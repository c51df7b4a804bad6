"""Enter the API key, or go back to practice.

The key is typed into a hidden field and handed to `AppServices.store_key`, which tests it before keeping it; it is
never shown, logged or kept here.
"""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import PinchError
from pinch_tui.ui.screens.panel import Panel

KEYS_ARE_MADE_AT = "https://portal.startpinch.com"


class KeyScreen(Panel[None]):
    """Enter tests the key, keeps it and switches to the service; the conversation stays."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+b", "practice", show=False, priority=True)]

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Static(Content("Your Pinch key"), classes="panel-title")
            yield Static(Content(self._about()), classes="panel-text")
            hint = "paste it here; it stays hidden"
            yield Input(placeholder=hint, password=True, restrict=r"\S*", id="key", compact=True)
            yield Static(Content(""), id="answer", classes="panel-muted")
            yield Static(Content(self._keys()), classes="panel-keys")

    @property
    def _is_practice(self) -> bool:
        return self.front.engine.status.is_practice

    def _about(self) -> str:
        where = f"Keys are made at {KEYS_ARE_MADE_AT}."
        if self._is_practice:
            return (
                f"You are in practice: nothing leaves your computer. With a key, Pinch translates all you say. {where}"
            )
        source = clean(self.front.services.key_source)
        used = f"Using the key from {source}." if source else "Using the saved key."
        return f"{used} Paste a new one to replace it. {where}"

    def _keys(self) -> str:
        leaving = "Esc back to practice" if self._is_practice else "Ctrl+B back to practice, Esc closes"
        return f"Enter saves it, {leaving}"

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def _say(self, text: str, style: str) -> None:
        self.query_one("#answer", Static).update(Content.styled(clean(text), style))

    def action_practice(self) -> None:
        """Talk to the practice service from now on."""
        if not self._is_practice:
            self.front.face.begin("service", self.front.session.use_service("practice"))
            self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        key, event.input.value = event.value.strip(), ""
        if not key:
            self.dismiss(None)
            return
        self._say("Trying the key ...", "$text-muted")
        self._store(key)

    @work(exclusive=True)
    async def _store(self, key: str) -> None:
        try:
            await self.front.services.store_key(key)
        except PinchError as error:
            self._say(f"{error} The key was not kept.", "bold $warning")
        else:
            self.dismiss(None)
