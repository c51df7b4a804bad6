"""The keyboard's learned cadence, kept across runs through a small port that the state file implements.

The cadence belongs to the keyboard that is typed on, so local and SSH sessions have their own. Damaged or impossible
values are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from pinch_tui.core.talk.hold_gap import Cadence


class KeyMemory(Protocol):
    """Keeps a few numbers (seconds) for each keyboard; neither method raises."""

    def keyboard(self, name: str) -> Mapping[str, float]:
        """What was kept under this name, empty when nothing was."""

    def remember_keyboard(self, name: str, values: Mapping[str, float]) -> bool:
        """Keep these values; False when that failed."""


def recall(memory: KeyMemory | None, name: str) -> Cadence | None:
    """The remembered cadence, None when there is none that is possible."""
    if memory is None:
        return None
    values = memory.keyboard(name)
    delay, interval = _seconds(values.get("delay_s")), _seconds(values.get("interval_s"))
    if delay is None and interval is None:
        return None
    cadence = Cadence(delay, interval, min(_seconds(values.get("jitter_s")) or 0.0, 0.06))
    return cadence if cadence.is_sane() else None


def remember(memory: KeyMemory | None, name: str, cadence: Cadence) -> None:
    """Keep a cadence, if one was learned."""
    if memory is None or not cadence.is_sane():
        return
    values = {"delay_s": cadence.delay_s, "interval_s": cadence.interval_s, "jitter_s": cadence.jitter_s}
    known = {key: round(value, 4) for key, value in values.items() if value is not None}
    if "delay_s" in known or "interval_s" in known:
        memory.remember_keyboard(name, known)


def _seconds(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
