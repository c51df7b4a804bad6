"""Capture inside the sound host: the callback copies, the writer's thread makes frames. Stdlib only.

numpy and soxr are loaded only for a device that cannot do 16 kHz mono by itself.
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
    keeps_unread,
    opened_note,
    plan,
    route_of,
)
from pinch_tui.audio.host.wire import Note, pack_frame, pack_note
from pinch_tui.core.events import FRAME_S, FRAME_SAMPLES, IN_RATE

LATENCY_S = 0.06
"""With 'low', 'high' and 0.1, two callbacks came back to back every 40 ms (measured)."""
BACKLOG = 3000
"""Blocks that may wait for the program (60 s); more are dropped and counted."""
BEHIND_S = 1.5 * FRAME_S
"""A block that is older than this is not the newest one that the device has."""


class Mono16:
    """Blocks of a device -> mono 16 kHz int16, with a constant delay."""

    def __init__(self, rate: int, channels: int) -> None:
        self.rate = rate
        self.channels = channels
        self._resampler: Any = None
        if rate != IN_RATE:
            from pinch_tui.audio.dsp.resample import Resampler

            self._resampler = Resampler(rate, IN_RATE, "int16")
        self._fed = 0
        self._given = 0

    @property
    def lag_s(self) -> float:
        """The delay: seconds that went in and did not come out yet."""
        return self._fed / self.rate - self._given / IN_RATE

    def push(self, data: bytes) -> bytes:
        if self.channels > 1:
            data = _downmix(data, self.channels)
        if self._resampler is None:
            return data
        self._fed += len(data) // 2
        out: bytes = self._resampler.push(data)
        self._given += len(out) // 2
        return out


def _downmix(data: bytes, channels: int) -> bytes:
    """The mean of the first two channels; further channels of an interface are rarely microphones."""
    import numpy as np

    from pinch_tui.audio.dsp.pcm import mono16

    return bytes(mono16(np.frombuffer(data, dtype="<i2").reshape(-1, channels)[:, :2]).tobytes())


class Capture(HostRole):
    """The input stream of this process. The frames themselves are its sign of life."""

    def __init__(self, sd: Any, outbox: Outbox) -> None:
        super().__init__(sd, outbox)
        self._frames: _Frames | None = None
        self._together = 1
        self._is_announced = False
        self._may_rest = False
        self.urgent = threading.Event()
        """Ends the rest of the device's thread, which blocks nobody waits for do not wake."""

    def open(self, note: Note) -> None:
        """Open what the note asks for and say ``opened`` or ``failed``."""
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
        """On the reader's thread. ``together``: send this many blocks at once; waiting ones go out now."""
        if note["kind"] == "together":
            self._together = max(1, int(note["frames"]))
            self._set_urgent()
            if self._is_announced and (frames := self._frames) is not None:
                self._outbox.put(frames.render)

    def _started(self, picked: Plan) -> tuple[Any, int]:
        """The running stream and its actual rate, which hardware may round."""
        outbox = self._outbox
        monotonic = time.monotonic

        def callback(indata: Any, n_samples: int, times: Any, status: Any) -> None:
            age = times.currentTime - times.inputBufferAdcTime
            waiting = frames.add(bytes(indata), n_samples, monotonic(), age, bool(status.input_overflow))
            # The device may deliver before this thread has said ``opened``; its first blocks wait for that.
            if not self._is_announced or waiting < self._together:
                return
            outbox.put(frames.render)
            if status.input_overflow:
                self._may_rest = False
            elif self._may_rest and age < BEHIND_S and (together := self._together) > 1:
                self.urgent.wait(together * FRAME_S)

        stream = self._made(self._sd.RawInputStream, picked, "int16", picked.rate // 50, LATENCY_S, callback)
        rate = round(stream.samplerate)
        frames = self._frames = _Frames(rate, picked.channels)
        self._start(stream)
        self._may_rest = keeps_unread(picked.device)
        return stream, rate

    def _set_urgent(self) -> None:
        if self._together > 1:
            self.urgent.clear()
        else:
            self.urgent.set()

    def _shut(self) -> None:
        self._frames = None
        self._is_announced = False
        self._may_rest = False
        self.urgent.set()  # the stream ends when its thread does
        super()._shut()
        self._set_urgent()


class _Frames:
    """Turns blocks into packed frames on the writer's thread; one for each opening."""

    def __init__(self, rate: int, channels: int) -> None:
        self._blocks: deque[tuple[bytes, int, float, float, bool, int]] = deque()
        self._skipped = 0
        self._convert = Mono16(rate, channels)
        self._framer = Framer()
        self._rate = rate
        self._last_t: float | None = None
        self._lost = 0

    def add(self, data: bytes, n_samples: int, now: float, age: float, has_overflown: bool) -> int:
        """On the device's thread: keep a block and return how many wait. ``now``: its arrival; ``age``: seconds since
        its first sample; ``has_overflown``: samples are missing before it."""
        if len(self._blocks) >= BACKLOG:
            self._skipped += n_samples
            return 0
        self._blocks.append((data, n_samples, now, age, has_overflown, self._skipped))
        self._skipped = 0
        return len(self._blocks)

    def render(self) -> bytes:
        """The frames of everything that waits."""
        out = b""
        while self._blocks:
            out += self._render(*self._blocks.popleft())
        return out

    def _render(
        self, data: bytes, n_samples: int, now: float, age: float, has_overflown: bool, n_skipped: int
    ) -> bytes:
        # Host APIs that do not know the age give zero or nonsense.
        t = min(now, now - age + n_samples / self._rate) if 0.0 < age < 0.5 else now
        if has_overflown:
            self._lost += self._gap(t, n_samples)
        self._lost += round(n_skipped * IN_RATE / self._rate)
        self._last_t = t
        frames = self._framer.push(self._convert.push(data))
        behind = self._convert.lag_s + self._framer.pending / 2 / IN_RATE
        out = b""
        for i, pcm in enumerate(frames):
            newer = (len(frames) - 1 - i) * FRAME_SAMPLES / IN_RATE
            out += pack_frame(t - behind - newer, peak16(pcm), self._lost, pcm)
            self._lost = 0
        return out

    def _gap(self, t: float, n_samples: int) -> int:
        """Lost samples, from the time that passed: PortAudio does not count them. At least one block."""
        if self._last_t is None:
            return FRAME_SAMPLES
        missing = (t - self._last_t - n_samples / self._rate) * IN_RATE
        return max(FRAME_SAMPLES, round(missing))
