"""Limits the rate of a terminal's messages: those that come faster than a person types are dropped and counted.

Pure: no I/O, no clock. A pasted file or a broken terminal must not keep the event loop from sound and screen.
"""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    """Messages that share a limit. ``READ``: every key, the held talk key's repeats included; ``KEYS``: the keys that
    reach the application."""

    READ = "read"
    KEYS = "keys"
    POINTER = "pointer"
    REST = "rest"


LIMITS: dict[Lane, tuple[float, float]] = {
    Lane.READ: (250.0, 250.0),
    Lane.KEYS: (256.0, 100.0),
    Lane.POINTER: (128.0, 120.0),
    Lane.REST: (32.0, 20.0),
}
"""The burst and the rate per second that each lane passes. ``KEYS`` has room for an unmarked paste and for the fastest
auto-repeat."""


class FloodGate:
    """One token bucket per lane. ``dropped`` counts the events that did not pass."""

    def __init__(self) -> None:
        self.dropped = 0
        self._tokens = {lane: burst for lane, (burst, _) in LIMITS.items()}
        self._at = {lane: float("-inf") for lane in Lane}

    def passes(self, lane: Lane, now: float) -> bool:
        """Let one event of this lane pass, or count it as dropped."""
        if not self.has_room(lane, now):
            self.dropped += 1
            return False
        self._tokens[lane] -= 1.0
        return True

    def has_room(self, lane: Lane, now: float) -> bool:
        """Whether an event of this lane would pass now."""
        burst, rate = LIMITS[lane]
        since = now - self._at[lane]
        if since > 0:
            self._tokens[lane] = min(burst, self._tokens[lane] + since * rate) if since < burst / rate else burst
            self._at[lane] = now
        return self._tokens[lane] >= 1.0
