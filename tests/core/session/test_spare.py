"""When a spare session is kept, and how its machine ends."""

from __future__ import annotations

import pytest

from pinch_tui.core.events import SessionParams
from pinch_tui.core.options import SessionParams as Params
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.reactions import Failure, FailureKind
from pinch_tui.core.session.session import Session
from pinch_tui.core.session.spare import AFTER_READY_S, IDLE_S, SparePolicy
from pinch_tui.core.wire import Allocation
from pinch_tui.services.catalogue import TRAITS


def test_it_waits_for_the_session_in_use_and_goes_when_nobody_talks() -> None:
    policy = SparePolicy(0.0)
    policy.is_ready(10.0)
    assert not policy.is_wanted(10.0)
    assert policy.next_at(10.0) == 10.0 + AFTER_READY_S
    assert policy.is_wanted(10.0 + AFTER_READY_S)
    assert policy.next_at(12.0) == IDLE_S
    assert not policy.is_wanted(IDLE_S)
    assert policy.next_at(IDLE_S) is None
    policy.used(400.0)
    assert policy.is_wanted(400.0)


def test_failures_are_tried_again_ever_more_seldom() -> None:
    policy = SparePolicy(0.0)
    waits = []
    now = 0.0
    for _ in range(6):
        policy.used(now)
        policy.has_failed(now, 0.5)
        assert not policy.is_wanted(now)
        at = policy.next_at(now)
        assert at is not None
        waits.append(at - now)
        now = at
    assert waits == [30.0, 60.0, 120.0, 240.0, 480.0, 600.0]
    policy = SparePolicy(0.0)
    policy.has_failed(0.0, 0.5)
    policy.has_opened()
    policy.has_failed(100.0, 0.5)
    assert policy.next_at(100.0) == 130.0


@pytest.mark.parametrize("fact", [
    ev.AttemptFailed(1, Failure(FailureKind.HTTP, 503)),
    ev.AttemptFailed(1, Failure(FailureKind.HTTP, 401, is_credential=True)),
    ev.SocketClosed(1, 4503),
    ev.SocketClosed(1, 1000),
])  # fmt: skip
def test_a_spare_session_that_fails_is_closed_and_tells_nothing_else(fact: ev.Fact) -> None:
    session = Session(SessionParams(), lambda: 0.5, is_spare=True)
    session.handle(ev.OpenRequested(), 0.0)
    if isinstance(fact, ev.SocketClosed):
        session.handle(ev.Allocated(1, Allocation("ss_1", "ws://127.0.0.1/", 60.0)), 0.1)
    assert session.handle(fact, 1.0) == [ev.CloseSocket(1, is_dead=True), ev.SessionClosed()]
    assert session.handle(ev.OpenRequested(), 2.0) == []


def test_once_in_use_it_retries_like_any_other() -> None:
    session = Session(SessionParams(), lambda: 0.5, is_spare=True)
    session.handle(ev.OpenRequested(), 0.0)
    session.use()
    steps = session.handle(ev.AttemptFailed(1, Failure(FailureKind.HTTP, 503)), 1.0)
    assert any(isinstance(step, ev.SessionFailed) and step.retry_at == 2.0 for step in steps)


def test_only_services_that_translate_on_an_open_socket_for_nothing_keep_one() -> None:
    kept = {name for name, traits in TRAITS.items() if traits.may_keep_spare}
    assert kept == {"pinch", "practice"}


def test_a_pair_is_swapped_with_its_descriptions() -> None:
    params = Params(source="en", target="es", source_label="Texan", target_label="casual", context="names")
    swapped = params.swapped()
    assert swapped == Params(source="es", target="en", source_label="casual", target_label="Texan", context="names")
    assert Params(source="auto").swapped() is None
    assert Params(source="auto", target="es").swapped("fr") == Params(source="es", target="fr")
