"""How often levels and countdowns are read: only as often as they can change something on the screen."""

from __future__ import annotations

from collections.abc import Callable

from textual.timer import Timer
from textual.widget import Widget

from pinch_tui.core.events import MicState, StateWord, Status

LIVE_HZ = 10.0
OPEN_HZ = 4.0
COUNTDOWN_HZ = 4.0


def polling_rate(status: Status) -> float:
    """Hz; 0 for not at all."""
    if status.word in (StateWord.TALKING, StateWord.SPEAKING) or status.talking_since is not None:
        return LIVE_HZ
    if status.mic is MicState.OPEN:
        return OPEN_HZ
    if status.retry_at is not None or status.draining_until is not None:
        return COUNTDOWN_HZ
    return 0.0


class Poller:
    """Calls ``draw`` at the rate that was set last; ``owner`` is the screen that owns the timer."""

    def __init__(self, owner: Widget, draw: Callable[[], None]) -> None:
        self._owner, self._draw = owner, draw
        self._timer: Timer | None = None
        self.rate = 0.0

    def set_rate(self, rate: float) -> None:
        """Hz; 0 for not at all."""
        if rate == self.rate:
            return
        self.rate = rate
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if rate > 0:
            self._timer = self._owner.set_interval(1 / rate, self._draw)
