"""The pre-roll: sound from just before the press, kept in memory only. Pure: no I/O, no clock."""

from __future__ import annotations

import math
from collections import deque

from pinch_tui.core.events import FRAME_S, Frame


class PreRoll:
    """The last ``seconds`` of captured frames; older ones are dropped."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(0.0, seconds)
        self._frames: deque[Frame] = deque(maxlen=math.ceil(self.seconds / FRAME_S) + 1)

    def push(self, frame: Frame) -> None:
        self._frames.append(frame)

    def since(self, t: float, after_index: int) -> list[Frame]:
        """Frames that end after ``t``, and whose index is above ``after_index`` (the last one already sent)."""
        return [frame for frame in self._frames if frame.t > t and frame.index > after_index]

    def is_quiet(self, since: float, seconds: float, level: float) -> bool:
        """True if no peak since then exceeds ``level``, judged by frames that cover at least half of ``seconds``."""
        recent = self.since(since, -1)
        return len(recent) >= seconds / FRAME_S / 2 and all(frame.peak <= level for frame in recent)

    def clear(self) -> None:
        self._frames.clear()

    def __len__(self) -> int:
        return len(self._frames)
