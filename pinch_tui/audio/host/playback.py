"""Playback inside the sound host: the device's callback pulls from the jitter buffer. Stdlib only.

The callback owns the buffer while a stream runs; the reader's thread passes it commands through a deque, so neither
waits for the other. A device runs at its own rate if that is known, else at 24 kHz if it can. numpy, which resampling
needs, is loaded by `load` before the first stream.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Callable
from typing import Any

from pinch_tui.audio.devices.choice import Direction
from pinch_tui.audio.dsp import cues
from pinch_tui.audio.dsp.jitter import Began, Ended, JitterBuffer, Underrun
from pinch_tui.audio.host.streams import HostRole, OpenError, Outbox, Plan, failed_note, opened_note, plan, route_of
from pinch_tui.audio.host.wire import Note, pack_note, pack_played, read_speech
from pinch_tui.core.events import OUT_RATE

LATENCY_S = 0.02
"""Measured with 10 ms blocks: a clear is silent after 41 ms, fade included (50 ms at 0.03; 80 ms at 0.06 with 20 ms
blocks), with one underflow in 45 s beside four busy processes. A device that keeps underflowing gets more."""


def load() -> None:
    """Import the resampler, so that the first speech does not wait for it."""
    import pinch_tui.audio.dsp.resample  # noqa: F401


class Playback(HostRole):
    """The output stream of this process. ``speech`` and ``handle`` run on the reader's thread."""

    tick_s = 0.05

    def __init__(self, sd: Any, outbox: Outbox) -> None:
        super().__init__(sd, outbox)
        self._player: _Player | None = None
        self._is_reference = False
        self._gain = 1.0
        self._blocks_reported = 0

    def open(self, note: Note) -> None:
        """Open the requested device with an empty buffer, and report ``opened`` or ``failed``."""
        self._shut()
        try:
            picked = plan(self._sd, Direction.OUTPUT, note.get("device"), OUT_RATE, "float32", route=route_of(note))
            latency = float(note.get("latency") or LATENCY_S)
            player = _Player(picked, self._outbox, latency)
            player.set_gain(self._gain)
            player.is_reference = self._is_reference
            self._player = player
            self._blocks_reported = 0
            block = picked.rate // 100 if latency < 0.05 else picked.rate // 50
            stream = self._make_stream(self._sd.RawOutputStream, picked, "float32", block, latency, player.callback)
            self._start(stream)
            self._stream = stream
            player.latency = float(stream.latency)
        except OpenError as exc:
            self._player = None
            self._outbox.put(pack_note, failed_note(exc))
            return
        self._outbox.put(pack_note, opened_note(picked))

    def speech(self, payload: bytes) -> None:
        """Add samples to a playout. They are resampled here, so that the callback only copies."""
        player = self._player
        if player is not None:
            player.push(*read_speech(payload))

    def handle(self, note: Note) -> None:
        player = self._player
        match note["kind"]:
            case "gain":
                self._gain = float(note["gain"])
                if player is not None:
                    player.set_gain(self._gain)
            case "reference":
                self._is_reference = bool(note["on"])
                if player is not None:
                    player.is_reference = self._is_reference
            case "begin" | "end" | "clear" | "cue" if player is not None:
                player.command(note)

    def tick(self) -> None:
        """Report progress, the sign of life, if the callback has run."""
        player = self._player
        if player is not None and player.blocks != self._blocks_reported:
            self._blocks_reported = player.blocks
            self._outbox.put(player.progress)

    def _shut(self) -> None:
        super()._shut()
        self._player = None


class _Player:
    """The jitter buffer, resamplers, cues and counters of one opened stream."""

    def __init__(self, picked: Plan, outbox: Outbox, latency: float) -> None:
        self.rate = picked.rate
        self.channels = picked.channels
        self.latency = latency
        self._commands: deque[tuple[Callable[..., None], *tuple[Any, ...]]] = deque()  # (function, *arguments)
        self.blocks = 0
        self.underflows = 0
        self.is_reference = False
        self._outbox = outbox
        self._jitter = JitterBuffer(picked.rate)
        self._overlay: list[array[float]] = []
        self._resamplers: dict[Any, Any] = {}  # playout -> its Resampler

    # ---- the reader's thread ----

    def push(self, playout: int, samples: bytes) -> None:
        resampler = self._resamplers.get(playout)
        if resampler is not None and (resampled := resampler.push(samples)):
            self._commands.append((self._jitter.push, playout, array("f", resampled)))

    def set_gain(self, gain: float) -> None:
        self._commands.append((self._jitter.set_gain, gain))

    def command(self, note: Note) -> None:
        playout = note.get("playout")
        match note["kind"]:
            case "begin":
                from pinch_tui.audio.dsp.resample import Resampler

                self._resamplers[playout] = Resampler(OUT_RATE, self.rate, "float32", is_prompt=True)
                self._commands.append((self._jitter.begin, playout))
            case "end":
                self._resamplers.pop(playout, None)
                self._commands.append((self._jitter.end, playout))
            case "clear":
                for number in list(self._resamplers) if playout is None else [playout]:
                    self._resamplers.pop(number, None)
                self._commands.append((self._jitter.clear, playout))
            case "cue":
                self._commands.append((self._overlay.append, array("f", cues.render(str(note["name"]), self.rate))))

    # ---- the device's thread ----

    def callback(self, outdata: Any, n_samples: int, times: Any, status: Any) -> None:
        while self._commands:
            do, *arguments = self._commands.popleft()
            do(*arguments)
        out = self._jitter.pull(n_samples)
        if self._overlay:
            self._mix(out)
        if self.channels == 1:
            outdata[:] = out.tobytes()
        else:
            wide = array("f", bytes(4 * n_samples * self.channels))
            for channel in range(self.channels):
                wide[channel :: self.channels] = out
            outdata[:] = wide.tobytes()
        self.blocks += 1
        if status.output_underflow:
            self.underflows += 1
        events = self._jitter.take_events()
        if events or self.is_reference:
            now = time.monotonic()
            if events:
                ahead = times.outputBufferDacTime - times.currentTime
                block_t = now + (ahead if 0.0 < ahead < 1.0 else self.latency)
                for event in events:
                    self._outbox.put(self._note, event, block_t)
            if self.is_reference:
                self._outbox.put(pack_played, now, out.tobytes())

    def _mix(self, out: array[float]) -> None:
        for samples in self._overlay:
            for i in range(min(len(out), len(samples))):
                value = out[i] + samples[i]
                out[i] = 1.0 if value > 1.0 else -1.0 if value < -1.0 else value
            del samples[: len(out)]
        self._overlay[:] = [samples for samples in self._overlay if samples]

    # ---- the writer's thread ----

    def _at_24k(self, samples: int) -> int:
        return samples if self.rate == OUT_RATE else round(samples * OUT_RATE / self.rate)

    def _note(self, event: Began | Ended | Underrun, block_t: float) -> bytes:
        note: Note = {"playout": event.playout, "t": block_t + event.offset / self.rate}
        match event:
            case Began():
                note["kind"] = "began"
            case Underrun():
                note["kind"] = "dry"
            case Ended():
                note |= {"kind": "over", "played": self._at_24k(event.played), "cleared": event.was_cleared}
        return pack_note(note)

    def progress(self) -> bytes:
        position = self._jitter.position()
        playout, played = position if position is not None else (None, 0)
        note = {"playout": playout, "played": self._at_24k(played), "underflows": self.underflows}
        return pack_note({"kind": "progress", **note})
