"""The first minute: how to talk in this terminal, whether the microphone hears, and practice or a key.

The key is typed into a hidden field, handed to the services and forgotten; it is never shown, logged or kept here.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from pinch_tui.core.events import MicState
from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import PinchError
from pinch_tui.frontend.status_text import dbfs_text, mic_line
from pinch_tui.ui.screens.help import TalkingLines
from pinch_tui.ui.screens.panel import Panel
from pinch_tui.ui.widgets.meter import meter

METER_HZ = 15.0
HEARD_DBFS = -40.0
"""From this peak on the microphone test says that it hears."""


class MicTest(Widget):
    """A live meter with a verdict in words."""

    DEFAULT_CSS = """
    MicTest { height: 2; width: 1fr; margin-bottom: 1; }
    """

    _has_heard = False

    def render(self) -> Content:
        screen = self.screen
        if not isinstance(screen, WelcomeScreen):
            return Content("")
        engine, marks = screen.front.engine, screen.host.marks
        levels = engine.levels()
        mic = mic_line(engine.status, levels, screen.front.clock(), is_test=True)
        self._has_heard = self._has_heard or levels.peak_dbfs >= HEARD_DBFS
        if mic.problem:
            verdict, style = mic.problem, "bold $warning"
        elif engine.status.mic is not MicState.OPEN:
            verdict, style = f"{mic.state}; it opens when you talk", "$text-muted"
        elif self._has_heard:
            verdict, style = "it hears you", "bold $success"
        else:
            verdict, style = "say something: the bar should move", "$text-muted"
        bar = meter(levels, max(8, min(40, self.content_size.width - 10)), marks, is_live=True)
        return Content.assemble(
            *((piece.text, piece.style) for piece in bar),
            (f" {dbfs_text(levels.peak_dbfs)}\n", "$text-muted"),
            (clean(verdict), style),
        )


class _KeyField(Input):
    """Hidden, and without blanks: whoever tries the talk key here is told where it works."""

    def on_key(self, event: events.Key) -> None:
        if event.key == "space":
            event.stop()
            event.prevent_default()
            if isinstance(self.screen, WelcomeScreen):
                self.screen.say("Press Enter first; then the talk key talks.", "bold $accent")


class WelcomeScreen(Panel[None]):
    """Esc or Enter in the empty field goes on; Enter after a key stores it and goes on with it: the conversation stays,
    unless it was one with the practice service."""

    DEFAULT_CSS = """
    WelcomeScreen .panel.-full { max-height: 25; }
    WelcomeScreen #key { margin-top: 1; }
    WelcomeScreen.-short #key { margin-top: 0; }
    WelcomeScreen.-short .heading { display: none; }
    WelcomeScreen.-short MicTest { margin: 1 0 0 0; }
    """
    short_rows = 22
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "scroll(1)", show=False),
        Binding("up", "scroll(-1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        is_practice = self.front.engine.status.is_practice
        with Vertical(classes="panel -full"):
            yield Static(Content("Welcome to pinch-tui, an interpreter to talk through"), classes="panel-title")
            with VerticalScroll(classes="body", can_focus=False):
                yield Static(Content("Talking in this terminal"), classes="heading")
                yield TalkingLines(is_brief=True)
                yield Static(Content("\nMicrophone"), classes="heading")
                yield MicTest()
                yield Static(Content("Service"), classes="heading")
                yield Static(self._service_text(is_practice))
                hint = "Pinch API key (hidden while you type)"
                yield _KeyField(placeholder=hint, password=True, restrict=r"\S*", id="key", compact=True)
                yield Static(Content(""), id="answer", classes="panel-muted")
            yield Static(Content(self._keys_text(is_practice)), classes="panel-keys")

    def _service_text(self, is_practice: bool) -> Content:
        services = self.front.services
        if services.has_key and is_practice:
            return Content("The practice service runs on this computer. For real translation enter a key:")
        if services.has_key:
            where = f" ({clean(services.key_source)})" if services.key_source else ""
            return Content(f"A key is in use{where}. Another one may be entered here:")
        if is_practice:
            return Content(
                "No API key was found, so a practice service runs on this computer: it hears the phrases of a "
                "phrasebook, and nothing is sent anywhere. For real translation enter a key:"
            )
        return Content("No API key was found. Enter one:")

    def _keys_text(self, is_practice: bool) -> str:
        if not is_practice:
            return "Enter or Esc closes."
        key = self.front.key_named("welcome")
        return "Enter goes on with practice." + (f" {key} comes back here." if key else "")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.set_interval(1 / METER_HZ, self.query_one(MicTest).refresh)

    def say(self, text: str, style: str) -> None:
        """A line below the field."""
        self.query_one("#answer", Static).update(Content.styled(clean(text), style))

    def action_scroll(self, step: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        key = event.value.strip()
        if not key:
            self.dismiss(None)
            return
        event.input.value = ""
        try:
            kept = await self.front.services.store_key(key)
        except PinchError as error:
            self.say(str(error), "bold $warning")
            return
        if not kept.needs_restart:
            self.dismiss(None)
            return
        self.say(f"Kept in {kept.place}. Starting with it ...", "bold $success")
        self.call_after_refresh(self.front.leaving.restart)
