"""The sound from just before the press, in memory only.

Pure: no I/O, no clock. Bounded: older frames fall out at the far end.
"""

from __future__ import annotations

import math
from collections import deque

from pinch_tui.core.events import FRAME_S, Frame


class PreRoll:
    """The last ``seconds`` of captured frames."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(0.0, seconds)
        self._frames: deque[Frame] = deque(maxlen=math.ceil(self.seconds / FRAME_S) + 1)

    def push(self, frame: Frame) -> None:
        """Keep one more frame; the oldest goes when the ring is full."""
        self._frames.append(frame)

    def since(self, t: float, after_index: int) -> list[Frame]:
        """Frames whose last sample is later than ``t`` and whose index is above ``after_index`` (sent before)."""
        return [frame for frame in self._frames if frame.t > t and frame.index > after_index]

    def is_quiet(self, since: float, seconds: float, level: float) -> bool:
        """Whether the frames since then, most of ``seconds`` of them, have no peak above ``level``."""
        recent = self.since(since, -1)
        return len(recent) >= seconds / FRAME_S / 2 and all(frame.peak <= level for frame in recent)

    def clear(self) -> None:
        """Forget everything (the microphone was closed)."""
        self._frames.clear()

    def __len__(self) -> int:
        return len(self._frames)
