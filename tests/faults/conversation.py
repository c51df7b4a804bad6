"""One conversation of the real engine with a scripted service in simulated time, and the proof that nothing is lost."""

from __future__ import annotations

import asyncio
import random
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from pinch_tui.core.events import (
    FRAME_BYTES,
    FRAME_S,
    ChangeSession,
    EdgeKind,
    EngineEvent,
    Frame,
    Intent,
    Logged,
    Quit,
    SessionParams,
    TalkEdge,
    TalkSource,
    TranscriptChanged,
)
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.transcript import UtteranceState
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.settings.model import BargeIn
from tests.fakes.fake_microphone import FakeMicrophone
from tests.fakes.fake_speaker import FakeSpeaker
from tests.fakes.pinch_service import pinch
from tests.faults.scripted import Plan, Recorded, ScriptedService
from tests.faults.slow import SlowConnector

PREROLL_S = 0.3
TAIL_S = 0.15
LATE_S = 4.0


@dataclass(frozen=True)
class Hold:
    """One press: ``pause`` seconds after the last release, ``length`` seconds long."""

    pause: float
    length: float
    intent: Intent | None = None  # posted in the middle of the hold
    is_cancelled: bool = False  # by Escape, instead of being released


@dataclass
class Outcome:
    """What came of a conversation."""

    service: ScriptedService
    frames: dict[int, Frame]  # by index: all that was captured
    holds: list[tuple[float, float]]  # press and release times
    engine: Engine
    talk: TalkConfig
    cancelled: set[int] = field(default_factory=set)  # numbers of the utterances that were thrown away
    events: list[EngineEvent] = field(default_factory=list)
    utterances: list[tuple[UtteranceState, str, str, int]] = field(default_factory=list)  # state, texts, attempt
    shown: dict[int, tuple[str, str]] = field(default_factory=dict)  # the texts of each row as last shown
    vanished: list[str] = field(default_factory=list)  # what was shown and taken back
    moved: int = 0  # segments that turned out to answer another utterance

    def watch(self, event: EngineEvent) -> None:
        """Keep every fact, and what the rows show: the scripted service only ever says more."""
        self.events.append(event)
        if isinstance(event, Logged) and event.kind == "moved":
            self.moved += 1
            self.shown.pop(int(str(event.fields["utterance"])), None)
        if not isinstance(event, TranscriptChanged):
            return
        for number in event.utterances:
            row = self.engine.transcript.utterance(number)
            if row.state is UtteranceState.CANCELLED:
                continue
            texts = (row.original, row.translation)
            for before, after in zip(self.shown.get(number, ("", "")), texts, strict=True):
                if len(after) < len(before):
                    self.vanished.append(f"utterance {number}: {before!r} became {after!r}")
            self.shown[number] = texts

    def logged(self, kind: str) -> list[Logged]:
        return [e for e in self.events if isinstance(e, Logged) and e.kind == kind]


async def converse(
    plans: list[Plan],
    holds: list[Hold],
    *,
    seed: int = 0,
    settle_s: float = 90.0,
    params: SessionParams | None = None,
    before: Callable[[Engine], None] | None = None,
    send_s: float = 0.0,
    talk: TalkConfig | None = None,
) -> Outcome:
    """Hold the key as told and wait until everything is settled (or ``settle_s`` simulated seconds have passed)."""
    clock = SystemClock()
    loop = asyncio.get_running_loop()
    async with ScriptedService(plans) as service:
        microphone = FakeMicrophone(clock)
        ports = EnginePorts(
            microphone,
            FakeSpeaker(clock),
            pinch(service.base_url, connector=SlowConnector(send_s) if send_s else None),
            clock,
        )
        # Speech goes on while the next utterance begins, as over headphones: the pre-roll is never shortened.
        talk = talk or TalkConfig(PREROLL_S, TAIL_S, 120.0)
        config = EngineConfig(params=params or SessionParams(), talk=talk, barge_in=BargeIn.MIX)
        engine = Engine(config, ports, random.Random(seed).random)
        outcome = Outcome(service, {}, [], engine, talk)
        engine.subscribe(outcome.watch)
        if before is not None:
            before(engine)

        async def capture() -> None:
            count = 0
            start = loop.time()
            while True:
                await clock.sleep_until(start + (count + 1) * FRAME_S)
                count += 1
                pcm = struct.pack("<I", count) + bytes([count % 100 + 4]) * (FRAME_BYTES - 4)  # never quiet
                for frame in microphone.feed(pcm):
                    outcome.frames[frame.index] = frame

        async def person() -> None:
            await asyncio.sleep(0.0031)  # no press falls on a frame's edge
            for hold in holds:
                await asyncio.sleep(hold.pause)
                press = loop.time()
                engine.talk(TalkEdge(EdgeKind.START, press, TalkSource.KEY))
                await asyncio.sleep(hold.length / 2)
                if hold.intent is not None:
                    engine.post(hold.intent)
                    if isinstance(hold.intent, ChangeSession):  # the talk goes on as an utterance of its own
                        outcome.holds.append((press, loop.time()))
                        press = loop.time()
                await asyncio.sleep(hold.length / 2)
                outcome.holds.append((press, loop.time()))
                if hold.is_cancelled:
                    outcome.cancelled.add(len(outcome.holds))
                    engine.talk(TalkEdge(EdgeKind.CANCEL, loop.time(), TalkSource.CANCEL))
                    continue
                engine.talk(TalkEdge(EdgeKind.COMMIT, loop.time(), TalkSource.KEY))
            deadline = loop.time() + settle_s
            await asyncio.sleep(0.5)
            while engine._sessions.unsettled() and loop.time() < deadline:
                await asyncio.sleep(0.25)
            await asyncio.sleep(LATE_S)  # late texts still change what is settled
            outcome.utterances = [(u.state, u.original, u.translation, u.attempt) for u in engine.transcript.utterances]
            engine.post(Quit(drain=False))

        async with asyncio.TaskGroup() as tasks:
            ear = tasks.create_task(capture())
            tasks.create_task(person())
            await engine.run()
            ear.cancel()
        return outcome


# ---- the proof ----------------------------------------------------------------------------------------------------


def expected_frames(outcome: Outcome) -> list[list[bytes]]:
    """For each hold, the frames from its pre-roll (never older than the last one taken) to the end of its tail."""
    wanted: list[list[bytes]] = []
    last = -1
    ordered = sorted(outcome.frames.values(), key=lambda f: f.index)
    for i, (press, release) in enumerate(outcome.holds):
        next_press = outcome.holds[i + 1][0] if i + 1 < len(outcome.holds) else float("inf")
        # A press during the tail ends it: the frame that is under way then opens the next utterance.
        end = min(release + outcome.talk.tail_s, next_press - FRAME_S)
        if i + 1 in outcome.cancelled:
            end = release - FRAME_S
        since = press - outcome.talk.preroll_s
        taken = [f for f in ordered if f.index > last and f.t > since + 1e-6 and f.t - FRAME_S < end - 1e-6]
        if taken:
            last = taken[-1].index
        wanted.append([f.pcm for f in taken])
    return wanted


def check(outcome: Outcome, deaf: tuple[int, int] | None = None) -> None:
    """Assert every promise about the audio and the rows. ``deaf``: as in `Plan`, the same for all sessions."""
    for session in outcome.service.sessions:
        check_session(session)
    spoken = [part for session in outcome.service.sessions for part in session.utterances()]
    for number, wanted in enumerate(expected_frames(outcome), start=1):
        if number in outcome.cancelled:
            begun = [part for part in spoken if part and wanted and part[0] == wanted[0]]
            assert all(part == wanted[: len(part)] for part in begun), f"utterance {number}: sent after Escape"
            continue
        assert wanted, f"utterance {number} has no frames"
        assert any(_is_same(part, wanted) for part in spoken), (
            f"utterance {number}: no session holds its {len(wanted)} frames whole; got "
            f"{[(len(p), _first(p), _last(p)) for p in spoken]}, wanted from {_first(wanted)} to {_last(wanted)}"
        )
    assert outcome.vanished == [], outcome.vanished
    assert len(outcome.utterances) == len(outcome.holds)
    wanted_all = expected_frames(outcome)
    rows = zip(outcome.utterances, wanted_all, strict=True)
    for number, ((state, original, translation, _), wanted) in enumerate(rows, start=1):
        if number in outcome.cancelled:
            assert (state, original, translation) == (UtteranceState.CANCELLED, "", "")
            continue
        if not Plan(deaf=deaf).hears_from(struct.unpack_from("<I", wanted[0])[0]):
            assert (state, original, translation) == (UtteranceState.EMPTY, "", ""), (number, state, original)
            continue
        assert state is UtteranceState.SETTLED, (number, state, original)
        check_text(original, "from", "for", wanted)
        check_text(translation, "de", "por", wanted)


def check_text(text: str, begin: str, joint: str, wanted: list[bytes]) -> None:
    """The segments of a row tell of all its frames in order, each once."""
    pattern = rf"{begin} (\d+) {joint} (\d+)"
    assert re.fullmatch(rf"{pattern}(?: {pattern})*", text), text
    at = first = struct.unpack_from("<I", wanted[0])[0]
    for start, count in re.findall(pattern, text):
        assert int(start) == at, (text, first, len(wanted))
        at += int(count)
    assert at - first == len(wanted), (text, first, len(wanted))


def check_session(session: Recorded) -> None:
    """No audio before ready, none after the utterance's finalize without a pause, one finalize each, never too fast."""
    assert session.early == 0, "audio before ready"
    is_open = False
    times: list[float] = []
    finalized_at = float("-inf")
    for t, item in session.got:
        if isinstance(item, bytes):
            assert len(item) == FRAME_BYTES
            if not is_open:
                assert t - finalized_at >= 0.299, f"audio {t - finalized_at:.3f} s after finalize"
            is_open = True
            times.append(t)
        else:
            assert is_open, "a finalize without audio, or a second one"
            is_open = False
            finalized_at = t
    for i in range(len(times) - 101):
        assert times[i + 101] - times[i] >= 0.98, "faster than twice real time"


def _is_same(part: list[bytes], wanted: list[bytes]) -> bool:
    return part == wanted


def _first(part: list[bytes]) -> int | None:
    return struct.unpack_from("<I", part[0])[0] if part else None


def _last(part: list[bytes]) -> int | None:
    return struct.unpack_from("<I", part[-1])[0] if part else None
