"""What is done with a line: copying it, saying it again, saving its speech, exporting the conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from pinch_tui.core.events import Correct, ReplaySpeech
from pinch_tui.core.transcript.correct import new_words
from pinch_tui.core.transcript.transcript import Utterance
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.errors import PinchError
from pinch_tui.frontend.clipboard import Clipboard
from pinch_tui.frontend.ports import Export, Face, Wording
from pinch_tui.frontend.services import AppServices

_NOTHING = "Nothing was said yet."


class LineWork:
    """Slow work runs beside everything else; what came of it is said in one passing line.

    ``offer``: how the context is offered the words of a correction, which follow.
    """

    def __init__(self, engine: EngineFacade, services: AppServices, face: Face, offer: Callable[[], str]) -> None:
        self._engine, self._services, self._face = engine, services, face
        self._offer = offer
        self.new_words: tuple[str, ...] = ()
        """What the newest correction brought in; the context may take it."""

    def chosen(self) -> Utterance | None:
        """The selected line, or the newest one with something in it; None (and said so) where there is nothing."""
        number = self._face.selected()
        utterances = self._engine.transcript.utterances
        if number is None:
            found = next((u for u in reversed(utterances) if u.has_content), None)
        else:
            found = self._engine.transcript.utterance(number)
        if found is None or not found.has_content:
            self._face.say("empty", "This line is empty." if utterances else _NOTHING)
            return None
        return found

    def _spoken(self) -> int | None:
        """The selected line, or the newest one with speech; None (and said so) where there is no speech."""
        number = self._face.selected()
        utterances = self._engine.transcript.utterances
        if number is None:
            number = next((u.number for u in reversed(utterances) if self._engine.speech_of(u.number)), None)
        if number is not None and self._engine.speech_of(number):
            return number
        self._face.say("line", "There is no speech for this line." if utterances else _NOTHING)
        return None

    def copy(self, what: str, text: str) -> None:
        """To the clipboard; ``what`` names the text."""
        if not text:
            self._face.say("copy", f"This line has no {what} yet.")
            return
        self._face.begin("copy", self._tell("copy", self._copy(text), f"Copied the {what} ({{}})"))

    def copy_made(self, what: str, make: Callable[[], Awaitable[str]]) -> None:
        """A text that takes a while to make, to the clipboard."""

        async def work() -> str:
            return await self._copy(await make())

        self._face.begin("support", self._tell("support", work(), f"Copied the {what} ({{}})"))

    def _copy(self, text: str) -> Awaitable[str]:
        return (self._services.copy or Clipboard(self._face.write_raw).copy)(text)

    def replay(self, speed: float) -> None:
        """Say its translation again; ``speed`` < 1 is slower."""
        number = self._spoken()
        if number is not None:
            self._face.confirm("Saying it again." if speed == 1.0 else "Saying it again, slower.")
            self._engine.post(ReplaySpeech(number, speed))

    def save_speech(self) -> None:
        """Its translated speech as a file."""
        number = self._spoken()
        if number is not None:
            speech = self._engine.speech_of(number)
            self._face.begin("save", self._tell("save", self._services.save_wav(number, speech), "Saved {}"))

    def correct(self) -> None:
        """Edit the texts of a settled line."""
        line = self.chosen()
        if line is None:
            return
        if line.is_live:
            self._face.say("correct", "This line is not finished yet.")
            return

        def done(wording: Wording | None) -> None:
            if wording is None or wording == (line.original, line.translation):
                return
            self._engine.post(Correct(line.number, *wording))
            sides = ((line.original, wording[0]), (line.translation, wording[1]))
            self.new_words = tuple(dict.fromkeys(word for before, after in sides for word in new_words(before, after)))
            hint = f"{self._offer()}{', '.join(self.new_words)}." if self.new_words else ""
            self._face.say("correct", "Corrected.", hint)

        self._face.correct(line, done)

    def export(self) -> None:
        """The conversation as a file of the kind that is chosen."""
        if not self._engine.transcript.utterances:
            self._face.say("empty", _NOTHING)
            return
        self._face.choose_export(self._export)

    def _export(self, chosen: Export | None) -> None:
        if chosen is not None:
            self._face.begin("export", self._tell("export", self._services.export(*chosen), "Written to {}"))

    async def _tell(self, topic: str, work: Awaitable[str | Path], done: str) -> None:
        try:
            came = await work
        except PinchError as error:
            self._face.warn(topic, error.title, error.hint)
        else:
            if isinstance(came, Path):
                self._face.say(topic, done.removesuffix(" {}"), path=str(came))
            else:
                self._face.say(topic, done.format(came).removesuffix(" ()"))
