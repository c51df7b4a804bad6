"""What the front end asks of its surroundings: a face that shows things, and the talk key.

The screen (`pinch_tui.ui`) and the line mode (`pinch_tui.plain`) are the two faces. A face draws, reads keys and calls
`pinch_tui.frontend.actions.do`; what an action does is decided here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import EngineEvent, TalkSource
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.errors import EXIT_OK
from pinch_tui.frontend.languages_text import LanguageChoices

Export = tuple[ExportFormat, ExportSide, ExportPart]
Wording = tuple[str, str]
"""Original and translation of a line, "" where there is none."""


@dataclass(frozen=True, slots=True)
class AppExit:
    """How the program ended."""

    code: int = EXIT_OK
    unsettled: int = 0
    """Utterances whose last words did not come."""


class HoldReport(Protocol):
    """How the talk key is held in this terminal."""

    @property
    def method(self) -> str:
        """``exact``, ``learned``, ``probe``, ``tap`` or ``mouse``."""

    @property
    def sentence(self) -> str:
        """Why, for a person."""


class TalkKey(Protocol):
    """The talk key, as both faces use it; `pinch_tui.keys.HoldInput` is the real one."""

    armed: bool

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def end(self, source: TalkSource, t: float) -> None: ...

    def escape(self, t: float) -> None: ...

    def set_mode(self, mode: TalkMode) -> None: ...

    def report(self) -> HoldReport: ...


class Face(Protocol):
    """One way to show the program and to ask the user. Called on the event loop's thread."""

    @property
    def write_raw(self) -> Callable[[str], None] | None:
        """Puts an escape sequence on the terminal; None where none may be written."""

    def say(self, topic: str, text: str, hint: str = "", *, path: str = "") -> None:
        """Show a passing line, with the unchanged ``path`` at its end. Where lines can be replaced, a later one of the
        same topic replaces it."""

    def warn(self, topic: str, text: str, hint: str = "") -> None:
        """Show a passing line about something that failed."""

    def confirm(self, text: str) -> None:
        """Say that something was done; for faces that do not show the change itself."""

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run slow work in the background, until the program ends at the latest. What it raises is shown as by
        `warn`, with ``name`` as the topic."""

    def selected(self) -> int | None:
        """The number of the selected utterance of the running conversation; None for none."""

    def choose_export(self, selected: int | None, write: Callable[[Export | None], None]) -> None:
        """Ask what to export, and pass it to ``write``; None: nothing. ``selected``: the selected utterance."""

    def correct(self, line: Utterance, done: Callable[[Wording | None], None]) -> None:
        """Let the user edit the texts of a settled line, and pass them to ``done``; None: unchanged."""

    def hear(self, event: EngineEvent) -> None:
        """A fact of the engine, after the front end has taken it."""

    def has(self, action: str) -> bool:
        """Whether this face can do an action."""

    def do(self, action: str) -> None:
        """Run an action that each face has in its own way, or lacks."""

    def choose_languages(self, choices: LanguageChoices, *, is_source_side: bool) -> None:
        """Ask for a pair and hand it to the session."""

    def close_typing(self) -> bool:
        """Put away a text that is being typed; False when there is none."""

    def dismiss(self) -> bool:
        """Put away a search or a message; False when there is none."""

    def rest(self) -> None:
        """There was nothing to cancel: back to where one starts."""

    def close_panels(self) -> None:
        """The program is about to end: leave the conversation alone on the screen."""

    def leave(self, how: AppExit, message: str = "") -> None:
        """End. ``message`` is for the terminal that comes back."""

    def stop_process(self) -> None:
        """Give the terminal back and stop until the shell continues the program."""
