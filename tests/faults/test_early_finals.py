"""Services that send finals while somebody talks: no row is settled before its last final."""

from __future__ import annotations

import pytest

from pinch_tui.core.events import SessionParams
from pinch_tui.core.talk.talk import TalkConfig
from tests.faults.conversation import Hold, check, converse
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
    for number in (1, 2):
        finals = [e.t for e in outcome.logged("final") if e.fields["utterance"] == number]
        [settled] = [e.t for e in outcome.logged("settled") if e.fields["utterance"] == number]
        assert max(finals) < settled < max(finals) + 1.0


def test_a_fast_service_settles_as_fast_as_with_one_final() -> None:
    took_s = []
    for plan in (Plan(), Plan(is_cumulative=True)):
        outcome = run(converse([plan], [Hold(1.0, 1.76), Hold(5.0, 1.76)], params=SessionParams(text_only=True)))
        released = [release for _, release in outcome.holds]
        took_s.append([e.t - t for e, t in zip(outcome.logged("settled"), released, strict=True)])
    assert took_s[1] == pytest.approx(took_s[0], abs=0.05)
