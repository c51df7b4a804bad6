"""An event loop whose time jumps: if nothing is ready, its clock moves to the next timer instead of waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

STUCK_S = 5.0
"""Real seconds without any timer or input after which the loop gives up."""


class VirtualSelector(selectors.DefaultSelector):
    """Jumps instead of waiting. The selector's own wait would take at least a millisecond."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or timeout < 0:
            ready = super().select(STUCK_S)
            if not ready:
                raise RuntimeError("nothing will ever happen again")
            return ready
        self.now += timeout
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, selector: VirtualSelector) -> None:
        self._virtual = selector
        super().__init__(selector)

    def time(self) -> float:
        return self._virtual.now


def run(main: Coroutine[Any, Any, T], selector: type[VirtualSelector] = VirtualSelector) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=lambda: _Loop(selector())) as runner:
        return runner.run(main)
