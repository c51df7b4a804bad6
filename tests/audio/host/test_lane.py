"""The supervision machine, read as traces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.audio.host.streams import NO_DEVICE, NO_PORTAUDIO
from pinch_tui.audio.host.supervision import (
    Command,
    Kill,
    Lane,
    LookForReturn,
    SayClosed,
    SayFailed,
    SayOpened,
    Send,
    Spawn,
    State,
)
from pinch_tui.audio.host.wire import Note
from pinch_tui.errors import AudioError

OPENED: Note = {"kind": "opened", "name": "mic", "rate": 16000, "substitute": False}


def opened(**extra: object) -> Note:
    return {**OPENED, **extra}


def names(commands: list[Command]) -> list[str]:
    return [type(command).__name__ for command in commands]


def running(device: str | None = None) -> Lane:
    """A lane whose stream runs since t = 0 and gave its sign at 0.1."""
    lane = Lane("capture", device)
    lane.prespawn(0.0)
    lane.note({"kind": "ready"}, 0.0)
    lane.open(0.0)
    assert names(lane.note(opened(), 0.0)) == ["SayOpened"]
    lane.sign(0.1)
    return lane


@pytest.mark.parametrize("is_selected", [True, False])
def test_what_is_chosen_or_changes_while_the_stream_opens_is_not_lost(is_selected: bool) -> None:
    lane = Lane("capture", "usb")
    lane.prespawn(0.0)
    lane.note({"kind": "ready"}, 0.0)
    lane.open(0.0)
    device = "other" if is_selected else "usb"
    assert (lane.select("other", 0.1) if is_selected else lane.reopen(0.1)) == []
    assert lane.note(opened(), 0.2) == [Send({"kind": "close"})]
    assert lane.note({"kind": "closed"}, 0.3) == [Send({"kind": "open", "device": device, "fresh": True})]
    assert names(lane.note(opened(), 0.4)) == ["SayOpened"]
    assert lane.is_running


def test_prespawned_then_opened_then_closed() -> None:
    lane = Lane("capture", "usb")
    assert lane.prespawn(0.0) == [Spawn(1)]
    assert lane.prespawn(0.0) == []
    assert lane.note({"kind": "ready"}, 0.1) == []
    assert lane.deadline is None
    assert lane.open(1.0) == [Send({"kind": "open", "device": "usb", "fresh": False})]
    assert lane.open(1.0) == []
    assert lane.note(opened(), 1.05) == [SayOpened(opened())]
    assert lane.is_running
    lane.sign(1.1)
    assert lane.close(2.0) == [Send({"kind": "close"})]
    assert lane.note({"kind": "closed"}, 2.01) == [SayClosed()]
    assert lane.state == State.IDLE
    assert lane.deadline is None


def test_opening_before_the_child_is_ready() -> None:
    lane = Lane("capture")
    assert lane.open(0.0) == [Spawn(1)]
    assert names(lane.note({"kind": "ready"}, 0.1)) == ["Send"]
    assert lane.close(0.2) == []  # it is known soon what came of it
    assert names(lane.note(opened(), 0.3)) == ["Send"]
    assert lane.note({"kind": "closed"}, 0.4) == [SayClosed()]


def test_a_stall_is_killed_after_a_second_and_started_again() -> None:
    lane = running()
    assert lane.deadline == pytest.approx(1.1)
    assert lane.tick(1.05) == []
    commands = lane.tick(1.1)
    assert names(commands) == ["Kill", "SayFailed", "Spawn"]
    assert isinstance(commands[1], SayFailed)
    assert commands[1].is_retrying
    assert names(lane.note({"kind": "ready"}, 1.2)) == ["Send"]
    assert names(lane.note(opened(), 1.21)) == ["SayOpened"]


def test_the_first_sign_may_take_three_seconds() -> None:
    lane = Lane("capture")
    lane.open(0.0)
    lane.note({"kind": "ready"}, 0.1)
    lane.note(opened(), 0.2)
    assert lane.tick(2.0) == []
    assert names(lane.tick(3.3)) == ["Kill", "SayFailed", "Spawn"]


def test_a_program_that_stood_still_concludes_nothing() -> None:
    lane = running()
    assert lane.tick(9.0) == []
    lane.sign(9.01)
    assert lane.tick(9.6) == []
    assert lane.is_running


def test_waits_grow_and_end_with_stability() -> None:
    lane = running()
    now, waits = 0.1, []
    for _ in range(6):
        lane.tick(now + 1.0)
        now += 1.0
        if lane.state == State.NONE:
            assert lane.deadline is not None
            waits.append(round(lane.deadline - now, 3))
            now = lane.deadline
            assert names(lane.tick(now)) == ["Spawn"]
        else:
            waits.append(0.0)
        lane.note({"kind": "ready"}, now)
        lane.note(opened(), now)
        lane.sign(now)
    assert waits == [0.0, 0.2, 0.5, 1.0, 1.5, 1.5]
    for step in range(60):
        lane.sign(now + step * 0.1)
    assert names(lane.tick(now + 5.9 + 1.0)) == ["Kill", "SayFailed", "Spawn"]


def test_a_failure_is_said_once() -> None:
    lane = running()
    assert names(lane.note({"kind": "ended"}, 0.5)) == ["Kill", "SayFailed", "Spawn"]
    lane.note({"kind": "ready"}, 0.6)
    said = lane.note({"kind": "failed", "code": NO_DEVICE, "text": ""}, 0.7)
    assert names(said) == ["SayFailed"]
    assert lane.tick(0.9) == [Send({"kind": "open", "device": None, "fresh": True})]
    assert lane.note({"kind": "failed", "code": NO_DEVICE, "text": ""}, 1.0) == []
    assert names(lane.tick(1.5)) == ["Send"]
    assert names(lane.note(opened(), 1.6)) == ["SayOpened"]


def test_a_crash_is_seen_at_once_and_an_old_child_is_ignored() -> None:
    lane = running()
    generation = lane.generation
    assert names(lane.exited(generation, 0.5)) == ["SayFailed", "Spawn"]
    assert lane.exited(generation, 0.6) == []


def test_without_portaudio_nothing_is_tried_again() -> None:
    lane = Lane("capture")
    lane.open(0.0)
    commands = lane.note({"kind": "failed", "code": NO_PORTAUDIO, "text": "not found"}, 0.1)
    assert names(commands) == ["Kill", "SayFailed"]
    assert isinstance(commands[1], SayFailed)
    assert not commands[1].is_retrying
    assert lane.exited(lane.generation, 0.2) == []
    assert lane.deadline is None
    assert names(lane.open(5.0)) == ["Spawn"]  # installed meanwhile


def test_a_close_that_hangs_is_a_kill() -> None:
    lane = running()
    lane.close(1.0)
    assert names(lane.tick(2.5)) == ["Kill", "SayClosed"]
    assert lane.deadline == pytest.approx(4.0)
    assert names(lane.tick(4.0)) == ["Spawn"]  # idle again


def test_a_child_that_keeps_dying_unwanted_is_left_alone() -> None:
    lane = Lane("capture")
    lane.prespawn(0.0)
    now, spawns = 0.0, 0
    for _ in range(10):
        lane.exited(lane.generation, now)
        if lane.deadline is None:
            break
        now = lane.deadline
        spawns += names(lane.tick(now)).count("Spawn")
    assert spawns == 3


def test_another_device_reopens_with_a_fresh_look() -> None:
    lane = running()
    assert lane.select(None, 1.0) == []
    assert lane.select("usb", 1.0) == [Send({"kind": "close"})]
    assert lane.note({"kind": "closed"}, 1.1) == [Send({"kind": "open", "device": "usb", "fresh": True})]


def test_a_substitute_is_given_back() -> None:
    lane = Lane("capture", "usb")
    lane.open(0.0)
    lane.note({"kind": "ready"}, 0.0)
    lane.note(opened(substitute=True), 0.0)
    lane.sign(1.9)
    assert lane.tick(2.0) == [LookForReturn()]
    lane.sign(2.0)
    assert lane.tick(2.1) == []
    assert lane.reopen(2.2) == [Send({"kind": "close"})]


def test_blocked_until_there_is_a_device() -> None:
    lane = running()
    error = AudioError("a loudspeaker")
    commands = lane.block(error, 1.0)
    assert commands == [Kill(), SayFailed(error, is_retrying=True), Spawn(2)]
    assert lane.note({"kind": "ready"}, 1.1) == []
    assert lane.tick(50.0) == []
    assert lane.unblock(60.0) == [Send({"kind": "open", "device": None, "fresh": True})]
    assert lane.unblock(60.0) == []


def test_blocked_before_it_is_wanted() -> None:
    lane = Lane("capture")
    error = AudioError("a loudspeaker")
    assert names(lane.block(error, 0.0)) == ["Spawn"]
    lane.note({"kind": "ready"}, 0.1)
    assert lane.open(1.0) == [SayFailed(error, is_retrying=True)]
    assert names(lane.unblock(2.0)) == ["Send"]


def test_shut_leaves_no_child_and_starts_none() -> None:
    lane = running()
    assert lane.shut() == [Kill()]
    assert lane.shut() == []
    assert lane.open(2.0) == []
    assert lane.prespawn(2.0) == []
    assert lane.deadline is None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                "open close ready opened failed closed ended exited tick sign block unblock reopen select retry".split()
            ),
            st.floats(0.0, 4.0),
        ),
        max_size=60,
    )
)
def test_whatever_happens_there_is_one_child_and_no_dead_end(script: list[tuple[str, float]]) -> None:
    """Never two children; while a stream is wanted and not blocked, it runs or a time is known at which to go on."""
    lane = Lane("playback")
    now, alive = 0.0, 0
    for what, wait in script:
        now += wait
        commands: list[Command] = []
        match what:
            case "open":
                commands = lane.open(now)
            case "close":
                commands = lane.close(now)
            case "ready" | "opened" | "closed" | "ended" if alive:
                commands = lane.note({**opened(), "kind": what}, now)
            case "failed" if alive:
                commands = lane.note({"kind": "failed", "code": -9999, "text": ""}, now)
            case "exited" if alive:
                alive = 0
                commands = lane.exited(lane.generation, now)
            case "tick":
                commands = lane.tick(now)
            case "sign" if alive:
                lane.sign(now)
            case "block":
                commands = lane.block(AudioError("x"), now)
            case "unblock":
                commands = lane.unblock(now)
            case "reopen":
                commands = lane.reopen(now)
            case "select":
                commands = lane.select(str(wait), now)
            case "retry":
                commands = lane.retry_now(now)
        for command in commands:
            if isinstance(command, Kill):
                alive = 0
            elif isinstance(command, Spawn):
                assert alive == 0
                alive = 1
            elif isinstance(command, Send):
                assert alive == 1
        assert (lane.state != State.NONE) == bool(alive)
        if lane.is_wanted and lane.blocked is None:
            assert lane.deadline is not None
