"""One conversation of the real engine with a scripted service in simulated time, and the proof that nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
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
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.settings.model import BargeIn
from tests.fakes.fake_microphone import FakeMicrophone
from tests.fakes.fake_speaker import FakeSpeaker
from tests.fakes.pinch_service import pinch
from tests.faults.scripted import CUMULATIVE_INTERIM, HEALTHY, Plan, Recorded, ScriptedService
from tests.faults.slow import SlowConnector

PREROLL_S = 0.3
TAIL_S = 0.15
LATE_S = 4.0
CANCELLED_OPEN_S = 8.0
PAUSE_S = 0.3  # that the client keeps between two utterances


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
    vanished: list[tuple[int, str, str]] = field(default_factory=list)  # utterance, what was shown, what is left of it
    moved: int = 0  # segments that turned out to answer another utterance
    unsure: int = 0  # utterances of which the client cannot know which text is whose
    misplaced: int = 0  # rows that hold another one's text after all

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
                    self.vanished.append((number, before, after))
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
        taken = [f for f in ordered if f.index > last and f.t > since + 1e-9 and f.t - FRAME_S < end - 1e-9]
        if taken:
            last = taken[-1].index
        wanted.append([f.pcm for f in taken])
    return wanted


def check(outcome: Outcome, service: Plan = HEALTHY, *, swing_s: float | None = None) -> None:
    """Assert every promise about the audio and the rows.

    ``service``: how all its sessions hear and waver. ``swing_s``: by how many seconds its answers may be later one time
    than another, where its sessions differ.
    """
    for session in outcome.service.sessions:
        check_session(session)
    spoken = [part for session in outcome.service.sessions for part in session.utterances()]
    for number, wanted in enumerate(expected_frames(outcome), start=1):
        if number in outcome.cancelled:
            begun = [part for part in spoken if part and wanted and part[0] == wanted[0]]
            assert all(part == wanted[: len(part)] for part in begun), f"utterance {number}: sent after Escape"
            continue
        assert not wanted or any(_is_same(part, wanted) for part in spoken), (
            f"utterance {number}: no session holds its {len(wanted)} frames whole; got "
            f"{[(len(p), _first(p), _last(p)) for p in spoken]}, wanted from {_first(wanted)} to {_last(wanted)}"
        )
    wanted = expected_frames(outcome)
    # A text that was another one's leaves the row.
    lost = [one for one in outcome.vanished if _is_about(one[1], wanted[one[0] - 1])]
    assert lost == [], lost
    assert len(outcome.utterances) == len(outcome.holds)
    check_rows(outcome, service, service.swing_s if swing_s is None else swing_s)


def check_rows(outcome: Outcome, service: Plan, swing_s: float) -> None:
    """Assert that every text is in the row of the utterance whose sound it answers, as `core.session.attribution` says.

    Utterances that were never open together: always. Those that were (a run): where the service wavers by less than the
    pause between two utterances, and either all of them were heard, or the client knows the pace: an utterance was
    answered while no other was open. Not where a final overtook the one before it (`is_overtaken`).

    The texts of any other run stay within the run, each is shown once, and they keep the order of the sound unless one
    was overtaken; they are lost only with an utterance that was thrown away. A settled row never changes its segments.
    """
    check_times(outcome)
    wanted = expected_frames(outcome)
    is_heard = [bool(frames) and service.hears_from(_number(frames[0])) for frames in wanted]
    is_paced = False
    for run in runs(outcome):
        is_whole = all(is_heard[number - 1] or not wanted[number - 1] for number in run)
        overtaken = is_overtaken(outcome, run, wanted, is_known=is_paced or is_whole)
        is_sure = len(run) == 1 or (swing_s < PAUSE_S and (is_paced or is_whole) and not overtaken)
        outcome.unsure += 0 if is_sure else len(run)
        told = ""
        for number in run:
            state, original, translation, _ = outcome.utterances[number - 1]
            if number in outcome.cancelled:
                assert (state, original, translation) == (UtteranceState.CANCELLED, "", "")
            elif not wanted[number - 1]:
                assert state in (UtteranceState.EMPTY, UtteranceState.CANCELLED), (number, state)
            elif is_sure and is_heard[number - 1]:
                assert state is UtteranceState.SETTLED, (number, state, original)
                check_text(original, "from", "for", wanted[number - 1])
                check_text(translation, "de", "por", wanted[number - 1])
            elif is_sure or not original:
                assert (state, original, translation) == (UtteranceState.EMPTY, "", ""), (number, state, original)
            else:
                assert state is UtteranceState.SETTLED, (number, state, original)
                told += f" {original}"
                begin = _number(wanted[number - 1][0])
                outcome.misplaced += not original.startswith(f"from {begin} ")
                assert translation == original.replace("from", "de").replace("for", "por"), (number, translation)
        if not is_sure:
            heard = [frames if is_heard[n] else [] for n, frames in enumerate(wanted)]
            check_run(told.strip(), run, outcome, heard, in_order=not overtaken)
        is_paced |= len(run) == 1 and is_heard[run[0] - 1] and run[0] not in outcome.cancelled


def check_times(outcome: Outcome) -> None:
    """No text is credited to an utterance of which nothing was sent yet, and none of a new id to a settled one while
    another is open on the same connection."""
    begun = {s.session_id: {_number(p[0]) for p in s.utterances() if p} for s in outcome.service.sessions}
    first = {n: _number(frames[0]) for n, frames in enumerate(expected_frames(outcome), start=1) if frames}
    sent = {e.fields["utterance"]: e.t for e in reversed(outcome.logged("first-sent"))}
    settled = {e.fields["utterance"]: e.t for e in outcome.logged("settled")}
    ids: set[tuple[object, object]] = set()
    for event in outcome.events:
        if not isinstance(event, Logged) or event.kind not in ("interim", "final", "moved"):
            continue
        if event.kind == "moved":
            assert event.t <= settled.get(event.fields["utterance"], float("inf")), event
            assert event.t <= settled.get(event.fields["to"], float("inf")), event
            ids.add((event.fields["to"], event.fields["id"]))
            continue
        number, id_ = event.fields["utterance"], event.fields["id"]
        assert event.t >= sent[number], event
        is_late = (number, id_) not in ids and event.t > settled.get(number, float("inf"))
        here = begun.get(str(event.fields["session_id"]), set())
        beside = [n for n, t in sent.items() if first.get(int(str(n))) in here and n not in outcome.cancelled]
        is_open = any(sent[n] <= event.t < settled.get(n, float("inf")) for n in beside)
        assert not (is_late and is_open), event
        ids.add((number, id_))


def is_overtaken(outcome: Outcome, run: list[int], wanted: list[list[bytes]], *, is_known: bool) -> bool:
    """Whether a final may have come before the final of an earlier utterance, and nothing tells which is whose.

    So it is after a press too short for an interim, from a service that sends finals while somebody talks, unless the
    later utterance's interims went on for longer than the earlier one's whole sound. That tells nothing while the pace
    is unknown and something in the run was not recognised (not ``is_known``). From a service that wavers, too, any may.
    """
    plans = [session.plan for session in outcome.service.sessions if session.plan.is_cumulative]
    if not plans or any(plan.swing_s >= PAUSE_S for plan in plans):
        return bool(plans)
    for before, number in itertools.combinations(run, 2):
        if not 0 < len(wanted[before - 1]) < CUMULATIVE_INTERIM:
            continue
        if not is_known:
            return True
        began = f"from {_number(wanted[number - 1][0])} " if wanted[number - 1] else "-"
        told = [e for e in outcome.logged("interim") if str(e.fields["text"]).startswith(began)]
        newest = [e.t for e in told if e.fields["session_id"] == told[-1].fields["session_id"]]
        if newest and newest[-1] - newest[0] <= len(wanted[before - 1]) * FRAME_S + PAUSE_S:
            return True
    return False


def runs(outcome: Outcome) -> list[list[int]]:
    """The utterances, those together that were open together: sent before all the earlier ones were settled."""
    sent = {int(str(e.fields["utterance"])): e.t for e in reversed(outcome.logged("first-sent"))}
    settled = {int(str(e.fields["utterance"])): e.t for e in outcome.logged("settled")}
    found: list[list[int]] = []
    open_until = float("-inf")
    for number in range(1, len(outcome.holds) + 1):
        if not found or sent.get(number, float("-inf")) > open_until:
            found.append([])
        found[-1].append(number)
        # One that was thrown away is not told to be settled; its answer may come as long as any.
        until = sent[number] + CANCELLED_OPEN_S if number in outcome.cancelled and number in sent else float("-inf")
        open_until = max(open_until, settled.get(number, until))
    return found


def check_run(told: str, run: list[int], outcome: Outcome, heard: list[list[bytes]], *, in_order: bool) -> None:
    """The texts of a run are those of its own sound, each once; ``in_order``: as it was spoken."""
    expected = {_number(frame): number for number in run for frame in heard[number - 1]}
    rest = sorted(n for n, number in expected.items() if number not in outcome.cancelled)
    last = -1
    found: list[int] = []
    for start, count in re.findall(r"from (\d+) for (\d+)", told):
        frames = range(int(start), int(start) + int(count))
        assert not in_order or frames.start > last, (run, told)
        assert all(n in expected for n in frames), (run, told)
        found += frames
        last = frames[-1]
    if not outcome.cancelled & set(run):
        assert sorted(found) == rest, (run, told, rest[0] if rest else None)


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


def _is_about(text: str, wanted: list[bytes]) -> bool:
    """Whether a text tells of this sound."""
    numbers = {_number(frame) for frame in wanted}
    return any(int(start) in numbers for start in re.findall(r"(?:from|de) (\d+)", text))


def _is_same(part: list[bytes], wanted: list[bytes]) -> bool:
    return part == wanted


def _number(frame: bytes) -> int:
    return int(struct.unpack_from("<I", frame)[0])


def _first(part: list[bytes]) -> int | None:
    return struct.unpack_from("<I", part[0])[0] if part else None


def _last(part: list[bytes]) -> int | None:
    return struct.unpack_from("<I", part[-1])[0] if part else None
