"""Reads levels and countdowns only as often as they can change the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.widget import Widget

from pinch_tui.core.events import MicState, StateWord, Status

LIVE_HZ = 10.0
IDLE_HZ = 4.0


def polling_rate(status: Status) -> float:
    """How often to poll in this state, in Hz; 0 for never."""
    if status.word in (StateWord.TALKING, StateWord.SPEAKING) or status.talking_since is not None:
        return LIVE_HZ
    is_counting = status.retry_at is not None or status.draining_until is not None
    return IDLE_HZ if status.mic is MicState.OPEN or is_counting else 0.0


class Poller:
    """Calls ``draw`` at a rate that can change, as long as ``owner`` is attached.

    Not `set_interval`, whose timer is a task that goes through two queues for each call.
    """

    def __init__(self, owner: Widget, draw: Callable[[], None]) -> None:
        self._owner, self._draw = owner, draw
        self._handle: asyncio.TimerHandle | None = None
        self.rate = 0.0

    def set_rate(self, rate: float) -> None:
        """``rate``: in Hz; 0 to stop."""
        if rate != self.rate:
            self.rate = rate
            self._schedule()

    def _schedule(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self.rate > 0:
            self._handle = asyncio.get_running_loop().call_later(1 / self.rate, self._tick)

    def _tick(self) -> None:
        self._handle = None
        if not self._owner.is_attached:
            self.rate = 0.0
            return
        self._schedule()
        self._draw()
