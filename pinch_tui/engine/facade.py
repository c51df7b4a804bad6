"""What the screen, the line mode and the commands see of the engine.

`EngineFacade` is the whole surface: intents and talk edges go in, facts come out to subscribers, snapshots
and levels are polled. All methods but `talk` belong to the event loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pinch_tui.core.events import EngineEvent, Intent, Levels, Status, TalkEdge
from pinch_tui.core.transcript.utterance import Utterance

Listener = Callable[[EngineEvent], None]


class TranscriptView(Protocol):
    """Read access to the conversation."""

    @property
    def utterances(self) -> Sequence[Utterance]:
        """All of them in press order; the sequence is live, its items are frozen."""

    def utterance(self, number: int) -> Utterance: ...


class EngineFacade(Protocol):
    @property
    def status(self) -> Status: ...

    @property
    def transcript(self) -> TranscriptView: ...

    def levels(self) -> Levels: ...

    def post(self, intent: Intent) -> None:
        """Ask for something; returns at once."""

    def talk(self, edge: TalkEdge) -> None:
        """A step of the talk key. May be called from any thread; keeps order; never blocks."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear every fact, called on the loop's thread in order; returns the way to stop."""

    def speech_of(self, utterance: int) -> bytes:
        """All speech received for an utterance: float32 LE mono 24 kHz, b"" when there is none (any more)."""

    async def run(self) -> None:
        """Work until stopped by `Quit`; the last fact is `Stopped`."""
