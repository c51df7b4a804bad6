from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.errors import UsageError
from pinch_tui.services.practice.faults import FAULTS, FaultPlan, FaultState, Timed


def test_faults_compose():
    plan = FaultPlan.parse(["503:2", "429:1", "close:4503:1.5:1", "lose:3", "jitter:40", "unsupported-language"])
    assert plan.statuses == ((503, 2), (429, 1))
    assert plan.closes[0] == Timed(1.5, 4503, 1)
    assert plan.closes[1].code == 0
    assert plan.jitter_ms == 40
    assert plan.is_language_unsupported
    state = FaultState(plan)
    assert [state.next_status() for _ in range(5)] == [503, 503, 429, 200, 200]
    assert len(state.next_session().closes) == 2
    assert len(state.next_session().closes) == 1


def test_a_status_without_a_count_stays():
    state = FaultState(FaultPlan.parse(["401"]))
    assert {state.next_status() for _ in range(50)} == {401}


def test_every_documented_fault_can_be_parsed():
    values = {"n": "2", "CODE": "4500", "SECONDS": "0.5", "MS": "10"}
    for form in FAULTS:
        for shown in (form.split("[")[0], form.replace("[", "").replace("]", "")):
            word = ":".join(values.get(part, part) for part in shown.split(":"))
            assert FaultPlan.parse([word]) != FaultPlan()


@pytest.mark.parametrize(
    "word", ["", "404", "close:4503", "close:1:1", "jitter", "jitter:x", "jitter:-1", "401:x", "401:1:2"]
)
def test_an_unknown_fault_says_what_is_known(word: str):
    with pytest.raises(UsageError, match="--fault"):
        FaultPlan.parse([word])


@given(st.text(max_size=30))
def test_any_word_parses_or_is_refused(word: str):
    try:
        FaultPlan.parse([word])
    except UsageError as fault:
        assert "--fault" in str(fault)
