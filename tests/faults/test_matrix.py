"""Every failure in every state: nothing of what was said is lost, and each failure has its one reaction."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pinch_tui.core.events import ChangeSession, NoticePosted, SessionParams, Severity
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.engine.engine import Engine
from tests.fakes.pinch_service import pinch
from tests.faults.conversation import Hold, Outcome, check, check_session, converse
from tests.faults.scripted import HEALTHY, Plan
from tests.faults.warp import run

pytestmark = pytest.mark.slow

HOLDS = [Hold(0.8, 1.6), Hold(0.5, 0.6)]
CODES = [1000, 1001, 1006, 4400, 4401, 4500, 4503]


def talk(*plans: Plan, holds: list[Hold] | None = None) -> Outcome:
    outcome = run(converse(list(plans), holds or HOLDS))
    check(outcome)
    return outcome


def test_nothing_happens_without_a_fault() -> None:
    outcome = talk()
    assert [attempt for *_, attempt in outcome.utterances] == [1, 1]
    assert len(outcome.service.sessions) == 1
    assert outcome.service.sessions[0].closed == 1000


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("at_frame", [1, 2, 15, 16, 60])
def test_closed_while_talking(code: int, at_frame: int) -> None:
    outcome = talk(Plan(end="close", code=code, at_frame=at_frame))
    assert outcome.utterances[0][3] == 2
    assert len(outcome.service.sessions) == 2


@pytest.mark.parametrize("end", ["reset", "hang"])
@pytest.mark.parametrize("at_frame", [1, 2, 15, 16, 60])
def test_lost_while_talking(end: str, at_frame: int) -> None:
    talk(Plan(end=end, at_frame=at_frame))


@pytest.mark.parametrize("code", CODES)
def test_closed_while_draining(code: int) -> None:
    outcome = talk(Plan(end="close", code=code, at_finalize=1))
    assert outcome.utterances[0][3] == 2


@pytest.mark.parametrize("end", ["reset", "hang"])
def test_lost_while_draining(end: str) -> None:
    talk(Plan(end=end, at_finalize=1))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("after", [0.0, 0.3, 5.0])
def test_closed_while_idle(code: int, after: float) -> None:
    outcome = talk(Plan(end="close", code=code, after=after), holds=[Hold(6.5, 1.2)])
    assert outcome.utterances[0][3] == 1, "nothing had been sent, so nothing is sent again"


@pytest.mark.parametrize("end", ["reset", "hang"])
@pytest.mark.parametrize("after", [0.0, 0.3, 5.0])
def test_lost_while_idle(end: str, after: float) -> None:
    talk(Plan(end=end, after=after), holds=[Hold(6.5, 1.2), Hold(30.0, 0.6)])


BEFORE_READY = [(0.02, 1.0), (1.2, 0.8)]  # a press before the failure, and one behind it


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("unready", [0.0, 0.5])
@pytest.mark.parametrize("hold", BEFORE_READY)
def test_closed_while_ready_is_awaited(code: int, unready: float, hold: tuple[float, float]) -> None:
    outcome = talk(Plan(end="close", code=code, unready=unready), holds=[Hold(*hold)])
    assert outcome.utterances[0][3] == 1, "nothing had been sent, so nothing is sent again"
    assert len(outcome.service.sessions) == 2


@pytest.mark.parametrize("end", ["reset", "hang"])
@pytest.mark.parametrize("hold", BEFORE_READY)
def test_lost_while_ready_is_awaited(end: str, hold: tuple[float, float]) -> None:
    outcome = talk(Plan(end=end, unready=0.5), holds=[Hold(*hold)])
    assert outcome.utterances[0][3] == 1


@pytest.mark.parametrize("end", ["reset", "hang"])
@pytest.mark.parametrize("state", ["allocate_end", "open_end"])
@pytest.mark.parametrize("hold", BEFORE_READY)
def test_lost_while_allocating_or_opening(state: str, end: str, hold: tuple[float, float]) -> None:
    broken = replace(HEALTHY, allocate_end=end) if state == "allocate_end" else replace(HEALTHY, open_end=end)
    outcome = talk(broken, holds=[Hold(*hold)])
    assert outcome.utterances[0][3] == 1
    assert outcome.service.faults == 1


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("times", [1, 3])
def test_allocation_refused_for_now(status: int, times: int) -> None:
    outcome = talk(*[Plan(status=status)] * times, holds=[Hold(0.2, 1.0)])
    waits = [b[0] - a[0] for a, b in zip(outcome.service.asked, outcome.service.asked[1:], strict=False)]
    # A press tries at once; every other wait is 1 s, 2 s, 4 s with a fifth of jitter.
    assert len(outcome.service.asked) >= times + 1
    assert all(wait <= 4.9 for wait in waits)


def test_waits_double_up_to_the_cap() -> None:
    outcome = talk(*[Plan(status=503)] * 6, holds=[Hold(40.0, 1.0)])
    waits = [b[0] - a[0] for a, b in zip(outcome.service.asked, outcome.service.asked[1:], strict=False)]
    for wait, plain in zip(waits, [1, 2, 4, 8, 10, 10], strict=True):
        assert 0.75 * plain <= wait <= min(1.25 * plain, 10.3)


def test_a_press_during_a_back_off_tries_at_once() -> None:
    outcome = talk(*[Plan(status=503)] * 4, holds=[Hold(9.0, 1.0)])  # the fourth wait is about 8 s, from 7 s on
    press = outcome.holds[0][0]
    asked = [t for t, _ in outcome.service.asked]
    assert len([t for t in asked if t < press]) == 4
    assert 0.0 <= asked[4] - press < 0.1
    assert outcome.service.asked[4][1] == 200


@pytest.mark.parametrize("plan", [Plan(ready_s=None), Plan(open_status=403), Plan(open_status=500)])
def test_never_ready_and_refused_sockets(plan: Plan) -> None:
    outcome = talk(plan)
    assert outcome.utterances[0][3] == 1


def test_words_spoken_before_ready_are_kept_in_order() -> None:
    outcome = talk(replace(HEALTHY, allocate_s=1.5, ready_s=3.0), holds=[Hold(0.5, 2.0), Hold(0.2, 0.5)])
    assert outcome.engine.status.counters.held_s > 2.0


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_asked_once_and_cured(status: int) -> None:
    def cure(engine: Engine) -> None:
        loop = asyncio.get_running_loop()

        def another_key() -> None:
            url = engine._ports.service.api._url.removesuffix("/v1/session")  # type: ignore[attr-defined]
            engine.use_service(pinch(url, "pk_better"))

        loop.call_later(20.0, another_key)

    outcome = run(converse([Plan(status=status)], HOLDS, before=cure))
    check(outcome)
    assert [s for _, s in outcome.service.asked] == [status, 200]
    told = [e for e in outcome.events if isinstance(e, NoticePosted) and e.severity is Severity.ERROR]
    assert any(str(status) in e.title and "are safe" in e.hint for e in told)


def test_4400_is_tried_once_then_stops() -> None:
    plans = [Plan(end="close", code=4400, at_frame=5), Plan(end="close", code=4400, at_frame=5)]
    outcome = run(converse(plans, [Hold(0.5, 1.0)], settle_s=20.0))
    assert len(outcome.service.sessions) == 2
    assert outcome.utterances[0][0] is not UtteranceState.SETTLED
    told = [e for e in outcome.events if isinstance(e, NoticePosted) and e.topic == "link" and e.title]
    assert "ss_1" in told[-1].hint and "scripted-1" in told[-1].hint
    for session in outcome.service.sessions:
        check_session(session)


def test_4500_is_tried_five_times() -> None:
    outcome = run(converse([Plan(end="close", code=4500, after=0.0)] * 9, [Hold(0.3, 1.0)], settle_s=60.0))
    assert len(outcome.service.sessions) in (6, 7)  # one more where the press came during a wait
    told = [e for e in outcome.events if isinstance(e, NoticePosted) and e.topic == "link" and e.title]
    assert "ss_" in told[-1].hint and "scripted-1" in told[-1].hint and "are safe" in told[-1].hint


def test_an_address_that_is_not_safe_is_asked_for_once() -> None:
    outcome = run(converse([replace(HEALTHY, ws_url="ws://ws.example/session?token=x")] * 3, [Hold(0.5, 1.0)]))
    assert len(outcome.service.asked) == 1
    told = [e for e in outcome.events if isinstance(e, NoticePosted) and e.severity is Severity.ERROR and e.title]
    assert "not safe" in told[-1].title and "ss_0" in told[-1].hint


def test_a_dead_connection_is_noticed_within_five_seconds_of_talking() -> None:
    outcome = talk(Plan(end="hang", after=2.0), holds=[Hold(4.0, 8.0)])
    lost = outcome.logged("reconnecting")[0].t
    press = outcome.holds[0][0]
    assert lost - press <= 5.0


def test_a_repress_within_the_grace_is_its_own_utterance() -> None:
    talk(holds=[Hold(0.5, 1.0), Hold(0.16, 0.6), Hold(0.05, 0.6), Hold(0.01, 0.4)])


def test_taps_and_silence_are_no_errors() -> None:
    outcome = run(converse([Plan(hears=False)], [Hold(0.5, 0.02)], settle_s=30.0))
    assert [e for e in outcome.events if isinstance(e, NoticePosted) and e.severity is Severity.ERROR] == []


@pytest.mark.parametrize("pause", [0.05, 1.0])
def test_a_language_change_cuts_nothing(pause: float) -> None:
    change = ChangeSession(SessionParams(source="es", target="en"))
    outcome = run(converse([replace(HEALTHY, finals_s=1.5)], [Hold(0.5, 2.0, change), Hold(pause, 1.0)]))
    check(outcome)
    first, rest, second = outcome.engine.transcript.utterances
    assert (first.source, first.target) == ("en", "es")
    assert (rest.source, rest.target) == (second.source, second.target) == ("es", "en")
    assert first.session_id != rest.session_id == second.session_id


def test_an_old_session_that_dies_while_draining_is_resent_under_its_own_languages() -> None:
    change = ChangeSession(SessionParams(source="es", target="en"))
    plans = [Plan(end="close", code=4503, at_finalize=1)]
    outcome = run(converse(plans, [Hold(0.5, 2.0, change), Hold(0.3, 1.0)]))
    check(outcome)
    first = outcome.engine.transcript.utterances[0]
    assert (first.source, first.target, first.attempt) == ("en", "es", 2)


def test_an_unsupported_speech_language_goes_on_text_only() -> None:
    outcome = talk(replace(HEALTHY, refuses_speech=True), holds=[Hold(0.01, 1.2)])
    assert [s.params["audioOutputEnabled"] for s in outcome.service.sessions] == ["true", "false"]
    told = [e for e in outcome.events if isinstance(e, NoticePosted) and e.topic == "speech" and e.title]
    assert len(told) == 1 and "en, es, fr" in told[0].hint


def test_duplicated_finals_change_nothing() -> None:
    talk(replace(HEALTHY, duplicates=True))


@pytest.mark.parametrize("audio_output", [True, False])
@pytest.mark.parametrize("finals_s", [0.02, 1.2])
def test_words_behind_earlier_finals_are_kept_until_their_own_have_come(finals_s: float, audio_output: bool) -> None:
    """The connection goes after `finalize`, when all that was said about the utterance so far is final."""
    plan = replace(HEALTHY, is_cumulative=True, finals_s=5.0, at_finalize=None)
    params = SessionParams(text_only=not audio_output)
    dies = replace(plan, end="close", code=4503, after=4.0)
    outcome = run(converse([dies, replace(plan, finals_s=finals_s)], [Hold(0.5, 1.9)], params=params))
    check(outcome)
    assert outcome.utterances[0][3] == 2
