"""A spare session for the swapped pair: a swap is ready at once, and nothing else is to be noticed of it."""

from __future__ import annotations

import pytest

from pinch_tui.core.events import ChangeSession, KeepSpare, Quit, SessionParams, StateWord, Voice
from pinch_tui.core.session import spare
from pinch_tui.core.transcript.utterance import UtteranceState
from tests.engine.rig import Rig, play
from tests.fakes.pinch_service import pinch
from tests.faults.scripted import HEALTHY, Plan

SLOW = Plan(allocate_s=0.4, open_s=0.3, ready_s=0.3)
"""A handshake of one second."""
SWAPPED = SessionParams(source="es", target="en")


async def swap(rig: Rig) -> float:
    """Seconds until the swapped session is ready."""
    asked_at = rig.now
    rig.engine.post(ChangeSession(SWAPPED))
    await rig.until(lambda: rig.word is StateWord.READY and rig.engine.status.params == SWAPPED)
    return rig.now - asked_at


@pytest.mark.parametrize(("has_spare", "least", "most"), [(False, 1.0, 1.2), (True, 0.0, 0.011)])
def test_a_swap_is_ready_at_once(has_spare: bool, least: float, most: float) -> None:
    took: list[float] = []

    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        await rig.sleep(5.0)
        await rig.hold(0.5)
        await rig.settled()
        took.append(await swap(rig))
        await rig.hold(0.5)
        await rig.settled()

    rig = play(scene, SLOW, SLOW, SLOW, has_spare=has_spare)
    assert least <= took[0] <= most
    assert [(u.state, u.source) for u in rig.engine.transcript.utterances] == [
        (UtteranceState.SETTLED, "en"),
        (UtteranceState.SETTLED, "es"),
    ]


def test_no_sound_goes_into_it_before_the_swap() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(2.0)
        for _ in range(3):
            await rig.hold(0.5)
            await rig.settled()
        first, ahead = rig.service.sessions
        assert (first.params["sourceLanguage"], ahead.params["sourceLanguage"]) == ("en", "es")
        assert len(first.got) > 0
        assert ahead.got == []
        assert rig.engine.status.session_id == first.session_id
        assert len(rig.logged("session")) == 1  # told of when it is used
        await swap(rig)
        assert rig.engine.status.session_id == ahead.session_id
        assert len(rig.logged("session")) == 2
        await rig.hold(0.5)
        await rig.settled()
        assert len(ahead.got) > 0
        await rig.sleep(6.0)
        assert len(rig.service.sessions) == 3  # and one for the way back
        assert rig.service.sessions[2].params["sourceLanguage"] == "en"

    play(scene, has_spare=True)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(status=503),
        Plan(status=401),
        Plan(ready_s=None),
        Plan(end="close", code=4503, after=1.0),
        Plan(end="hang", after=1.0),
    ],
)
def test_one_that_fails_is_no_trouble(plan: Plan) -> None:
    async def scene(rig: Rig) -> None:
        rig.source = "nothing"
        await rig.sleep(36.0 if plan.end == "hang" else 12.0)
        rig.source = "voice"
        assert [notice for notice in rig.events if getattr(notice, "topic", "") == "link"] == []
        assert rig.engine.status.counters.reconnects == 0
        assert rig.logged("reconnecting") == rig.logged("error") == []
        assert set(rig.words()) <= {StateWord.OFFLINE, StateWord.CONNECTING, StateWord.READY}
        await rig.hold(0.5)
        await rig.settled()
        await swap(rig)
        await rig.hold(0.5)
        await rig.settled()

    rig = play(scene, HEALTHY, plan, has_spare=True)
    assert [u.state for u in rig.engine.transcript.utterances] == [UtteranceState.SETTLED] * 2


def test_it_is_closed_when_nobody_talks_and_opened_at_the_next_press(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare, "IDLE_S", 15.0)

    async def scene(rig: Rig) -> None:
        rig.source = "nothing"
        await rig.sleep(3.0)
        assert len(rig.service.sessions) == 2
        await rig.sleep(15.0)
        assert rig.service.sessions[1].closed == 1000
        assert rig.service.sessions[0].closed is None
        rig.source = "voice"
        await rig.hold(0.5)
        await rig.settled()
        assert len(rig.service.sessions) == 3

    play(scene, has_spare=True)


def test_other_options_replace_it_and_a_switch_closes_it() -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(3.0)
        rig.engine.post(ChangeSession(SessionParams(voice=Voice.FEMALE)))
        await rig.sleep(8.0)
        assert [s.closed for s in rig.service.sessions] == [1000, 1000, None, None]
        assert rig.service.sessions[3].params["voiceType"] == "female"
        rig.engine.post(KeepSpare(False))
        await rig.sleep(1.0)
        assert [s.closed for s in rig.service.sessions] == [1000, 1000, None, 1000]
        rig.engine.post(KeepSpare(True))
        await rig.sleep(1.0)
        rig.engine.use_service(pinch(rig.service.base_url, "pk_other"))
        await rig.sleep(8.0)
        assert [s.closed for s in rig.service.sessions if s.closed is None] == [None, None]

    play(scene, has_spare=True)


def test_it_gives_way_where_the_service_is_full() -> None:
    """No room for the session in use: the spare one is closed at once."""

    async def scene(rig: Rig) -> None:
        await rig.sleep(8.0)
        ahead = rig.service.sessions[1]
        await rig.until(lambda: ahead.closed == 1000)

    play(scene, Plan(end="close", code=4503, after=5.0), HEALTHY, Plan(status=429), has_spare=True)


@pytest.mark.parametrize("params", [SessionParams(source="auto"), SessionParams(two_way=True)])
def test_where_there_is_nothing_to_swap_there_is_none(params: SessionParams) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(5.0)
        assert len(rig.service.sessions) == 1

    play(scene, has_spare=True, params=params)


@pytest.mark.parametrize("drain", [True, False])
@pytest.mark.parametrize("at", [0.5, 1.1, 1.3, 1.6, 5.0])
def test_nothing_is_left_open_on_leaving(drain: bool, at: float) -> None:
    async def scene(rig: Rig) -> None:
        await rig.sleep(at)
        rig.engine.post(Quit(drain=drain))

    rig = play(scene, SLOW, SLOW, has_spare=True)
    assert all(session.closed is not None for session in rig.service.sessions if session.ready_at is not None)


def test_a_swap_while_it_opens_takes_it_all_the_same() -> None:
    async def scene(rig: Rig) -> None:
        await rig.until(lambda: rig.word is StateWord.READY)
        await rig.sleep(1.5)
        took = await swap(rig)
        assert 0.3 < took < 0.8
        assert len(rig.service.sessions) == 2

    play(scene, SLOW, SLOW, has_spare=True)
