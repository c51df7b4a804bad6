"""The engine as the screen, the line mode and the commands see it.

Intents and talk edges go in; subscribers receive events; status, levels and transcript are polled. All methods but
`EngineFacade.talk` belong to the event loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pinch_tui.core.events import EngineEvent, Intent, Levels, Status, TalkEdge
from pinch_tui.core.transcript.utterance import Utterance

Listener = Callable[[EngineEvent], None]


class TranscriptReader(Protocol):
    """Read access to a conversation."""

    @property
    def utterances(self) -> Sequence[Utterance]:
        """All utterances in press order; the sequence is live, its items are frozen."""

    def utterance(self, number: int) -> Utterance: ...


class EngineFacade(Protocol):
    @property
    def status(self) -> Status: ...

    @property
    def transcript(self) -> TranscriptReader: ...

    def levels(self) -> Levels: ...

    def post(self, intent: Intent) -> None:
        """Carry out an intent; returns at once."""

    def talk(self, edge: TalkEdge) -> None:
        """Report a step of the talk key. Callable from any thread; keeps order; never blocks."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Deliver every event, in order, on the loop's thread; returns a function that unsubscribes."""

    def speech_of(self, utterance: int) -> bytes:
        """All speech kept for an utterance: float32 LE mono 24 kHz, b"" for none."""

    async def run(self) -> None:
        """Work until `Quit`; the last event is `Stopped`."""
