"""What the peer acknowledged, as a sign of life. Pure."""

from __future__ import annotations

from pinch_tui.core.wire import Progress

PONG_WITHIN_S = 3.0
"""While something is unsettled; with the pings' interval a dead connection is noticed within 5 s."""
MAX_ROUND_TRIPS_S = 10.0
"""What two round trips may add: behind a long queue a lost packet is missed, and sent again, that much later."""
LOOK_EVERY_S = 0.25
"""How often the progress of what was sent is looked at while a ping is unanswered."""


def patience_s(rtt_s: float) -> float:
    """How long a pong is waited for once nothing of ours stands before it. ``rtt_s``: the round trip; infinite where
    none is known."""
    return PONG_WITHIN_S + (min(MAX_ROUND_TRIPS_S, 2.0 * rtt_s) if rtt_s < float("inf") else 0.0)


class Acknowledgements:
    """What the peer's system acknowledged tells a slow link from a dead one.

    A ping waits behind all that was sent before it. As long as acknowledgements of that come, the link lives, however
    long they take; once the ping itself is acknowledged, its pong is due.
    """

    def __init__(self) -> None:
        self.are_known = False
        self.looked_at = float("-inf")
        self._acknowledged = self._arrived = 0
        self._moved_at = float("-inf")
        self._patience_s = PONG_WITHIN_S
        self._ping_end: int | None = None  # bytes up to and with the ping that is unanswered
        self._ping_arrived_at: float | None = None

    def pinged(self) -> None:
        """A new ping is on its way."""
        self._ping_end = self._ping_arrived_at = None

    def look(self, progress: Progress, now: float, ping_at: float | None) -> None:
        arrived = progress.arrived or 0
        if not self.are_known or progress.acknowledged > self._acknowledged or arrived > self._arrived:
            self._acknowledged, self._arrived = progress.acknowledged, arrived
            self._moved_at = now
        self.are_known = True
        self.looked_at = now
        self._patience_s = patience_s(progress.rtt_s)
        if ping_at is None:
            return
        if self._ping_end is None and now > ping_at:
            self._ping_end = progress.written
        if self._ping_end is not None and self._ping_arrived_at is None and progress.acknowledged >= self._ping_end:
            self._ping_arrived_at = now

    def lives_until(self) -> float:
        """Until when the silence of the service itself is explained."""
        if self._ping_arrived_at is not None:
            return self._ping_arrived_at + self._patience_s
        return self._moved_at + self._patience_s
