"""The supervision machine, read as traces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.audio.host.streams import NO_DEVICE, NO_PORTAUDIO
from pinch_tui.audio.host.supervision import (
    Command,
    HostSupervision,
    Kill,
    LookForDevice,
    ReportClosed,
    ReportFailed,
    ReportOpened,
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


def running(device: str | None = None) -> HostSupervision:
    """A host whose stream runs since t = 0 and gave its sign at 0.1."""
    host = HostSupervision("capture", device)
    host.prespawn(0.0)
    host.note({"kind": "ready"}, 0.0)
    host.open(0.0)
    assert names(host.note(opened(), 0.0)) == ["ReportOpened"]
    host.sign_of_life(0.1)
    return host


@pytest.mark.parametrize("is_selected", [True, False])
def test_what_is_chosen_or_changes_while_the_stream_opens_is_not_lost(is_selected: bool) -> None:
    host = HostSupervision("capture", "usb")
    host.prespawn(0.0)
    host.note({"kind": "ready"}, 0.0)
    host.open(0.0)
    device = "other" if is_selected else "usb"
    assert (host.select("other", 0.1) if is_selected else host.reopen(0.1)) == []
    assert host.note(opened(), 0.2) == [Send({"kind": "close"})]
    assert host.note({"kind": "closed"}, 0.3) == [Send({"kind": "open", "device": device, "fresh": True})]
    assert names(host.note(opened(), 0.4)) == ["ReportOpened"]
    assert host.is_running


def test_prespawned_then_opened_then_closed() -> None:
    host = HostSupervision("capture", "usb")
    assert host.prespawn(0.0) == [Spawn(1)]
    assert host.prespawn(0.0) == []
    assert host.note({"kind": "ready"}, 0.1) == []
    assert host.deadline is None
    assert host.open(1.0) == [Send({"kind": "open", "device": "usb", "fresh": False})]
    assert host.open(1.0) == []
    assert host.note(opened(), 1.05) == [ReportOpened(opened())]
    assert host.is_running
    host.sign_of_life(1.1)
    assert host.close(2.0) == [Send({"kind": "close"})]
    assert host.note({"kind": "closed"}, 2.01) == [ReportClosed()]
    assert host.state == State.IDLE
    assert host.deadline is None


def test_opening_before_the_child_is_ready() -> None:
    host = HostSupervision("capture")
    assert host.open(0.0) == [Spawn(1)]
    assert names(host.note({"kind": "ready"}, 0.1)) == ["Send"]
    assert host.close(0.2) == []  # it is known soon what came of it
    assert names(host.note(opened(), 0.3)) == ["Send"]
    assert host.note({"kind": "closed"}, 0.4) == [ReportClosed()]


def test_a_stall_is_killed_after_a_second_and_started_again() -> None:
    host = running()
    assert host.deadline == pytest.approx(1.1)
    assert host.tick(1.05) == []
    commands = host.tick(1.1)
    assert names(commands) == ["Kill", "ReportFailed", "Spawn"]
    assert isinstance(commands[1], ReportFailed)
    assert commands[1].is_retrying
    assert names(host.note({"kind": "ready"}, 1.2)) == ["Send"]
    assert names(host.note(opened(), 1.21)) == ["ReportOpened"]


def test_the_first_sign_may_take_three_seconds() -> None:
    host = HostSupervision("capture")
    host.open(0.0)
    host.note({"kind": "ready"}, 0.1)
    host.note(opened(), 0.2)
    assert host.tick(2.0) == []
    assert names(host.tick(3.3)) == ["Kill", "ReportFailed", "Spawn"]


def test_a_program_that_stood_still_concludes_nothing() -> None:
    host = running()
    assert host.tick(9.0) == []
    host.sign_of_life(9.01)
    assert host.tick(9.6) == []
    assert host.is_running


def test_waits_grow_and_end_with_stability() -> None:
    host = running()
    now, waits = 0.1, []
    for _ in range(6):
        host.tick(now + 1.0)
        now += 1.0
        if host.state == State.NONE:
            assert host.deadline is not None
            waits.append(round(host.deadline - now, 3))
            now = host.deadline
            assert names(host.tick(now)) == ["Spawn"]
        else:
            waits.append(0.0)
        host.note({"kind": "ready"}, now)
        host.note(opened(), now)
        host.sign_of_life(now)
    assert waits == [0.0, 0.2, 0.5, 1.0, 1.5, 1.5]
    for step in range(60):
        host.sign_of_life(now + step * 0.1)
    assert names(host.tick(now + 5.9 + 1.0)) == ["Kill", "ReportFailed", "Spawn"]


def test_a_failure_is_said_once() -> None:
    host = running()
    assert names(host.note({"kind": "ended"}, 0.5)) == ["Kill", "ReportFailed", "Spawn"]
    host.note({"kind": "ready"}, 0.6)
    said = host.note({"kind": "failed", "code": NO_DEVICE, "text": ""}, 0.7)
    assert names(said) == ["ReportFailed"]
    assert host.tick(0.9) == [Send({"kind": "open", "device": None, "fresh": True})]
    assert host.note({"kind": "failed", "code": NO_DEVICE, "text": ""}, 1.0) == []
    assert names(host.tick(1.5)) == ["Send"]
    assert names(host.note(opened(), 1.6)) == ["ReportOpened"]


def test_a_crash_is_seen_at_once_and_an_old_child_is_ignored() -> None:
    host = running()
    generation = host.generation
    assert names(host.exited(generation, 0.5)) == ["ReportFailed", "Spawn"]
    assert host.exited(generation, 0.6) == []


def test_without_portaudio_nothing_is_tried_again() -> None:
    host = HostSupervision("capture")
    host.open(0.0)
    commands = host.note({"kind": "failed", "code": NO_PORTAUDIO, "text": "not found"}, 0.1)
    assert names(commands) == ["Kill", "ReportFailed"]
    assert isinstance(commands[1], ReportFailed)
    assert not commands[1].is_retrying
    assert host.exited(host.generation, 0.2) == []
    assert host.deadline is None
    assert names(host.open(5.0)) == ["Spawn"]  # installed meanwhile


def test_a_close_that_hangs_is_a_kill() -> None:
    host = running()
    host.close(1.0)
    assert names(host.tick(2.5)) == ["Kill", "ReportClosed"]
    assert host.deadline == pytest.approx(4.0)
    assert names(host.tick(4.0)) == ["Spawn"]  # idle again


def test_a_child_that_keeps_dying_unwanted_is_left_alone() -> None:
    host = HostSupervision("capture")
    host.prespawn(0.0)
    now, spawns = 0.0, 0
    for _ in range(10):
        host.exited(host.generation, now)
        if host.deadline is None:
            break
        now = host.deadline
        spawns += names(host.tick(now)).count("Spawn")
    assert spawns == 3


def test_another_device_reopens_with_a_fresh_look() -> None:
    host = running()
    assert host.select(None, 1.0) == []
    assert host.select("usb", 1.0) == [Send({"kind": "close"})]
    assert host.note({"kind": "closed"}, 1.1) == [Send({"kind": "open", "device": "usb", "fresh": True})]


def test_a_substitute_is_given_back() -> None:
    host = HostSupervision("capture", "usb")
    host.open(0.0)
    host.note({"kind": "ready"}, 0.0)
    host.note(opened(substitute=True), 0.0)
    host.sign_of_life(1.9)
    assert host.tick(2.0) == [LookForDevice()]
    host.sign_of_life(2.0)
    assert host.tick(2.1) == []
    assert host.reopen(2.2) == [Send({"kind": "close"})]


def test_blocked_until_there_is_a_device() -> None:
    host = running()
    error = AudioError("a loudspeaker")
    commands = host.block(error, 1.0)
    assert commands == [Kill(), ReportFailed(error, is_retrying=True), Spawn(2)]
    assert host.note({"kind": "ready"}, 1.1) == []
    assert host.tick(50.0) == []
    assert host.unblock(60.0) == [Send({"kind": "open", "device": None, "fresh": True})]
    assert host.unblock(60.0) == []


def test_blocked_before_it_is_wanted() -> None:
    host = HostSupervision("capture")
    error = AudioError("a loudspeaker")
    assert names(host.block(error, 0.0)) == ["Spawn"]
    host.note({"kind": "ready"}, 0.1)
    assert host.open(1.0) == [ReportFailed(error, is_retrying=True)]
    assert names(host.unblock(2.0)) == ["Send"]


def test_shut_leaves_no_child_and_starts_none() -> None:
    host = running()
    assert host.shut() == [Kill()]
    assert host.shut() == []
    assert host.open(2.0) == []
    assert host.prespawn(2.0) == []
    assert host.deadline is None


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
    host = HostSupervision("playback")
    now, alive = 0.0, 0
    for what, wait in script:
        now += wait
        commands: list[Command] = []
        match what:
            case "open":
                commands = host.open(now)
            case "close":
                commands = host.close(now)
            case "ready" | "opened" | "closed" | "ended" if alive:
                commands = host.note({**opened(), "kind": what}, now)
            case "failed" if alive:
                commands = host.note({"kind": "failed", "code": -9999, "text": ""}, now)
            case "exited" if alive:
                alive = 0
                commands = host.exited(host.generation, now)
            case "tick":
                commands = host.tick(now)
            case "sign" if alive:
                host.sign_of_life(now)
            case "block":
                commands = host.block(AudioError("x"), now)
            case "unblock":
                commands = host.unblock(now)
            case "reopen":
                commands = host.reopen(now)
            case "select":
                commands = host.select(str(wait), now)
            case "retry":
                commands = host.retry_now(now)
        for command in commands:
            if isinstance(command, Kill):
                alive = 0
            elif isinstance(command, Spawn):
                assert alive == 0
                alive = 1
            elif isinstance(command, Send):
                assert alive == 1
        assert (host.state != State.NONE) == bool(alive)
        if host.is_wanted and host.blocked is None:
            assert host.deadline is not None
