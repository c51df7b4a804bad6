"""When the microphone is open."""

from __future__ import annotations

import pytest

from pinch_tui.engine.microphone.policy import ATTENDED_S, LINGER_S, PRESS_LINGER_S, MicrophonePolicy
from pinch_tui.settings.model import KeepOpen


@pytest.mark.parametrize("keep_open", list(KeepOpen))
def test_talking_always_wants_it(keep_open: KeepOpen) -> None:
    policy = MicrophonePolicy(keep_open, 0.0)
    policy.focus(False, True)
    assert policy.wants_open(1e6, is_talking=True)


def test_always_and_press() -> None:
    assert MicrophonePolicy(KeepOpen.ALWAYS, 0.0).wants_open(1e6, is_talking=False)
    assert not MicrophonePolicy(KeepOpen.PRESS, 0.0).wants_open(0.0, is_talking=False)
    assert MicrophonePolicy(KeepOpen.ALWAYS, 0.0).next_at(ATTENDED_S) is None
    assert MicrophonePolicy(KeepOpen.PRESS, 0.0).next_at(ATTENDED_S) is None


def test_each_frame_is_wanted_at_once_around_an_utterance() -> None:
    policy = MicrophonePolicy(KeepOpen.ALWAYS, 0.0)
    policy.used(10.0)
    assert policy.is_attended(10.0 + ATTENDED_S - 0.1, is_talking=False)
    assert policy.next_at(10.0) == 10.0 + ATTENDED_S
    assert not policy.is_attended(10.0 + ATTENDED_S, is_talking=False)
    assert policy.is_attended(1e6, is_talking=True)


def test_focus_follows_the_terminal_where_it_reports() -> None:
    policy = MicrophonePolicy(KeepOpen.FOCUS, 0.0)
    policy.focus(True, True)
    assert policy.wants_open(1e6, is_talking=False)
    policy.focus(False, True)
    assert not policy.wants_open(1.0, is_talking=False)
    assert policy.next_at(ATTENDED_S) is None


def test_without_reports_it_lingers_after_the_start_and_after_each_utterance() -> None:
    policy = MicrophonePolicy(KeepOpen.FOCUS, 10.0)
    assert policy.wants_open(10.0 + LINGER_S - 0.1, is_talking=False)
    assert policy.next_at(10.0 + ATTENDED_S) == 10.0 + LINGER_S
    assert not policy.wants_open(10.0 + LINGER_S, is_talking=False)
    assert policy.next_at(10.0 + LINGER_S) is None, "never a time that has passed"
    policy.used(200.0)
    assert policy.wants_open(200.0 + LINGER_S - 0.1, is_talking=False)
    assert policy.next_at(200.0 + ATTENDED_S) == 200.0 + LINGER_S


def test_a_press_at_once_after_an_utterance_finds_it_open() -> None:
    policy = MicrophonePolicy(KeepOpen.PRESS, 0.0)
    policy.looked_at(5.0)
    assert not policy.wants_open(5.0, is_talking=False)
    policy.used(10.0)
    assert policy.wants_open(10.0 + PRESS_LINGER_S - 0.1, is_talking=False)
    assert policy.next_at(10.0) == 10.0 + PRESS_LINGER_S
    assert not policy.wants_open(10.0 + PRESS_LINGER_S, is_talking=False)


@pytest.mark.parametrize("keep_open", list(KeepOpen))
def test_nothing_listens_in_the_background(keep_open: KeepOpen) -> None:
    policy = MicrophonePolicy(keep_open, 0.0)
    policy.is_in_background = True
    assert not policy.wants_open(0.0, is_talking=True)
