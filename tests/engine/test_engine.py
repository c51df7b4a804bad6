"""The whole engine against a scripted service: talking, hearing, losing and leaving."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace
from typing import Any

import pytest

from pinch_tui.core.events import (
    FRAME_BYTES,
    FRAME_S,
    ChangeSession,
    Correct,
    EdgeKind,
    Foreground,
    Frame,
    HearMicrophone,
    Logged,
    MicState,
    NoticePosted,
    Quit,
    ReplaySpeech,
    RetryNow,
    SelectMicrophone,
    SessionParams,
    SetVolume,
    Severity,
    StateWord,
    Stopped,
    StopSpeech,
    TalkSource,
    TerminalFocusChanged,
    TranscriptChanged,
)
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.engine.microphone.policy import LINGER_S
from pinch_tui.errors import AudioError
from pinch_tui.settings.model import BargeIn, KeepOpen
from tests.engine.rig import Rig, play
from tests.fakes.pinch_service import pinch
from tests.faults.conversation import check_session
from tests.faults.scripted import HEALTHY, Plan
from tests.faults.slow import SlowConnector

CHUNK_S = 0.08
OTHER = SessionParams(source="es", target="en")


def numbers(frames: list[bytes]) -> list[int]:
    """The numbers of captured frames."""
    return [struct.unpack_from("<I", frame)[0] for frame in frames]


def states(rig: Rig) -> list[UtteranceState]:
    return [utterance.state for utterance in rig.engine.transcript.utterances]


# ---- one hold -----------------------------------------------------------------------------------------------------


def test_one_hold_passes_through_every_word() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.5)
        await rig.hold(1.0)
        await rig.until(lambda: rig.speaker.buffered_s() > 0.1)
        rig.speaker.advance(0.01)
        await rig.until(lambda: rig.engine.status.speaking_utterance == 1)
        rig.speaker.advance(1.0)
        await rig.settled()
        rig.speaker.advance(1.0)
        await rig.sleep(0.1)

    rig = play(scene, instant=False)
    assert rig.words() == [
        StateWord.CONNECTING,
        StateWord.READY,
        StateWord.TALKING,
        StateWord.FINALIZING,
        StateWord.READY,  # the words are there; the loudspeaker has not begun
        StateWord.SPEAKING,
        StateWord.READY,
        StateWord.OFFLINE,
    ]
    assert states(rig) == [UtteranceState.SETTLED]
    assert isinstance(rig.events[-1], Stopped) and rig.events[-1].unsettled == 0
    assert [round(e.t - rig.logged("talk-stop")[0].t, 3) for e in rig.logged("finalize")] <= [0.2]


def test_talking_is_said_with_the_first_frame_not_with_the_press() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.5)
        rig.source = "nothing"
        await rig.sleep(2.5)
        await rig.press(0.3)
        assert rig.word is StateWord.READY
        rig.source = "voice"
        await rig.sleep(0.1)
        assert rig.word is StateWord.TALKING
        await rig.release()
        await rig.settled()

    play(scene)


def test_offline_and_reconnecting_are_said() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.RECONNECTING)
        assert rig.engine.status.retry_at is not None and rig.engine.status.retry_at > rig.now
        await rig.until(lambda: rig.word is StateWord.READY)
        assert rig.engine.status.retry_at is None
        await rig.until(lambda: rig.word is StateWord.OFFLINE)
        assert "Press the talk key" in rig.engine.status.detail or "ended" in rig.engine.status.detail
        await rig.hold(0.5)
        await rig.settled()

    rig = play(scene, Plan(status=503), Plan(end="close", code=1000, after=1.0))
    assert states(rig) == [UtteranceState.SETTLED]
    assert rig.engine.status.counters.reconnects == 1


# ---- barge-in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", list(BargeIn))
def test_a_press_while_speech_is_played(policy: BargeIn) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(1.0)
        await rig.until(lambda: rig.speaker.buffered_s() > 0.1)
        rig.speaker.advance(0.01)
        await rig.sleep(0.01)
        assert rig.engine.status.speaking_utterance == 1
        await rig.press(0.3)
        heard = len(rig.speaker.heard)
        gain = rig.speaker.gain
        rig.speaker.advance(1.0)
        went_on = len(rig.speaker.heard) > heard
        assert went_on is (policy is not BargeIn.STOP)
        assert gain == (0.25 if policy is BargeIn.DUCK else 1.0)
        await rig.release()
        assert rig.logged("speech-end", utterance=1, cut=True) if policy is BargeIn.STOP else True
        await rig.settled()
        await rig.sleep(0.1)
        assert rig.speaker.gain == 1.0

    rig = play(scene, instant=False, barge_in=policy)
    assert states(rig) == [UtteranceState.SETTLED] * 2


def test_speech_that_arrives_while_talking_is_said_afterwards() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.8, 0.3)
        await rig.press(2.0)  # the first one's speech comes now
        assert rig.engine.transcript.utterance(1).has_speech
        await rig.release(0.1)
        assert rig.speaker.heard == b"", "not into the tail, which is still heard"
        await rig.sleep(0.1)
        assert len(rig.speaker.heard) == 2 * 1920 * 4
        await rig.settled()

    rig = play(scene, replace(HEALTHY, finals_s=0.5))
    assert len(rig.speaker.heard) == 4 * 1920 * 4
    assert [e.fields["utterance"] for e in rig.logged("speech-start")] == [1, 2]


def test_a_press_in_the_tail_leaves_the_speech_that_waits_for_later() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.8, 0.3)
        await rig.press(2.0)  # the first one's speech comes now
        await rig.release(0.05)
        await rig.hold(0.5, 0.3)
        await rig.settled()

    rig = play(scene, replace(HEALTHY, finals_s=0.5))
    assert len(rig.speaker.heard) == 6 * 1920 * 4
    assert not rig.logged("speech-end", cut=True)


def test_what_is_said_again_while_talking_waits_until_nobody_talks() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6)
        await rig.settled()
        before = len(rig.speaker.heard)
        await rig.press(0.3)
        rig.engine.post(ReplaySpeech(1))
        assert "when you finish talking" in rig.notices("replay")[0].title
        await rig.sleep(0.3)
        await rig.release(0.1)
        assert len(rig.speaker.heard) == before
        await rig.sleep(0.1)
        assert len(rig.speaker.heard) == 2 * before
        await rig.settled()

    play(scene)


@pytest.mark.parametrize("keep_open", list(KeepOpen))
def test_nothing_is_heard_in_the_background_and_what_was_said_is_sent(keep_open: KeepOpen) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(0.5)
        rig.engine.post(Foreground(False))
        await rig.sleep(0.05)
        assert not rig.microphone.is_open
        assert rig.engine.status.mic is MicState.CLOSED
        assert len(rig.logged("finalize")) == 1
        await rig.sleep(1.0)
        assert not rig.microphone.is_open
        rig.engine.post(Foreground(True))
        await rig.sleep(0.05)
        assert rig.microphone.is_open is (keep_open is not KeepOpen.PRESS)
        await rig.settled()

    rig = play(scene, keep_open=keep_open, talk=TalkConfig(tail_s=2.0))
    assert rig.logged("talk-stop")[0].fields["source"] == "quit"


def test_escape_after_a_refused_press_does_not_cancel_what_was_said_before() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6, 0.2)
        rig.microphone.fail(AudioError("No microphone.", "Plug one in."), is_retrying=False)
        await rig.sleep(0.01)
        await rig.press(0.1)
        await rig.release(0.05)
        rig.edge(EdgeKind.CANCEL)
        await rig.settled()

    rig = play(scene, replace(HEALTHY, finals_s=1.0))
    assert states(rig) == [UtteranceState.SETTLED]
    assert rig.engine.transcript.utterances[0].translation


def test_replay_volume_and_stop() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        rig.engine.post(ReplaySpeech(7))
        assert rig.notices("replay")[0].severity is Severity.INFO
        await rig.hold(0.6)
        await rig.settled()
        rig.engine.post(SetVolume(1.5))
        assert rig.speaker.gain == 1.5 and rig.engine.status.volume == 1.5
        before = len(rig.speaker.heard)
        rig.engine.post(ReplaySpeech(1))
        rig.engine.post(ReplaySpeech(1, 0.5))
        await rig.sleep(0.1)
        again = len(rig.speaker.heard) - before
        assert again == pytest.approx(3 * before, rel=0.1)
        assert rig.engine.speech_of(1) == rig.speaker.heard[:before]
        rig.engine.post(StopSpeech())
        assert rig.engine.status.speaking_utterance is None

    play(scene)


@pytest.mark.parametrize("at", [0.05, 0.12])
def test_a_connection_lost_while_speech_comes_leaves_the_answered_utterance_settled(at: float) -> None:
    """Both finals are there: sending it all again would only repeat them."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.8)
        await rig.until(lambda: len(rig.speaker.heard) > 0)
        await rig.sleep(at)
        for connection in list(rig.service._server.connections):  # type: ignore[union-attr]
            connection.transport.abort()
        await rig.settled()
        assert rig.engine.transcript.utterance(1).state is UtteranceState.SETTLED

    rig = play(scene)
    assert rig.logged("resend") == []
    assert len(rig.service.sessions) == 1
    assert rig.speaker.heard == rig.engine.speech_of(1)


# ---- the microphone -----------------------------------------------------------------------------------------------


def test_a_microphone_that_comes_back_in_time_goes_on_with_the_sentence() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(0.5)
        rig.microphone.fail()
        await rig.sleep(2.0)
        assert rig.engine.status.mic is MicState.LOST
        assert rig.notices("mic")[-1].is_retrying
        rig.microphone.opened()
        await rig.sleep(0.5)
        assert rig.engine.status.mic is MicState.OPEN
        assert rig.notices("mic")[-1].title == ""
        await rig.release()
        await rig.settled()

    rig = play(scene)
    assert states(rig) == [UtteranceState.SETTLED]
    assert rig.forced == []


@pytest.mark.parametrize("is_pressed_before", [True, False])
def test_a_microphone_that_stays_away_ends_the_utterance(is_pressed_before: bool) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        if is_pressed_before:
            await rig.press(0.5)
            rig.microphone.fail()
        else:
            rig.microphone.fail()
            await rig.sleep(0.5)
            await rig.press()
        await rig.sleep(3.5)
        assert rig.forced == [TalkSource.DEVICE]
        assert rig.engine.status.talking_since is None
        await rig.settled()

    rig = play(scene)
    assert states(rig) == [UtteranceState.SETTLED if is_pressed_before else UtteranceState.EMPTY]


def talks(rig: Rig) -> list[Logged]:
    return [event for event in rig.events if isinstance(event, Logged) and event.kind in ("talk-start", "talk-stop")]


def refused(rig: Rig) -> list[Logged]:
    return [event for event in rig.logged("talk-start") if event.fields.get("refused")]


def test_a_tap_without_a_microphone_latches_nothing() -> None:
    async def scene(rig: Rig) -> None:
        rig.microphone.fail(AudioError("No microphone.", "Run: the cure"), is_retrying=True)
        await rig.sleep(0.1)
        await rig.press(0.1)
        rig.edge(EdgeKind.LATCH)
        await rig.sleep(0.1)
        assert rig.forced == [TalkSource.DEVICE]
        assert rig.logged("talk-stop")[-1].fields["source"] == "device"
        rig.microphone.opened()
        await rig.sleep(0.1)
        await rig.hold(0.5)
        await rig.settled()

    rig = play(scene, opens=False)
    assert states(rig) == [UtteranceState.SETTLED]


def test_a_press_without_a_microphone_is_refused_with_the_cause_and_its_cure() -> None:
    async def scene(rig: Rig) -> None:
        rig.microphone.fail(AudioError("No microphone.", "Run: the cure"), is_retrying=True)
        await rig.sleep(0.1)
        for _ in range(2):
            await rig.hold(0.5, 0.5)
            assert rig.engine.status.talking_since is None
            assert (rig.notices("mic")[-1].title, rig.notices("mic")[-1].hint) == ("No microphone.", "Run: the cure")
        assert [notice.title for notice in rig.notices("mic")] == [
            "No microphone.",
            "",
            "No microphone.",
            "",
            "No microphone.",
        ]
        assert [(e.kind, e.fields["source"], e.fields["utterance"]) for e in talks(rig)] == [
            ("talk-start", "key", None),
            ("talk-stop", "key", None),
        ] * 2
        assert all(event.fields["refused"] for event in talks(rig))
        assert rig.forced == []
        rig.microphone.opened()
        await rig.sleep(0.1)
        assert rig.notices("mic")[-1].title == ""
        await rig.hold(0.5)
        await rig.settled()

    rig = play(scene, opens=False)
    assert states(rig) == [UtteranceState.SETTLED]
    assert rig.notices("heard") == []


def test_a_press_from_outside_without_a_microphone_ends_at_the_limit() -> None:
    async def scene(rig: Rig) -> None:
        rig.microphone.fail(AudioError("No microphone.", "Run: the cure"), is_retrying=True)
        await rig.sleep(0.1)
        rig.edge(EdgeKind.START, TalkSource.CONTROL)
        await rig.sleep(4.9)
        assert rig.forced == []
        await rig.sleep(0.2)
        assert rig.forced == [TalkSource.DEVICE]
        assert rig.logged("talk-stop")[-1].fields["source"] == "device"

    play(scene, opens=False, talk=TalkConfig(limit_s=5.0))


def test_a_press_while_the_first_microphone_is_slow_to_open_keeps_its_words() -> None:
    async def scene(rig: Rig) -> None:
        await rig.press(1.0)
        rig.microphone.opened()
        await rig.sleep(0.5)
        await rig.release()
        await rig.settled()

    rig = play(scene, opens=False)
    assert states(rig) == [UtteranceState.SETTLED]
    assert refused(rig) == []


def test_a_press_is_refused_when_the_microphone_has_been_away_for_long() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        rig.microphone.fail()
        await rig.sleep(3.5)
        await rig.hold(0.5, 0.5)
        assert len(refused(rig)) == 1
        rig.engine.post(SelectMicrophone("usb"))  # being replaced: it may be there in a moment
        await rig.press(0.5)
        rig.microphone.opened()
        await rig.sleep(0.5)
        await rig.release()
        await rig.settled()

    rig = play(scene)
    assert states(rig) == [UtteranceState.SETTLED]
    assert len(refused(rig)) == 1


def test_an_utterance_without_a_microphone_says_its_cause_alone() -> None:
    async def scene(rig: Rig) -> None:
        await rig.press(0.1)  # before it is known
        rig.microphone.fail(AudioError("No PortAudio.", "Run: the cure"), is_retrying=False)
        await rig.sleep(0.1)
        assert rig.forced == [TalkSource.DEVICE]
        await rig.settled()

    rig = play(scene, opens=False)
    assert states(rig) == [UtteranceState.EMPTY]
    assert rig.notices("heard") == []
    assert rig.notices("mic")[-1].title == "No PortAudio."


def test_a_correction_of_a_settled_line_is_told() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        await rig.hold(0.6)
        await rig.settled()
        await rig.until(lambda: states(rig) == [UtteranceState.SETTLED])
        rig.events.clear()
        rig.engine.post(Correct(1, "What was said.", None))
        rig.engine.post(Correct(9, "Nobody said this.", None))
        await rig.sleep(0.1)
        assert [event for event in rig.events if isinstance(event, TranscriptChanged)] == [TranscriptChanged((1,))]

    rig = play(scene)
    (row,) = rig.engine.transcript.utterances
    assert (row.original, row.is_corrected) == ("What was said.", True)


def sample_frame(rig: Rig, n: int) -> Frame:
    return Frame(bytes([n % 251 + 1]) * FRAME_BYTES, 0, rig.now, 0.3)


async def speak_sample(rig: Rig, n_frames: int) -> None:
    rig.edge(EdgeKind.START, TalkSource.SAMPLE)
    for n in range(n_frames):
        await rig.sleep(FRAME_S)
        rig.engine.hear_sample(sample_frame(rig, n))
    rig.edge(EdgeKind.COMMIT, TalkSource.SAMPLE)
    for _ in range(10):
        await rig.sleep(FRAME_S)
        rig.engine.hear_sample(Frame(bytes(FRAME_BYTES), 0, rig.now))


@pytest.mark.parametrize("opens", [True, False], ids=["microphone", "no microphone"])
def test_a_sample_is_an_utterance_like_any_other_with_no_frame_of_the_microphone(opens: bool) -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        if not opens:
            rig.microphone.fail(AudioError("There is no microphone."), is_retrying=False)
        await rig.sleep(0.5)
        await speak_sample(rig, 25)
        await rig.settled()

    rig = play(scene, opens=opens)
    (row,) = rig.engine.transcript.utterances
    assert row.is_sample
    assert row.state is UtteranceState.SETTLED
    assert row.original
    frames = [pcm for session in rig.service.sessions for part in session.utterances() for pcm in part]
    assert [pcm[0] for pcm in frames[:25]] == list(range(1, 26))
    assert all(pcm == bytes([pcm[0]]) * FRAME_BYTES for pcm in frames)
    assert not rig.notices("silence")


def test_a_press_during_a_sample_is_heard_and_the_sample_is_dropped() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        rig.edge(EdgeKind.START, TalkSource.SAMPLE)
        for n in range(10):
            await rig.sleep(FRAME_S)
            rig.engine.hear_sample(sample_frame(rig, n))
        await rig.hold(0.6, then=0.3)
        rig.engine.hear_sample(sample_frame(rig, 11))  # too late
        rig.edge(EdgeKind.COMMIT, TalkSource.SAMPLE)
        await rig.settled()

    rig = play(scene)
    sample, spoken = rig.engine.transcript.utterances
    assert (sample.is_sample, sample.state) == (True, UtteranceState.CANCELLED)
    assert (spoken.is_sample, spoken.state) == (False, UtteranceState.SETTLED)


def test_an_absent_microphone_is_asked_for_at_each_press() -> None:
    async def scene(rig: Rig) -> None:
        rig.microphone.fail(AudioError("No microphone.", "Plug one in."), is_retrying=False)
        await rig.sleep(0.3)
        assert rig.engine.status.mic is MicState.ABSENT
        assert rig.notices("mic")[-1].severity is Severity.ERROR
        asked = rig.microphone.opens_asked
        await rig.hold(0.5)
        assert rig.microphone.opens_asked == asked + 1
        assert rig.engine.status.mic is MicState.OPEN
        await rig.press(0.5)
        await rig.release()
        await rig.settled()

    assert states(play(scene)) == [UtteranceState.SETTLED]


def test_choosing_another_microphone_where_none_was_opens_it() -> None:
    async def scene(rig: Rig) -> None:
        rig.microphone.fail(AudioError("No microphone.", "Plug one in."), is_retrying=False)
        await rig.sleep(0.3)
        rig.engine.post(SelectMicrophone("usb"))
        await rig.sleep(0.1)
        assert rig.engine.status.mic is MicState.OPEN
        assert rig.engine.status.mic_name == "usb"

    play(scene)


def test_a_meter_that_is_looked_at_keeps_the_microphone_open() -> None:
    async def scene(rig: Rig) -> None:
        rig.engine.post(TerminalFocusChanged(True, known=False))
        await rig.sleep(LINGER_S + 1.0)
        assert rig.engine.status.mic is MicState.CLOSED
        for _ in range(5):
            rig.engine.post(HearMicrophone())
            await rig.sleep(LINGER_S / 3)
            assert rig.engine.status.mic is MicState.OPEN
        await rig.sleep(LINGER_S + 1.0)
        assert rig.engine.status.mic is MicState.CLOSED

    play(scene)


def test_two_seconds_of_zeros_are_named_and_taken_back() -> None:
    async def scene(rig: Rig) -> None:
        rig.source = "zeros"
        await rig.sleep(5.0)
        await rig.press(1.9)
        assert rig.notices("silence") == []
        await rig.sleep(0.3)
        assert rig.notices("silence")[-1].severity is Severity.ERROR
        rig.source = "voice"
        await rig.sleep(0.1)
        assert rig.notices("silence")[-1].title == ""
        await rig.release()
        await rig.settled()

    assert len(play(scene).notices("silence")) == 2


def test_a_microphone_that_is_muted_in_the_middle_of_an_utterance_is_named() -> None:
    async def scene(rig: Rig) -> None:
        await rig.press(1.0)
        rig.source = "zeros"
        await rig.sleep(1.9)
        assert rig.notices("silence") == []
        await rig.sleep(0.2)
        (notice,) = rig.notices("silence")
        assert notice.severity is Severity.WARNING
        assert "any more" in notice.title
        await rig.release(0.5)
        rig.source = "voice"
        await rig.sleep(0.1)  # it is taken back although nobody talks
        assert rig.notices("silence")[-1].title == ""
        await rig.settled()

    play(scene)


def test_the_pauses_of_an_utterance_without_end_are_not_spoken_of() -> None:
    async def scene(rig: Rig) -> None:
        await rig.press(1.0)
        rig.source = "zeros"
        await rig.sleep(5.0)
        assert rig.notices("silence") == []
        await rig.release()
        await rig.settled()

    play(scene, talk=TalkConfig(limit_s=None))


@pytest.mark.parametrize("keep_open", list(KeepOpen))
def test_the_microphone_is_open_as_told(keep_open: KeepOpen) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        assert rig.microphone.is_open is (keep_open is not KeepOpen.PRESS)
        rig.engine.post(TerminalFocusChanged(False))
        await rig.sleep(0.1)
        assert rig.microphone.is_open is (keep_open is KeepOpen.ALWAYS)
        await rig.press(0.5)
        assert rig.microphone.is_open
        rig.engine.post(TerminalFocusChanged(True))
        rig.engine.post(TerminalFocusChanged(False))
        assert rig.microphone.is_open
        await rig.release(0.6)
        assert rig.microphone.is_open is (keep_open is KeepOpen.ALWAYS)
        rig.engine.post(TerminalFocusChanged(True))
        await rig.sleep(0.1)
        assert rig.microphone.is_open is (keep_open is not KeepOpen.PRESS)
        await rig.settled()

    assert states(play(scene, keep_open=keep_open)) == [UtteranceState.SETTLED]


def test_without_focus_reports_it_closes_a_minute_after_the_last_utterance() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(59.0)
        assert rig.microphone.is_open
        await rig.sleep(2.0)
        assert not rig.microphone.is_open
        await rig.hold(0.5, 59.0)
        assert rig.microphone.is_open
        await rig.sleep(2.0)
        assert not rig.microphone.is_open

    play(scene)


# ---- ending -------------------------------------------------------------------------------------------------------


def test_the_limit_is_said_before_and_ends_the_utterance() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(1.5)
        assert rig.notices("limit") == []
        await rig.sleep(1.0)
        assert "10 s" in rig.notices("limit")[-1].title
        assert rig.engine.status.limit_at == pytest.approx(rig.now + 9.5, abs=0.05)
        await rig.sleep(10.0)
        assert rig.forced == [TalkSource.LIMIT]
        assert "Time limit" in rig.notices("limit")[-1].title
        await rig.settled()

    rig = play(scene, talk=TalkConfig(limit_s=12.0))
    assert rig.logged("talk-stop")[0].fields["source"] == "limit"
    assert states(rig) == [UtteranceState.SETTLED]


def test_the_limit_is_said_whoever_tells_of_it_first() -> None:
    """The hold machine's commit for the same reason may overtake the engine's own alarm."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(1.0)
        rig.edge(EdgeKind.COMMIT, TalkSource.LIMIT)
        await rig.sleep(0.1)
        assert "Time limit" in rig.notices("limit")[-1].title

    play(scene)


@pytest.mark.parametrize("after", [0.01, 0.5, 2.0])
def test_escape_sends_no_more_and_drops_what_comes_back(after: float) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(after)
        rig.edge(EdgeKind.CANCEL, TalkSource.CANCEL)
        await rig.sleep(2.0)
        await rig.hold(0.6)
        await rig.settled()

    rig = play(scene)
    assert states(rig) == [UtteranceState.CANCELLED, UtteranceState.SETTLED]
    first = rig.engine.transcript.utterances[0]
    assert first.segments == () and not first.has_speech
    assert len(rig.speaker.heard) == 2 * 1920 * 4
    for session in rig.service.sessions:
        check_session(session)
        assert [item for _, item in session.got if item == "finalize"] == ["finalize"] * 2


@pytest.mark.parametrize("after", [0.05, 0.2, 0.4])
def test_escape_after_the_end_drops_it_too(after: float) -> None:
    """In the tail, behind the finalize, and after the first words of the answer."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(1.0, after)
        rig.edge(EdgeKind.CANCEL, TalkSource.CANCEL)
        await rig.sleep(2.0)
        await rig.hold(0.6)
        await rig.settled()

    rig = play(scene)
    assert states(rig) == [UtteranceState.CANCELLED, UtteranceState.SETTLED]
    first = rig.engine.transcript.utterances[0]
    assert first.segments == ()
    assert not first.has_speech and len(rig.speaker.heard) == 2 * 1920 * 4
    for session in rig.service.sessions:
        check_session(session)
        assert [item for _, item in session.got if item == "finalize"] == ["finalize"] * 2


def test_escape_before_the_session_is_ready_sends_nothing() -> None:
    async def scene(rig: Rig) -> None:
        await rig.press(0.3)
        rig.edge(EdgeKind.CANCEL, TalkSource.CANCEL)
        await rig.sleep(3.0)

    rig = play(scene, replace(HEALTHY, ready_s=1.0))
    assert rig.service.sessions[0].got == []
    assert states(rig) == [UtteranceState.CANCELLED]


@pytest.mark.parametrize("plan", [HEALTHY, replace(HEALTHY, hears=False), Plan(end="hang", at_frame=5)])
def test_quit_waits_for_the_last_words_for_three_seconds_at_most(plan: Plan) -> None:
    took = 0.0

    async def scene(rig: Rig) -> None:
        nonlocal took
        await rig.sleep(0.3)
        await rig.press(0.6)
        began = rig.now
        rig.engine.post(Quit())
        assert rig.engine.status.draining_until == pytest.approx(began + 3.0)
        rig.edge(EdgeKind.START)  # nothing new begins
        await rig.until(lambda: isinstance(rig.events[-1], Stopped), 10.0)
        took = rig.now - began

    rig = play(scene, plan)
    assert len(states(rig)) == 1
    if plan is HEALTHY:
        assert took < 1.5
        assert states(rig) == [UtteranceState.SETTLED]
        assert rig.service.sessions[0].closed == 1000
    assert took <= 3.4, "a service that does not answer the farewell is not waited for"


def test_quit_waits_for_the_words_behind_earlier_finals() -> None:
    """What was said so far is final in both languages; the rest comes a second after `finalize`."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(1.4)
        assert rig.engine.transcript.utterances[0].translation
        rig.engine.post(Quit())
        await rig.until(lambda: isinstance(rig.events[-1], Stopped), 10.0)

    rig = play(scene, replace(HEALTHY, is_cumulative=True, finals_s=0.8))
    (first,) = rig.engine.transcript.utterances
    sent = rig.service.sessions[0].utterances()[0]
    assert sum(int(words) for words in first.translation.split()[3::4]) == len(sent)
    assert isinstance(rig.events[-1], Stopped) and rig.events[-1].unsettled == 0, "nothing is known to be missing"


@pytest.mark.parametrize("plan", [HEALTHY, Plan(end="hang", at_frame=5)])
def test_a_second_quit_leaves_at_once(plan: Plan) -> None:
    took = 0.0

    async def scene(rig: Rig) -> None:
        nonlocal took
        await rig.sleep(0.3)
        await rig.press(0.6)
        rig.engine.post(Quit())
        await rig.sleep(0.1)
        began = rig.now
        rig.engine.post(Quit())
        await rig.until(lambda: isinstance(rig.events[-1], Stopped), 10.0)
        took = rig.now - began

    rig = play(scene, plan)
    assert took <= 0.4
    assert isinstance(rig.events[-1], Stopped) and rig.events[-1].unsettled == 1


# ---- sessions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_latched", [False, True])
def test_a_change_while_talking_parts_the_talk_and_loses_no_frame(is_latched: bool) -> None:
    """The key stays down: what follows is an utterance of its own under the new parameters, from the next frame on."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(0.4)
        if is_latched:
            rig.edge(EdgeKind.LATCH, TalkSource.TAP)
        await rig.sleep(0.4)
        rig.engine.post(ChangeSession(OTHER))
        assert rig.forced == [], "the key is still down"
        assert "Earlier words keep their languages" in rig.notices("change")[-1].hint
        await rig.sleep(0.02)
        assert rig.word is StateWord.TALKING
        assert rig.engine.status.is_latched is is_latched
        await rig.sleep(0.6)
        await rig.release()
        await rig.settled()
        await rig.sleep(4.0)
        assert len(rig.engine._sessions.all()) == 1, "the old session is let go"

    rig = play(scene)
    first, second = rig.engine.transcript.utterances
    assert (first.target, second.target) == ("es", "en")
    assert states(rig) == [UtteranceState.SETTLED] * 2
    assert [s.closed for s in rig.service.sessions] == [1000, 1000]
    before, after = (numbers(s.utterances()[0]) for s in rig.service.sessions)
    assert before + after == list(range(before[0], after[-1] + 1)), "every frame once, in order"
    assert [e.fields["source"] for e in rig.logged("talk-stop")] == ["change", "key"]


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"target": "fr"}, "From here on: English to French."),
        ({"two_way": True}, "From here on: English and Spanish."),
        ({"text_only": True}, "From here on: the new settings."),
    ],
)
def test_what_changed_while_talking_is_said(change: dict[str, Any], title: str) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(0.4)
        rig.engine.post(ChangeSession(replace(rig.engine.status.params, **change)))
        assert rig.notices("change")[-1].title == title
        await rig.release()
        await rig.settled()

    play(scene)


def test_a_change_before_the_first_frame_leaves_no_empty_row() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        rig.source = "nothing"
        await rig.press(0.1)
        rig.engine.post(ChangeSession(OTHER))
        await rig.sleep(0.1)
        rig.source = "voice"
        await rig.sleep(0.5)
        await rig.release()
        await rig.settled()

    rig = play(scene, talk=TalkConfig(preroll_s=0.0))
    assert states(rig) == [UtteranceState.CANCELLED, UtteranceState.SETTLED]
    assert rig.notices("heard") == []


def test_speech_can_be_asked_for_again_after_the_service_refused_it() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.engine.status.params.text_only)
        rig.engine.post(ChangeSession(SessionParams()))
        await rig.until(lambda: not rig.engine.status.params.text_only)
        await rig.hold(0.6)
        await rig.settled()

    rig = play(scene, Plan(refuses_speech=True))
    assert rig.service.sessions[-1].params["audioOutputEnabled"] == "true"


def test_late_finals_of_a_session_that_was_changed_are_still_taken() -> None:
    """Two segments, the second one's texts late: the old session is not closed in between."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(0.8)
        rig.engine.post(ChangeSession(replace(OTHER, text_only=True)))
        await rig.release()
        await rig.until(lambda: states(rig)[0] is UtteranceState.SETTLED)
        late = rig.service.sessions[0]
        for connection in list(rig.service._server.connections):  # type: ignore[union-attr]
            if connection.recorded is late:  # type: ignore[attr-defined]
                for kind in ("original", "translated"):
                    await connection.send(
                        f'{{"type":"{kind}_transcript","correlation_id":"seg_late","text":"late","is_final":true}}'
                    )
        await rig.sleep(1.0)

    rig = play(scene, params=SessionParams(text_only=True))
    assert rig.engine.transcript.utterances[0].original.endswith("late")


def test_words_kept_by_a_draining_session_are_sent_when_the_key_is_cured() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6, 0.5)
        rig.engine.post(ChangeSession(OTHER))
        await rig.sleep(0.5)
        await rig.hold(0.6, 0.5)
        assert [status for _, status in rig.service.asked] == [401, 401], "a press asks no refused key again"
        rig.engine.use_service(pinch(rig.service.base_url, "pk_better"))
        await rig.settled()
        await rig.sleep(4.0)

    rig = play(scene, Plan(status=401), Plan(status=401))
    assert states(rig) == [UtteranceState.SETTLED] * 2
    assert [u.target for u in rig.engine.transcript.utterances] == ["es", "en"]


def test_a_key_replaced_while_the_old_one_is_asked_strands_no_word() -> None:
    async def scene(rig: Rig) -> None:
        await rig.hold(0.6, 0.2)
        rig.engine.use_service(pinch(rig.service.base_url, "pk_better"))
        await rig.settled()
        await rig.sleep(5.0)  # the old refusal would be here by now
        assert not rig.notices("link") or not rig.notices("link")[-1].title
        assert rig.word is StateWord.READY

    rig = play(scene, Plan(status=401, allocate_s=3.0))
    assert states(rig) == [UtteranceState.SETTLED]


def test_a_resend_is_no_latency() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6)
        await rig.settled()

    rig = play(scene, Plan(end="close", code=1006, at_frame=20))
    assert rig.engine.transcript.utterance(1).attempt == 2
    latency = rig.engine.status.latency
    assert (latency.final.n, latency.first_text.n, latency.first_sound.n) == (0, 0, 0)


def test_what_passes_is_said_each_time() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        for _ in range(3):
            rig.engine.post(ReplaySpeech(1))
        assert len(rig.notices("replay")) == 3

    play(scene)


def test_text_only_is_told_once_and_goes_on() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.5)
        for _ in range(2):
            await rig.hold(0.6)
            await rig.settled()

    rig = play(scene, replace(HEALTHY, refuses_speech=True))
    assert len([n for n in rig.notices("speech") if n.title]) == 1
    assert states(rig) == [UtteranceState.SETTLED] * 2
    assert rig.engine.status.params.audio_output is False


def test_a_session_says_nothing_of_the_one_before() -> None:
    """Texts that come before `ready` belong to no utterance, even under an id of the connection before."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6)
        await rig.settled()
        before = rig.engine.transcript.utterances[0]
        await rig.until(lambda: len(rig.service.sessions) == 2 and bool(rig.service._server.connections), 20.0)  # type: ignore[union-attr]
        await rig.sleep(0.2)
        for connection in list(rig.service._server.connections):  # type: ignore[union-attr]
            for id_ in ("seg_ss_0_1", "seg_new"):
                await connection.send(
                    f'{{"type":"original_transcript","correlation_id":"{id_}","text":"ghost","is_final":true}}'
                )
        await rig.sleep(0.3)
        assert rig.engine.transcript.utterances[0] == before

    play(scene, Plan(end="close", code=1001, after=4.0), replace(HEALTHY, ready_s=3.0))


# ---- figures ------------------------------------------------------------------------------------------------------


def test_counters_count_what_was_held_sent_again_and_lost() -> None:
    async def scene(rig: Rig) -> None:
        await rig.press(0.02)
        await rig.sleep(0.5)
        rig.microphone.feed(bytes([1]) * 640, lost=123)
        rig.count += 1
        await rig.release()
        await rig.settled()

    rig = play(scene, replace(HEALTHY, ready_s=0.3, end="close", code=4503, at_frame=20))
    counters = rig.engine.status.counters
    assert counters.held_s >= 0.3
    assert counters.resent_s == pytest.approx(0.4, abs=0.05)
    assert counters.lost_samples == 123
    assert counters.reconnects == 1


def test_a_server_that_reads_slower_than_speech_loses_nothing() -> None:
    """Everything arrives in the end, and meanwhile the screen says how far behind the sound is."""
    behind: list[float] = []

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press()
        for _ in range(40):
            await rig.sleep(0.25)
            behind.append(rig.engine.status.behind_s)
        await rig.release()
        assert rig.word is not StateWord.RECONNECTING
        await rig.until(lambda: not rig.engine._sessions.unsettled(), 120.0)
        assert rig.engine.status.behind_s == 0

    rig = play(scene, connector=SlowConnector(0.04))
    assert max(behind) > 1.0
    assert len(rig.service.sessions) == 1, "slow is not dead"
    assert states(rig) == [UtteranceState.SETTLED]
    parts = rig.service.sessions[0].utterances()
    assert parts[0] and all(
        int.from_bytes(b[:4], "little") - int.from_bytes(a[:4], "little") == 1
        for a, b in zip(parts[0], parts[0][1:], strict=False)
    )


@pytest.mark.parametrize("is_eager", [True, False])
@pytest.mark.parametrize("code", [1001, 1006, 4401, 4500, 4503])
def test_an_idle_session_that_the_service_ends_is_reopened_as_told(is_eager: bool, code: int) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(8.0)
        assert len(rig.service.sessions) == (2 if is_eager else 1)
        assert rig.word is (StateWord.READY if is_eager else StateWord.OFFLINE)
        await rig.hold(0.6)
        await rig.settled()

    rig = play(scene, Plan(end="close", code=code, after=4.0), reopens_idle=is_eager)
    assert len(rig.service.sessions) == 2
    assert states(rig) == [UtteranceState.SETTLED]


def test_a_retry_ends_the_wait() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.RECONNECTING)
        began = rig.now
        rig.engine.post(RetryNow())
        await rig.until(lambda: rig.word is StateWord.READY)
        assert rig.now - began < 0.3

    play(scene, Plan(status=503))


def notices(rig: Rig) -> list[NoticePosted]:
    return [event for event in rig.events if isinstance(event, NoticePosted)]


def test_what_stays_wrong_names_where_to_write_and_what_the_service_says() -> None:
    async def scene(rig: Rig) -> None:
        await rig.press(0.5)
        await rig.release()
        await rig.until(lambda: any(not notice.is_retrying for notice in notices(rig) if notice.topic == "link"), 120.0)

    rig = play(scene, *[Plan(status=503)] * 60)
    passing = [notice for notice in notices(rig) if notice.topic == "link" and notice.is_retrying]
    assert 'The service says: "scripted"' in passing[0].hint and "support@" not in passing[0].hint
    (last,) = [notice for notice in notices(rig) if notice.topic == "link" and not notice.is_retrying]
    assert "report it to support@startpinch.com" in last.hint and 'The service says: "scripted"' in last.hint


def test_a_fault_that_stays_names_where_to_write_and_the_session() -> None:
    async def scene(rig: Rig) -> None:
        await rig.press(0.5)
        await rig.release()
        await rig.until(lambda: any("report it" in notice.hint for notice in notices(rig)), 120.0)

    rig = play(scene, *[Plan(end="close", code=4500, at_frame=5)] * 20)
    hint = next(notice.hint for notice in notices(rig) if "report it" in notice.hint)
    assert "support@startpinch.com (session ss_" in hint and "model scripted-1" in hint


def test_the_time_to_the_last_sound_is_measured_and_logged() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.8)
        await rig.settled()
        await rig.sleep(1.0)

    rig = play(scene)
    (end,) = rig.logged("speech-end")
    latency = rig.engine.status.latency
    assert latency.last_sound.n == 1
    assert latency.last_sound.ms is not None and latency.first_sound.ms is not None
    assert end.fields["last_sound_ms"] == round(latency.last_sound.ms)
    assert latency.last_sound.ms >= latency.first_sound.ms


def test_hours_of_idling_cost_nothing() -> None:
    """No timer rings again and again: an idle engine wakes for its pings and little else."""
    rings = 0

    async def scene(rig: Rig) -> None:
        nonlocal rings
        await rig.hold(0.5)
        await rig.settled()
        rig.engine.post(TerminalFocusChanged(False))
        await rig.sleep(1.0)
        runner = rig.engine._sessions.all()[0]
        handle = runner.session.handle

        def count(fact: object, now: float) -> object:
            nonlocal rings
            rings += 1
            return handle(fact, now)  # type: ignore[arg-type]

        runner.session.handle = count  # type: ignore[method-assign,assignment]
        await rig.sleep(600.0)

    play(scene)
    assert rings <= 600 / 20 * 2 + 10


def test_a_continuous_utterance_says_its_speech_as_it_comes() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(0.5)
        rig.engine._player.chunk(1, bytes(4 * 1920))
        await asyncio.sleep(0.01)
        assert len(rig.speaker.heard) == 4 * 1920, "a listener that is never released would wait for ever"
        await rig.release()
        await rig.settled()

    play(scene, is_continuous=True, talk=TalkConfig(limit_s=None))


def test_sound_from_before_the_pre_roll_is_not_sent_however_late_it_comes() -> None:
    """The press may be handled before frames that were captured long before it."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.5)
        rig.source = "nothing"
        await rig.sleep(1.0)
        await rig.press()
        for n in range(40):  # a second and a half to 0.7 s ago
            rig.microphone.feed(bytes([9]) * 640, t=rig.now - 1.5 + n * 0.02)
        await rig.sleep(0.01)
        rig.source = "voice"
        await rig.sleep(0.5)
        await rig.release()
        await rig.settled()

    rig = play(scene)
    sent = [item for _, item in rig.service.sessions[0].got if isinstance(item, bytes)]
    assert sent and bytes([9]) * 640 not in sent


@pytest.mark.parametrize("late", [0.0, 0.02, 0.04, 0.06, 0.08])
def test_a_press_finds_the_frames_that_were_held_back(late: float) -> None:
    """While nobody talks the frames come five at a time; a press between two of those loses none."""
    began = 0.0

    async def scene(rig: Rig) -> None:
        nonlocal began
        await rig.sleep(2.0 + late)
        assert not rig.microphone.is_attended
        began = rig.count
        await rig.press(0.5)
        assert rig.microphone.is_attended
        assert rig.logged("first-frame")[0].t - rig.logged("talk-start")[0].t < 0.005, "it was heard before"
        await rig.release()
        await rig.sleep(0.5)
        assert rig.microphone.is_attended
        await rig.settled()
        await rig.sleep(1.0)
        assert not rig.microphone.is_attended

    rig = play(scene)
    sent = rig.service.sessions[0].utterances()[0]
    numbers = [int.from_bytes(pcm[:4], "little") for pcm in sent]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert 14 <= began - numbers[0] <= 16, "the pre-roll: 300 ms"


def test_a_quit_does_not_wait_for_words_that_cannot_be_sent() -> None:
    took = 0.0

    async def scene(rig: Rig) -> None:
        nonlocal took
        await rig.sleep(0.3)
        await rig.hold(0.6, 1.0)
        began = rig.now
        rig.engine.post(Quit())
        await rig.until(lambda: isinstance(rig.events[-1], Stopped), 10.0)
        took = rig.now - began

    rig = play(scene, Plan(status=401))
    assert took < 0.2
    assert isinstance(rig.events[-1], Stopped) and rig.events[-1].unsettled == 1


def test_what_the_speaker_dropped_is_counted() -> None:
    async def scene(rig: Rig) -> None:
        rig.speaker.dropped = 1.5
        await rig.hold(0.6)
        await rig.settled()

    assert play(scene).engine.status.counters.dropped_speech_s == 1.5
