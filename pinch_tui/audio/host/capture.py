"""Capture inside the sound host: the callback copies blocks, the writer's thread turns them into frames.

Stdlib only; numpy and soxr are loaded only for a device that does not offer 16 kHz mono.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace
from typing import Any

from pinch_tui.audio.devices.choice import Direction
from pinch_tui.audio.dsp.framer import Framer
from pinch_tui.audio.dsp.loudness import peak16
from pinch_tui.audio.host.streams import (
    HostRole,
    OpenError,
    Outbox,
    Plan,
    failed_note,
    keeps_unread_blocks,
    opened_note,
    plan,
    route_of,
)
from pinch_tui.audio.host.wire import Note, pack_frame, pack_note
from pinch_tui.core.events import FRAME_S, FRAME_SAMPLES, IN_RATE

LATENCY_S = 0.06
"""With 'low', 'high' and 0.1, two callbacks came back to back every 40 ms (measured)."""
BACKLOG = 3000
"""Blocks that can wait for the program (60 s); further ones are dropped and counted."""
BEHIND_S = 1.5 * FRAME_S
"""If a block is older than this, the device already has newer ones."""


def _downmix(data: bytes, channels: int) -> bytes:
    """The mean of the first two channels; an interface's further channels are rarely microphones."""
    import numpy as np

    samples = np.frombuffer(data, dtype="<i2").reshape(-1, channels)[:, :2]
    return bytes(np.rint(samples.mean(axis=1)).astype("<i2").tobytes())


class Capture(HostRole):
    """The input stream of this process. Its frames are its sign of life."""

    def __init__(self, sd: Any, outbox: Outbox) -> None:
        super().__init__(sd, outbox)
        self._frames: _Frames | None = None
        self._batch = 1  # blocks sent at a time
        self._is_announced = False
        self._may_rest = False
        self.urgent = threading.Event()
        """Wakes the device's thread, which sleeps between batches."""

    def open(self, note: Note) -> None:
        """Open the requested device and report ``opened`` or ``failed``."""
        self._shut()
        try:
            picked = plan(self._sd, Direction.INPUT, note.get("device"), IN_RATE, "int16", route=route_of(note))
            self._stream, rate = self._started(picked)
        except OpenError as exc:
            self._outbox.put(pack_note, failed_note(exc))
            return
        self._outbox.put(pack_note, opened_note(replace(picked, rate=rate)))
        self._is_announced = True

    def handle(self, note: Note) -> None:
        """Runs on the reader's thread. ``batch``: send this many blocks at a time, the waiting ones at once."""
        if note["kind"] == "batch":
            self._batch = max(1, int(note["frames"]))
            self._set_urgent()
            if self._is_announced and (frames := self._frames) is not None:
                self._outbox.put(frames.render)

    def _started(self, picked: Plan) -> tuple[Any, int]:
        """The running stream and its actual rate, which the hardware may round."""
        outbox = self._outbox
        monotonic = time.monotonic

        def callback(indata: Any, n_samples: int, times: Any, status: Any) -> None:
            age = times.currentTime - times.inputBufferAdcTime
            waiting = frames.add(bytes(indata), n_samples, monotonic(), age, bool(status.input_overflow))
            # Blocks that arrive before ``opened`` is reported wait for it.
            if not self._is_announced or waiting < self._batch:
                return
            outbox.put(frames.render)
            if status.input_overflow:
                self._may_rest = False
            elif self._may_rest and age < BEHIND_S and (batch := self._batch) > 1:
                self.urgent.wait(batch * FRAME_S)

        stream = self._make_stream(self._sd.RawInputStream, picked, "int16", picked.rate // 50, LATENCY_S, callback)
        rate = round(stream.samplerate)
        frames = self._frames = _Frames(rate, picked.channels)
        self._start(stream)
        self._may_rest = keeps_unread_blocks(picked.device)
        return stream, rate

    def _set_urgent(self) -> None:
        if self._batch > 1:
            self.urgent.clear()
        else:
            self.urgent.set()

    def _shut(self) -> None:
        self._frames = None
        self._is_announced = False
        self._may_rest = False
        self.urgent.set()  # closing waits for the device's thread
        super()._shut()
        self._set_urgent()


class _Frames:
    """The blocks of one opened stream, turned into packed frames."""

    def __init__(self, rate: int, channels: int) -> None:
        self._blocks: deque[tuple[bytes, int, float, float, bool, int]] = deque()
        self._skipped = 0
        self._resampler: Any = None
        if rate != IN_RATE:
            from pinch_tui.audio.dsp.resample import Resampler

            self._resampler = Resampler(rate, IN_RATE, "int16")
        self._framer = Framer()
        self._rate = rate
        self._channels = channels
        self._last_t: float | None = None
        self._lost = 0

    def add(self, data: bytes, n_samples: int, now: float, age: float, has_overflown: bool) -> int:
        """On the device's thread: queue a block and return the number of queued ones. ``now``: its arrival; ``age``:
        seconds since its first sample; ``has_overflown``: samples before it are missing."""
        if len(self._blocks) >= BACKLOG:
            self._skipped += n_samples
            return 0
        self._blocks.append((data, n_samples, now, age, has_overflown, self._skipped))
        self._skipped = 0
        return len(self._blocks)

    def render(self) -> bytes:
        """On the writer's thread: the frames of all queued blocks."""
        out = b""
        while self._blocks:
            out += self._render(*self._blocks.popleft())
        return out

    def _render(
        self, data: bytes, n_samples: int, now: float, age: float, has_overflown: bool, n_skipped: int
    ) -> bytes:
        # Some host APIs report an age of zero, or nonsense.
        t = min(now, now - age + n_samples / self._rate) if 0.0 < age < 0.5 else now
        if has_overflown:
            self._lost += self._gap(t, n_samples)
        self._lost += round(n_skipped * IN_RATE / self._rate)
        self._last_t = t
        if self._channels > 1:
            data = _downmix(data, self._channels)
        pending_s = 0.0
        if self._resampler is not None:
            data = self._resampler.push(data)
            pending_s = self._resampler.delay_s
        frames = self._framer.push(data)
        pending_s += self._framer.pending / 2 / IN_RATE
        out = b""
        for i, pcm in enumerate(frames):
            newer_s = (len(frames) - 1 - i) * FRAME_S
            out += pack_frame(t - pending_s - newer_s, peak16(pcm), self._lost, pcm)
            self._lost = 0
        return out

    def _gap(self, t: float, n_samples: int) -> int:
        """Lost samples, estimated from the elapsed time because PortAudio does not count them; at least a block."""
        if self._last_t is None:
            return FRAME_SAMPLES
        missing = (t - self._last_t - n_samples / self._rate) * IN_RATE
        return max(FRAME_SAMPLES, round(missing))
