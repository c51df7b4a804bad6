"""One engine with a scripted service, a played microphone and a listened-to speaker, in simulated time."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pinch_tui.core.events import (
    FRAME_BYTES,
    FRAME_S,
    EdgeKind,
    EngineEvent,
    Logged,
    NoticePosted,
    Quit,
    StateWord,
    Status,
    StatusChanged,
    TalkEdge,
    TalkSource,
)
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.engine.ports import MicrophoneClaim, NoClaim
from pinch_tui.services.ports import Connector
from tests.fakes.fake_microphone import FakeMicrophone
from tests.fakes.fake_speaker import FakeSpeaker
from tests.fakes.pinch_service import pinch
from tests.faults.scripted import Plan, ScriptedService
from tests.faults.warp import run

ZEROS = bytes(FRAME_BYTES)
WHISPER = bytes([30, 0]) * (FRAME_BYTES // 2)


@dataclass
class Rig:
    """``source`` is what the microphone hears: "voice" (numbered frames), "whisper", "zeros", "nothing" (no frames)."""

    engine: Engine
    microphone: FakeMicrophone
    speaker: FakeSpeaker
    service: ScriptedService
    source: str = "voice"
    events: list[EngineEvent] = field(default_factory=list)
    forced: list[TalkSource] = field(default_factory=list)
    count: int = 0

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def word(self) -> StateWord:
        return self.engine.status.word

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def edge(self, kind: EdgeKind, source: TalkSource = TalkSource.KEY) -> None:
        self.engine.talk(TalkEdge(kind, self.now, source))

    async def press(self, seconds: float = 0.0) -> None:
        self.edge(EdgeKind.START)
        await asyncio.sleep(seconds)

    async def release(self, seconds: float = 0.0) -> None:
        self.edge(EdgeKind.COMMIT)
        await asyncio.sleep(seconds)

    async def hold(self, seconds: float, then: float = 0.0) -> None:
        await self.press(seconds)
        await self.release(then)

    async def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        end = self.now + seconds
        while not condition():
            assert self.now < end, f"not within {seconds} s; {self.engine.status}"
            await asyncio.sleep(0.01)

    async def settled(self) -> None:
        await self.until(lambda: not self.engine._sessions.unsettled(), 60.0)

    def logged(self, kind: str, **fields: object) -> list[Logged]:
        return [
            e
            for e in self.events
            if isinstance(e, Logged) and e.kind == kind and all(e.fields.get(k) == v for k, v in fields.items())
        ]

    def notices(self, topic: str) -> list[NoticePosted]:
        return [e for e in self.events if isinstance(e, NoticePosted) and e.topic == topic]

    def statuses(self) -> list[Status]:
        return [e.status for e in self.events if isinstance(e, StatusChanged)]

    def words(self) -> list[StateWord]:
        """The state words in order, each change once."""
        words: list[StateWord] = []
        for status in self.statuses():
            if not words or words[-1] is not status.word:
                words.append(status.word)
        return words

    async def capture(self) -> None:
        start = self.now
        tick = 0
        while True:
            tick += 1
            await asyncio.sleep(max(0.0, start + tick * FRAME_S - self.now))
            if not self.microphone.is_open or self.source == "nothing":
                continue
            self.count += 1
            voice = struct.pack("<I", self.count) + bytes([self.count % 251 + 1]) * (FRAME_BYTES - 4)
            self.microphone.feed({"voice": voice, "whisper": WHISPER}.get(self.source, ZEROS))


def play(
    scene: Callable[[Rig], Awaitable[None]],
    *plans: Plan,
    instant: bool = True,
    opens: bool = True,
    connector: Connector | None = None,
    talk: TalkConfig | None = None,
    claim: MicrophoneClaim | None = None,
    **config: Any,
) -> Rig:
    """Run a scene against a running engine, then quit (unless the scene did)."""

    async def main() -> Rig:
        clock = SystemClock()
        async with ScriptedService(list(plans)) as service:
            ports = EnginePorts(
                FakeMicrophone(clock, opens=opens),
                FakeSpeaker(clock, instant=instant),
                pinch(service.base_url, connector=connector),
                clock,
                claim or NoClaim(),
            )
            forced: list[TalkSource] = []
            settings = EngineConfig(talk=talk or TalkConfig(), **config)
            engine = Engine(settings, ports, random.Random(1).random, forced.append)
            assert isinstance(ports.microphone, FakeMicrophone)
            assert isinstance(ports.speaker, FakeSpeaker)
            rig = Rig(engine, ports.microphone, ports.speaker, service, forced=forced)
            engine.subscribe(rig.events.append)

            async def act() -> None:
                await asyncio.sleep(0.0031)  # no press falls on a frame's edge
                try:
                    await scene(rig)
                finally:
                    engine.post(Quit(drain=False))

            async with asyncio.TaskGroup() as tasks:
                ear = tasks.create_task(rig.capture())
                tasks.create_task(act())
                await engine.run()
                ear.cancel()
            return rig

    return run(main())
