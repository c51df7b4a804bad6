"""One link's work between machine and socket."""

from __future__ import annotations

import asyncio
import random

from pinch_tui.core.events import SessionParams
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.session import Session
from pinch_tui.core.wire import Allocation, ReadyMessage, UnknownMessage, WireEvent
from pinch_tui.engine.uplink import Link
from pinch_tui.services.ports import Service, ServiceTraits

FLOOD = 10_000


class TickingClock:
    """A millisecond passes with each look."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        self.now += 0.001
        return self.now

    def wall(self) -> float:
        return self.now

    async def sleep_until(self, t: float) -> None:
        raise AssertionError("nobody sleeps here")


class Flood:
    """A service and its socket that has `FLOOD` messages at once, and never lets the reader wait."""

    def __init__(self) -> None:
        self.received = 0
        self.is_empty = asyncio.Event()

    async def allocate(self, params: SessionParams) -> Allocation:
        return Allocation("ss", "ws://127.0.0.1/", 60.0)

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> Flood:
        return self

    async def receive(self) -> WireEvent:
        if self.received == FLOOD:
            self.is_empty.set()
            await asyncio.Event().wait()
        self.received += 1
        return ReadyMessage("ss") if self.received == 1 else UnknownMessage("")

    async def send(self, pcm: bytes) -> None:
        """Nothing is sent."""

    async def finalize(self) -> None:
        """Nothing is sent."""

    async def ping(self) -> None:
        """Answered at once."""

    async def close(self, code: int = 1000) -> None:
        """Closed at once."""

    async def aclose(self) -> None:
        """Closed at once."""

    def abort(self) -> None:
        """Closed at once."""


async def test_a_flood_of_messages_leaves_everybody_else_a_turn() -> None:
    flood = Flood()
    longest = 0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = flood.received
            await asyncio.sleep(0)
            longest = max(longest, flood.received - before)

    async with asyncio.TaskGroup() as tasks:
        session = Session(SessionParams(), random.Random(1).random)
        link = Link(
            session, Service(ServiceTraits(), flood, flood), TickingClock(), tasks, lambda link, report: None, set()
        )
        watcher = tasks.create_task(watch())
        link.feed(ev.Started())
        await flood.is_empty.wait()
        watcher.cancel()
        link.end()
    assert flood.received == FLOOD
    assert 0 < longest <= 10
