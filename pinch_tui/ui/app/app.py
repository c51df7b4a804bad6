"""The Textual app, the screen's face of the front end. It joins the engine, the talk key and the screens.

How it runs
    ``run()`` returns an `AppExit`. The app alone runs the engine, once its first screen is there, and ends with it.

The talk key
    ``hold.armed`` is True only while the conversation is the top screen and no text field has the focus. The driver
    (``choose_driver``) then keeps the key from the app and reports the terminal's focus; under any other driver
    (tests, the browser) the app feeds keys and focus.

Leaving
    Ctrl+Q, the first Ctrl+C, SIGTERM and SIGHUP drain: the engine gets ``Quit(drain=True)`` and the talk bar counts
    down. A second Ctrl+C leaves at once.

Facts are coalesced to at most 20 repaints a second; the main screen polls the levels.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Coroutine, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.filter import LineFilter, Monochrome, NoColor
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
    TerminalFocusChanged,
    TranscriptChanged,
)
from pinch_tui.core.keymap import check_theme
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.errors import PinchError
from pinch_tui.frontend.actions import ACTIONS, BY_NAME, do
from pinch_tui.frontend.continuing import tell_continued
from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.frontend.languages_text import LanguageChoices
from pinch_tui.frontend.past import PastConversation
from pinch_tui.frontend.ports import AppExit, Export, Wording
from pinch_tui.frontend.services import AppServices
from pinch_tui.settings.model import Settings
from pinch_tui.ui.app.actions import ScreenActions
from pinch_tui.ui.app.looks import AsciiShapes, Background, Colourless, Looks
from pinch_tui.ui.app.palette import ActionPalette, Palette
from pinch_tui.ui.app.theme import ASCII, THEMES, UNICODE
from pinch_tui.ui.ports import ScreenTalkKey
from pinch_tui.ui.screens.fatal import FatalScreen
from pinch_tui.ui.screens.main import MainScreen
from pinch_tui.ui.text.cells import WIDTHS_QUERY, judge_widths
from pinch_tui.ui.text.layout import app_reorders
from pinch_tui.ui.throttle import Throttle
from pinch_tui.ui.transcript.view import TranscriptView
from pinch_tui.ui.widgets.mouse_hold import MouseHold
from pinch_tui.ui.widgets.notices import OWN

if TYPE_CHECKING:
    from pinch_tui.ui.big.lettering import DrawLarge

OVER_PANEL_S = 8.0


class HoldReportChanged(Message):
    """The input thread learned more about how keys can be held in this terminal."""


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
        """``choose_driver``: takes Textual's driver, and gives the one to use. ``draw_large`` is called on a worker
        thread. Raises `ConfigError` for a key map or theme that cannot be used."""
        self.engine = engine
        self.hold = hold
        self._choose_driver = choose_driver
        self.front = FrontEnd(engine, hold, services, settings, self, clock)
        is_ascii = settings.ui.is_ascii
        self.marks = ASCII if is_ascii else UNICODE
        self.looks = Looks(settings.ui.theme, os.environ, clock)
        self._own_filters: list[LineFilter] = [AsciiShapes()] if is_ascii else []
        self._has_hold_driver = False
        self._has_seen_focus = False
        self._has_told_quit = False
        self._talking_since: float | None = None
        self._is_status_new = False
        self._changed_lines: set[int] = set()
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
        self._painting = Throttle(self, self._redraw)
        self.order = app_reorders(settings.ui.bidi, os.environ)
        times = settings.ui.timestamps
        view = TranscriptView(engine.transcript, has_times=times, reorders=self.order, shapes=self.marks)
        view.latest_key = self.front.key_named("latest")
        self.main = MainScreen(self, view)
        self._has_greeted = False
        self._own = ScreenActions(self, self.main, draw_large)

    # ---- starting --------------------------------------------------------------------------------------------------

    def get_driver_class(self) -> type[Driver]:
        stock = super().get_driver_class()
        ours = self._choose_driver(stock)
        self._has_hold_driver = ours is not stock
        return ours

    def get_default_screen(self) -> Screen[Any]:
        return self.main

    def on_mount(self) -> None:
        if self.is_headless:  # decided after `get_driver_class` was asked
            self._choose_driver(HeadlessDriver)
            self._has_hold_driver = False
        if not (self.is_headless or self.is_web):
            self.looks.know_colours(self.console.color_system)
            self.theme = self.looks.theme
            self.write_raw(self.looks.query())
            self.write_raw(WIDTHS_QUERY)  # the first paint, which is still to come, covers what it writes
        self.app_resume_signal.subscribe(self, self._resumed)
        self.hold.on_report_changed = self._on_report
        self.hold.on_hang_up, self.hold.on_interrupt = self.front.leaving.hang_up, self.front.leaving.interrupt
        self.front.open()
        self.arm()
        self.engine.post(TerminalFocusChanged(True, known=False))
        self.call_after_refresh(self._start)

    def on_terminal_background(self, event: Background) -> None:
        """The answer to `BACKGROUND_QUERY`."""
        self.looks.hear(event)
        self.theme = self.looks.theme

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Ours in place of Textual's ``NO_COLOR``, which paints in greys."""
        theirs = (item for item in super().get_line_filters() if not isinstance(item, Monochrome | NoColor))
        return [*theirs, *self._own_filters]

    def on_cursor_position(self, event: events.CursorPosition) -> None:
        """The answer to `WIDTHS_QUERY`."""
        widths = judge_widths(event.x) if event.y == 0 else None
        if widths is not None:
            self.main.lines.set_look(widths=widths)

    def _start(self) -> None:
        """Start-up work that can wait until after the first paint."""
        self.run_worker(self.front.run_engine(), name="engine")
        gc.enable()  # `pinch_tui.__main__` has disabled it
        gc.freeze()  # all of this stays, so collections need not look at it (collecting first would cost 40 ms)
        services = self.front.services
        services.log(self.front.clock(), "ready", {"hold": self.hold.report().method})
        if services.continued is not None:
            self._continue_with(services.continued)
        if services.has_seen_welcome and not services.has_key:
            self._offer_key("This is practice.")

    def _offer_key(self, text: str) -> None:
        key = self.front.key_named("welcome")
        self.say("welcome", text, f"Have a Pinch key? {key}" if key else "")

    def on_unmount(self) -> None:
        self.hold.on_report_changed = self.hold.on_hang_up = self.hold.on_interrupt = None
        self.front.close()

    def _fatal_error(self) -> None:
        """The stock traceback without local variables: they may hold a key or what was said."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        traceback = Traceback(show_locals=False, width=None, suppress=["textual", "rich"])
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()

    # ---- facts of the engine ---------------------------------------------------------------------------------------

    def hear(self, event: EngineEvent) -> None:
        match event:
            case StatusChanged(status):
                self._follow_talk(status)
                self._is_status_new = True
                self._painting.poke()
            case TranscriptChanged(utterances):
                self.main.lines.refresh_utterances(utterances)  # at once: it throttles itself
                self._changed_lines.update(utterances)
                self._painting.poke()
            case NoticePosted():
                self.tell(event)
            case _:  # `Stopped` is the front end's; `Logged` has its own listener
                pass

    def _follow_talk(self, status: Status) -> None:
        """When someone starts talking, scroll to their row."""
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
            if (table := self._own.table_view) is not None:
                table.redraw()
        if self._changed_lines:
            self._greet()
            changed, self._changed_lines = tuple(sorted(self._changed_lines)), set()
            self.main.redraw_talk()
            self.main.search_bar.follow()
            self.main.notices.take_back(f"{OWN}empty")  # the conversation is no longer empty
            if (table := self._own.table_view) is not None:
                table.lines_changed(changed)

    def _greet(self) -> None:
        """Congratulate the user on the first utterance that was translated."""
        services = self.front.services
        if self._has_greeted or services.has_key or services.has_seen_welcome:
            return
        if any(line.translation and not line.is_live for line in self.engine.transcript.utterances):
            self._has_greeted = True
            services.remember("welcome_seen", True)
            self._offer_key("That's it. Go on talking.")

    def _on_report(self, _report: object) -> None:
        """On the input thread."""
        self.post_message(HoldReportChanged())

    def on_hold_report_changed(self) -> None:
        self.main.redraw_hold()
        self.hold_signal.publish(None)

    def tell(self, notice: NoticePosted) -> None:
        """Show a notice in the place that suits its severity."""
        if notice.severity is Severity.FATAL and notice.title:
            self.push_screen(FatalScreen(notice))
            return
        self.main.notices.post(notice)
        if notice.title and notice.severity is Severity.INFO and (table := self._own.table_view) is not None:
            table.hear(notice.title)
        if notice.title and notice.severity is not Severity.INFO and self.screen_stack and self.screen is not self.main:
            kind: SeverityLevel = "warning" if notice.severity is Severity.WARNING else "error"
            text = clean(f"{notice.title} {notice.hint}")
            self.notify(text, severity=kind, timeout=OVER_PANEL_S, markup=False)  # a panel covers the notices

    # ---- the talk key ----------------------------------------------------------------------------------------------

    def arm(self) -> None:
        """The talk key works on the conversation, outside text fields, and in the big view (``TALKS``). On a panel
        without input (``ENDS_TALK``) it only ends the utterance under way."""
        top = self.screen if self.screen_stack else None
        is_free = (top is self.main and not self.main.is_typing) or getattr(top, "TALKS", False)
        may_end = self._talking_since is not None and getattr(top, "ENDS_TALK", False)
        self.hold.armed = (is_free or may_end) and not self.front.leaving.is_under_way

    def push_screen(self, *args: Any, **kwargs: Any) -> Any:
        pushed = super().push_screen(*args, **kwargs)
        self.arm()
        return pushed

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def pop_screen(self) -> AwaitComplete:
        self.workers.cancel_node(self.screen)  # at once: its widgets go before Textual cancels them
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
        """``q`` quits many programs; here the first press tells which key quits this one."""
        if event.key == "q" and not self._has_told_quit and self.screen is self.main and not self.main.is_typing:
            if any("q" in keys for keys in self.front.keys.values()):
                return
            self._has_told_quit = True
            self.say("quit", f"{self.front.key_named('quit')} quits")

    def _resumed(self, _app: object) -> None:
        """In the foreground again: repaint every cell. The terminal may be another colour, or another one."""
        self.write_raw(self.looks.query())
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
        for screen in self.screen_stack:
            for held in screen.query(MouseHold):
                held.let_go(event.time)
        self._has_seen_focus = True
        self.engine.post(TerminalFocusChanged(False))

    # ---- the front end's face --------------------------------------------------------------------------------------

    def say(self, topic: str, text: str, hint: str = "", *, path: str = "") -> None:
        self.tell(NoticePosted(f"{OWN}{topic}", Severity.INFO, text, hint, path=path))

    def warn(self, topic: str, text: str, hint: str = "") -> None:
        self.tell(NoticePosted(f"{OWN}{topic}", Severity.WARNING, text, hint))

    def confirm(self, text: str) -> None:
        """Nothing to do: the screen shows the change itself."""

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(self.front.carefully(name, work), name=name)

    def has(self, action: str) -> bool:
        return action in BY_NAME

    def do(self, action: str) -> None:
        self._own.do(action)

    def selected(self) -> int | None:
        return self.main.lines.cursor

    def choose_languages(self, choices: LanguageChoices, *, is_source_side: bool) -> None:
        from pinch_tui.ui.screens.languages import LanguageScreen

        self.push_screen(LanguageScreen(choices, is_source_side=is_source_side), self.front.session.choose_pair)

    def choose_export(self, write: Callable[[Export | None], None]) -> None:
        from pinch_tui.ui.screens.export import ExportScreen

        self.push_screen(ExportScreen(self.main.lines.cursor), write)

    def correct(self, line: Utterance, done: Callable[[Wording | None], None]) -> None:
        from pinch_tui.ui.screens.correct import CorrectScreen

        self.push_screen(CorrectScreen(line), done)

    def close_typing(self) -> bool:
        return self.main.is_typing and self.main.close_search()

    def dismiss(self) -> bool:
        return self.main.close_search() or self.main.notices.dismiss()

    def rest(self) -> None:
        self.main.lines.select_last()

    def close_panels(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.arm()

    def leave(self, how: AppExit, message: str = "") -> None:
        self.exit(how, return_code=how.code, message=Text(clean(message)) if message else None)

    def stop_process(self) -> None:
        self.action_suspend_process()

    def write_raw(self, sequence: str) -> None:
        """Writes an escape sequence in one piece, between two repaints."""
        if sequence and self._driver is not None and not self.is_headless:
            self._driver.write(sequence)
            self._driver.flush()

    # ---- actions ---------------------------------------------------------------------------------------------------

    def action_do(self, name: str) -> None:
        """Run one action of the table."""
        do(self.front, name)

    def show_big(self, utterance: Utterance, *, is_running: bool = True) -> None:
        self._own.show_big(utterance, is_running=is_running)

    def continue_past(self, id_: str, failed: Callable[[PinchError], None]) -> None:
        async def work() -> None:
            try:
                self._continue_with(await self.front.services.continue_past(id_))
            except PinchError as error:
                failed(error)

        self.begin("continue", work())

    def _continue_with(self, conversation: PastConversation) -> None:
        """Show this conversation in place of the running one, and close all panels."""
        self.close_panels()
        self._changed_lines.clear()
        self.main.lines.set_stars(conversation.stars)
        self.main.begin_anew()
        tell_continued(self.front, conversation)

    def set_theme(self, name: str) -> None:
        """Change the theme now and for the next start."""
        self.looks.wish = name
        self.theme = self.looks.theme
        self.write_raw(self.looks.query())
        self.front.session.use("ui.theme", name)

    def on_transcript_view_activated(self, event: TranscriptView.Activated) -> None:
        self.show_big(self.engine.transcript.utterance(event.number))
