"""What a connection shows of the link below it: whether it lives, and how much may be under way. Pure."""

from __future__ import annotations

from pinch_tui.core.wire import Progress

_PING_EVERY_S, _PING_IDLE_S = 1.0, 20.0
"""Interval of pings while something is unsettled, and while nothing is."""
_PONG_WITHIN_S, _PONG_IDLE_S = 3.0, 10.0
"""Wait for a pong in the same two cases. While something is unsettled, a dead connection is noticed within 5 s."""
_MAX_ROUND_TRIPS_S = 10.0
"""What two round trips may add: behind a long queue a lost packet is noticed, and sent again, that much later."""
_LOOK_EVERY_S = 0.25
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


class Link:
    """Pings the service on one connection after another."""

    def __init__(self) -> None:
        self.heard_at = float("-inf")  # the service's last sign of life
        self.answered_at = float("-inf")  # when the newest answered ping was sent
        self.window: Window | None = None
        """Bounds the sound under way; None if the system says what has arrived."""
        self._acknowledgements = Acknowledgements()
        self._ping_at: float | None = None  # when the unanswered ping was sent
        self._pinged_at = float("-inf")

    def opened(self) -> None:
        """Another connection is being opened."""
        self._acknowledgements = Acknowledgements()
        self.window = Window()

    def ready(self, now: float) -> None:
        """The service is ready on it."""
        self.heard_at = self._pinged_at = now
        self._ping_at = None

    def look(self, progress: Progress, now: float) -> None:
        """The system says how much of the sent data has arrived."""
        self._acknowledgements.look(progress, now, self._ping_at)
        self.window = None

    def pinged(self, now: float) -> None:
        self._ping_at = self._pinged_at = now
        self._acknowledgements.pinged()
        if self.window is not None:
            self.window.pinged(now)

    def ponged(self, now: float) -> None:
        self._ping_at = None
        self.heard_at, self.answered_at = now, self._pinged_at
        if self.window is not None:
            self.window.ponged(now)

    def becomes_active(self, now: float) -> None:
        """An utterance begins: the unanswered ping, if any, now has less time for its pong, counted from here."""
        if self._ping_at is not None:
            self._ping_at = now

    def next_ping_at(self, *, is_active: bool) -> float:
        """When the next regular ping is due; infinite while one is unanswered."""
        if self._ping_at is not None:
            return float("inf")
        if self.window is not None and self.window.wants_ping:
            return float("-inf")
        return self._pinged_at + (_PING_EVERY_S if is_active else _PING_IDLE_S)

    def dead_at(self, *, is_active: bool) -> float:
        """When the connection counts as dead if nothing comes; infinite while no ping is unanswered."""
        if self._ping_at is None:
            return float("inf")
        since = max(self._ping_at, self.heard_at)
        if not is_active:
            return since + _PONG_IDLE_S
        if self.window is not None:
            return since + _pong_wait_s(self.window.shortest_s)
        return max(since + _PONG_WITHIN_S, self._acknowledgements.lives_until())

    def next_look_at(self, now: float, *, is_active: bool) -> float | None:
        """When to look again at what has arrived; None if there is no need."""
        if self._ping_at is None or not is_active or not self._acknowledgements.are_known:
            return None
        return max(now, self._acknowledgements.looked_at + _LOOK_EVERY_S)


def _pong_wait_s(rtt_s: float) -> float:
    """How long to wait for a pong once nothing of ours is in front of it. ``rtt_s``: the round trip; infinite if
    unknown."""
    return _PONG_WITHIN_S + (min(_MAX_ROUND_TRIPS_S, 2.0 * rtt_s) if rtt_s < float("inf") else 0.0)


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
        self._pong_wait_s = _PONG_WITHIN_S
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
        self._pong_wait_s = _pong_wait_s(progress.rtt_s)
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
