"""Speech on its way to the speaker: what a press does to it, what is said again, and what never is."""

from __future__ import annotations

import asyncio
import struct

import pytest

from pinch_tui.core.events import OUT_RATE, EngineEvent, Logged
from pinch_tui.engine import speech_player as module
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.notifier import Notifier
from pinch_tui.engine.speech_player import DUCKED, QUIET_S, SpeechPlayer
from pinch_tui.settings.model import BargeIn
from tests.fakes.fake_speaker import FakeSpeaker
from tests.faults.warp import run

CHUNK = 1_920


def tone(n: int, samples: int = CHUNK) -> bytes:
    """A chunk that tells which one it is."""
    return struct.pack("<f", float(n)) * samples


class Scene:
    def __init__(self, barge_in: BargeIn = BargeIn.STOP, *, instant: bool = False) -> None:
        clock = SystemClock()
        self.speaker = FakeSpeaker(clock, instant=instant)
        self.told: list[tuple[str, int, dict[str, object]]] = []
        self.times: list[float] = []
        notifier = Notifier(clock)
        notifier.subscribe(self.hear)
        self.speech = SpeechPlayer(self.speaker, barge_in, Conversation(clock, 0.0, notifier, lambda: None))

    def hear(self, event: EngineEvent) -> None:
        if isinstance(event, Logged):
            fields = dict(event.fields)
            utterance = fields.pop("utterance")
            assert isinstance(utterance, int)
            self.told.append((event.kind, utterance, fields))
            self.times.append(event.t)

    def pump(self) -> None:
        """Deliver what the speaker said."""
        events = self.speaker._inbox._events
        while events:
            event = events.popleft()
            if hasattr(event, "playout"):
                self.speech.on_event(event)  # type: ignore[arg-type]

    def advance(self, seconds: float) -> None:
        self.speaker.advance(seconds)
        self.pump()

    @property
    def heard(self) -> list[float]:
        """The chunks that were heard, at least in part, in order."""
        values = struct.unpack(f"<{len(self.speaker.heard) // 4}f", self.speaker.heard)
        return [v for i, v in enumerate(values) if i == 0 or values[i - 1] != v]


def in_time(scene: object) -> None:
    run(scene())  # type: ignore[operator]


def test_speech_is_played_and_told() -> None:
    async def scene() -> None:
        s = Scene()
        s.speech.chunk(1, tone(1))
        s.advance(0.04)
        assert s.speech.speaking == 1
        s.speech.chunk(1, tone(2))
        await asyncio.sleep(QUIET_S + 0.01)  # nothing more came: the playout is over
        s.advance(1.0)
        assert s.speech.speaking is None
        assert s.heard == [1.0, 2.0]
        assert s.told == [("speech-start", 1, {}), ("speech-end", 1, {"played_s": 0.16, "cut": False})]

    in_time(scene)


@pytest.mark.parametrize("policy", list(BargeIn))
def test_a_press_stops_ducks_or_mixes(policy: BargeIn) -> None:
    async def scene() -> None:
        s = Scene(policy)
        s.speech.set_volume(0.8, False)
        s.speech.chunk(1, tone(1))
        s.advance(0.02)
        s.speech.talk_started()
        s.pump()
        s.speech.chunk(1, tone(2))
        gain = s.speaker.gain
        s.speech.settled(1)
        s.advance(1.0)
        if policy is BargeIn.STOP:
            assert s.told[-1][0] == "speech-end" and s.told[-1][2]["cut"] is True
            assert s.speech.speaking is None
            s.speech.talk_ended()
            s.advance(1.0)
            assert s.heard == [1.0], "what was cut is not said again by itself"
            assert s.speech.dropped_s == pytest.approx(0.08)
            assert s.speech.replay(1, 1.0)
            s.advance(1.0)
            assert s.heard == [1.0, 2.0], "but it can be replayed, whole"
            assert len(s.speaker.heard_of[2]) == 2 * 4 * CHUNK
        else:
            assert s.heard == [1.0, 2.0]
            assert gain == pytest.approx(0.8 * (DUCKED if policy is BargeIn.DUCK else 1.0))
            s.speech.talk_ended()
            assert s.speaker.gain == pytest.approx(0.8)

    in_time(scene)


def test_speech_that_comes_while_talking_is_said_afterwards_in_order() -> None:
    async def scene() -> None:
        s = Scene(instant=True)
        s.speech.talk_started()
        for n in (1, 2, 3):
            s.speech.chunk(1 if n < 3 else 2, tone(n))
        assert s.speaker.heard == b""
        s.speech.talk_ended()
        assert s.heard == [1.0, 2.0, 3.0]
        assert s.speech.dropped_s == 0

    in_time(scene)


def test_stop_silences_also_what_waits_for_the_release() -> None:
    async def scene() -> None:
        s = Scene(instant=True)
        s.speech.talk_started()
        s.speech.chunk(1, tone(1))
        s.speech.stop(skip=False)
        s.speech.talk_ended()
        assert s.speaker.heard == b""
        assert s.speech.dropped_s == pytest.approx(CHUNK / OUT_RATE)
        assert s.speech.replay(1, 1.0)

    in_time(scene)


def test_skip_silences_one_utterance_alone() -> None:
    async def scene() -> None:
        s = Scene()
        s.speech.chunk(1, tone(1))
        s.speech.chunk(2, tone(2))
        s.advance(0.02)
        s.speech.stop(skip=True)
        s.speech.settled(2)
        s.advance(1.0)
        assert s.heard == [1.0, 2.0]
        assert len(s.speaker.heard) == 4 * (round(0.02 * OUT_RATE) + CHUNK)

    in_time(scene)


def test_replay_slower_is_longer_and_not_told_as_new_speech() -> None:
    async def scene() -> None:
        s = Scene(instant=True)
        assert not s.speech.replay(1, 1.0)
        s.speech.chunk(1, tone(1, 24_000))
        s.speech.settled(1)
        s.pump()
        told = list(s.told)
        assert s.speech.replay(1, 0.75)
        s.pump()
        assert len(s.speaker.heard_of[2]) / 4 == pytest.approx(32_000, rel=0.05)
        assert s.told == told
        assert s.speech.speaking is None

    in_time(scene)


def test_replaying_what_still_arrives_says_the_rest_behind_it() -> None:
    async def scene() -> None:
        s = Scene()
        for n in (1, 2, 3):
            s.speech.chunk(1, tone(n, 24_000))
        s.advance(0.5)
        assert s.speech.replay(1, 1.0)
        s.speech.chunk(1, tone(4, 24_000))
        s.speech.settled(1)
        s.advance(10.0)
        assert s.heard == [1.0, 2.0, 3.0, 4.0], "from its beginning, and the rest behind it"

    in_time(scene)


def test_what_waited_is_not_said_twice_when_it_is_said_again() -> None:
    async def scene() -> None:
        s = Scene()
        s.speech.talk_started()
        s.speech.chunk(1, tone(1, 24_000))
        assert s.speech.replay(1, 1.0)
        s.speech.talk_ended()
        s.speech.chunk(1, tone(2, 24_000))
        s.speech.settled(1)
        s.advance(10.0)
        assert s.heard == [1.0, 2.0]

    in_time(scene)


@pytest.mark.parametrize("sizes", [[CHUNK] * 4, [500, 3_000, 4_180], [2 * CHUNK, 2 * CHUNK], [7_680]])
def test_resent_speech_is_not_said_twice(sizes: list[int]) -> None:
    async def scene() -> None:
        s = Scene(instant=True)
        s.speech.chunk(1, tone(1, 2 * CHUNK))
        s.speech.restarted(1)
        s.speech.restarted(1)  # dropped again, before anything came back
        whole = tone(1, 2 * CHUNK) + tone(2, 2 * CHUNK)
        at = 0
        for size in sizes:
            s.speech.chunk(1, whole[at : at + 4 * size])
            at += 4 * size
        assert s.speaker.heard == whole
        assert s.speech.speech_of(1) == whole, "and a replay has it once"

    in_time(scene)


def test_a_drop_in_the_middle_of_the_repeat_loses_nothing() -> None:
    async def scene() -> None:
        s = Scene(instant=True)
        s.speech.chunk(1, tone(1, 2 * CHUNK))
        s.speech.restarted(1)
        s.speech.chunk(1, tone(1, CHUNK))
        s.speech.restarted(1)
        whole = tone(1, 2 * CHUNK) + tone(2)
        s.speech.chunk(1, whole)
        assert s.speaker.heard == whole

    in_time(scene)


def test_what_is_settled_before_a_drop_is_not_skipped_in_what_follows() -> None:
    async def scene() -> None:
        s = Scene(BargeIn.MIX, instant=True)
        s.speech.chunk(1, tone(1, 5 * CHUNK))  # all of it belongs to segments that are not sent again
        s.speech.chunk(1, tone(2, CHUNK))
        s.speech.restarted(1, 5 * 4 * CHUNK)
        s.speech.chunk(1, tone(2, CHUNK))
        s.speech.chunk(1, tone(3, CHUNK))
        assert s.heard == [1.0, 2.0, 3.0]
        assert len(s.speaker.heard) == 4 * 7 * CHUNK
        assert len(s.speech.speech_of(1)) == 4 * 7 * CHUNK

    in_time(scene)


def test_what_waits_while_a_person_talks_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        monkeypatch.setattr(module, "WAIT_BYTES", 10 * 4 * CHUNK)
        s = Scene()
        s.speech.talk_started()
        for n in range(1, 15):
            s.speech.chunk(1, tone(n))
        assert s.speech.dropped_s == pytest.approx(4 * CHUNK / OUT_RATE)
        s.speech.talk_ended()
        s.advance(2.0)
        assert s.heard == [float(n) for n in range(1, 11)]

    in_time(scene)


def test_tiny_chunks_are_kept_in_few_parts() -> None:
    async def scene() -> None:
        s = Scene()
        s.speech.talk_started()
        for n in range(40_000):
            s.speech.chunk(1, tone(n, 1))
        assert s.speech.speech_of(1) == b"".join(tone(n, 1) for n in range(40_000))
        assert len(s.speech._speech[1].parts) <= 3
        assert len(s.speech._waiting) <= 3

    in_time(scene)


def test_what_is_kept_for_replay_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        monkeypatch.setattr(module, "KEEP_BYTES", 10 * 4 * CHUNK)
        s = Scene(instant=True)
        for n in range(12):
            s.speech.chunk(n // 4, tone(n))
        assert s.speech.speech_of(0) == b"", "the oldest utterance goes first"
        assert len(s.speech.speech_of(1)) == len(s.speech.speech_of(2)) == 4 * 4 * CHUNK
        for n in range(40):
            s.speech.chunk(9, tone(n))
        assert len(s.speech.speech_of(9)) <= 10 * 4 * CHUNK, "one utterance without end is bounded, too"
        assert s.speech.speech_of(9).endswith(tone(39))
        s.speech.restarted(9)
        s.speech.chunk(9, tone(0, 40 * CHUNK))
        s.speech.chunk(9, tone(99))
        assert s.heard[-1] == 99.0
        assert s.heard.count(39.0) == 1, "what was said is not said twice, although it is no longer kept"

    in_time(scene)


def test_a_cancelled_utterance_falls_silent_for_good() -> None:
    async def scene() -> None:
        s = Scene()
        s.speech.chunk(1, tone(1))
        s.speech.silence(1)
        s.speech.chunk(1, tone(2))
        s.advance(1.0)
        assert s.speaker.heard == b""

    in_time(scene)


def test_chunks_half_a_second_apart_are_one_playout_with_gaps() -> None:
    """Eight of 80 ms: heard as one run of speech, whose seven gaps are counted and timed."""

    async def scene() -> None:
        s = Scene()
        for n in range(8):
            s.speech.chunk(1, tone(n + 1))
            s.advance(0.08)
            s.speaker.underrun(1)
            s.pump()
            assert s.speech.gaps == n
            await asyncio.sleep(0.5)
        ran_dry_at = asyncio.get_running_loop().time() - 0.5
        await asyncio.sleep(QUIET_S)
        s.advance(0.0)
        kinds = [kind for kind, _, _ in s.told]
        assert kinds == ["speech-start", *["underrun"] * 7, "speech-end"]
        silent_s = pytest.approx(7 * 0.5 - 0.64)  # this speaker plays in no time
        assert s.told[-1][2] == {"played_s": 0.64, "cut": False, "gaps": 7, "gap_s": silent_s}
        assert (s.speech.underruns, s.speech.gap_s, s.speech.gaps) == (7, silent_s, 0)
        assert s.times[-1] == pytest.approx(ran_dry_at), "it ended with its last sample, not when that was known"

    in_time(scene)


def test_a_longer_pause_is_another_playout() -> None:
    async def scene() -> None:
        s = Scene()
        for n in range(3):
            s.speech.chunk(1, tone(n + 1))
            s.advance(0.08)
            s.speaker.underrun(n + 1)
            s.pump()
            await asyncio.sleep(QUIET_S + 0.1)
            s.advance(0.0)
        assert [kind for kind, _, _ in s.told] == ["speech-start", "speech-end"] * 3
        assert s.speech.underruns == 0

    in_time(scene)


def test_catching_up_goes_on_with_the_newest_line() -> None:
    async def scene() -> None:
        s = Scene()
        for n in (1, 2, 3):
            s.speech.chunk(n, tone(n, 24_000))
        s.advance(0.1)
        assert s.speech.speaking == 1
        s.speech.catch_up()
        s.pump()
        s.advance(0.2)
        assert s.speech.speaking == 3
        assert s.speaker.buffered_s() == pytest.approx(0.8)
        s.speech.chunk(2, tone(2))  # late, and left out like the rest of it
        s.speech.catch_up()  # only the newest is left
        s.advance(1.0)
        assert s.speaker.buffered_s() == 0.0
        assert s.heard == [1.0, 3.0]
        s.speech.catch_up()  # nothing to catch up with

    in_time(scene)


def test_catching_up_while_talking_keeps_the_newest_that_waits() -> None:
    async def scene() -> None:
        s = Scene(instant=True)
        s.speech.talk_started()
        for n in (1, 2):
            s.speech.chunk(n, tone(n))
        s.speech.catch_up()
        s.speech.talk_ended()
        assert s.heard == [2.0]

    in_time(scene)


def test_running_dry_counts_only_when_speech_goes_on() -> None:
    async def scene() -> None:
        s = Scene()
        s.speech.chunk(1, tone(1))
        s.advance(0.2)
        s.speaker.underrun(1)
        s.pump()
        s.speech.settled(1)
        s.advance(0.1)
        assert s.speech.underruns == 0
        s.speech.chunk(2, tone(2))
        s.advance(0.2)
        s.speaker.underrun(2)
        s.pump()
        s.speech.chunk(2, tone(3))
        assert s.speech.underruns == 1

    in_time(scene)


def test_an_echo_is_possible_while_speech_is_played_and_shortly_after() -> None:
    async def scene() -> None:
        s = Scene()
        assert not s.speech.may_echo()
        s.speech.chunk(1, tone(1))
        s.advance(0.02)
        assert s.speech.may_echo()
        s.speech.settled(1)
        s.advance(1.0)
        assert s.speech.may_echo()
        await asyncio.sleep(0.3)
        assert not s.speech.may_echo()

    in_time(scene)


def test_volume_is_bounded_and_mute_is_silence() -> None:
    async def scene() -> None:
        s = Scene()
        s.speech.set_volume(9.0, False)
        assert s.speaker.gain == 2.0
        s.speech.set_volume(1.0, True)
        assert s.speaker.gain == 0.0
        s.speech.chunk(1, tone(1))  # a policy chosen in the middle of a hold
        s.speech.set_volume(1.0, False)
        s.speech.barge_in = BargeIn.DUCK
        s.speech.talk_started()
        s.speech.barge_in = BargeIn.MIX
        s.speech.talk_ended()
        assert s.speaker.gain == 1.0, "no speech stays ducked"

    in_time(scene)
