"""``pinch-tui --demo``: a short two-way conversation, spoken by the practice voice through the whole real pipeline.

It needs no account, microphone or loudspeaker, ends by itself with exit code 0, and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from pinch_tui.core.events import NoticePosted, Quit, Severity, StateWord
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.engine import Engine
from pinch_tui.errors import EXIT_LINK, EXIT_OK
from pinch_tui.settings.model import Settings
from pinch_tui.wiring.samples import SampleSpeaker

SOURCE, TARGET = "en", "es"
LINES = (
    (SOURCE, "Good morning."),
    (TARGET, "Buenos días."),
    (SOURCE, "I would like a coffee, please."),
    (TARGET, "Sí, por supuesto."),
    (SOURCE, "Can I pay by card?"),
    (TARGET, "Que tenga un buen día."),
)
"""Language and phrase of each line. All are in the phrasebook, and are recognised when the practice voice speaks them.
"""
_READY_S = 30.0
_ANSWER_S = 20.0
"""The practice service answers within a second, but a busy machine may take longer."""
_PAUSE_S = 0.8
_LAST_LOOK_S = 2.0


def demo_settings(settings: Settings) -> Settings:
    """The user's settings, with the conversation that the demo needs."""
    session = replace(settings.session, source=SOURCE, target=TARGET, two_way=True, text_only=False, context="")
    history = replace(settings.history, enabled=False)
    practice = replace(settings.practice, phrasebook="")
    return replace(settings, session=session, history=history, practice=practice)


class Demo:
    """Plays the conversation and quits. ``exit_code``: 0 if every line was translated."""

    def __init__(self, engine: Engine, samples: SampleSpeaker) -> None:
        self._engine, self._samples = engine, samples
        self._changed = asyncio.Event()
        self.exit_code = EXIT_OK

    async def play(self) -> None:
        self._engine.say(NoticePosted("demo", Severity.INFO, "Demo: the practice voice speaks both sides."))
        unhear = self._engine.subscribe(lambda _: self._changed.set())
        try:
            self.exit_code = EXIT_OK if await self._play() else EXIT_LINK
        finally:
            unhear()
        if self.exit_code:
            self._engine.say(NoticePosted("demo", Severity.ERROR, "The practice service did not answer.", ""))
        await asyncio.sleep(_LAST_LOOK_S)
        self._engine.post(Quit(drain=True))

    async def _play(self) -> bool:
        if not await self._until(lambda: self._engine.status.word is StateWord.READY, _READY_S):
            return False
        for language, text in LINES:
            await asyncio.sleep(_PAUSE_S)
            if not await self._samples.speak(text, language):
                return True  # the user pressed the talk key or Escape, which ends the demo
            if not await self._until(self._is_answered, _ANSWER_S):
                return False
        return True

    def _is_answered(self) -> bool:
        """Whether the newest line is translated and spoken to its end."""
        utterances = self._engine.transcript.utterances
        return bool(utterances) and _is_whole(utterances[-1]) and self._engine.status.word is not StateWord.SPEAKING

    async def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


def _is_whole(utterance: Utterance) -> bool:
    return bool(utterance.segments) and all(
        segment.original_is_final and segment.translation_is_final for segment in utterance.segments
    )
