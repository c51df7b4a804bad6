"""A scriptable engine for the screen: facts are pushed by the test, intents and edges are recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pinch_tui.core.events import (
    ChangeSession,
    EngineEvent,
    Intent,
    Levels,
    MicState,
    NoticePosted,
    Quit,
    SessionParams,
    SetVolume,
    Severity,
    StateWord,
    Status,
    StatusChanged,
    Stopped,
    TalkEdge,
    TranscriptChanged,
)
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.engine.facade import Listener
from pinch_tui.services.pinch.traits import PINCH


@dataclass
class FakeTranscript:
    utterances: list[Utterance] = field(default_factory=list)

    def utterance(self, number: int) -> Utterance:
        return next(u for u in self.utterances if u.number == number)


class FakeEngine:
    """Implements `EngineFacade`. ``stops_on_quit``: a draining `Quit` is answered with `Stopped` at once."""

    def __init__(self, status: Status | None = None, *, stops_on_quit: bool = True) -> None:
        self.status = status or Status(
            word=StateWord.READY,
            session_id="3f2a91c0-77aa-4f0e-9d10-1a2b3c4d5e6f",
            service=PINCH,
            mic=MicState.OPEN,
            mic_name="Built-in Audio",
            has_speaker=True,
            speaker_name="Headphones",
        )
        self.transcript = FakeTranscript()
        self.now_levels = Levels(peak_dbfs=-32.0, hold_dbfs=-21.0)
        self.intents: list[Intent] = []
        self.edges: list[TalkEdge] = []
        self.speech: dict[int, bytes] = {}
        self.n_level_polls = 0
        self.was_cancelled = False
        self.is_running = False
        self.stops_on_quit = stops_on_quit
        self._listeners: list[Listener] = []
        self._stopped = asyncio.Event()

    # ---- the facade ------------------------------------------------------------------------------------------------

    def levels(self) -> Levels:
        self.n_level_polls += 1
        return self.now_levels

    def post(self, intent: Intent) -> None:
        self.intents.append(intent)
        match intent:
            case ChangeSession(params):
                self.set_status(params=params)
            case SetVolume(volume, is_muted):
                self.set_status(volume=volume, is_muted=is_muted)
            case Quit(drain):
                if self.stops_on_quit or not drain:
                    self.stop()
            case _:
                pass

    def talk(self, edge: TalkEdge) -> None:
        self.edges.append(edge)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def speech_of(self, utterance: int) -> bytes:
        return self.speech.get(utterance, b"")

    async def run(self) -> None:
        self.is_running = True
        try:
            await self._stopped.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        finally:
            self.is_running = False
        self.say(Stopped())

    # ---- the script ------------------------------------------------------------------------------------------------

    def say(self, event: EngineEvent) -> None:
        for listener in list(self._listeners):
            listener(event)

    def set_status(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        self.say(StatusChanged(self.status))

    def notice(
        self, severity: Severity, title: str, hint: str = "", *, topic: str = "t", retrying: bool = False
    ) -> None:
        self.say(NoticePosted(topic, severity, title, hint, retrying))

    def put(self, *utterances: Utterance) -> None:
        """Add or replace utterances by number."""
        for utterance in utterances:
            rows = self.transcript.utterances
            at = next((n for n, row in enumerate(rows) if row.number == utterance.number), None)
            if at is None:
                rows.append(utterance)
            else:
                rows[at] = utterance
        self.say(TranscriptChanged(tuple(u.number for u in utterances)))

    def stop(self) -> None:
        self._stopped.set()

    @property
    def params(self) -> SessionParams:
        return self.status.params


def line(
    number: int,
    original: str,
    translation: str,
    *,
    source: str = "en",
    target: str = "es",
    state: UtteranceState = UtteranceState.SETTLED,
    is_final: bool = True,
    **more: Any,
) -> Utterance:
    """An utterance of one segment."""
    segment = Segment(
        id=f"c{number}",
        original=original,
        original_is_final=is_final,
        original_stable=len(original) if is_final else 0,
        translation=translation,
        translation_is_final=is_final,
        translation_stable=len(translation) if is_final else 0,
        source_language=source,
        target_language=target,
    )
    return Utterance(
        number,
        started=1_790_000_000.0 + 20 * number,
        start_ms=20_000 * number,
        source=source,
        target=target,
        state=state,
        segments=(segment,) if original or translation else (),
        **more,
    )
