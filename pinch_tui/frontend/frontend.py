"""The front end: joins the engine, the talk key and a face, and owns what both faces share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import Any, Final

from pinch_tui.boundary import carefully, note_unexpected
from pinch_tui.core.events import EngineEvent, Logged, NoticePosted, StatusChanged, Stopped
from pinch_tui.core.keymap import first_key, resolve_keys
from pinch_tui.core.keynames import key_name
from pinch_tui.core.languages import same_language
from pinch_tui.core.options import pair_text
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.errors import PinchError
from pinch_tui.frontend.languages_text import phrase_language
from pinch_tui.frontend.leaving import Leaving
from pinch_tui.frontend.lines import RunningLines
from pinch_tui.frontend.past import counted, when
from pinch_tui.frontend.ports import Face, TalkKey
from pinch_tui.frontend.services import AppServices
from pinch_tui.frontend.session import SessionChanges
from pinch_tui.frontend.support import SupportNotes
from pinch_tui.settings.model import Settings

OFFERS: Final[Mapping[str, str]] = {
    "languages": "chooses the languages",
    "settings": "opens the settings",
    "retry": "tries again now",
    "welcome": "enters another key",
    "support": "copies what support needs",
    "send_again": "sends it again",
}
"""Actions that a notice can offer, and what their keys do: ``Ctrl+R tries again now.``"""


class FrontEnd:
    """One interactive run of the program. Belongs to the event loop's thread.

    A face creates it, calls `open` once its loop runs, awaits `run_engine` beside its own work, and calls `close` last.
    """

    def __init__(
        self,
        engine: EngineFacade,
        hold: TalkKey,
        services: AppServices,
        settings: Settings,
        face: Face,
        clock: Callable[[], float],
    ) -> None:
        """Raises `KeyMapError` if the user's key map cannot work."""
        self.engine, self.hold, self.services, self.face, self.clock = engine, hold, services, face, clock
        self.keys = resolve_keys(settings.ui.keys, settings.talk.key)
        self.session = SessionChanges(engine, hold, services, face, settings)
        self.lines = RunningLines(engine, services, face, self.offer_context)
        self.notes = SupportNotes()
        self.leaving = Leaving(engine, hold, face, clock)
        self._stop_listening: Callable[[], None] = lambda: None
        self._stop_signals: Callable[[], None] = lambda: None

    @property
    def settings(self) -> Settings:
        """The settings with the user's changes."""
        return self.session.settings

    def key_named(self, action: str) -> str:
        """The first key of an action, as people write it; "" if the user's map leaves it none."""
        return key_name(first_key(self.keys, action))

    def offer_context(self, words: Sequence[str]) -> str:
        """A sentence that offers to add a correction's new words to the context."""
        key = self.key_named("add_context")
        return f"{key} tells the translator: {', '.join(words)}." if key else f"New: {', '.join(words)}."

    def open(self) -> None:
        """Listen to the engine and to signals. The face is called in the context of this call."""
        ours = copy_context()  # events can come from tasks with another context
        self._stop_listening = self.engine.subscribe(lambda event: ours.copy().run(self._on_event, event))
        self._stop_signals = self.services.watch_signals(self.leaving.interrupt, self.leaving.hang_up)
        self.hold.start()

    def close(self) -> None:
        self._stop_listening()
        self._stop_signals()
        self.hold.stop()

    def play_phrase(self, phrase: str, done: Callable[[], None] = lambda: None) -> None:
        """Let the practice voice speak a phrase as a sample; calls ``done`` if it was not cut short."""

        async def speak() -> None:
            if await self.services.speak_phrase(phrase, phrase_language(self.session.wanted.source)):
                done()

        self.face.begin("sample", speak())

    def announce_continued(self, conversation: PastConversation) -> None:
        """Say which conversation continues, and how to go back to its languages if they are not in use now."""
        title = f"Continuing {when(conversation.started)}, {counted(len(conversation.utterances), 'line')}."
        wanted, hint = self.session.wanted, ""
        last = next((line for line in reversed(conversation.utterances) if line.target), None)
        if last is not None and not all(
            before == now or same_language(before, now)
            for before, now in ((last.source, wanted.source), (last.target, wanted.target))
        ):
            self.services.remember_pair(last.source, last.target)
            self.services.remember_pair(wanted.source, wanted.target)  # still the pair of the next start
            before = pair_text(replace(wanted, source=last.source, target=last.target))
            key = self.key_named("previous_pair")
            hint = f"New lines are {pair_text(wanted)}; {f'{key} goes back to' if key else 'before, it was'} {before}."
        self.face.say("continue", title, hint)

    async def carefully(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Do slow work of a face; what it raises is shown as a warning."""

        def warn(exc: Exception) -> None:
            if isinstance(exc, PinchError):
                self.face.warn(name, exc.title, exc.hint)
                return
            note_unexpected(exc)
            self.face.warn(name, f"That failed in an unexpected way ({type(exc).__name__}).", "Try again.")

        await carefully(work, warn)

    async def run_engine(self) -> None:
        """Run the engine to its end, then tell the face to leave."""
        try:
            await self.engine.run()
        except PinchError as error:
            self.leaving.fail(error)
        else:
            self.leaving.end()

    def _on_event(self, event: EngineEvent) -> None:
        match event:
            case StatusChanged(status):
                self.session.adopt(status.params)
            case Logged():
                self.notes.add(event)
            case NoticePosted():
                keys = ((self.key_named(name), OFFERS[name]) for name in event.offers if self.face.has(name))
                offered = (f"{key} {does}." for key, does in keys if key)
                event = replace(event, hint=" ".join(filter(None, (event.hint, *offered))), offers=())
            case Stopped(unsettled):
                self.leaving.end(unsettled)
            case _:
                pass
        self.face.on_event(event)
