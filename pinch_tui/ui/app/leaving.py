"""The app's part that ends it: draining first, at once when asked twice, once only in every case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from pinch_tui.core.events import Quit, Stopped, TalkSource
from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import EXIT_INTERRUPTED, EXIT_OK, PinchError

if TYPE_CHECKING:
    from pinch_tui.ui.app.app import PinchApp

BACKSTOP_S = 6.0
"""A drain ends by itself within 3 s; when the engine has not stopped after this time the app leaves anyway."""


@dataclass(frozen=True, slots=True)
class AppExit:
    """How the app ended. ``wants_restart``: a key was entered, so start again with the real service."""

    code: int = EXIT_OK
    wants_restart: bool = False
    unsettled: int = 0
    """Utterances whose last words did not come."""


class Leaving:
    """Knows whether the app is on its way out."""

    def __init__(self, app: PinchApp) -> None:
        self._app = app
        self._has_ended = False
        self._is_interrupted = False
        self.is_under_way = False

    def ask(self, *, is_interrupt: bool = False) -> None:
        """Wait for the last words and leave; asked again by Ctrl+C or a signal: leave at once."""
        app = self._app
        self._is_interrupted = self._is_interrupted or is_interrupt
        if self.is_under_way:
            if is_interrupt:
                app.engine.post(Quit(drain=False))
                self.end(Stopped())
            return
        self.is_under_way = True
        while len(app.screen_stack) > 1:
            app.pop_screen()
        app.arm()
        app.hold.end(TalkSource.QUIT, app.clock())
        app.engine.post(Quit(drain=True))
        app.set_timer(BACKSTOP_S, lambda: self.end(Stopped()))

    def interrupt(self) -> None:
        """Ctrl+C or a signal."""
        self.ask(is_interrupt=True)

    def hang_up(self) -> None:
        """The terminal is gone. Signal and input tell of it, each in its own time: that is no second wish to leave."""
        if not self.is_under_way:
            self.ask(is_interrupt=True)

    def restart(self) -> None:
        """Leave and ask the caller to build the app anew."""
        self._has_ended = self.is_under_way = True
        self._app.engine.post(Quit(drain=False))
        self._app.exit(AppExit(wants_restart=True))

    def end(self, stopped: Stopped) -> None:
        """The engine has ended."""
        if self._has_ended:
            return
        self._has_ended = self.is_under_way = True
        code = stopped.exit_code or (EXIT_INTERRUPTED if self._is_interrupted else EXIT_OK)
        self._app.exit(AppExit(code, unsettled=stopped.unsettled), return_code=code)

    def fail(self, error: PinchError) -> None:
        """The engine could not run: its sentence and its exit code, and no traceback."""
        self._has_ended = self.is_under_way = True
        message = Text(clean(str(error)))  # plain: never parsed as markup
        self._app.exit(AppExit(error.exit_code), return_code=error.exit_code, message=message)
