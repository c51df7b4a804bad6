"""An event loop whose time jumps: when nothing is ready, its clock moves to the next timer instead of waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

STUCK_S = 5.0
"""Real seconds without any timer or input after which the loop gives up."""


class _Selector(selectors.DefaultSelector):
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.settle is not None:
            self.loop.settle()
            if ready := super().select(0):
                return ready
        if timeout is None or timeout < 0:
            ready = super().select(STUCK_S)
            if not ready:
                raise RuntimeError("nothing will ever happen again")
            return ready
        self.loop.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time starts at 1000 s. ``settle`` lets sockets deliver before each jump; the selector's own wait would take
    a millisecond at least."""

    def __init__(self, settle: Callable[[], None] | None = None) -> None:
        selector = _Selector()
        selector.loop = self
        self.settle = settle
        self.now = 1000.0
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def run(main: Coroutine[Any, Any, T], settle: Callable[[], None] | None = None) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(settle)) as runner:
        return runner.run(main)
