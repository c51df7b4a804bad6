"""A speaker that a test listens to: it plays at once (``instant``), or as far as `advance` says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from pinch_tui.audio.adapters.inbox import Inbox
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import OUT_RATE
from pinch_tui.core.sound import (
    PlayoutEnded,
    PlayoutStarted,
    SpeakerEvent,
    SpeakerFailed,
    SpeakerOpened,
    Underran,
)
from pinch_tui.errors import AudioError


@dataclass(slots=True)
class _Playout:
    number: int
    waiting: bytes = b""
    played: int = 0
    is_ended: bool = False


class FakeSpeaker:
    """``heard`` is all that was played (float32 bytes), ``log`` every call in order as (name, argument)."""

    def __init__(self, clock: Clock, *, name: str = "fake speaker", instant: bool = True) -> None:
        self._clock = clock
        self._instant = instant
        self._inbox: Inbox[SpeakerEvent] = Inbox()
        self._inbox.put(SpeakerOpened(name, OUT_RATE))
        self._queue: list[_Playout] = []
        self._is_shut = False
        self.heard = b""
        self.heard_of: dict[int, bytes] = {}
        self.dropped = 0.0
        self.log: list[tuple[str, object]] = []
        self.gain = 1.0
        self.cues: list[str] = []
        self.device: str | None = None

    # ---- the port ----

    def begin(self, playout: int) -> None:
        self.log.append(("begin", playout))
        if not self._is_shut and all(entry.number != playout for entry in self._queue):
            self._queue.append(_Playout(playout))

    def play(self, playout: int, chunk: bytes) -> None:
        self.log.append(("play", playout))
        for entry in self._queue:
            if entry.number == playout and not entry.is_ended:
                entry.waiting += chunk[: len(chunk) // 4 * 4]
        if self._instant:
            self.advance(float("inf"))

    def end(self, playout: int) -> None:
        self.log.append(("end", playout))
        for entry in self._queue:
            if entry.number == playout:
                entry.is_ended = True
        if self._instant:
            self.advance(float("inf"))

    def clear(self, playout: int | None = None) -> None:
        self.log.append(("clear", playout))
        for entry in [entry for entry in self._queue if playout in (None, entry.number)]:
            self._queue.remove(entry)
            self._inbox.put(PlayoutEnded(entry.number, self._clock.monotonic(), entry.played, was_cleared=True))
        if self._instant:
            self.advance(float("inf"))

    def set_gain(self, gain: float) -> None:
        self.log.append(("gain", gain))
        self.gain = gain

    def cue(self, name: str) -> None:
        self.log.append(("cue", name))
        self.cues.append(name)

    def dropped_s(self) -> float:
        return self.dropped

    def buffered_s(self) -> float:
        return sum(len(entry.waiting) for entry in self._queue) / 4 / OUT_RATE

    def select(self, device: str | None) -> None:
        self.log.append(("select", device))
        self.device = device

    def events(self) -> AsyncIterator[SpeakerEvent]:
        return self._inbox.__aiter__()

    async def aclose(self) -> None:
        if not self._is_shut:
            self.clear()
            self._is_shut = True
            self._inbox.close()

    # ---- the test's side ----

    def advance(self, seconds: float) -> None:
        """Play what is there for this long; ended playouts that are through give way to the next."""
        room = 1 << 60 if seconds == float("inf") else round(seconds * OUT_RATE)
        while self._queue:
            entry = self._queue[0]
            piece, entry.waiting = entry.waiting[: room * 4], entry.waiting[room * 4 :]
            if piece:
                if not entry.played:
                    self._inbox.put(PlayoutStarted(entry.number, self._clock.monotonic()))
                entry.played += len(piece) // 4
                room -= len(piece) // 4
                self.heard += piece
                self.heard_of[entry.number] = self.heard_of.get(entry.number, b"") + piece
            if entry.waiting or not entry.is_ended:
                return
            self._queue.pop(0)
            self._inbox.put(PlayoutEnded(entry.number, self._clock.monotonic(), entry.played, was_cleared=False))

    def underrun(self, playout: int) -> None:
        self._inbox.put(Underran(playout, self._clock.monotonic()))

    def fail(self, error: AudioError | None = None, *, is_retrying: bool = True) -> None:
        error = error or AudioError("The loudspeaker was disconnected.", "Looking for it.")
        self._inbox.put(SpeakerFailed(error, is_retrying))

    def opened(
        self, name: str = "fake speaker", *, is_substitute: bool = False, is_headphones: bool | None = None
    ) -> None:
        self._inbox.put(SpeakerOpened(name, OUT_RATE, is_headphones, is_substitute))
