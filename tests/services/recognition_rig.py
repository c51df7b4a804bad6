"""Conversations of the whole engine with a scripted provider that only hears, in simulated time."""

from __future__ import annotations

import asyncio
import random
import re
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pinch_tui.core.events import (
    FRAME_BYTES,
    FRAME_S,
    EdgeKind,
    EngineEvent,
    Frame,
    Logged,
    NoticePosted,
    Quit,
    SessionParams,
    TalkEdge,
    TalkSource,
)
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.services.cartesia.service import make as make_cartesia
from pinch_tui.services.ports import Service
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.services.smallest.service import make as make_smallest
from pinch_tui.services.socket import open_socket
from pinch_tui.settings.model import CartesiaSettings, Settings, SmallestSettings
from tests.fakes.fake_microphone import FakeMicrophone
from tests.fakes.fake_speaker import FakeSpeaker
from tests.fakes.recognition_service import Piece, RecognitionService, Taken
from tests.faults.warp import run

Make = Callable[[str, SystemClock, bool], Service]
KEY = "sk_canary_0123456789"


async def nowhere() -> str:
    return ""


def setup(clock: SystemClock, *, is_continuous: bool, is_hands_free: bool = False, **settings: object) -> ServiceSetup:
    return ServiceSetup(
        Settings(**settings),  # type: ignore[arg-type]
        KEY,
        "the test",
        nowhere,
        "",
        is_continuous=is_continuous,
        is_hands_free=is_hands_free,
        open_socket=open_socket,  # loaded already: importing it in a thread takes real time
        now=clock.monotonic,
    )


def cartesia(base_url: str, clock: SystemClock, is_continuous: bool = False) -> Service:
    return make_cartesia(setup(clock, is_continuous=is_continuous, cartesia=CartesiaSettings(base_url)))


def cartesia_turns(base_url: str, clock: SystemClock, is_continuous: bool = True) -> Service:
    settings = CartesiaSettings(base_url)
    return make_cartesia(setup(clock, is_continuous=is_continuous, is_hands_free=True, cartesia=settings))


def cartesia_latched(base_url: str, clock: SystemClock, is_continuous: bool = False) -> Service:
    return make_cartesia(setup(clock, is_continuous=False, cartesia=CartesiaSettings(base_url, turns=True)))


def smallest(base_url: str, clock: SystemClock, is_continuous: bool = False) -> Service:
    return make_smallest(setup(clock, is_continuous=is_continuous, smallest=SmallestSettings(base_url)))


MAKERS: dict[str, Make] = {"cartesia": cartesia, "smallest": smallest}


def told(sound: bytes) -> str:
    """``from N for M``: which numbered frames an utterance holds."""
    whole = range(0, len(sound) // FRAME_BYTES * FRAME_BYTES, FRAME_BYTES)
    numbers = [struct.unpack_from("<I", sound, at)[0] for at in whole]
    return f"from {numbers[0]} for {len(numbers)}" if numbers else ""


def in_deltas(sound: bytes) -> list[Piece]:
    """As Cartesia tells it: verbatim pieces, cut in the middle of words, some of them empty."""
    text = told(sound)
    return [("", True), (text[:3], False), (text[:6], True), (text[6:7], True), ("", True), (text[7:], True)]


def in_words(sound: bytes) -> list[Piece]:
    """As smallest.ai tells it: a piece brings its space or does not."""
    words = told(sound).split()
    return [(" ".join(words[:1]), False), *((word + " " * (i % 2), True) for i, word in enumerate(words))]


HEARS: dict[str, Callable[[bytes], list[Piece]]] = {"Cartesia": in_deltas, "smallest.ai": in_words}


@dataclass
class Scene:
    """``source``: "voice" (numbered frames), "zeros" or "nothing" (no frames at all)."""

    engine: Engine
    microphone: FakeMicrophone
    service: RecognitionService
    source: str = "voice"
    events: list[EngineEvent] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def rows(self) -> list[Utterance]:
        return list(self.engine.transcript.utterances)

    @property
    def texts(self) -> list[str]:
        return [row.original for row in self.rows]

    def edge(self, kind: EdgeKind) -> None:
        self.engine.talk(TalkEdge(kind, self.now, TalkSource.KEY))

    async def hold(self, seconds: float) -> None:
        self.edge(EdgeKind.START)
        await asyncio.sleep(seconds)
        self.edge(EdgeKind.COMMIT)

    async def settled(self, within_s: float = 120.0) -> None:
        end = self.now + within_s
        await asyncio.sleep(0.4)
        while self.engine._sessions.unsettled():
            assert self.now < end, (self.engine.status, self.events[-5:])
            await asyncio.sleep(0.02)

    def logged(self, kind: str) -> list[Logged]:
        return [e for e in self.events if isinstance(e, Logged) and e.kind == kind]

    def notices(self, topic: str) -> list[NoticePosted]:
        return [e for e in self.events if isinstance(e, NoticePosted) and e.topic == topic and e.title]

    def wanted(self, i: int) -> bytes:
        """The sound of the i-th utterance, pre-roll and tail included, as the event log tells its frames."""
        first = self.logged("first-frame")[i].t
        end = self.logged("talk-stop")[i].t + 0.15
        if i + 1 < len(starts := self.logged("talk-start")):
            end = min(end, starts[i + 1].t - FRAME_S)  # a press ends the tail: the frame under way is its own
        return b"".join(f.pcm for f in self.frames if first - 1e-9 <= f.t and f.t - FRAME_S < end - 1e-6)

    async def capture(self) -> None:
        start, tick = self.now, 0
        while True:
            tick += 1
            await asyncio.sleep(max(0.0, start + tick * FRAME_S - self.now))
            if self.source == "nothing":
                continue
            voice = struct.pack("<I", tick) + bytes([tick % 100 + 4]) * (FRAME_BYTES - 4)
            self.frames += self.microphone.feed(voice if self.source == "voice" else bytes(FRAME_BYTES))


def play(
    make: Make,
    scene: Callable[[Scene], Awaitable[None]],
    *,
    params: SessionParams | None = None,
    is_continuous: bool = False,
    seed: int = 1,
    **script: object,
) -> Scene:
    """Run a scene against a running engine, then quit."""

    async def main() -> Scene:
        clock = SystemClock()
        script.setdefault("hears", HEARS[make("http://127.0.0.1:9", clock, False).traits.label])
        async with RecognitionService(**script).running() as service:  # type: ignore[arg-type]
            microphone = FakeMicrophone(clock)
            made = make(service.base_url, clock, is_continuous)
            ports = EnginePorts(microphone, FakeSpeaker(clock, instant=True), made, clock)
            talk = TalkConfig(0.3, 0.15, None if is_continuous else 120.0)
            config = EngineConfig(params or SessionParams(), talk=talk, is_continuous=is_continuous)
            engine = Engine(config, ports, random.Random(seed).random)
            played = Scene(engine, microphone, service)
            engine.subscribe(played.events.append)

            async def act() -> None:
                await asyncio.sleep(0.5031)  # no press falls on a frame's edge
                try:
                    await scene(played)
                finally:
                    engine.post(Quit(drain=False))

            async with asyncio.TaskGroup() as tasks:
                ear = tasks.create_task(played.capture())
                tasks.create_task(act())
                await engine.run()
                ear.cancel()
            return played

    return run(main())


def told_frames(text: str) -> int:
    """How many frames a text of `told` tells of. Asserts that they follow one another."""
    found = re.findall(r"from (\d+) for (\d+)", text)
    assert " ".join(f"from {start} for {count}" for start, count in found) == text, text
    at = int(found[0][0]) if found else 0
    total = 0
    for start, count in found:
        assert int(start) == at, text
        at += int(count)
        total += int(count)
    return total


def drop_at(rng: random.Random, n_drops: int) -> Callable[[Taken, int], bool]:
    """Ends connections at random places: ``n_drops`` of them."""
    left = n_drops
    at = rng.choice([-1, rng.randrange(640, 64_000)])

    def drops(_taken: Taken, n: int) -> bool:
        nonlocal left, at
        is_now = left > 0 and (n == -1 if at == -1 else n >= at)
        if is_now:
            left -= 1
            at = rng.choice([-1, rng.randrange(640, 64_000)])
        return is_now

    return drops


def check_drops(make: Make, seed: int) -> None:
    """Two utterances with one or two drops at random places: nothing is lost, nothing doubled."""
    rng = random.Random(seed)

    async def scene(s: Scene) -> None:
        for _ in range(2):
            await s.hold(rng.uniform(0.4, 2.0))
            await asyncio.sleep(rng.choice([0.0, 0.1, 1.0]))
        await s.settled()

    close_code = rng.choice([None, 1000, 1001, 1011])
    played = play(make, scene, seed=seed, drops=drop_at(rng, rng.randint(1, 2)), close_code=close_code, delay_s=0.1)
    for i, text in enumerate(played.texts):
        whole = played.wanted(i)
        assert told_frames(text) == len(whole) // FRAME_BYTES, (seed, i, text)
        assert any(bytes(taken.sound) == whole and taken.ended for taken in played.service.sockets), (seed, i)
    assert [row.state for row in played.rows] == [UtteranceState.SETTLED] * 2, seed
