"""Samples: phrases that the practice voice speaks in place of the user, through the whole real pipeline.

The voice's sound enters the engine frame by frame, like the microphone's, and everything follows as if the user talked:
session, transcripts, speech. The utterance is marked as a sample. A press of the talk key ends it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from pinch_tui.audio.dsp.loudness import peak16
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import FRAME_BYTES, FRAME_S, EdgeKind, Frame, TalkEdge, TalkSource
from pinch_tui.core.languages import label
from pinch_tui.engine.engine import Engine
from pinch_tui.errors import UsageError

_LEAD_IN_S = 0.1
"""Silence before a phrase, like that between a press and the first word."""
_AFTER_S = 0.4
"""Silence after it, which covers the tail of the utterance."""

Say = Callable[[str, str], Awaitable[bytes]]
"""(text, base code of its language) -> PCM16 mono at 16 kHz."""


class SampleSpeaker:
    """Speaks one phrase at a time. Nothing is spoken while a person talks."""

    def __init__(self, engine: Engine, say: Say, clock: Clock) -> None:
        self._engine, self._say, self._clock = engine, say, clock
        self._is_busy = False

    async def speak(self, text: str, language: str) -> bool:
        """Speak a phrase; returns False if it was cut short, or if the user or another sample was speaking.

        Raises `UsageError` if there is no voice for the language, `LinkError` if practice cannot start.
        """
        if self._is_busy or self._engine.status.talking_since is not None:
            return False
        self._is_busy = True
        try:
            sound = await self._say(text, language)
            if not sound:
                raise UsageError(f"The practice voice does not speak {label(language)}.", "Say the phrase yourself.")
            return await self._speak(sound)
        finally:
            self._is_busy = False

    async def _speak(self, sound: bytes) -> bool:
        begun = self._clock.monotonic()
        self._engine.talk(TalkEdge(EdgeKind.START, begun, TalkSource.SAMPLE))
        spoken = len(_silence(_LEAD_IN_S) + sound)
        due = begun
        was_committed = False
        for n, pcm in enumerate(_frames(_silence(_LEAD_IN_S) + sound + _silence(_AFTER_S)), start=1):
            due = begun + n * FRAME_S
            await self._clock.sleep_until(due)
            if not was_committed and self._engine.status.talk_source != TalkSource.SAMPLE:
                return False  # a person began to talk, or cancelled it
            if not was_committed and n * FRAME_BYTES >= spoken:
                was_committed = True
                self._engine.talk(TalkEdge(EdgeKind.COMMIT, due, TalkSource.SAMPLE))
            self._engine.hear_sample(Frame(pcm, 0, due, peak16(pcm)))
        return True


def _silence(seconds: float) -> bytes:
    return bytes(round(seconds / FRAME_S) * FRAME_BYTES)


def _frames(pcm: bytes) -> Iterator[bytes]:
    for at in range(0, len(pcm), FRAME_BYTES):
        yield pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
