"""The queues between an adapter and its consumer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Generic, TypeVar

from pinch_tui.core.events import FRAME_S, FRAME_SAMPLES, Frame
from pinch_tui.core.sound import MicEvent

T = TypeVar("T")

KEEP_S = 60.0


class Inbox(Generic[T]):
    """Events in order for one consumer. `close` ends the iteration once the queued events are delivered."""

    def __init__(self) -> None:
        self._events: deque[T] = deque()
        self._woken = asyncio.Event()
        self._is_closed = False

    def put(self, event: T) -> None:
        """Append; ignored after `close`."""
        if not self._is_closed:
            self._events.append(event)
            self._woken.set()

    def close(self) -> None:
        self._is_closed = True
        self._woken.set()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._is_closed:
                return
            self._woken.clear()
            await self._woken.wait()


class MicInbox(Inbox[MicEvent]):
    """Holds at most ``keep_s`` of frames; older ones are dropped and counted in the next frame's ``lost``."""

    def __init__(self, keep_s: float = KEEP_S) -> None:
        super().__init__()
        self._bound = round(keep_s / FRAME_S)
        self._frames = 0

    def put(self, event: MicEvent) -> None:
        if self._is_closed:
            return
        if isinstance(event, Frame):
            if self._frames >= self._bound:
                self._drop_oldest()
            self._frames += 1
        super().put(event)

    def _drop_oldest(self) -> None:
        at = next(i for i, event in enumerate(self._events) if isinstance(event, Frame))
        oldest = self._events[at]
        assert isinstance(oldest, Frame)
        del self._events[at]
        self._frames -= 1
        for i in range(at, len(self._events)):
            event = self._events[i]
            if isinstance(event, Frame):
                self._events[i] = replace(event, lost=event.lost + oldest.lost + FRAME_SAMPLES)
                return

    async def __aiter__(self) -> AsyncIterator[MicEvent]:
        async for event in super().__aiter__():
            if isinstance(event, Frame):
                self._frames -= 1
            yield event
