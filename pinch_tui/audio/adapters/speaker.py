"""The speaker's adapter. Playouts survive a restart of the sound host.

The first playout or cue opens the output stream; `IDLE_S` without sound closes it. Without a loudspeaker, playouts wait
for `PATIENCE_S` and then end unplayed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from pinch_tui.audio.adapters.inbox import Inbox
from pinch_tui.audio.adapters.ledger import Ledger, Playout
from pinch_tui.audio.adapters.stream import HostStream
from pinch_tui.audio.host.playback import LATENCY_S as DEFAULT_LATENCY_S
from pinch_tui.audio.host.supervision import Command, LookForDevice, ReportClosed, ReportFailed, ReportOpened
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.audio.host.wire import Kind, Note, pack_note, pack_speech, read_played
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

IDLE_S: Final = 30.0
PATIENCE_S: Final = 10.0
UNDERFLOW_LIMIT: Final = 3
"""Device underflows after which the latency is raised to `SAFE_LATENCY_S`."""
SAFE_LATENCY_S: Final = 0.06

Played = Callable[[float, bytes, int], None]
"""(time, float32 samples, their rate): receives the samples that went to the loudspeaker."""


class HostSpeaker(HostStream):
    """A `Speaker`."""

    def __init__(self, host: SoundHost, *, clock: Clock, device: str | None = None) -> None:
        super().__init__(host.playback, clock, device, OUT_RATE)
        self._on_played: Played | None = None
        self._inbox: Inbox[SpeakerEvent] = Inbox()
        self._ledger = Ledger()
        self._is_open = False
        self._gain = 1.0
        self._latency = DEFAULT_LATENCY_S
        self._cues: list[str] = []
        self._clearing: dict[int, Playout] = {}
        self._idle: asyncio.TimerHandle | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._has_headphones: bool | None = None  # as last reported
        self._runner.on_message = self._message
        self._runner.on_note = self._note
        self._runner.on_command = self._command
        self.is_headphones: Callable[[], bool | None] = lambda: None

    # ---- the port ----

    def begin(self, playout: int) -> None:
        if self._is_shut:
            return
        self._ledger.begin(playout)
        self._request_stream()
        self._pump()

    def play(self, playout: int, chunk: bytes) -> None:
        from pinch_tui.audio.dsp.pcm import clean_speech  # imports numpy, which is loaded after the first paint

        samples = clean_speech(chunk)
        if samples and self._ledger.push(playout, samples):
            self._pump()

    def end(self, playout: int) -> None:
        self._ledger.end(playout)
        self._pump()

    def clear(self, playout: int | None = None) -> None:
        for entry in self._ledger.remove(playout):
            if self._is_open and entry.is_begun_at_host:
                self._runner.write(pack_note({"kind": "clear", "playout": entry.number}))
                self._clearing[entry.number] = entry  # until the host reports how much was played
            else:
                self._cleared(entry, self._clock.monotonic())
        self._close_when_idle()

    def set_gain(self, gain: float) -> None:
        self._gain = min(2.0, max(0.0, gain))
        self._runner.write(pack_note({"kind": "gain", "gain": self._gain}))

    def cue(self, name: str) -> None:
        if self._is_shut:
            return
        if self._is_open:
            self._runner.write(pack_note({"kind": "cue", "name": name}))
            self._close_when_idle()
        else:
            self._cues = [name]  # once late, only the newest matters
            self._request_stream()

    def buffered_s(self) -> float:
        return self._ledger.buffered / OUT_RATE

    def dropped_s(self) -> float:
        return self._ledger.dropped / OUT_RATE

    def events(self) -> AsyncIterator[SpeakerEvent]:
        return self._inbox.__aiter__()

    async def aclose(self) -> None:
        if self._is_shut:
            return
        self.clear()
        self._stream_lost()
        self._is_shut = True
        self._cancel_timers()
        self._runner.shut()
        self._inbox.close()

    def set_reference(self, on_played: Played | None) -> None:
        """Pass the samples that go to the loudspeaker to ``on_played``, for echo cancellation; None stops it."""
        self._on_played = on_played
        if self._is_open:
            self._runner.write(pack_note({"kind": "reference", "on": on_played is not None}))

    def check_headphones(self) -> None:
        """Report headphones that were plugged into, or out of, the same device."""
        if self._is_open and self.is_headphones() != self._has_headphones:
            self._say_opened()

    def _say_opened(self, note: str = "") -> None:
        self._has_headphones = self.is_headphones()
        self._inbox.put(SpeakerOpened(self.name, self._rate, self._has_headphones, self._is_substitute, note))

    # ---- to the host ----

    def _request_stream(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        self._runner.open()
        if not self._is_open and self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(PATIENCE_S, self._give_up)

    def _pump(self) -> None:
        """Send the host as many samples as it may hold, playout by playout."""
        if not self._is_open:
            return
        for entry in list(self._ledger.entries.values()):
            if not entry.is_begun_at_host:
                entry.is_begun_at_host = True
                self._runner.write(pack_note({"kind": "begin", "playout": entry.number}))
            while samples := self._ledger.next_samples(entry):
                self._runner.write(pack_speech(entry.number, samples))
            if entry.sent < entry.pushed:
                return
            if entry.is_ended and not entry.is_end_sent:
                entry.is_end_sent = True
                self._runner.write(pack_note({"kind": "end", "playout": entry.number}))

    def _give_up(self) -> None:
        """There was no loudspeaker for `PATIENCE_S`: drop the waiting playouts and cues."""
        self._waiting = None
        if not self._is_open:
            self.clear()
            self._cues.clear()

    def _close_when_idle(self) -> None:
        """If nothing is left to play, close the stream after `IDLE_S`."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._ledger.entries:
            return
        host = self._runner.supervision
        if self._is_open and self._latency != (host.latency or self._latency):
            self._runner.reopen()
        if host.is_wanted and not self._is_shut:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._runner.close)

    def _cancel_timers(self) -> None:
        for timer in (self._idle, self._waiting):
            if timer is not None:
                timer.cancel()
        self._idle = self._waiting = None

    # ---- from the host ----

    def _message(self, kind: Kind, payload: bytes) -> None:
        if kind is Kind.PLAYED and self._on_played is not None:
            t, samples = read_played(payload)
            self._on_played(t, samples, self._rate)

    def _note(self, note: Note) -> None:
        match note["kind"]:
            case "began":
                self._began(int(note["playout"]), float(note["t"]))
            case "dry":
                self._inbox.put(Underran(int(note["playout"]), float(note["t"])))
            case "over":
                self._over(note)
            case "progress":
                self._underflowed(int(note["underflows"]))
                if note["playout"] is not None:
                    self._ledger.confirm(int(note["playout"]), int(note["played"]))
                    self._pump()

    def _underflowed(self, count: int) -> None:
        """Raise the latency of a device that keeps underflowing; takes effect at the next pause."""
        if count >= UNDERFLOW_LIMIT and self._runner.supervision.latency is None:
            self._runner.supervision.latency = SAFE_LATENCY_S

    def _began(self, playout: int, t: float) -> None:
        entry = self._ledger.entries.get(playout)
        if entry is not None and not entry.has_started:
            entry.has_started = True
            self._inbox.put(PlayoutStarted(playout, t))

    def _over(self, note: Note) -> None:
        number = int(note["playout"])
        cleared = self._clearing.pop(number, None)
        if cleared is not None:
            cleared.played = min(cleared.sent, cleared.base + int(note["played"]))
            self._cleared(cleared, float(note["t"]))
            return
        entry = self._ledger.entries.get(number)
        if entry is None or not entry.is_end_sent:
            return
        entry.played = entry.pushed
        self._ledger.remove(entry.number)
        self._inbox.put(PlayoutEnded(entry.number, float(note["t"]), entry.played, was_cleared=False))
        self._pump()
        self._close_when_idle()

    def _cleared(self, entry: Playout, t: float) -> None:
        self._inbox.put(PlayoutEnded(entry.number, t, entry.played, was_cleared=True))

    def _command(self, command: Command) -> None:
        match command:
            case ReportOpened(note):
                self._opened(note)
            case ReportFailed(error, is_retrying):
                self._stream_lost()
                self._inbox.put(SpeakerFailed(error, is_retrying))
                if not is_retrying:
                    self.clear()
            case ReportClosed():
                self._stream_lost()
            case LookForDevice():
                self.on_look()
            case _:
                return

    def _opened(self, note: Note) -> None:
        self._stream_lost()
        self._is_open = True
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._latency = self._runner.supervision.latency or DEFAULT_LATENCY_S
        remark = self._take_opened(note)
        self._runner.write(pack_note({"kind": "gain", "gain": self._gain}))
        if self._on_played is not None:
            self._runner.write(pack_note({"kind": "reference", "on": True}))
        for name in self._cues:
            self._runner.write(pack_note({"kind": "cue", "name": name}))
        self._cues.clear()
        self.on_opened(note)
        self._say_opened(remark)
        self._pump()
        self._close_when_idle()

    def _stream_lost(self) -> None:
        """The stream is gone, and with it the samples that the host held."""
        self._is_open = False
        self.on_closed()
        self._ledger.host_lost()
        for entry in self._clearing.values():
            self._cleared(entry, self._clock.monotonic())
        self._clearing.clear()
        if self._ledger.entries and self._waiting is None and not self._is_shut:
            self._waiting = asyncio.get_running_loop().call_later(PATIENCE_S, self._give_up)
