"""Work on a line: copy, correct, play or send again, save its speech; and export the conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

from pinch_tui.core.events import Correct, ReplaySpeech, SendAgain
from pinch_tui.core.transcript.correct import new_words
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.facade import EngineFacade, TranscriptView
from pinch_tui.errors import PinchError
from pinch_tui.frontend.clipboard import Clipboard
from pinch_tui.frontend.ports import Export, LineFace, Wording
from pinch_tui.frontend.services import AppServices

_NOTHING = "There are no lines yet."


class LineWork:
    """Works on the lines of one conversation, running or past. Slow work runs in the background and reports in a
    passing line. ``rewrite`` keeps a correction, ``export`` writes the conversation, ``offer`` says how new words can
    be added to the context.
    """

    def __init__(
        self,
        transcript: TranscriptView,
        services: AppServices,
        face: LineFace,
        *,
        rewrite: Callable[[int, Wording], Awaitable[None]],
        export: Callable[[ExportFormat, ExportSide, ExportPart], Awaitable[Path]],
        offer: Callable[[Sequence[str]], str],
    ) -> None:
        self._transcript, self._services, self._face = transcript, services, face
        self._rewrite, self._write, self._offer = rewrite, export, offer
        self.new_words: tuple[str, ...] = ()
        """The words added by the newest correction, for the context."""

    def chosen(self) -> Utterance | None:
        """The selected line, or the newest one with content; None, with a message, when there is none."""
        number = self._face.selected()
        utterances = self._transcript.utterances
        if number is None:
            found = next((u for u in reversed(utterances) if u.has_content), None)
        else:
            found = self._transcript.utterance(number)
        if found is None or not found.has_content:
            self._face.say("empty", "This line is empty." if utterances else _NOTHING)
            return None
        return found

    def copy(self, what: Literal["translation", "original", "line"]) -> None:
        """One text of the line, or both, to the clipboard."""
        if (line := self.chosen()) is None:
            return
        wanted = {"translation": (line.translation,), "original": (line.original,)}
        text = "\n".join(filter(None, wanted.get(what, (line.original, line.translation))))
        if text:
            self._face.begin("copy", self._tell("copy", self._copy(text), f"Copied the {what} ({{}})"))
        else:
            self._face.say("copy", f"This line has no {what} yet.")

    def copy_made(self, what: str, make: Callable[[], Awaitable[str]]) -> None:
        """A text that takes a while to make, to the clipboard; a face of lines without one prints it."""

        async def work() -> None:
            text = await make()
            try:
                way = await self._copy(text)
            except PinchError as error:
                if self._face.write_raw is not None:
                    return self._face.warn("support", error.title, error.hint)
                self._face.say("support", f"{error.title.removesuffix('.')}, so here is the {what}.")
                for line in text.splitlines():
                    self._face.say("support", "", path=line)
                return None
            return self._face.say("support", f"Copied the {what} ({way})")

        self._face.begin("support", work())

    def _copy(self, text: str) -> Awaitable[str]:
        return (self._services.copy or Clipboard(self._face.write_raw).copy)(text)

    def correct(self) -> None:
        """Edit the texts of a settled line."""
        line = self.chosen()
        if line is None:
            return
        if line.is_live:
            self._face.say("correct", "This line is not finished yet.")
            return

        def done(wording: Wording | None) -> None:
            if wording is not None and wording != (line.original, line.translation):
                self._face.begin("correct", self._correct(line, wording))

        self._face.correct(line, done)

    async def _correct(self, line: Utterance, wording: Wording) -> None:
        try:
            await self._rewrite(line.number, wording)
        except PinchError as error:
            self._face.warn("correct", error.title, error.hint)
            return
        sides = ((line.original, wording[0]), (line.translation, wording[1]))
        self.new_words = tuple(dict.fromkeys(word for before, after in sides for word in new_words(before, after)))
        self._face.say("correct", "Corrected.", self._offer(self.new_words) if self.new_words else "")

    def export(self) -> None:
        """The conversation as a file of the kind that is chosen."""
        if not self._transcript.utterances:
            self._face.say("empty", _NOTHING)
            return
        self._face.choose_export(self._export)

    def _export(self, chosen: Export | None) -> None:
        if chosen is not None:
            self._face.begin("export", self._tell("export", self._write(*chosen), "Written to {}"))

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


class RunningLines(LineWork):
    """The lines of the running conversation: they have speech, too."""

    def __init__(
        self, engine: EngineFacade, services: AppServices, face: LineFace, offer: Callable[[Sequence[str]], str]
    ) -> None:
        async def rewrite(number: int, wording: Wording) -> None:
            engine.post(Correct(number, *wording))

        super().__init__(engine.transcript, services, face, rewrite=rewrite, export=services.export, offer=offer)
        self._engine = engine

    def _spoken(self) -> int | None:
        """The selected line, or the newest one with speech; None, with a message, when there is none."""
        number = self._face.selected()
        utterances = self._transcript.utterances
        if number is None:
            number = next((u.number for u in reversed(utterances) if self._engine.speech_of(u.number)), None)
        if number is not None and self._engine.speech_of(number):
            return number
        self._face.say("line", "There is no speech for this line." if utterances else _NOTHING)
        return None

    def replay(self, speed: float) -> None:
        """Say its translation again; ``speed`` < 1 is slower."""
        number = self._spoken()
        if number is not None:
            self._face.confirm("Playing it again." if speed == 1.0 else "Playing it again, slower.")
            self._engine.post(ReplaySpeech(number, speed))

    def send_again(self) -> None:
        """The selected line, or the newest one, that has no text and whose sound is kept."""
        utterances, number = self._transcript.utterances, self._face.selected()
        if number is None:
            number = next((u.number for u in reversed(utterances) if u.can_send_again), None)
        if number is None or not self._transcript.utterance(number).can_send_again:
            hint = "Only lines without text are kept, the newest five minutes of them." if utterances else ""
            self._face.say("line", "This line cannot be sent again." if utterances else _NOTHING, hint)
            return
        self._face.confirm("Sending it again.")
        self._engine.post(SendAgain(number))

    def save_speech(self) -> None:
        """Its translated speech as a file."""
        number = self._spoken()
        if number is not None:
            speech = self._engine.speech_of(number)
            self._face.begin("save", self._tell("save", self._services.save_wav(number, speech), "Saved {}"))
