"""Services that send finals while somebody talks: no row is settled before its last final."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinch_tui.core.events import SessionParams
from pinch_tui.core.session.attribution.pace import LONGEST_ANSWER_S
from pinch_tui.core.talk.talk import TalkConfig
from tests.faults.conversation import Hold, Outcome, check, converse
from tests.faults.randomized import Totals, converse_randomly
from tests.faults.scripted import Plan
from tests.faults.warp import run


@pytest.mark.parametrize("seed", [70121, 70079])
def test_silence_of_a_link_that_hangs_ends_no_utterance(seed: int) -> None:
    """It hangs between the finals of an utterance."""
    converse_randomly(seed, Totals())


@pytest.mark.parametrize("finals_s", [0.6, 1.5, 3.0])
def test_finals_that_overtake_the_final_of_a_tap_stay_in_their_row(finals_s: float) -> None:
    plan = Plan(is_cumulative=True, finals_s=finals_s)
    holds = [Hold(1.0, 0.03), Hold(0.02, 2.4), Hold(0.02, 0.8)]
    params = SessionParams(text_only=True)
    outcome = run(converse([plan], holds, params=params, talk=TalkConfig(0.0, 0.0, 120.0)))
    check(outcome, plan)
    assert (outcome.unsure, outcome.moved > 0) == (0, True)


def test_a_slow_last_final_is_waited_for() -> None:
    plan = Plan(is_cumulative=True, ear_s=0.76, finals_s=2.5)
    outcome = run(converse([plan], [Hold(1.0, 1.76), Hold(5.0, 1.76)], params=SessionParams(text_only=True)))
    check(outcome, plan)
    first, second = settled_after_s(outcome)
    assert first == pytest.approx(LONGEST_ANSWER_S, abs=0.1), "nothing was measured yet"
    assert 2.75 < second < 3.75, "the last final comes after 2.75 s"


def settled_after_s(outcome: Outcome) -> list[float]:
    """For each utterance, the seconds from its `finalize` until it settled."""
    pairs = zip(outcome.logged("finalize"), outcome.logged("settled"), strict=True)
    return [settled.t - finalized.t for finalized, settled in pairs]


SOUND_S = 1.1
"""With the pre-roll and the tail 78 frames: an early final is due just after the end."""
LATE_FINALS_S = [(0.25, 2.2), (0.3, 2.5), (0.3, 3.4), (0.4, 2.9), (0.5, 3.4)]
"""From a sound to its first texts, and from `finalize` to the last final: more than four times the first interim."""


@pytest.mark.parametrize(("ear_s", "finals_s"), LATE_FINALS_S)
def test_the_first_last_final_is_waited_for_however_soon_the_first_interim_came(ear_s: float, finals_s: float) -> None:
    plan = Plan(is_cumulative=True, ear_s=ear_s, finals_s=finals_s, grace_s=0.0)
    outcome = run(converse([plan], [Hold(1.0, SOUND_S)], params=SessionParams(text_only=True)))
    check(outcome, plan)
    [after_s] = settled_after_s(outcome)
    assert after_s > finals_s


@pytest.mark.parametrize(("ear_s", "finals_s"), LATE_FINALS_S)
@pytest.mark.parametrize("share", [0.6, 0.8, 0.99])
def test_the_first_last_final_is_not_lost_with_the_connection(ear_s: float, finals_s: float, share: float) -> None:
    """The connection drops between the early finals and the last one."""
    plan = Plan(is_cumulative=True, ear_s=ear_s, finals_s=finals_s, grace_s=0.0)
    drops = replace(plan, end="close", at_finalize=1, at_finalize_s=share * finals_s)
    outcome = run(converse([drops, plan], [Hold(1.0, SOUND_S)], params=SessionParams(text_only=True)))
    check(outcome, plan)
    assert outcome.utterances[0][3] == 2, "it is sent again"


def test_a_link_that_drops_all_the_time_gets_on() -> None:
    """No connection lasts until a last final could be known for one; the text is complete each time."""
    plan = Plan(is_cumulative=True, after=3.0, end="close", code=1006)
    outcome = run(converse([plan] * 40, [Hold(1.0, 0.9)] * 4, params=SessionParams(text_only=True)))
    check(outcome)
    assert max(attempt for *_, attempt in outcome.utterances) <= 3


def test_a_repeated_final_shows_how_long_the_service_takes() -> None:
    """The first utterance ends with an early final, so its last final only repeats the text; the second's is longer."""
    plan = Plan(is_cumulative=True, ear_s=0.365, finals_s=2.5, grace_s=0.0)
    drops = replace(plan, end="close", at_finalize=2, at_finalize_s=2.0)
    outcome = run(converse([drops, plan], [Hold(2.5, 1.545), Hold(2.5, 1.6)], params=SessionParams(text_only=True)))
    assert outcome.utterances[0][1].endswith("for 25"), "of whole half seconds"
    check(outcome, plan)


def test_a_fast_service_settles_as_fast_as_with_one_final_once_it_is_measured() -> None:
    one_final, early_finals = (
        settled_after_s(run(converse([plan], [Hold(1.0, 1.76), Hold(5.0, 1.76)], params=SessionParams(text_only=True))))
        for plan in (Plan(), Plan(is_cumulative=True))
    )
    assert early_finals[0] == pytest.approx(LONGEST_ANSWER_S, abs=0.1), "nothing was measured yet"
    assert early_finals[1] == pytest.approx(one_final[1], abs=0.05)
