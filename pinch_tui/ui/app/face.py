"""What the front end shows on the screen and asks there: the screen's `pinch_tui.frontend.ports.Face`.

Changes are drawn at most 20 times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from rich.text import Text
from textual.app import App
from textual.notifications import SeverityLevel

from pinch_tui.core.events import EngineEvent, NoticePosted, Severity, StatusChanged, TranscriptChanged
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.frontend.actions import BY_NAME
from pinch_tui.frontend.languages_text import LanguageChoices
from pinch_tui.frontend.ports import AppExit, Export, Wording
from pinch_tui.ui.app.actions import ScreenActions
from pinch_tui.ui.ports import Host
from pinch_tui.ui.screens.fatal import FatalScreen
from pinch_tui.ui.screens.main import MainScreen
from pinch_tui.ui.throttle import Throttle
from pinch_tui.ui.widgets.notices import OWN

OVER_PANEL_S = 8.0
"""How long a notice covers part of a panel, in seconds."""


class ScreenFace:
    """Draws the engine's events, shows notices, and opens the panels that ask something.

    ``main`` and ``actions`` need the front end, which needs this face; so the app sets them after both are made.
    """

    main: MainScreen
    actions: ScreenActions

    def __init__(self, app: App[AppExit]) -> None:
        self._app, self._host = app, cast("Host", app)
        self._painting = Throttle(app, self._redraw)
        self._talking_since: float | None = None
        self._is_status_new = False
        self._changed_lines: set[int] = set()
        self._has_greeted = False

    # ---- events of the engine --------------------------------------------------------------------------------------

    def on_event(self, event: EngineEvent) -> None:
        match event:
            case StatusChanged(status):
                if status.talking_since != self._talking_since:
                    self._talking_since = status.talking_since
                    if status.talking_since is not None:
                        self.main.lines.select_last()
                    self._host.arm()
                self._is_status_new = True
                self._painting.poke()
            case TranscriptChanged(utterances):
                self.main.lines.refresh_utterances(utterances)  # at once: it has a throttle itself
                self._changed_lines.update(utterances)
                self._painting.poke()
            case NoticePosted():
                self._show(event)
            case _:  # `Stopped` is the front end's; `Logged` has its own listener
                pass

    def _redraw(self) -> None:
        if not self._app.is_running:
            return
        table = self.actions.table_view
        if self._is_status_new:
            self._is_status_new = False
            self.main.redraw()
            if table is not None:
                table.redraw()
        if self._changed_lines:
            self._greet()
            changed, self._changed_lines = self._changed_lines, set()
            self.main.redraw_talk()
            self.main.search_bar.follow()
            self.main.notices.withdraw(f"{OWN}empty")  # the conversation is no longer empty
            if table is not None:
                table.lines_changed(changed)

    def _greet(self) -> None:
        """Congratulate the user on the first utterance that was translated."""
        front = self._host.front
        services = front.services
        if self._has_greeted or services.has_key or services.has_seen_welcome:
            return
        if any(line.translation and not line.is_live for line in front.engine.transcript.utterances):
            self._has_greeted = True
            services.remember("welcome_seen", True)
            self.offer_key("That's it. Go on talking.")

    def offer_key(self, text: str) -> None:
        """Say this, and how to enter a Pinch key."""
        key = self._host.front.key_named("welcome")
        self.say("welcome", text, f"Have a Pinch key? {key}" if key else "")

    def show_conversation(self, conversation: PastConversation) -> None:
        """Show this conversation in place of the running one, and close all panels."""
        self.close_panels()
        self._changed_lines.clear()
        self.main.lines.set_stars(conversation.stars)
        self.main.begin_anew()
        self._host.front.announce_continued(conversation)

    # ---- notices ---------------------------------------------------------------------------------------------------

    def _show(self, notice: NoticePosted) -> None:
        """Show a notice in the place that suits its severity. The answer to a key goes to the conversation on the
        screen, which can be a past one."""
        if notice.severity is Severity.FATAL and notice.title:
            self._app.push_screen(FatalScreen(notice))
            return
        screens: list[Any] = self._app.screen_stack if notice.topic.startswith(OWN) else []
        place = next((screen for screen in reversed(screens) if hasattr(screen, "notices")), self.main)
        place.notices.post(notice)
        if not notice.title:
            return
        if notice.severity is Severity.INFO:
            if (table := self.actions.table_view) is not None:
                table.say(notice.title)
        elif self._app.screen_stack and self._app.screen is not place:  # a panel covers the notices
            text = clean(f"{notice.title} {notice.hint}")
            severity: SeverityLevel = "warning" if notice.severity is Severity.WARNING else "error"
            self._app.notify(text, severity=severity, timeout=OVER_PANEL_S, markup=False)

    def say(self, topic: str, text: str, hint: str = "", *, path: str = "") -> None:
        self._show(NoticePosted(f"{OWN}{topic}", Severity.INFO, text, hint, path=path))

    def warn(self, topic: str, text: str, hint: str = "") -> None:
        self._show(NoticePosted(f"{OWN}{topic}", Severity.WARNING, text, hint))

    def confirm(self, text: str) -> None:
        """Nothing to do: the screen shows the change itself."""

    # ---- actions and questions -------------------------------------------------------------------------------------

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._app.run_worker(self._host.front.carefully(name, work), name=name)

    def has(self, action: str) -> bool:
        return action in BY_NAME

    def do(self, action: str) -> None:
        self.actions.do(action)

    def selected(self) -> int | None:
        return self.main.lines.cursor

    def choose_languages(self, choices: LanguageChoices, *, is_source_side: bool) -> None:
        from pinch_tui.ui.screens.languages import LanguageScreen

        screen = LanguageScreen(choices, is_source_side=is_source_side)
        self._app.push_screen(screen, self._host.front.session.choose_pair)

    def choose_export(self, selected: int | None, write: Callable[[Export | None], None]) -> None:
        from pinch_tui.ui.screens.export import ExportScreen

        self._app.push_screen(ExportScreen(selected), write)

    def correct(self, line: Utterance, done: Callable[[Wording | None], None]) -> None:
        from pinch_tui.ui.screens.correct import CorrectScreen

        self._app.push_screen(CorrectScreen(line), done)

    # ---- closing and leaving ---------------------------------------------------------------------------------------

    def close_typing(self) -> bool:
        return self.main.is_typing and self.main.close_search()

    def dismiss(self) -> bool:
        return self.main.close_search() or self.main.notices.dismiss()

    def rest(self) -> None:
        self.main.lines.select_last()

    def close_panels(self) -> None:
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()
        self._host.arm()

    def leave(self, how: AppExit, message: str = "") -> None:
        self._app.exit(how, return_code=how.code, message=Text(clean(message)) if message else None)

    def stop_process(self) -> None:
        self._app.action_suspend_process()

    def write_raw(self, sequence: str) -> None:
        """Write an escape sequence in one piece, between two repaints."""
        driver = self._app._driver
        if sequence and driver is not None and not self._app.is_headless:
            driver.write(sequence)
            driver.flush()
