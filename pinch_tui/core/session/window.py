"""How much may be on its way where the system does not tell what has arrived. Pure.

Only the answer to a ping proves that what was sent before it has arrived. On a slow link the ping waits behind all of
that, so little may be under way: then a late answer means that the link is dead, not that the queue is long.
"""

from __future__ import annotations

LEAST = 20
"""Frames. At 48 kbit/s they take 2.3 s, less than a ping is waited for."""
MOST = 160
_FIRST = 5
"""Frames before the first ping: few enough that its answer measures the link, not the queue."""
_PROMPT_S = 1.0
"""A window that arrives within this time may be larger: the link, not its queue, wants more under way."""
_SAME = 1.25
"""An answer up to this many times the shortest counts as equally short: the link is long, its queue empty."""


class Window:
    """Counts frames. Grows while it holds the sound back and answers stay short, and shrinks when they get long."""

    def __init__(self) -> None:
        self.size = LEAST
        self.shortest_s = float("inf")
        """The shortest answer to a ping behind sound."""
        self._sent = self._taken = self._proven = 0
        self._marked = 0  # the frames that the unanswered ping proves
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
        """Whether the socket has taken enough to ask for a proof of it."""
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
