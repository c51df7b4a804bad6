"""Limits how often changes cause a repaint."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.app import App
from textual.timer import Timer

REPAINT_S = 0.05
"""Shortest time between two repaints: at most 20 a second."""
_SLACK_S = 0.005
"""How early a timer may tick."""


class Coalescer:
    """Calls ``work`` at once after a quiet interval, else once at the interval's end. Quiet costs no timer."""

    def __init__(self, app: App[object], work: Callable[[], None], interval_s: float = REPAINT_S) -> None:
        self._app, self._work, self._interval_s = app, work, interval_s
        self._last = float("-inf")
        self._timer: Timer | None = None

    def poke(self) -> None:
        """Something changed."""
        if monotonic() - self._last >= self._interval_s:
            self._run()
        elif self._timer is None:
            self._timer = self._app.set_interval(self._interval_s, self._tick)
        else:
            self._timer.resume()  # a timer for each change would cost more than the work

    def _tick(self) -> None:
        if monotonic() - self._last >= self._interval_s - _SLACK_S:
            self._run()  # else the timer was resumed late in its beat: its next one is early enough

    def _run(self) -> None:
        if self._timer is not None:
            self._timer.pause()
        self._last = monotonic()
        self._work()
