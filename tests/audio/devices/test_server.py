"""What a sound server says, and what the guards make of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pinch_tui.audio.devices.choice import Direction
from pinch_tui.audio.devices.guard import Block, MicGuard, Moved, Reopen, SpeakerGuard, Stream, Unblock, source_in_use
from pinch_tui.audio.devices.server import (
    BLUETOOTH_NOTE,
    Endpoint,
    ServerState,
    captures_loudspeaker,
    parse,
    same_bluetooth,
    unmute,
)

MIC, SPEAKER = 11, 22  # processes

USB = Endpoint(1, "usb", "USB Microphone")
BUILTIN = Endpoint(2, "builtin", "Built-in Microphone")
HEARS_SPEAKER = Endpoint(3, "out.monitor", "Monitor of Speaker", other="out")
OUT = Endpoint(7, "out", "Speaker", other="out.monitor")
VIRTUAL = Endpoint(4, "vmic.monitor", "Monitor of VirtualMicrophone", other="vmic")
VIRTUAL_SINK = Endpoint(8, "vmic", "VirtualMicrophone", other="vmic.monitor")

HOME = ServerState("usb", "out", (USB, BUILTIN, HEARS_SPEAKER), (OUT,), {MIC: 1}, {SPEAKER: 7})


def stream(pid: int = MIC, **changes: object) -> Stream:
    return replace(Stream(pid, True, True, None, False), **changes)


def test_the_first_source_is_home() -> None:
    guard = MicGuard()
    assert guard.decide(stream(), HOME, SPEAKER) == Moved(USB, False)
    assert guard.decide(stream(), HOME, SPEAKER) is None
    assert guard.is_accepted("usb")


def test_another_microphone_is_a_substitute_until_the_first_is_back() -> None:
    guard = MicGuard()
    guard.decide(stream(), HOME, SPEAKER)
    gone = replace(HOME, default_source="builtin", sources=(BUILTIN, HEARS_SPEAKER), capturing={MIC: 2})
    assert guard.decide(stream(), gone, SPEAKER) == Moved(BUILTIN, True)
    back = replace(HOME, default_source="usb", capturing={MIC: 2})
    assert guard.decide(stream(), back, SPEAKER) == Reopen()
    assert guard.decide(stream(), back, SPEAKER) is None  # once is enough
    assert guard.decide(stream(), HOME, SPEAKER) == Moved(USB, False)


def test_a_new_default_that_the_person_chose_is_followed() -> None:
    guard = MicGuard()
    guard.decide(stream(), HOME, SPEAKER)
    chosen = replace(HOME, default_source="builtin", capturing={MIC: 2})
    assert guard.decide(stream(), chosen, SPEAKER) == Moved(BUILTIN, False)
    assert guard.intended == "builtin"
    guard.forget()
    assert guard.intended is None
    speaker = SpeakerGuard(guard)
    speaker.decide(stream(SPEAKER), HOME)
    other = Endpoint(9, "hdmi", "HDMI")
    chosen = replace(HOME, default_sink="hdmi", sinks=(OUT, other), playing={SPEAKER: 9})
    assert speaker.decide(stream(SPEAKER), chosen) == Moved(other, False)


def test_the_loudspeakers_monitor_is_refused_and_the_return_unblocks() -> None:
    guard = MicGuard()
    guard.decide(stream(), HOME, SPEAKER)
    moved = replace(HOME, default_source="out.monitor", sources=(HEARS_SPEAKER,), capturing={MIC: 3})
    verdict = guard.decide(stream(), moved, SPEAKER)
    assert isinstance(verdict, Block)
    assert "loudspeaker" in verdict.error.title
    assert "Monitor of Speaker" in verdict.error.hint
    blocked = stream(is_blocked=True, is_running=False)
    assert guard.decide(blocked, moved, SPEAKER) is None
    assert guard.decide(blocked, HOME, SPEAKER) == Unblock()
    other = replace(moved, default_source="builtin", sources=(BUILTIN, HEARS_SPEAKER), capturing={})
    assert guard.decide(blocked, other, SPEAKER) == Unblock()


def test_refused_before_it_is_opened_when_there_is_nothing_else() -> None:
    guard = MicGuard()
    only = ServerState("out.monitor", "out", (HEARS_SPEAKER,), (OUT,))
    idle = stream(is_running=False)
    assert isinstance(guard.decide(idle, only, None), Block)
    assert guard.decide(replace(idle, device="Monitor of Speaker"), only, None) is None
    assert guard.decide(replace(idle, device="usb", follows_server=False), only, None) is None


def test_a_monitor_that_was_asked_for_is_taken() -> None:
    guard = MicGuard()
    state = replace(HOME, capturing={MIC: 3})
    assert guard.decide(stream(device="monitor of speaker"), state, SPEAKER) == Moved(HEARS_SPEAKER, False)


def test_a_virtual_microphone_is_no_loudspeaker_even_when_the_default_sink_changes() -> None:
    mic, out = MicGuard(), None
    state = ServerState("vmic.monitor", "out", (VIRTUAL, HEARS_SPEAKER), (VIRTUAL_SINK, OUT), {MIC: 4}, {SPEAKER: 7})
    speaker = SpeakerGuard(mic)
    assert mic.decide(stream(), state, SPEAKER) == Moved(VIRTUAL, False)
    assert speaker.decide(stream(SPEAKER), state) == Moved(OUT, False)
    unplugged = replace(state, default_sink="vmic", sources=(VIRTUAL,), sinks=(VIRTUAL_SINK,), playing={SPEAKER: 8})
    assert mic.decide(stream(), unplugged, SPEAKER) is out
    verdict = speaker.decide(stream(SPEAKER), unplugged)
    assert isinstance(verdict, Block)
    assert "feeds the microphone" in verdict.error.title
    blocked = stream(SPEAKER, is_blocked=True)
    assert speaker.decide(blocked, unplugged) is None
    assert speaker.decide(blocked, state) == Unblock()


def test_a_speaker_that_moved_is_told_and_taken_back() -> None:
    speaker = SpeakerGuard(MicGuard())
    other = Endpoint(9, "hdmi", "HDMI", is_headphones=False)
    assert speaker.decide(stream(SPEAKER, device="Speaker", follows_server=False), HOME) == Moved(OUT, False)
    gone = replace(HOME, default_sink="hdmi", sinks=(other,), playing={SPEAKER: 9})
    asked = stream(SPEAKER, device="Speaker", follows_server=False)
    assert speaker.decide(asked, gone) == Moved(other, True)
    back = replace(HOME, sinks=(OUT, other), playing={SPEAKER: 9})
    assert speaker.decide(asked, back) == Reopen()
    speaker.closed()
    assert speaker.decide(asked, HOME) == Moved(OUT, False)
    assert speaker.decide(stream(99), HOME) is None


def test_the_device_that_was_asked_for_is_home_also_after_a_substitute() -> None:
    guard = MicGuard()
    guard.opened("")  # the chosen one is away, so this is the default
    guard.decide(stream(), HOME, SPEAKER)
    asked = stream(device="Built-in", follows_server=False, endpoint="builtin")
    there = replace(HOME, capturing={MIC: 2})
    guard.opened("builtin")
    assert guard.decide(asked, there, SPEAKER) == Moved(BUILTIN, False)
    assert guard.decide(asked, HOME, SPEAKER) == Reopen()  # the server put it elsewhere
    moved = replace(HOME, sources=(USB,), capturing={MIC: 1})
    assert guard.decide(asked, moved, SPEAKER) == Moved(USB, True)


def test_a_monitor_that_was_asked_for_by_any_name_is_taken() -> None:
    state = replace(HOME, capturing={MIC: 3})
    asked = stream(device="out.mon", follows_server=False, endpoint="out.monitor")
    assert MicGuard().decide(asked, state, SPEAKER) == Moved(HEARS_SPEAKER, False)


def test_one_bluetooth_device_for_both_is_told() -> None:
    mic = replace(USB, bluetooth="00:11")
    out = replace(OUT, bluetooth="00:11")
    assert same_bluetooth(mic, out)
    assert not same_bluetooth(mic, OUT)
    assert not same_bluetooth(None, out)
    state = replace(HOME, sources=(mic,), sinks=(out,))
    assert MicGuard().decide(stream(), state, SPEAKER) == Moved(mic, False, BLUETOOTH_NOTE)


def listing() -> dict[str, object]:
    return {
        "sources": [
            {
                "index": 3,
                "name": "out.monitor",
                "description": "Monitor of \x1b[31mSpeaker",
                "monitor_source": "out",
                "mute": True,
                "properties": {"device.class": "monitor"},
            },
            {"index": 5, "name": "usb", "description": "USB", "monitor_source": "usb", "properties": {}},
        ],
        "sinks": [
            {
                "index": 7,
                "name": "out",
                "description": "Speaker",
                "sample_specification": "s16le 2ch 48000Hz",
                "monitor_source": "out.monitor",
                "active_port": "analog-output-headphones",
                "ports": [{"name": "analog-output-headphones", "type": "Headphones"}],
                "properties": {"device.bus": "bluetooth", "device.string": "00:11"},
            },
            {
                "index": 8,
                "name": "tv",
                "active_port": "hdmi-output-0",
                "ports": [{"name": "hdmi-output-0", "type": "HDMI"}],
                "properties": None,
            },
            {"index": 9, "name": "null", "properties": {}, "sample_specification": "s16le 0ch 99999999Hz"},
        ],
        "source_outputs": [{"source": 3, "properties": {"application.process.id": "11"}}, {"source": 3}],
        "sink_inputs": [{"sink": 7, "properties": {"application.process.id": "22"}}],
    }


def test_the_servers_words_are_read() -> None:
    info = {"default_source_name": "usb", "default_sink_name": "out"}
    state = parse(json.dumps(listing()), json.dumps(info))
    assert state is not None
    monitor, usb = state.sources
    assert (monitor.other, usb.other) == ("out", "")
    assert monitor.description == "Monitor of Speaker"
    assert monitor.is_muted
    assert [sink.is_headphones for sink in state.sinks] == [True, False, None]
    assert state.sinks[0].bluetooth == "00:11"
    assert [(sink.rate, sink.channels) for sink in state.sinks] == [(48_000, 2), (0, 1), (0, 1)]
    assert state.used(Direction.INPUT, MIC) == monitor
    assert state.used(Direction.OUTPUT, SPEAKER) == state.sinks[0]
    assert state.used(Direction.INPUT, None) is None
    assert captures_loudspeaker(monitor, state, None)
    assert not captures_loudspeaker(usb, state, SPEAKER)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"sources": [{}]}', '{"sources": [1]}'])
def test_what_cannot_be_read_is_nothing(text: str) -> None:
    assert parse(text, "{}") is None


def test_what_is_muted_is_the_source_in_use_or_the_one_that_an_opening_would_get() -> None:
    muted = replace(HOME, sources=(replace(USB, is_muted=True), BUILTIN, HEARS_SPEAKER))
    used = source_in_use(stream(), muted)
    assert used is not None
    assert used.is_muted
    closed = stream(is_running=False, follows_server=False)
    assert source_in_use(closed, muted) == used
    assert source_in_use(replace(closed, device="hw:2"), muted) is None  # not known
    assert source_in_use(stream(), replace(muted, capturing={MIC: 2})) == BUILTIN
    assert unmute(used) == "To unmute it: pactl set-source-mute usb 0"
    assert unmute(Endpoint(1, "it's\x1b[2J; rm", "x")) == "To unmute it: pactl set-source-mute 'it'\"'\"'s; rm' 0"
