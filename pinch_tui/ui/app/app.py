"""The Textual app: its start and end, its driver, the talk key and the focus. `ScreenFace` shows what happens.

Running
    ``run()`` returns an `AppExit`. The app starts the engine after the first paint, and ends when the engine stops.

The talk key
    The driver from ``choose_driver`` passes the talk key and the terminal's focus straight to ``hold``. The app passes
    them, too, but ``hold`` only takes them under another driver (tests, the browser).

Leaving
    Ctrl+Q, the first Ctrl+C, SIGTERM and SIGHUP drain: the engine gets ``Quit(drain=True)`` and the talk bar counts
    down. A second Ctrl+C leaves at once.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.filter import LineFilter, Monochrome, NoColor
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal

from pinch_tui.core.events import Foreground, TerminalFocusChanged
from pinch_tui.core.keymap import check_theme
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.frontend.actions import ACTIONS, do
from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.frontend.ports import AppExit
from pinch_tui.frontend.services import AppServices
from pinch_tui.settings.model import Settings
from pinch_tui.ui.app.actions import ScreenActions
from pinch_tui.ui.app.face import ScreenFace
from pinch_tui.ui.app.looks import AsciiShapes, Background, Colourless, Looks
from pinch_tui.ui.app.palette import ActionPalette, Palette
from pinch_tui.ui.app.theme import ASCII, THEMES, UNICODE
from pinch_tui.ui.ports import ScreenTalkKey
from pinch_tui.ui.screens.main import MainScreen
from pinch_tui.ui.text.cells import WIDTHS_QUERY, guess_widths, widths_from
from pinch_tui.ui.text.layout import order_for
from pinch_tui.ui.transcript.row import RowStyle
from pinch_tui.ui.transcript.view import TranscriptView
from pinch_tui.ui.widgets.mouse_hold import MouseHold

if TYPE_CHECKING:
    from pinch_tui.ui.big.lettering import DrawLarge


class HoldReportChanged(Message):
    """How the talk key can be held in this terminal has changed."""


class PinchApp(App[AppExit]):
    """The interactive program."""

    TITLE = "pinch-tui"
    CSS = """
    CommandPalette > Vertical { margin-top: 1; }
    Input > .input--placeholder { color: $text-muted; }
    CommandPalette SearchIcon { display: none; }
    CommandPalette #--input { border: none; padding: 1; }
    CommandList { scrollbar-size-vertical: 1; border: none; }
    """
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionPalette}
    ENABLE_COMMAND_PALETTE = True
    ALLOW_SELECT = False  # a drag that begins on the talk bar is a hold, not a selection
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"do({action.name!r})", action.title, show=False, priority=True, system=True)
        for action in ACTIONS
        if action.is_fixed
        for key in action.keys.split(",")
    ]

    def __init__(
        self,
        engine: EngineFacade,
        hold: ScreenTalkKey,
        services: AppServices,
        settings: Settings,
        *,
        choose_driver: Callable[[type[Driver]], type[Driver]] = lambda stock: stock,
        draw_large: DrawLarge | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """``choose_driver``: Textual's driver in, the driver to use out. ``draw_large`` is called on a worker thread.

        Raises `ConfigError` for an unusable key map or theme.
        """
        self.hold = hold
        self._choose_driver = choose_driver
        self._face = ScreenFace(self)
        self.front = FrontEnd(engine, hold, services, settings, self._face, clock)
        is_ascii = settings.ui.is_ascii
        self.marks = ASCII if is_ascii else UNICODE
        self.looks = Looks(settings.ui.theme, os.environ, clock)
        self._own_filters: list[LineFilter] = [AsciiShapes()] if is_ascii else []
        self._has_seen_focus = False
        self._has_told_quit = False
        super().__init__()
        self.hold_signal: Signal[None] = Signal(self, "hold")
        """Published with `HoldReportChanged`."""
        for action in ACTIONS:
            if not action.is_fixed:
                for key in self.front.keys[action.name]:
                    self.bind(key, f"do({action.name!r})", description=action.title, show=False)
        for theme in THEMES:
            self.register_theme(theme)
        check_theme(settings.ui.theme)
        self.no_color = self.looks.has_no_colour
        if self.no_color:
            self._own_filters.append(Colourless())
        self.theme = self.looks.theme
        if not settings.ui.motion:
            self.animation_level = "none"
        self.order = order_for(settings.ui.bidi, os.environ)
        widths = guess_widths(os.environ)
        style = RowStyle(has_times=settings.ui.timestamps, order=self.order, shapes=self.marks, widths=widths)
        view = TranscriptView(engine.transcript, style)
        view.latest_key = self.front.key_named("latest")
        self.main = self._face.main = MainScreen(self, view)
        self._face.actions = ScreenActions(self, self.main, draw_large)

    # ---- starting --------------------------------------------------------------------------------------------------

    def get_driver_class(self) -> type[Driver]:
        return self._choose_driver(super().get_driver_class())

    def get_default_screen(self) -> Screen[Any]:
        return self.main

    def on_mount(self) -> None:
        if self.is_headless:  # Textual decides this after `get_driver_class`
            self._choose_driver(HeadlessDriver)
        if not (self.is_headless or self.is_web):
            self.looks.set_colour_system(self.console.color_system)
            self.theme = self.looks.theme
            self._face.write_raw(self.looks.query())
            self._face.write_raw(WIDTHS_QUERY)  # the first paint follows and covers its output
        self.app_resume_signal.subscribe(self, self._resumed)
        self.hold.on_report_changed = self._on_report
        self.hold.on_hang_up, self.hold.on_interrupt = self.front.leaving.hang_up, self.front.leaving.interrupt
        self.front.open()
        self.arm()
        self.front.engine.post(TerminalFocusChanged(True, known=False))
        self.call_after_refresh(self._start)

    def on_terminal_background(self, event: Background) -> None:
        """The answer to `BACKGROUND_QUERY`."""
        self.looks.take_background(event)
        self.theme = self.looks.theme

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Replace Textual's ``NO_COLOR`` filters, which paint in greys."""
        theirs = (item for item in super().get_line_filters() if not isinstance(item, Monochrome | NoColor))
        return [*theirs, *self._own_filters]

    def on_cursor_position(self, event: events.CursorPosition) -> None:
        """The answer to `WIDTHS_QUERY`."""
        widths = widths_from(event.x) if event.y == 0 else None
        if widths is not None:
            self.main.lines.set_look(widths=widths)

    def _start(self) -> None:
        """Start-up work that can wait until after the first paint."""
        self.run_worker(self.front.run_engine(), name="engine")
        gc.enable()  # `pinch_tui.__main__` has disabled it
        gc.freeze()  # all this stays, so leave it out of collections (collecting it first would cost 40 ms)
        services = self.front.services
        services.log(self.front.clock(), "ready", {"hold": self.hold.report().method})
        if services.continued is not None:
            self._face.show_conversation(services.continued)
        if services.has_seen_welcome and not services.has_key:
            self._face.offer_key("This is practice.")

    def on_unmount(self) -> None:
        self.hold.on_report_changed = self.hold.on_hang_up = self.hold.on_interrupt = None
        self.front.close()

    def _fatal_error(self) -> None:
        """The stock traceback without local variables, which can hold a key or texts of the conversation."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        traceback = Traceback(show_locals=False, width=None, suppress=["textual", "rich"])
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()

    # ---- the talk key ----------------------------------------------------------------------------------------------

    def _on_report(self, _report: object) -> None:
        """Called on the input thread."""
        self.post_message(HoldReportChanged())

    def on_hold_report_changed(self) -> None:
        self.main.redraw_hold()
        self.hold_signal.publish(None)

    def arm(self) -> None:
        """The talk key works on the conversation, outside text fields, and in the big view (``TALKS``). On a panel
        without input (``ENDS_TALK``) it can only end the present utterance."""
        top = self.screen if self.screen_stack else None
        can_talk = (top is self.main and not self.main.is_typing) or getattr(top, "TALKS", False)
        can_end = self.front.engine.status.talking_since is not None and getattr(top, "ENDS_TALK", False)
        self.hold.armed = (can_talk or can_end) and not self.front.leaving.is_under_way

    def push_screen(self, *args: Any, **kwargs: Any) -> Any:
        pushed = super().push_screen(*args, **kwargs)
        self.arm()
        return pushed

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def pop_screen(self) -> AwaitComplete:
        self.workers.cancel_node(self.screen)  # now: Textual removes the widgets before it cancels them
        popped = super().pop_screen()
        self.clear_notifications()
        self.arm()
        return popped

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded and self.hold.feed_key(event.key, event.time):
            return
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """``q`` quits many programs; its first press here says which key quits this one."""
        if event.key == "q" and not self._has_told_quit and self.screen is self.main and not self.main.is_typing:
            if any("q" in keys for keys in self.front.keys.values()):
                return
            self._has_told_quit = True
            self._face.say("quit", f"{self.front.key_named('quit')} quits")

    def _resumed(self, _app: object) -> None:
        """Back in the foreground, perhaps in another terminal: ask for its background again, and repaint every cell."""
        self._face.write_raw(self.looks.query())
        self.front.engine.post(Foreground(True))
        self.front.engine.post(TerminalFocusChanged(True, known=self._has_seen_focus))
        for screen in self.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.walk_children():
                widget.refresh()

    def on_app_focus(self, event: events.AppFocus) -> None:
        self._focus_changed(True, event.time)

    def on_app_blur(self, event: events.AppBlur) -> None:
        for screen in self.screen_stack:
            for held in screen.query(MouseHold):
                held.let_go(event.time)
        self._focus_changed(False, event.time)

    def _focus_changed(self, has_focus: bool, t: float) -> None:
        self.hold.feed_focus(has_focus, t)
        self._has_seen_focus = True
        self.front.engine.post(TerminalFocusChanged(has_focus))

    # ---- for the panels --------------------------------------------------------------------------------------------

    def action_do(self, name: str) -> None:
        """Run an action by its name."""
        do(self.front, name)

    def show_big(self, utterance: Utterance, *, is_running: bool = True) -> None:
        self._face.actions.show_big(utterance, is_running=is_running)

    def continue_past(self, id_: str) -> None:
        async def work() -> None:
            self._face.show_conversation(await self.front.services.continue_past(id_))

        self._face.begin("continue", work())

    def set_theme(self, name: str) -> None:
        self.looks.chosen = name
        self.theme = self.looks.theme
        self._face.write_raw(self.looks.query())
        self.front.session.use("ui.theme", name)

    def on_transcript_view_activated(self, event: TranscriptView.Activated) -> None:
        self.show_big(self.front.engine.transcript.utterance(event.number))
