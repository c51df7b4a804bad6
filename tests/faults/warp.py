"""An event loop whose time jumps: real sockets, simulated seconds.

When nothing is ready, the loop's clock moves to the next timer instead of waiting. Loopback sockets deliver at once,
so a conversation of minutes runs in a fraction of a second and every run of one seed takes the same decisions.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SETTLE_S = 0.00003
"""Real seconds that the kernel gets to deliver before the time jumps."""
STUCK_S = 5.0


class _WarpSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    warp: WarpLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        time.sleep(SETTLE_S)
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None or timeout < 0:
            ready = super().select(STUCK_S)
            if not ready:
                raise RuntimeError("nothing will ever happen again")
            return ready
        self.warp.jump(timeout)
        return []


class WarpLoop(asyncio.SelectorEventLoop):
    """`time` starts at 1000 s and moves only when nothing is ready."""

    def __init__(self) -> None:
        selector = _WarpSelector()
        selector.warp = self
        self._warped = 1000.0
        super().__init__(selector)

    def time(self) -> float:
        return self._warped

    def jump(self, seconds: float) -> None:
        self._warped += seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in simulated time."""
    with asyncio.Runner(loop_factory=WarpLoop) as runner:
        return runner.run(main)
