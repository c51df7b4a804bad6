"""The front end: joins the engine, the talk key and a face, and owns what both faces share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from typing import Any

from pinch_tui.boundary import carefully, note_unexpected
from pinch_tui.core.events import EngineEvent, Logged, NoticePosted, StatusChanged, Stopped
from pinch_tui.core.keymap import first_key, resolve_keys
from pinch_tui.core.keynames import key_name
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.errors import PinchError
from pinch_tui.frontend.leaving import Leaving
from pinch_tui.frontend.lines import RunningLines
from pinch_tui.frontend.offers import with_keys
from pinch_tui.frontend.ports import Face, TalkKey
from pinch_tui.frontend.services import AppServices
from pinch_tui.frontend.session import SessionChanges
from pinch_tui.frontend.support import SupportNotes
from pinch_tui.settings.model import Settings


class FrontEnd:
    """One run of the program in front of a person. Belongs to the event loop's thread.

    A face makes it, calls `open` once its loop runs, awaits `run_engine` beside its own work, and calls `close` last.
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
        """Raises `KeyMapError` when the user's key map cannot work."""
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
        """The settings in force."""
        return self.session.settings

    def key_named(self, action: str) -> str:
        """The first key of an action as people write it; "" when the user's map leaves it none."""
        return key_name(first_key(self.keys, action))

    def offer_context(self, words: Sequence[str]) -> str:
        """What may be done with words that a correction brought in."""
        key = self.key_named("add_context")
        return f"{key} tells the translator: {', '.join(words)}." if key else f"New: {', '.join(words)}."

    def open(self) -> None:
        """Listen to the engine and to signals. Call it in the context in which the face wants to be called."""
        ours = copy_context()  # facts may come from tasks with another context
        self._stop_listening = self.engine.subscribe(lambda event: ours.copy().run(self._hear, event))
        self._stop_signals = self.services.watch_signals(self.leaving.interrupt, self.leaving.hang_up)
        self.hold.start()

    def close(self) -> None:
        self._stop_listening()
        self._stop_signals()
        self.hold.stop()

    async def carefully(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Do slow work of a face; what it raises is told, and goes no further."""

        def told(exc: Exception) -> None:
            if isinstance(exc, PinchError):
                self.face.warn(name, exc.title, exc.hint)
                return
            note_unexpected(exc)
            self.face.warn(name, f"That failed in an unexpected way ({type(exc).__name__}).", "Try again.")

        await carefully(work, told)

    async def run_engine(self) -> None:
        """Until the engine has stopped; then the face is asked to leave."""
        try:
            await self.engine.run()
        except PinchError as error:
            self.leaving.fail(error)
        else:
            self.leaving.end()

    def _hear(self, event: EngineEvent) -> None:
        match event:
            case StatusChanged(status):
                self.session.take(status.params)
            case Logged():
                self.notes.hear(event)
            case NoticePosted(offers=offers) if offers:
                event = with_keys(event, lambda action: self.key_named(action) if self.face.has(action) else "")
            case Stopped(unsettled):
                self.leaving.end(unsettled)
            case _:
                pass
        self.face.hear(event)
