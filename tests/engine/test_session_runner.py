"""One link's work between machine and socket."""

from __future__ import annotations

import asyncio
import random

import pytest

from pinch_tui.core.events import Frame, SessionParams
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.session import Session
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import Allocation, Progress, ReadyMessage, UnknownMessage, WireEvent
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.sessions.runner import SessionRunner
from pinch_tui.services.ports import Service
from tests.faults.warp import run

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

    def latch(self) -> None:
        """Nothing is sent."""

    async def finalize(self) -> None:
        """Nothing is sent."""

    async def ping(self) -> None:
        """Answered at once."""

    async def close(self, code: int = 1000) -> None:
        """Closed at once."""

    async def aclose(self) -> None:
        """Closed at once."""

    def progress(self) -> Progress | None:
        return None

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
        link = SessionRunner(
            session, Service(ServiceTraits(), flood, flood), TickingClock(), tasks, lambda link, report: None, set()
        )
        watcher = tasks.create_task(watch())
        link.feed(ev.OpenRequested())
        await flood.is_empty.wait()
        watcher.cancel()
        link.end()
    assert flood.received == FLOOD
    assert 0 < longest <= 10


class Faulty(Flood):
    """Raises what nobody foresaw, in one place, the first time; behaves afterwards."""

    def __init__(self, place: str, fault: Exception) -> None:
        super().__init__()
        self.place, self.fault = place, fault
        self.faults = 0
        self.sent = asyncio.Event()

    def _at(self, place: str) -> None:
        if place == self.place and not self.faults:
            self.faults += 1
            raise self.fault

    async def allocate(self, params: SessionParams) -> Allocation:
        self._at("allocate")
        return await super().allocate(params)

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> Flood:
        self._at("connect")
        self.received = 0
        return self

    async def receive(self) -> WireEvent:
        if self.received == 1:
            self._at("receive")
            await asyncio.Event().wait()
        return await super().receive()

    async def send(self, pcm: bytes) -> None:
        self._at("send")
        self.sent.set()

    async def ping(self) -> None:
        self._at("ping")


FAULTS = [
    OverflowError("port must be 0-65535"),
    UnicodeEncodeError("ascii", "\xff", 0, 1, "ordinal not in range"),
    RuntimeError("the transport is closing"),
    AssertionError(),
    KeyError("x"),
    OSError(107, "not connected"),
    MemoryError(),
]


@pytest.mark.parametrize("place", ["allocate", "connect", "receive", "send", "ping"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_of_an_adapter_is_a_failed_attempt_and_the_words_are_sent_again(place: str, fault: Exception) -> None:
    service = Faulty(place, fault)
    said: list[ev.Report] = []

    async def scene() -> None:
        async with asyncio.TaskGroup() as tasks:
            session = Session(SessionParams(), lambda: 0.5)
            link = SessionRunner(
                session,
                Service(ServiceTraits(), service, service),
                SystemClock(),
                tasks,
                lambda _, report: said.append(report),
                set(),
            )
            link.feed(ev.OpenRequested())
            link.feed(ev.UtteranceStarted(1))
            link.feed(ev.FrameTaken(1, Frame(bytes(640), 0.0, 0.5)))
            async with asyncio.timeout(20):
                while service.faults == 0:
                    await asyncio.sleep(0.01)
                service.sent.clear()
                await service.sent.wait()
            link.end()

    run(scene())
    failed = [report for report in said if isinstance(report, ev.SessionFailed)]
    assert len(failed) == 1 and failed[0].retry_at is not None and failed[0].unsettled == 1
    assert "ordinal" not in failed[0].failure.title
