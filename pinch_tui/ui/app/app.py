"""The app: it joins engine, talk key and screens, and owns none of their facts.

How it runs
    ``PinchApp(engine, hold, services, settings).run()`` returns an `AppExit`. The app itself starts ``engine.run()``,
    as a worker, when its first screen is there, and ends when the engine says `Stopped`; nobody else runs the engine.
    ``hold.start()`` and ``hold.stop()`` are called here too.

The talk key
    ``hold.armed`` is True only while the conversation is the top screen and no text field has the focus. The driver
    (``hold.driver_class``) swallows the key then and sees the terminal's focus by itself; under a driver that is not
    ours (tests, the browser) keys and focus are fed from here.

Leaving
    Ctrl+Q, the first Ctrl+C, SIGTERM and SIGHUP drain: the engine gets ``Quit(drain=True)`` and the talk bar counts
    down. A second Ctrl+C leaves at once.

Facts of the engine are coalesced to at most 20 repaints a second; levels are polled by the main screen.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from contextvars import copy_context
from time import monotonic
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.signal import Signal

from pinch_tui.core.events import (
    EngineEvent,
    Foreground,
    NoticePosted,
    Severity,
    Status,
    StatusChanged,
    Stopped,
    TalkSource,
    TerminalFocusChanged,
    TranscriptChanged,
)
from pinch_tui.core.keymap import check_theme, resolve_keys
from pinch_tui.core.transcript.clean import clean
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.errors import PinchError
from pinch_tui.frontend.actions import ACTIONS, BY_NAME, first_key
from pinch_tui.frontend.background import deafen
from pinch_tui.frontend.services import AppServices, TalkInput
from pinch_tui.frontend.status_text import key_name
from pinch_tui.settings.model import Settings
from pinch_tui.ui.app.coalesce import Coalescer
from pinch_tui.ui.app.leaving import AppExit, Leaving
from pinch_tui.ui.app.lines import LineWork
from pinch_tui.ui.app.palette import ActionPalette
from pinch_tui.ui.app.session import SessionWork
from pinch_tui.ui.app.theme import CONTRAST, THEME_NAMES, THEMES, marks
from pinch_tui.ui.screens.fatal import FatalScreen
from pinch_tui.ui.screens.main import MainScreen
from pinch_tui.ui.text.cells import WIDTHS_QUERY, judge_widths
from pinch_tui.ui.text.layout import app_reorders
from pinch_tui.ui.transcript.view import TranscriptView

OVER_PANEL_S = 8.0
_FINE_COLOURS = ("256", "truecolor")


class HoldReportChanged(Message):
    """The terminal turned out to hold keys in another way; posted from the input thread."""


class PinchApp(App[AppExit]):
    """The interactive program."""

    TITLE = "pinch-tui"
    CSS = """
    CommandPalette > Vertical { margin-top: 1; }
    Input > .input--placeholder { color: $text-muted; }
    CommandPalette SearchIcon { display: none; }
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
        hold: TalkInput,
        services: AppServices,
        settings: Settings,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Raises `ConfigError` when the user's key map cannot work, or the theme is not known."""
        self.engine = engine
        self.hold = hold
        self.services = services
        self.settings = settings
        self.clock = clock
        self.marks = marks(settings.ui.ascii)
        self.key_table = resolve_keys(settings.ui.keys, settings.talk.key)
        self._has_hold_driver = False
        self.barge_in = settings.speaker.barge_in
        self.talk_mode = settings.talk.mode
        self._has_seen_focus = False
        self._has_told_quit = False
        self._talking_since: float | None = None
        self._is_status_new = False
        self._changed_lines: set[int] = set()
        self._stop_listening: Callable[[], None] = lambda: None
        self._stop_signals: Callable[[], None] = lambda: None
        super().__init__()
        self.hold_signal: Signal[None] = Signal(self, "hold")
        """Published when the talk key turned out to be held in another way."""
        self.session = SessionWork(self)
        self.line_work = LineWork(self)
        self.leaving = Leaving(self)
        for action in ACTIONS:
            if not action.is_fixed:
                for key in self.key_table[action.name]:
                    self.bind(key, f"do({action.name!r})", description=action.title, show=False)
        for theme in THEMES:
            self.register_theme(theme)
        check_theme(settings.ui.theme)
        self.theme = settings.ui.theme
        if not settings.ui.motion:
            self.animation_level = "none"
        self._repaint = Coalescer(self, self._redraw)  # type: ignore[arg-type]
        self.order = app_reorders(settings.ui.bidi, os.environ)
        view = TranscriptView(
            engine.transcript,
            has_times=settings.ui.timestamps,
            reorders=self.order,
            shapes=self.marks,
        )
        view.latest_key = self.key_named("latest")
        self.main = MainScreen(
            engine,
            hold,
            services,
            marks=self.marks,
            keys=self.key_table,
            talk_key=settings.talk.key,
            order=self.order,
            clock=clock,
            view=view,
            on_focus=self.arm,
        )

    # ---- starting --------------------------------------------------------------------------------------------------

    def get_driver_class(self) -> type[Driver]:
        stock = super().get_driver_class()
        ours = self.hold.driver_class(stock)
        self._has_hold_driver = ours is not stock
        return ours

    def get_default_screen(self) -> Screen[Any]:
        return self.main

    def on_mount(self) -> None:
        if self.is_headless:  # decided after `get_driver_class` was asked
            self.hold.driver_class(HeadlessDriver)
            self._has_hold_driver = False
        elif self.console.color_system not in _FINE_COLOURS and self.theme == THEME_NAMES[0]:
            self.theme = CONTRAST.name  # the calm greys of the usual theme run together in sixteen colours
        if not (self.is_headless or self.is_web):
            self.write_raw(WIDTHS_QUERY)  # the first paint, which is still to come, covers what it writes
        ours = copy_context()  # facts may come from a task that knows nothing of this app
        self._stop_listening = self.engine.subscribe(lambda event: ours.copy().run(self._hear, event))
        self._stop_signals = self.services.watch_signals(self.leaving.interrupt, self.leaving.hang_up)
        self.app_resume_signal.subscribe(self, self._resumed)
        self.hold.on_report_changed = self._on_report
        self.hold.on_hang_up, self.hold.on_interrupt = self.leaving.hang_up, self.leaving.interrupt
        self.hold.start()
        self.arm()
        self.engine.post(TerminalFocusChanged(True, known=False))
        self.run_worker(self._run_engine(), name="engine")
        self.call_after_refresh(self._say_ready)

    def on_cursor_position(self, event: events.CursorPosition) -> None:
        """The answer to `WIDTHS_QUERY`."""
        widths = judge_widths(event.x) if event.y == 0 else None
        if widths is not None:
            self.main.lines.set_look(widths=widths)

    def _say_ready(self) -> None:
        gc.freeze()  # all that is there now stays: no collection walks over it (one beforehand would cost 40 ms)
        self.services.log(self.clock(), "ready", {"hold": self.hold.report().method})
        if self.services.has_key:
            return
        if self.services.has_seen_welcome:
            key = self.key_named("welcome")
            self.say("welcome", "This is practice: no API key is set.", f"{key} enters one." if key else "")
            return
        self.services.remember("welcome_seen", True)
        BY_NAME["welcome"].handler(self)

    async def _run_engine(self) -> None:
        try:
            await self.engine.run()
        except PinchError as error:
            self.leaving.fail(error)
        else:
            self.leaving.end(Stopped())

    def on_unmount(self) -> None:
        self._stop_listening()
        self._stop_signals()
        self.hold.on_report_changed = self.hold.on_hang_up = self.hold.on_interrupt = None
        self.hold.stop()

    def _fatal_error(self) -> None:
        """As the stock one, but without the values of variables: they may hold a key or what was said."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        traceback = Traceback(show_locals=False, width=None, suppress=["textual", "rich"])
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()

    # ---- facts of the engine ---------------------------------------------------------------------------------------

    def _hear(self, event: EngineEvent) -> None:
        match event:
            case StatusChanged(status):
                self.session.take_status(status)
                self._follow_talk(status)
                self._is_status_new = True
                self._repaint.poke()
            case TranscriptChanged(utterances):
                self.main.lines.refresh_utterances(utterances)  # at once: it throttles itself
                self._changed_lines.update(utterances)
                self._repaint.poke()
            case NoticePosted():
                self.tell(event)
            case Stopped():
                self.leaving.end(event)
            case _:  # Logged: the event log has its own listener
                pass

    def _follow_talk(self, status: Status) -> None:
        """Who begins to speak sees the own words, wherever the conversation was scrolled to."""
        if status.talking_since is not None and status.talking_since != self._talking_since:
            self.main.lines.select_last()
        if status.talking_since != self._talking_since:
            self._talking_since = status.talking_since
            self.arm()

    def _redraw(self) -> None:
        if not self.is_running:
            return
        if self._is_status_new:
            self._is_status_new = False
            self.main.redraw()
        if self._changed_lines:
            changed, self._changed_lines = tuple(sorted(self._changed_lines)), set()
            self.main.redraw_talk()
            self.main.follow_search(changed)
            self.main.notices.take_back("screen-empty")  # something was said now
            self.line_work.lines_changed(changed)

    def _on_report(self, _report: object) -> None:
        """On the input thread."""
        self.post_message(HoldReportChanged())

    def on_hold_report_changed(self) -> None:
        self.main.redraw_hold()
        self.hold_signal.publish(None)

    def tell(self, notice: NoticePosted) -> None:
        """Show a notice where its severity belongs."""
        if notice.severity is Severity.FATAL and notice.title:
            self.push_screen(FatalScreen(notice))
            return
        self.main.notices.post(notice)
        if notice.title and notice.severity is not Severity.INFO and self.screen_stack and self.screen is not self.main:
            kind: SeverityLevel = "warning" if notice.severity is Severity.WARNING else "error"
            text = clean(f"{notice.title} {notice.hint}")
            self.notify(text, severity=kind, timeout=OVER_PANEL_S, markup=False)  # a panel covers the notices

    def say(self, topic: str, text: str, hint: str = "") -> None:
        """One passing line of the screen's own."""
        self.tell(NoticePosted(f"screen-{topic}", Severity.INFO, text, hint))

    def warn(self, topic: str, text: str, hint: str = "") -> None:
        """One passing line about something that did not work."""
        self.tell(NoticePosted(f"screen-{topic}", Severity.WARNING, text, hint))

    # ---- the talk key ----------------------------------------------------------------------------------------------

    def arm(self) -> None:
        """The talk key talks only on the conversation, and never in a text field. Where there is only something to
        look at (``ENDS_TALK``) it ends what was begun."""
        top = self.screen if self.screen_stack else None
        is_free = top is self.main and not self.main.is_typing
        may_end = self._talking_since is not None and getattr(top, "ENDS_TALK", False)
        self.hold.armed = (is_free or may_end) and not self.leaving.is_under_way

    def push_screen(self, *args: Any, **kwargs: Any) -> Any:
        pushed = super().push_screen(*args, **kwargs)
        self.arm()
        return pushed

    def pop_screen(self) -> AwaitComplete:
        popped = super().pop_screen()
        self.clear_notifications()
        self.arm()
        return popped

    async def on_event(self, event: events.Event) -> None:
        if (
            isinstance(event, events.Key)
            and not event.is_forwarded
            and not self._has_hold_driver
            and self.hold.feed_key(event.key, event.time)
        ):
            return
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """What nothing else took: ``q`` leaves many programs, and here one is told once how."""
        if event.key == "q" and not self._has_told_quit and self.screen is self.main and not self.main.is_typing:
            if any("q" in keys for keys in self.key_table.values()):
                return
            self._has_told_quit = True
            self.say("quit", f"{self.key_named('quit')} quits")

    def suspend_softly(self) -> None:
        """To the shell, with the microphone closed first: a stopped program must not go on listening."""
        self.hold.end(TalkSource.QUIT, self.clock())
        self.run_worker(self._stop_when_deaf(), name="suspend", group="suspend", exclusive=True)

    async def _stop_when_deaf(self) -> None:
        await deafen(self.engine)
        self.action_suspend_process()

    def _resumed(self, _app: object) -> None:
        """In the foreground again: the terminal has forgotten every cell."""
        self.engine.post(Foreground(True))
        self.engine.post(TerminalFocusChanged(True, known=self._has_seen_focus))
        for screen in self.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.walk_children():
                widget.refresh()

    def on_app_focus(self, event: events.AppFocus) -> None:
        if not self._has_hold_driver:
            self.hold.focus(event.time)
        self._has_seen_focus = True
        self.engine.post(TerminalFocusChanged(True))

    def on_app_blur(self, event: events.AppBlur) -> None:
        if not self._has_hold_driver:
            self.hold.blur(event.time)
        self.main.talk_bar.let_go(event.time)
        self._has_seen_focus = True
        self.engine.post(TerminalFocusChanged(False))

    # ---- actions ---------------------------------------------------------------------------------------------------

    def action_do(self, name: str) -> None:
        """Run one action of the table."""
        BY_NAME[name].handler(self)

    def key_named(self, action: str) -> str:
        """The first key of an action as people write it; "" when the user's map leaves it none."""
        return key_name(first_key(self.key_table, action))

    def write_raw(self, sequence: str) -> None:
        """A whole escape sequence to the terminal, between two repaints."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)
            self._driver.flush()

    def set_theme(self, name: str) -> None:
        """Change the theme now and for the next start."""
        self.theme = name
        self.services.remember("theme", name)

    def on_transcript_view_activated(self, event: TranscriptView.Activated) -> None:
        self.line_work.open_big_view(self.engine.transcript.utterance(event.number))
