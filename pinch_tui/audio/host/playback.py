"""Playback inside the sound host: the jitter buffer, pulled by the device's callback. Stdlib only.

The callback owns the buffer while a stream runs; the reader's thread passes commands through a deque, so neither waits
for the other. A device runs at its own rate where that is known, else at 24 kHz if it can; numpy, which resamples, is
loaded by `load` before the first stream.
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
from pinch_tui.audio.host.wire import Note, pack_heard, pack_note, read_speech
from pinch_tui.core.events import OUT_RATE

LATENCY_S = 0.02
"""Measured with 10 ms blocks: a clear is silent after 41 ms, fade included (50 at 0.03, 80 at 480/0.06), with one
underflow in 45 s beside four busy processes. A device that underflows gets more."""


def load() -> None:
    """Import what speech at another rate needs, so that the first speech does not wait for it."""
    import pinch_tui.audio.dsp.resample  # noqa: F401


class Playback(HostRole):
    """The output stream of this process. ``speech`` and ``handle`` run on the reader's thread."""

    tick_s = 0.05

    def __init__(self, sd: Any, outbox: Outbox) -> None:
        super().__init__(sd, outbox)
        self._voice: _Voice | None = None
        self._is_reference = False
        self._gain = 1.0
        self._blocks_said = 0

    def open(self, note: Note) -> None:
        """Open what the note asks for and say ``opened`` or ``failed``; the buffer starts empty."""
        self._shut()
        try:
            picked = plan(self._sd, Direction.OUTPUT, note.get("device"), OUT_RATE, "float32", route=route_of(note))
            latency = float(note.get("latency") or LATENCY_S)
            voice = _Voice(picked, self._outbox, latency)
            voice.set_gain(self._gain)
            voice.is_reference = self._is_reference
            self._voice = voice
            self._blocks_said = 0
            block = picked.rate // 100 if latency < 0.05 else picked.rate // 50
            stream = self._made(self._sd.RawOutputStream, picked, "float32", block, latency, voice.callback)
            self._start(stream)
            self._stream = stream
            voice.latency = float(stream.latency)
        except OpenError as exc:
            self._voice = None
            self._outbox.put(pack_note, failed_note(exc))
            return
        self._outbox.put(pack_note, opened_note(picked))

    def speech(self, payload: bytes) -> None:
        """Take samples for a playout. They are resampled here, so that the callback only copies."""
        voice = self._voice
        if voice is not None:
            playout, samples = read_speech(payload)
            voice.push(playout, samples)

    def handle(self, note: Note) -> None:
        voice = self._voice
        match note["kind"]:
            case "gain":
                self._gain = float(note["gain"])
                if voice is not None:
                    voice.set_gain(self._gain)
            case "reference":
                self._is_reference = bool(note["on"])
                if voice is not None:
                    voice.is_reference = self._is_reference
            case "begin" | "end" | "clear" | "cue" if voice is not None:
                voice.command(note)

    def tick(self) -> None:
        """Send the progress while the callback runs: the sign of life."""
        voice = self._voice
        if voice is not None and voice.blocks != self._blocks_said:
            self._blocks_said = voice.blocks
            self._outbox.put(voice.progress)

    def _shut(self) -> None:
        super()._shut()
        self._voice = None


class _Voice:
    """One opening's jitter buffer, resamplers, cues and counters."""

    def __init__(self, picked: Plan, outbox: Outbox, latency: float) -> None:
        self.rate = picked.rate
        self.channels = picked.channels
        self.latency = latency
        self._commands: deque[tuple[Callable[..., None], *tuple[Any, ...]]] = deque()  # what to call, and with what
        self.blocks = 0
        self.underflows = 0
        self.is_reference = False
        self._outbox = outbox
        self._jitter = JitterBuffer(picked.rate)
        self._overlay: list[array[float]] = []
        self._resamplers: dict[int, Any] = {}

    # ---- the reader's thread ----

    def push(self, playout: int, samples: bytes) -> None:
        if self.rate != OUT_RATE:
            resampler = self._resamplers.get(playout)
            if resampler is None:
                return
            samples = resampler.push(samples)
        if samples:
            self._commands.append((self._jitter.push, playout, array("f", samples)))

    def set_gain(self, gain: float) -> None:
        self._commands.append((self._jitter.set_gain, gain))

    def command(self, note: Note) -> None:
        kind, playout = note["kind"], note.get("playout")
        tail = self._follow(kind, playout) if self.rate != OUT_RATE else b""
        match kind:
            case "begin":
                self._commands.append((self._jitter.begin, playout))
            case "end":
                self._commands.append((self._jitter.end, playout, array("f", tail)))
            case "clear":
                self._commands.append((self._jitter.clear, playout))
            case "cue":
                self._commands.append((self._overlay.append, array("f", cues.render(str(note["name"]), self.rate))))

    def _follow(self, kind: str, playout: int | None) -> bytes:
        """Each playout has its own resampler, whose tail comes out at the end."""
        if kind == "begin" and playout is not None:
            from pinch_tui.audio.dsp.resample import PromptResampler

            self._resamplers[playout] = PromptResampler(OUT_RATE, self.rate, "float32")
        elif kind == "clear" and playout is None:
            self._resamplers.clear()
        elif playout is not None:
            resampler = self._resamplers.pop(playout, None)
            if resampler is not None and kind == "end":
                tail: bytes = resampler.flush()
                return tail
        return b""

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
                heard = now + (ahead if 0.0 < ahead < 1.0 else self.latency)
                for event in events:
                    self._outbox.put(self._note, event, heard)
            if self.is_reference:
                self._outbox.put(pack_heard, now, out.tobytes())

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

    def _note(self, event: Began | Ended | Underrun, heard: float) -> bytes:
        note: Note = {"playout": event.playout, "t": heard + event.offset / self.rate}
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
