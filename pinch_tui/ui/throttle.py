"""Limits how often changes are painted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from textual import events
from textual.message_pump import MessagePump

INTERVAL_S = 0.05
"""Shortest mean time between two paintings."""
SLACK_S = 0.045
"""How much earlier a single painting can come, so that a steady 20 changes per second are never delayed."""


class Throttle:
    """Calls ``paint`` soon after each change. Without changes no timer runs."""

    def __init__(self, owner: MessagePump, paint: Callable[[], None], clock: Callable[[], float] = monotonic) -> None:
        self._owner, self._paint, self._clock = owner, paint, clock
        self._next = float("-inf")
        self._is_due = False

    def poke(self) -> None:
        """Something changed. Any task of the loop can call this."""
        if not self._is_due and self._owner.is_attached:
            # Through the owner's queue, since a timer needs the owner's context.
            # Not `call_later`, which inspects the callback's signature each time.
            self._is_due = self._owner.post_message(events.Callback(self._in_time))

    def _in_time(self) -> None:
        if (wait_s := self._next - SLACK_S - self._clock()) <= 0:
            self._run()
        else:
            # Not `set_timer`, which makes a task and inspects two callbacks' signatures each time.
            asyncio.get_running_loop().call_later(wait_s, self._owner.post_message, events.Callback(self._run))

    def _run(self) -> None:
        self._is_due = False
        self._next = max(self._clock(), self._next) + INTERVAL_S
        self._paint()
