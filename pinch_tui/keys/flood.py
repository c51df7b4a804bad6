"""Limits the rate of a terminal's messages: more than a person can type is dropped and counted.

Pure: no I/O, no clock. A pasted file or a broken terminal must not keep the event loop from sound and screen. Of
dropped messages that report a state (the focus, the size, a button that went up), the newest of each kind is delivered
later.
"""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    """Messages that share one limit."""

    READ = "read"
    KEYS = "keys"
    POINTER = "pointer"
    REST = "rest"


MEASURES: dict[Lane, tuple[float, float]] = {
    Lane.READ: (250.0, 250.0),
    Lane.KEYS: (256.0, 100.0),
    Lane.POINTER: (128.0, 120.0),
    Lane.REST: (32.0, 20.0),
}
"""Each lane's events at once, and a second after. ``READ``: every key, the held talk key's repeats included; ``KEYS``:
those that reach the application: a text pasted where pastes are not marked, and the fastest auto-repeat."""


class FloodGate:
    """A token bucket for each lane. ``dropped``: events that did not pass since the start."""

    def __init__(self) -> None:
        self.dropped = 0
        self._tokens = {lane: burst for lane, (burst, _) in MEASURES.items()}
        self._at = {lane: float("-inf") for lane in Lane}

    def passes(self, lane: Lane, now: float) -> bool:
        """Whether one more event of this lane may pass; one that may not is counted."""
        if not self.has_room(lane, now):
            self.dropped += 1
            return False
        self._tokens[lane] -= 1.0
        return True

    def has_room(self, lane: Lane, now: float) -> bool:
        burst, rate = MEASURES[lane]
        since = now - self._at[lane]
        if since > 0:
            self._tokens[lane] = min(burst, self._tokens[lane] + since * rate) if since < burst / rate else burst
            self._at[lane] = now
        return self._tokens[lane] >= 1.0
