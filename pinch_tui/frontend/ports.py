"""The ports of the front end: the face, which shows things, and the talk key.

The screen (`pinch_tui.ui`) and the line mode (`pinch_tui.plain`) are the two faces. A face draws, reads keys and calls
`pinch_tui.frontend.actions.do`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from pinch_tui.core.choices import HoldReport, TalkMode
from pinch_tui.core.events import EngineEvent, TalkSource
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.errors import EXIT_OK
from pinch_tui.frontend.languages_text import LanguageChoices

Export = tuple[ExportFormat, ExportSide, ExportPart]
Wording = tuple[str, str]
"""Original and translation of a line, either "" if missing."""


@dataclass(frozen=True, slots=True)
class AppExit:
    """How the program ended."""

    code: int = EXIT_OK
    unsettled: int = 0
    """Number of utterances whose last words did not arrive."""


class TalkKey(Protocol):
    """The talk key; `pinch_tui.keys.HoldInput` implements it."""

    armed: bool

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def end(self, source: TalkSource, t: float) -> None: ...

    def escape(self, t: float) -> None: ...

    def set_mode(self, mode: TalkMode) -> None: ...

    def report(self) -> HoldReport: ...


class Face(Protocol):
    """One way to show the program and to ask the user. Called on the event loop's thread.

    The defaults suit a face that has no selection, no panels and no scroll position.
    """

    @property
    def write_raw(self) -> Callable[[str], None] | None:
        """Writes an escape sequence to the terminal; None if the face must not write any."""

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
        return None

    def choose_export(self, selected: int | None, write: Callable[[Export | None], None]) -> None:
        """Ask what to export, and pass it to ``write``; None: nothing. ``selected``: the selected utterance."""

    def correct(self, line: Utterance, done: Callable[[Wording | None], None]) -> None:
        """Let the user edit the texts of a settled line, and pass them to ``done``; None: unchanged."""

    def on_event(self, event: EngineEvent) -> None:
        """An event of the engine, which the front end has handled already."""

    def has(self, action: str) -> bool:
        """Whether this face offers an action."""

    def do(self, action: str) -> None:
        """Run an action that has no common handler."""

    def choose_languages(self, choices: LanguageChoices, *, is_source_side: bool) -> None:
        """Ask for a pair and pass it to the session."""

    def close_typing(self) -> bool:
        """Close the text field that has the focus; False if there is none."""
        return False

    def dismiss(self) -> bool:
        """Close the search or the notice on the screen; False if there is none."""
        return False

    def rest(self) -> None:
        """There was nothing to cancel: select the newest line."""
        return

    def close_panels(self) -> None:
        """Close everything over the conversation, since the program is about to end."""
        return

    def leave(self, how: AppExit, message: str = "") -> None:
        """End the face. ``message`` is printed on the restored terminal."""

    def stop_process(self) -> None:
        """Restore the terminal and stop the process until the shell continues it."""
