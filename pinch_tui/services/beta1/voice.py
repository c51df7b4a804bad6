"""Cuts runs of speech out of the agent's track, which yields 50 frames a second even in silence. Pure."""

from __future__ import annotations

from array import array
from collections import deque
from typing import Final

THRESHOLD: Final = 160
"""The largest sample in a frame of silence (-46 dBFS); Opus decodes silence to small values."""
HANGOVER_FRAMES: Final = 15
"""A run continues across a pause of this many frames (300 ms)."""
LEAD_FRAMES: Final = 2
"""Frames before the first loud one that belong to the run: its soft onset."""
CHUNK_SAMPLES: Final = 1_920
"""80 ms at 24 kHz, as in version 1; a shorter chunk ends a run."""


class VoiceRuns:
    """20 ms frames (int16, 24 kHz, mono) in; chunks (float32, little-endian) of speech out."""

    def __init__(self) -> None:
        self._lead: deque[bytes] = deque(maxlen=LEAD_FRAMES)
        self._quiet = 0
        self._is_running = False
        self._pending = array("h")

    def push(self, pcm: bytes) -> list[bytes]:
        """The chunks that are complete now."""
        samples = array("h", pcm[: len(pcm) // 2 * 2])
        is_loud = bool(samples) and (max(samples) > THRESHOLD or min(samples) < -THRESHOLD)
        if is_loud:
            self._quiet = 0
            if not self._is_running:
                self._is_running = True
                for frame in self._lead:
                    self._pending.frombytes(frame)
        elif self._is_running:
            self._quiet += 1
        if not self._is_running:
            self._lead.append(samples.tobytes())
            return []
        self._pending += samples
        if self._quiet < HANGOVER_FRAMES:
            return self._chunks(is_end=False)
        self._is_running = False
        self._lead.clear()
        return self._chunks(is_end=True)

    def _chunks(self, *, is_end: bool) -> list[bytes]:
        out: list[bytes] = []
        while len(self._pending) > CHUNK_SAMPLES or (is_end and self._pending):
            size = min(CHUNK_SAMPLES, len(self._pending) - (1 if is_end and len(self._pending) == CHUNK_SAMPLES else 0))
            out.append(array("f", [sample / 32768 for sample in self._pending[:size]]).tobytes())
            del self._pending[:size]
        return out
