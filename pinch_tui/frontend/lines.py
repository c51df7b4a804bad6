"""Work on a line: copy, correct, replay, resend, save its speech; and export the conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from pinch_tui.core.events import Correct, ReplaySpeech, SendAgain
from pinch_tui.core.transcript.correct import new_words
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.facade import EngineFacade, TranscriptReader
from pinch_tui.frontend.clipboard import Clipboard
from pinch_tui.frontend.ports import Export, Face, Wording
from pinch_tui.frontend.services import AppServices

_NOTHING = "There are no lines yet."


class LineWork:
    """Works on the lines of one conversation, running or past. Slow work runs in the background through
    `Face.begin`, which reports what it raises.
    """

    def __init__(
        self,
        transcript: TranscriptReader,
        services: AppServices,
        face: Face,
        *,
        selected: Callable[[], int | None],
        rewrite: Callable[[int, Wording], Awaitable[None]],
        export: Callable[[ExportFormat, ExportSide, ExportPart], Awaitable[Path]],
        offer: Callable[[Sequence[str]], str],
    ) -> None:
        """``selected``: the number of the selected utterance, None for none. ``rewrite`` stores a correction,
        ``export`` writes the conversation, ``offer`` says how new words can be added to the context."""
        self._transcript, self._services, self._face = transcript, services, face
        self._selected, self._rewrite, self._write, self._offer = selected, rewrite, export, offer
        self.new_words: tuple[str, ...] = ()
        """The words added by the latest correction, for the context."""

    def chosen(self) -> Utterance | None:
        """The selected line, or else the newest one with content; None, with a message, if there is none."""
        number = self._selected()
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
        """Copy one text of the line, or both, to the clipboard."""
        if (line := self.chosen()) is None:
            return
        wanted = {"translation": (line.translation,), "original": (line.original,)}
        text = "\n".join(filter(None, wanted.get(what, (line.original, line.translation))))
        if not text:
            self._face.say("copy", f"This line has no {what} yet.")
            return

        async def copy() -> None:
            self._face.say("copy", f"Copied the {what} ({await self.copy_text(text)})")

        self._face.begin("copy", copy())

    def copy_text(self, text: str) -> Awaitable[str]:
        """Copy any text; returns how, such as ``wl-copy``. Raises `PinchError` if there is no clipboard."""
        return (self._services.copy or Clipboard(self._face.write_raw).copy)(text)

    def correct(self) -> None:
        """Edit the texts of a finished line."""
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
        await self._rewrite(line.number, wording)
        sides = ((line.original, wording[0]), (line.translation, wording[1]))
        self.new_words = tuple(dict.fromkeys(word for before, after in sides for word in new_words(before, after)))
        self._face.say("correct", "Corrected.", self._offer(self.new_words) if self.new_words else "")

    def export(self) -> None:
        """Write the conversation to a file, in the format that the user chooses."""
        if not self._transcript.utterances:
            self._face.say("empty", _NOTHING)
            return

        def write(chosen: Export | None) -> None:
            if chosen is not None:
                self._save("export", "Written to", partial(self._write, *chosen))

        self._face.choose_export(self._selected(), write)

    def _save(self, topic: str, done: str, write: Callable[[], Awaitable[Path]]) -> None:
        async def save() -> None:
            self._face.say(topic, done, path=str(await write()))

        self._face.begin(topic, save())


class RunningLines(LineWork):
    """The lines of the running conversation: these have speech, too."""

    def __init__(
        self, engine: EngineFacade, services: AppServices, face: Face, offer: Callable[[Sequence[str]], str]
    ) -> None:
        async def rewrite(number: int, wording: Wording) -> None:
            engine.post(Correct(number, *wording))

        super().__init__(
            engine.transcript,
            services,
            face,
            selected=face.selected,
            rewrite=rewrite,
            export=services.export,
            offer=offer,
        )
        self._engine = engine

    def _number(self, is_usable: Callable[[Utterance], bool], refusal: str, hint: str = "") -> int | None:
        """The selected line, or else the newest usable one; None, with a message, if it is not usable."""
        utterances, number = self._transcript.utterances, self._selected()
        if number is None:
            number = next((line.number for line in reversed(utterances) if is_usable(line)), None)
        if number is not None and is_usable(self._transcript.utterance(number)):
            return number
        self._face.say("line", *((refusal, hint) if utterances else (_NOTHING,)))
        return None

    def _spoken(self) -> int | None:
        return self._number(lambda line: bool(self._engine.speech_of(line.number)), "There is no speech for this line.")

    def replay(self, speed: float) -> None:
        """Play the translation again; ``speed`` < 1 is slower."""
        number = self._spoken()
        if number is not None:
            self._face.confirm("Playing it again." if speed == 1.0 else "Playing it again, slower.")
            self._engine.post(ReplaySpeech(number, speed))

    def send_again(self) -> None:
        """Resend the recorded sound of a line that has no text."""
        hint = "Only lines without text are kept, the newest five minutes of them."
        number = self._number(lambda line: line.can_send_again, "This line cannot be sent again.", hint)
        if number is not None:
            self._face.confirm("Sending it again.")
            self._engine.post(SendAgain(number))

    def save_speech(self) -> None:
        """Save the translated speech to a file."""
        number = self._spoken()
        if number is not None:
            self._save("save", "Saved", partial(self._services.save_wav, number, self._engine.speech_of(number)))
