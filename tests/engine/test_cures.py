"""Words that were kept come loose by themselves: each refusal with its cure, and a line without text sent again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinch_tui.core.events import ChangeSession, RetryNow, SendAgain, SessionParams, StateWord, Voice
from pinch_tui.core.session.outbox import KeptSound
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.services.pinch.traits import PRACTICE
from tests.engine.rig import Rig, play
from tests.engine.test_engine import numbers, states
from tests.fakes.pinch_service import pinch
from tests.faults.scripted import HEALTHY, Plan, Recorded

FRENCH = SessionParams(source="fr", target="de")
MALFORMED = Plan(end="close", code=4400, at_frame=5)


def frames_of(session: Recorded) -> list[bytes]:
    return [item for _, item in session.got if isinstance(item, bytes)]


def finalizes(session: Recorded) -> int:
    return sum(item == "finalize" for _, item in session.got)


@pytest.mark.parametrize("cure", [FRENCH, SessionParams(voice=Voice.FEMALE)], ids=["language", "voice"])
@pytest.mark.parametrize("plans", [[Plan(status=422)], [MALFORMED, MALFORMED]], ids=["422", "4400 twice"])
def test_refused_words_are_sent_with_other_settings(plans: list[Plan], cure: SessionParams) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6, 0.5)
        await rig.hold(0.4, 0.5)
        assert rig.word is StateWord.OFFLINE
        assert rig.engine._sessions.unsettled() == [1, 2]
        rig.engine.post(ChangeSession(cure))
        await rig.settled()
        assert len(rig.engine._sessions.all()) == 1 or rig.engine._sessions.draining()[0].session.is_active is False

    rig = play(scene, *plans)
    assert states(rig) == [UtteranceState.SETTLED] * 2
    assert [(u.source, u.target) for u in rig.engine.transcript.utterances] == [(cure.source, cure.target)] * 2
    sent = numbers(frames_of(rig.service.sessions[-1]))
    assert sent == sorted(sent)
    assert finalizes(rig.service.sessions[-1]) == 2
    assert rig.notices("link")[-1].title == ""


def test_the_key_that_cures_is_offered() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6, 0.5)

    for plans, offers in (
        ([Plan(status=422)], ("languages", "settings", "retry")),
        ([Plan(status=401)], ("welcome",)),
        ([Plan(status=403)], ("welcome", "support")),
        ([MALFORMED, MALFORMED], ("retry", "support")),
    ):
        assert play(scene, *plans).notices("link")[-1].offers == offers


def test_retrying_sends_what_4400_kept() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6, 0.5)
        rig.engine.post(RetryNow())
        await rig.settled()

    assert states(play(scene, MALFORMED, MALFORMED)) == [UtteranceState.SETTLED]


def test_words_that_another_service_refused_go_to_the_new_one() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6, 0.5)
        await rig.press(0.3)
        rig.engine.use_service(replace(pinch(rig.service.base_url), traits=PRACTICE))
        await rig.release()
        await rig.settled()

    rig = play(scene, Plan(status=401))
    assert states(rig) == [UtteranceState.SETTLED] * 3  # the talk that was under way was parted


@pytest.mark.parametrize("plan", [Plan(status=503), Plan(allocate_end="hang")], ids=["503", "no answer"])
def test_words_that_wait_for_a_service_go_to_the_one_that_is_chosen(plan: Plan) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6, 0.5)
        rig.engine.use_service(replace(pinch(rig.service.base_url), traits=PRACTICE))
        await rig.settled()
        await rig.sleep(3.0)

    rig = play(scene, plan)
    assert states(rig) == [UtteranceState.SETTLED]
    assert len(rig.logged("final", utterance=1)) > 0


def test_a_release_during_the_change_loses_no_sound() -> None:
    """The tail of an utterance is still captured when its session is replaced."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.press(0.6)
        await rig.release(0.05)
        rig.engine.post(ChangeSession(FRENCH))
        await rig.settled()

    rig = play(scene, Plan(status=422))
    assert states(rig) == [UtteranceState.SETTLED]
    frames = numbers(frames_of(rig.service.sessions[-1]))
    assert frames == list(range(frames[0], frames[-1] + 1))
    assert len(frames) * 0.02 >= 0.6 + 0.15


def test_a_session_that_gave_up_tries_again_when_the_next_one_is_ready() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6, 70.0)
        assert rig.engine._sessions.unsettled() == [1]
        rig.engine.post(ChangeSession(FRENCH))
        await rig.settled()

    rig = play(scene, *[Plan(status=503)] * 11)
    assert states(rig) == [UtteranceState.SETTLED]
    assert rig.engine.transcript.utterance(1).target == "es"  # in the languages that it was spoken in


# ---- a line without text --------------------------------------------------------------------------------------------


def test_a_line_without_text_is_sent_again() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6)
        await rig.settled()
        row = rig.engine.transcript.utterance(1)
        assert (row.state, row.can_send_again) == (UtteranceState.EMPTY, True)
        assert rig.notices("heard")[-1].offers == ("languages", "send_again")
        rig.engine.post(ChangeSession(FRENCH))
        await rig.sleep(1.0)
        rig.engine.post(SendAgain(1))
        assert rig.engine.transcript.utterance(1).state is UtteranceState.WAITING
        await rig.settled()
        rig.engine.post(SendAgain(1))  # nothing is kept of it now
        await rig.sleep(1.0)

    rig = play(scene, Plan(hears=False), HEALTHY)
    row = rig.engine.transcript.utterance(1)
    assert (row.state, row.attempt, row.can_send_again) == (UtteranceState.SETTLED, 2, False)
    assert (row.source, row.target) == ("fr", "de")
    first, second = rig.service.sessions
    assert numbers(frames_of(second)) == numbers(frames_of(first))
    assert finalizes(second) == 1


def test_it_waits_for_the_words_that_are_spoken_now() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6)
        await rig.settled()
        rig.engine.post(ChangeSession(FRENCH))
        await rig.sleep(1.0)
        await rig.press(0.5)
        rig.engine.post(SendAgain(1))
        await rig.sleep(0.5)
        await rig.release()
        await rig.settled()

    rig = play(scene, Plan(hears=False), HEALTHY)
    assert states(rig) == [UtteranceState.SETTLED] * 2
    first, second = rig.service.sessions
    again = numbers(frames_of(first))
    assert numbers(frames_of(second))[-len(again) :] == again


def test_another_conversation_has_other_sounds() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(0.3)
        await rig.hold(0.6)
        await rig.settled()
        rig.engine.resume(())
        rig.engine.post(SendAgain(1))
        await rig.sleep(0.5)

    assert play(scene, Plan(hears=False)).logged("resend") == []


def test_silence_is_not_kept() -> None:
    async def scene(rig: Rig) -> None:
        rig.source = "zeros"
        await rig.sleep(1.0)
        await rig.hold(0.6)
        await rig.settled()
        assert not rig.engine.transcript.utterance(1).can_send_again

    play(scene, Plan(hears=False))


def test_the_oldest_sound_goes_at_the_bound() -> None:
    from pinch_tui.core.events import FRAME_BYTES, Frame

    second = [Frame(bytes(FRAME_BYTES), n, 0.02 * n) for n in range(50)]
    kept = KeptSound(keep_s=2.0)
    assert [kept.put(number, second) for number in (1, 2, 3)] == [[], [], [1]]
    assert [number in kept for number in (1, 2, 3)] == [False, True, True]
    assert kept.put(4, second * 3) == [2, 3, 4]
