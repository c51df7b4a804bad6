"""What a connection shows of the link below it: whether it lives, and how much may be under way. Pure."""

from __future__ import annotations

from pinch_tui.core.wire import Progress

PONG_WITHIN_S = 3.0
"""While something is unsettled. With the pings' interval, a dead connection is noticed within 5 s."""
MAX_ROUND_TRIPS_S = 10.0
"""What two round trips may add: behind a long queue a lost packet is noticed, and sent again, that much later."""
LOOK_EVERY_S = 0.25
"""Interval of looks at the progress of sent data, while a ping is unanswered."""
LEAST = 20
"""Smallest window, in frames. At 48 kbit/s they take 2.3 s, less than the wait for a pong."""
MOST = 160
_FIRST = 5
"""Frames before the first ping: few enough that its answer measures the link, not the queue."""
_PROMPT_S = 1.0
"""A window that arrives within this time may grow: the link, not its queue, has room for more."""
_SAME = 1.25
"""An answer up to this many times the shortest counts as equally short: the link is long, its queue empty."""


def pong_wait_s(rtt_s: float) -> float:
    """How long to wait for a pong once nothing of ours is in front of it. ``rtt_s``: the round trip; infinite if
    unknown."""
    return PONG_WITHIN_S + (min(MAX_ROUND_TRIPS_S, 2.0 * rtt_s) if rtt_s < float("inf") else 0.0)


class Acknowledgements:
    """Tells a slow link from a dead one by what the peer's system has acknowledged.

    A ping waits behind all that was sent before it. While acknowledgements of that come, the link lives, however long
    they take. Once the ping itself is acknowledged, its pong is due.
    """

    def __init__(self) -> None:
        self.are_known = False
        self.looked_at = float("-inf")
        self._acknowledged = self._arrived = 0
        self._moved_at = float("-inf")
        self._pong_wait_s = PONG_WITHIN_S
        self._ping_end: int | None = None  # bytes up to and including the unanswered ping
        self._ping_arrived_at: float | None = None

    def pinged(self) -> None:
        """A new ping is on its way."""
        self._ping_end = self._ping_arrived_at = None

    def look(self, progress: Progress, now: float, ping_at: float | None) -> None:
        """``ping_at``: when the unanswered ping was sent."""
        arrived = progress.arrived or 0
        if not self.are_known or progress.acknowledged > self._acknowledged or arrived > self._arrived:
            self._acknowledged, self._arrived = progress.acknowledged, arrived
            self._moved_at = now
        self.are_known = True
        self.looked_at = now
        self._pong_wait_s = pong_wait_s(progress.rtt_s)
        if ping_at is None:
            return
        if self._ping_end is None and now > ping_at:
            self._ping_end = progress.written
        if self._ping_end is not None and self._ping_arrived_at is None and progress.acknowledged >= self._ping_end:
            self._ping_arrived_at = now

    def lives_until(self) -> float:
        """The end of the time for which the service's silence is explained."""
        return (self._moved_at if self._ping_arrived_at is None else self._ping_arrived_at) + self._pong_wait_s


class Window:
    """Bounds the frames under way if the system does not say what has arrived.

    Then only the answer to a ping proves that what was sent before it has arrived. On a slow link the ping waits behind
    all of that, so little may be under way: a late answer then means a dead link, not a long queue. The window grows
    while it holds sound back and answers stay short, and shrinks when they get long.
    """

    def __init__(self) -> None:
        self.size = LEAST
        self.shortest_s = float("inf")
        """The shortest answer to a ping behind sound."""
        self._sent = self._taken = self._proven = 0
        self._marked = 0  # frames that the unanswered ping proves
        self._pinged_at = 0.0
        self._was_full = False

    @property
    def is_open(self) -> bool:
        """Whether one more frame may be sent."""
        if self._sent - self._proven < self.size:
            return True
        self._was_full = True
        return False

    @property
    def wants_ping(self) -> bool:
        """Whether the socket has taken enough for a ping to prove."""
        is_first = self.shortest_s == float("inf")
        return self._taken - self._proven >= (_FIRST if is_first else self.size * 3 // 4)

    def sent(self) -> None:
        self._sent += 1

    def taken(self) -> None:
        """The socket took a frame."""
        self._taken += 1

    def pinged(self, now: float) -> None:
        self._marked, self._pinged_at = self._taken, now

    def ponged(self, now: float) -> None:
        if self._marked > self._proven:
            n, took_s = self._marked - self._proven, now - self._pinged_at
            self.shortest_s = min(self.shortest_s, took_s)
            is_prompt = took_s * self.size < _PROMPT_S * n or took_s < _SAME * self.shortest_s
            if not is_prompt:
                self.size = max(LEAST, self.size // 2)
            elif self._was_full and n >= self.size // 2:
                self.size = min(MOST, self.size * 2)
        self._proven, self._was_full = self._marked, False
