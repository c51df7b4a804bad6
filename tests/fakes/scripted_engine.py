"""An engine that plays a script: for what stands above `EngineFacade` and needs no session, sound or clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pinch_tui.core.events import (
    EdgeKind,
    EngineEvent,
    Intent,
    Levels,
    Logged,
    MicState,
    NoticePosted,
    Quit,
    Severity,
    Status,
    Stopped,
    TalkEdge,
    TranscriptChanged,
)
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage
from pinch_tui.engine.facade import Listener, TranscriptReader


class ScriptedEngine:
    """Runs ``script(engine)`` once talking has begun; ends after a `Quit`. Its time moves when the script says so."""

    def __init__(self, script: Callable[[ScriptedEngine], Awaitable[None]]) -> None:
        self._script = script
        self._listeners: list[Listener] = []
        self._conversation = Transcript()
        self.status = Status(mic=MicState.OPEN)
        self.now = 1_000.0
        self.edges: list[TalkEdge] = []
        self.intents: list[Intent] = []
        self.started = asyncio.Event()
        self.committed = asyncio.Event()
        self.quit = asyncio.Event()
        self.unsettled = 0
        self.drains_by_itself = True

    # ---- EngineFacade

    @property
    def transcript(self) -> TranscriptReader:
        return self._conversation

    def levels(self) -> Levels:
        return Levels()

    def post(self, intent: Intent) -> None:
        self.intents.append(intent)
        if isinstance(intent, Quit) and (not intent.drain or self.drains_by_itself or self.quit.is_set()):
            self.quit.set()

    def talk(self, edge: TalkEdge) -> None:
        self.edges.append(edge)
        if edge.kind is EdgeKind.START:
            self._conversation.begin(Utterance(1, 1_790_000_000.0, self.ms, "en", "es", session_id="ss_1"))
            self.started.set()
        elif edge.kind is EdgeKind.COMMIT:
            self._conversation.finish(1, self.ms)
            self.committed.set()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def speech_of(self, utterance: int) -> bytes:
        return b""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            script = tasks.create_task(self._play())
            await self.quit.wait()
            script.cancel()
        self.emit(Stopped(self.unsettled))

    async def _play(self) -> None:
        await self.started.wait()
        await self._script(self)

    # ---- the script's words

    @property
    def ms(self) -> int:
        return round((self.now - 1_000.0) * 1000)

    def clock(self) -> float:
        return self.now

    def emit(self, event: EngineEvent) -> None:
        for listener in list(self._listeners):
            listener(event)

    def hear(
        self, name: str, original: str = "", translation: str = "", *, final: bool = True, attempt: int = 1
    ) -> None:
        """Texts of a segment come in."""
        for kind, text in ((TranscriptKind.ORIGINAL, original), (TranscriptKind.TRANSLATED, translation)):
            if text:
                message = TranscriptMessage(kind, name, text, final, "en", "es")
                self._conversation.apply(1, attempt, message, self.ms)
                self.emit(TranscriptChanged((1,)))

    def resend(self, attempt: int) -> None:
        self._conversation.restart(1, attempt, "ss_2")
        self.emit(TranscriptChanged((1,)))

    def end(self) -> None:
        """The input is over: committed as the real engine does at the end of its microphone."""
        self._conversation.finish(1, self.ms)
        self.committed.set()
        self.emit(TranscriptChanged((1,)))

    def settle(self) -> None:
        self._conversation.settle(1, self.ms)
        self.emit(TranscriptChanged((1,)))

    def fail(
        self,
        topic: str,
        title: str,
        code: int | None = None,
        *,
        is_retrying: bool = False,
        is_credential: bool = False,
    ) -> None:
        self.emit(NoticePosted(topic, Severity.WARNING if is_retrying else Severity.ERROR, title, "", is_retrying))
        fields = {"topic": topic, "title": title, "code": code, "credential": is_credential}
        self.emit(Logged(self.now, "error", fields))
