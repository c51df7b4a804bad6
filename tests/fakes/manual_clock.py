"""A clock that stands still until a test moves it; sleepers wake in order."""

from __future__ import annotations

import asyncio
import heapq


class ManualClock:
    """``advance`` moves the time and lets everything that became due run."""

    def __init__(self, start: float = 100.0) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return 1_700_000_000.0 + self._now

    async def sleep_until(self, t: float) -> None:
        if t <= self._now:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (t, self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        end = self._now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not future.done():
                future.set_result(None)
            await settle()
        self._now = max(self._now, end)
        await settle()


async def settle() -> None:
    """Let the other tasks run until they wait again."""
    for _ in range(10):
        await asyncio.sleep(0)
