"""Hold, talk, engine and a scripted service joined: ``python -m tests.faults.joined --scenes 1000``.

A person holds and taps the key, changes languages and the service's key in mid-word, and talks past the limit; the
service refuses, flaps, reuses its ids, answers at once or late. Proven for each scene: the parameters shown are those
in force, every notice is shown, every sample spoken while the key was down is sent, every text is in its row.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import random
import struct
import sys
import time
from dataclasses import dataclass, field, replace

from pinch_tui.core.events import (
    FRAME_BYTES,
    FRAME_S,
    ChangeSession,
    EngineEvent,
    NoticePosted,
    Quit,
    SessionParams,
    Status,
    StatusChanged,
    TalkEdge,
    TalkSource,
)
from pinch_tui.core.talk.hold import HoldMachine, HoldState
from pinch_tui.core.talk.hold_events import Escaped, ForcedEnd, HoldEvent, KeyDown, KeyUp, ReleaseSeen, Tick
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.engine.talking import LIMIT_REACHED
from pinch_tui.settings.model import BargeIn
from tests.fakes.fake_microphone import FakeMicrophone
from tests.fakes.fake_speaker import FakeSpeaker
from tests.fakes.pinch_service import pinch
from tests.faults.conversation import LATE_S, PREROLL_S, TAIL_S, Outcome, check
from tests.faults.scripted import Plan, ScriptedService
from tests.faults.warp import run

LIMIT_S = 6.0


@dataclass(frozen=True)
class Act:
    """One talk: the key held, or tapped twice (``is_latched``), for so long after a pause."""

    pause: float
    length: float
    is_latched: bool = False
    change: SessionParams | None = None  # in the middle
    new_key: bool = False  # in the middle
    is_cancelled: bool = False


@dataclass
class Totals:
    scenes: int = 0
    utterances: int = 0
    attempts: int = 0
    sessions: int = 0
    frames: int = 0
    acts: collections.Counter[str] = field(default_factory=collections.Counter)


class Person:
    """Fingers on the talk key, by way of the hold machine."""

    def __init__(self) -> None:
        self.machine = HoldMachine()
        self.engine: Engine | None = None
        self.machine.handle(ReleaseSeen(), 0.0)
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, event: HoldEvent) -> None:
        loop = asyncio.get_running_loop()
        for command in self.machine.handle(event, loop.time()):
            if isinstance(command, TalkEdge) and self.engine is not None:
                self.engine.talk(command)
        if self._timer is not None:
            self._timer.cancel()
        due = self.machine.deadline
        self._timer = None if due is None else loop.call_at(due, self.feed, Tick())

    async def tap(self) -> None:
        self.feed(KeyDown(reports_release=True))
        await asyncio.sleep(0.08)
        self.feed(KeyUp())
        await asyncio.sleep(0.06)


def acts(rng: random.Random) -> list[Act]:
    params = SessionParams()
    wanted = []
    for _ in range(rng.randint(2, 4)):
        act = Act(rng.choice([0.3, 0.8, 2.0]), rng.uniform(0.5, 3.0), is_latched=rng.random() < 0.3)
        match rng.choice(["plain", "plain", "change", "change", "key", "limit", "cancel"]):
            case "change":
                source, target = rng.sample(["en", "es", "fr", "de"], 2)
                changed = replace(params, source=source, target=target, text_only=rng.random() < 0.3)
                if changed != params:
                    act, params = replace(act, change=changed), changed
            case "key":
                act = replace(act, new_key=True)
            case "limit":
                act = replace(act, length=LIMIT_S + 1.5)
            case "cancel":
                act = replace(act, is_cancelled=True)
            case _:
                pass
        wanted.append(act)
    return wanted


def plans(rng: random.Random) -> list[Plan]:
    lag = rng.choice([0.005, rng.uniform(0.0, 0.5)])
    healthy = Plan(ear_s=lag, finals_s=lag, grace_s=rng.choice([0.0, 0.25]), interim_from=1, interim_every=10)
    healthy = replace(healthy, has_same_ids=rng.random() < 0.5, allocate_s=rng.uniform(0.0, 0.3))
    faulty: list[Plan] = []
    for _ in range(rng.randint(0, 3)):
        match rng.choice(["refuses", "flaps", "dies", "no speech"]):
            case "refuses":
                faulty.append(Plan(status=rng.choice([429, 503])))
            case "flaps":
                faulty.append(replace(healthy, after=rng.uniform(0.1, 5.0), end="close", code=1006))
            case "dies":
                faulty.append(replace(healthy, at_frame=rng.randint(1, 120), end="reset"))
            case _:
                faulty.append(replace(healthy, refuses_speech=True))
    return [*faulty, *[healthy] * 12]


async def converse(seed: int) -> tuple[Outcome, list[Act], list[tuple[float, float]], Status]:
    """What came of it, what the person did, when the key was down, and the status at the end."""
    rng = random.Random(seed)
    loop, clock = asyncio.get_running_loop(), SystemClock()
    wanted, downs = acts(rng), []
    shown: list[Status] = []
    async with ScriptedService(plans(rng)) as service:
        microphone = FakeMicrophone(clock)
        ports = EnginePorts(microphone, FakeSpeaker(clock), pinch(service.base_url, "pk_0"), clock)
        talk = TalkConfig(PREROLL_S, TAIL_S, LIMIT_S)
        person = Person()
        engine = Engine(
            EngineConfig(talk=talk, barge_in=BargeIn.MIX),
            ports,
            rng.random,
            lambda source: person.feed(ForcedEnd(source)),
        )
        person.engine = engine
        outcome = Outcome(service, {}, [], engine, talk)
        engine.subscribe(outcome.watch)
        engine.subscribe(lambda event: _shown_is_in_force(engine, event))

        async def capture() -> None:
            count, start = 0, loop.time()
            while True:
                await clock.sleep_until(start + (count + 1) * FRAME_S)
                count += 1
                pcm = struct.pack("<I", count) + bytes([count % 100 + 4]) * (FRAME_BYTES - 4)
                for frame in microphone.feed(pcm):
                    outcome.frames[frame.index] = frame

        async def act() -> None:
            await asyncio.sleep(0.0031)
            for n, one in enumerate(wanted):
                await asyncio.sleep(one.pause)
                began = loop.time()
                if one.is_latched:
                    await person.tap()
                else:
                    person.feed(KeyDown(reports_release=True))
                await asyncio.sleep(one.length / 2)
                if one.change is not None:
                    engine.post(ChangeSession(one.change))
                if one.new_key:
                    engine.use_service(pinch(service.base_url, f"pk_{n + 1}"))
                await asyncio.sleep(one.length / 2)
                is_over = person.machine.state is HoldState.IDLE  # by the limit
                ended = loop.time()
                if one.is_cancelled:
                    person.feed(Escaped())
                    person.feed(KeyUp())
                elif one.is_latched and not is_over:
                    await person.tap()
                elif not one.is_latched:
                    person.feed(KeyUp())
                if not one.is_cancelled:
                    parts = 1 + (one.change is not None)
                    downs.append((began, min(ended, began + LIMIT_S if parts == 1 and not one.new_key else ended)))
                await asyncio.sleep(0.1)
            deadline = loop.time() + 90.0
            while engine._sessions.unsettled() and loop.time() < deadline:
                await asyncio.sleep(0.25)
            await asyncio.sleep(LATE_S)
            outcome.utterances = [(u.state, u.original, u.translation, u.attempt) for u in engine.transcript.utterances]
            shown.append(engine.status)
            engine.post(Quit(drain=False))

        async with asyncio.TaskGroup() as tasks:
            ear = tasks.create_task(capture())
            tasks.create_task(act())
            await engine.run()
            ear.cancel()
        return outcome, wanted, downs, shown[0]


def _shown_is_in_force(engine: Engine, event: EngineEvent) -> None:
    if isinstance(event, StatusChanged) and engine._sessions._runners:
        assert event.status.params == engine._sessions.current().session.params, (
            "the parameters shown are not those in force"
        )


def take_holds(outcome: Outcome) -> None:
    """The utterances as the engine tells of them: their beginnings and ends."""
    stops = {e.fields["utterance"]: e for e in outcome.logged("talk-stop")}
    cancels = {e.fields["utterance"]: e for e in outcome.logged("talk-cancel")}
    for start in outcome.logged("talk-start"):
        number = start.fields["utterance"]
        assert isinstance(number, int)
        end = cancels.get(number)
        released = end.t if end is not None else float(str(stops[number].fields["released"]))
        outcome.holds.append((start.t, released))
        if end is not None:
            outcome.cancelled.add(number)


def scene(seed: int, totals: Totals) -> None:
    outcome, wanted, downs, status = run(converse(seed))
    take_holds(outcome)
    check(outcome)
    rows = outcome.engine.transcript.utterances
    _every_sample(outcome, downs)
    _every_notice(outcome, wanted)
    [asked] = [session.params for session in outcome.service.sessions if session.session_id == status.session_id]
    shown = status.params
    assert (asked["sourceLanguage"], asked["targetLanguage"]) == (shown.source, shown.target)
    assert asked["audioOutputEnabled"] == str(shown.audio_output).lower()
    totals.scenes += 1
    totals.utterances += len(rows)
    totals.attempts += sum(row.attempt for row in rows)
    totals.sessions += len(outcome.service.sessions)
    totals.frames += sum(len(part) for s in outcome.service.sessions for part in s.utterances())
    for act in wanted:
        totals.acts["latched" if act.is_latched else "held"] += 1
        totals.acts["changed"] += act.change is not None
        totals.acts["other key"] += act.new_key
        totals.acts["thrown away"] += act.is_cancelled
        totals.acts["past the limit"] += act.length > LIMIT_S


def _every_sample(outcome: Outcome, downs: list[tuple[float, float]]) -> None:
    """What was captured while the key was down reached the service."""
    sent = {
        struct.unpack_from("<I", frame)[0]
        for session in outcome.service.sessions
        for part in session.utterances()
        for frame in part
    }
    for began, ended in downs:
        spoken = [f for f in outcome.frames.values() if began < f.t <= ended - FRAME_S]
        lost = [n for f in spoken if (n := struct.unpack_from("<I", f.pcm)[0]) not in sent]
        assert not lost, f"frames {lost[0]} to {lost[-1]} were spoken and never sent"


def _every_notice(outcome: Outcome, wanted: list[Act]) -> None:
    told = collections.Counter(
        (event.topic, event.title.split(":")[0].split(" ")[0])
        for event in outcome.events
        if isinstance(event, NoticePosted) and event.title
    )
    n_told = sum(isinstance(event, NoticePosted) and event.title == LIMIT_REACHED for event in outcome.events)
    by_source = collections.Counter(str(e.fields["source"]) for e in outcome.logged("talk-stop"))
    n_limits = by_source[str(TalkSource.LIMIT)]
    assert n_told == n_limits, f"{n_limits} ends by the limit, {n_told} notices"
    n_parted = by_source[str(TalkSource.CHANGE)]
    assert told["change", "From"] >= n_parted, f"{n_parted} changes in mid-talk, {told['change', 'From']} notices"
    text_only = outcome.logged("text-only")
    n_speech = sum(topic == "speech" for topic, _ in told.elements())
    assert n_speech == len(text_only), "a refused speech is told each time"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    totals, broken, began = Totals(), 0, time.monotonic()
    for seed in range(options.seed, options.seed + options.scenes):
        try:
            scene(seed, totals)
        except (AssertionError, BaseExceptionGroup) as exc:
            broken += 1
            print(f"seed {seed}: {exc!s:.500}")
    print(
        f"{totals.scenes} scenes whole, {broken} broken; {totals.utterances} utterances in {totals.attempts} attempts "
        f"over {totals.sessions} sessions, {totals.frames} frames received; {time.monotonic() - began:.0f} s"
    )
    print("talks:", ", ".join(f"{name} {n}" for name, n in sorted(totals.acts.items())))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
