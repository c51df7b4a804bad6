"""The one honest word, and the sentence behind it."""

from __future__ import annotations

import pytest

from pinch_tui.core.events import Counters, EdgeKind, Frame, MicState, SessionParams, StateWord, TalkEdge, TalkSource
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.reactions import Failure, FailureKind
from pinch_tui.core.session.session import Session
from pinch_tui.core.talk.talk import FrameArrived, TalkConfig, TalkMachine
from pinch_tui.engine.status import Board, counters, detail, state_word


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
    board = Board()
    waiting = session(SessionState.WAITING)
    waiting.failure = Failure(FailureKind.CLOSE, 4503)
    assert "4503" in detail(waiting, board, is_talking=False)
    assert "next press" in detail(session(SessionState.IDLE), board, is_talking=False)
    ready = session(SessionState.READY)
    ready.failure = Failure(FailureKind.CLOSE, 4503)
    assert detail(ready, board, is_talking=False) == ""
    board.mic = MicState.OPENING
    assert detail(ready, board, is_talking=True) == "Opening the microphone."
    assert detail(ready, board, is_talking=False) == ""
    board.mic, board.mic_detail = MicState.LOST, "It went away."
    assert detail(ready, board, is_talking=False) == "It went away."


def test_counters_add_the_past_to_the_living() -> None:
    board = Board(lost_samples=3, malformed=1, unknown=2, reconnects=4, refused=5)
    one, two = session(SessionState.READY), session(SessionState.READY)
    one.delivery.held_frames, two.delivery.resent_frames = 50, 25
    one.delivery.outbox.forgotten = 100
    got = counters(board, [one, two], Counters(held_s=1.0, resent_s=2.0, forgotten_s=3.0), 7, 0.5)
    assert got == Counters(7, 3, 2.0, 2.5, 5.0, 0.5, 1, 2, 4, 5)
