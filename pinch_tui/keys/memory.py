"""Remembers the keyboard's learned cadence across runs, through a port that the state file implements.

Local and SSH sessions have a cadence each, since they may come from different keyboards. Damaged and impossible values
are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from pinch_tui.core.talk.hold_gap import Cadence


class KeyMemory(Protocol):
    """Keeps a few numbers (seconds) per keyboard; neither method raises."""

    def keyboard(self, name: str) -> Mapping[str, float]:
        """The values kept under this name; empty if there are none."""

    def remember_keyboard(self, name: str, values: Mapping[str, float]) -> bool:
        """Keep these values; returns False if that failed."""


def recall(memory: KeyMemory | None, name: str) -> Cadence | None:
    """The remembered cadence; None without a sane one."""
    if memory is None:
        return None
    values = memory.keyboard(name)
    delay, interval = _seconds(values.get("delay_s")), _seconds(values.get("interval_s"))
    if delay is None and interval is None:
        return None
    cadence = Cadence(delay, interval, min(_seconds(values.get("jitter_s")) or 0.0, 0.06))
    return cadence if cadence.is_sane() else None


def remember(memory: KeyMemory | None, name: str, cadence: Cadence) -> None:
    """Keep a cadence if one was learned."""
    if memory is None or not cadence.is_sane():
        return
    values = {"delay_s": cadence.delay_s, "interval_s": cadence.interval_s, "jitter_s": cadence.jitter_s}
    known = {key: round(value, 4) for key, value in values.items() if value is not None}
    if "delay_s" in known or "interval_s" in known:
        memory.remember_keyboard(name, known)


def _seconds(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
