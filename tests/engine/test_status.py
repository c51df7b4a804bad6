"""The one honest word, and the sentence behind it."""

from __future__ import annotations

import pytest

from pinch_tui.core.events import EdgeKind, Frame, MicState, SessionParams, StateWord, TalkEdge, TalkSource
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.reactions import Failure, FailureKind
from pinch_tui.core.session.session import Session
from pinch_tui.core.talk.talk import FrameArrived, TalkConfig, TalkMachine
from pinch_tui.engine.status import detail, state_word


def session(state: SessionState) -> Session:
    made = Session(SessionParams(), lambda: 0.5)
    made.state = state
    return made


def talking(*, has_sound: bool, is_released: bool = False) -> TalkMachine:
    machine = TalkMachine(TalkConfig())
    machine.handle(TalkEdge(EdgeKind.START, 1.0, TalkSource.KEY), 1.0)
    if has_sound:
        machine.handle(FrameArrived(Frame(bytes(640), 0, 1.02)), 1.02)
    if is_released:
        machine.handle(TalkEdge(EdgeKind.COMMIT, 1.03, TalkSource.KEY), 1.03)
    return machine


LINK_WORDS = {
    SessionState.IDLE: StateWord.OFFLINE,
    SessionState.ALLOCATING: StateWord.CONNECTING,
    SessionState.OPENING: StateWord.CONNECTING,
    SessionState.READY: StateWord.READY,
    SessionState.WAITING: StateWord.RECONNECTING,
    SessionState.STOPPED: StateWord.OFFLINE,
    SessionState.CLOSED: StateWord.OFFLINE,
}


@pytest.mark.parametrize("state", list(SessionState))
def test_the_link_gives_the_word_while_nobody_talks(state: SessionState) -> None:
    machine = TalkMachine(TalkConfig())
    assert state_word(session(state), machine, is_waiting=False, is_speaking=False) is LINK_WORDS[state]


@pytest.mark.parametrize("state", list(SessionState))
def test_talking_comes_first_but_only_with_sound(state: SessionState) -> None:
    heard = state_word(session(state), talking(has_sound=True), is_waiting=True, is_speaking=True)
    assert heard is StateWord.TALKING
    unheard = state_word(session(state), talking(has_sound=False), is_waiting=False, is_speaking=False)
    assert unheard is LINK_WORDS[state]


def test_what_comes_back_gives_the_word_when_ready() -> None:
    ready, idle = session(SessionState.READY), TalkMachine(TalkConfig())
    tail = talking(has_sound=True, is_released=True)
    assert state_word(ready, tail, is_waiting=False, is_speaking=False) is StateWord.FINALIZING
    assert state_word(ready, idle, is_waiting=True, is_speaking=False) is StateWord.FINALIZING
    assert state_word(ready, idle, is_waiting=True, is_speaking=True) is StateWord.SPEAKING


def test_the_detail_names_the_failure_the_next_press_or_the_microphone() -> None:
    def said(of: Session, mic: MicState = MicState.OPEN, why: str = "", *, is_talking: bool = False) -> str:
        return detail(of, mic, why, is_talking=is_talking)

    waiting = session(SessionState.WAITING)
    waiting.failure = Failure(FailureKind.CLOSE, 4503)
    assert "4503" in said(waiting)
    assert "Press the talk key" in said(session(SessionState.IDLE))
    ready = session(SessionState.READY)
    ready.failure = Failure(FailureKind.CLOSE, 4503)
    assert said(ready) == ""
    assert said(ready, MicState.OPENING, is_talking=True) == "Opening the microphone."
    assert said(ready, MicState.OPENING) == ""
    assert said(ready, MicState.LOST, "It went away.") == "It went away."
    assert said(ready, MicState.OPEN, "It went away.") == ""
