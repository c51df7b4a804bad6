"""Anything that the sound host's children, and the sound server's, can write: a fault of theirs, and never of ours.

More of it at random: ``python -m tests.faults.properties tests/audio/host/test_fuzz.py --only test``.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.devices import listing
from pinch_tui.audio.devices.choice import Direction, matching
from pinch_tui.audio.devices.routes import route, server_devices
from pinch_tui.audio.devices.server import parse
from pinch_tui.audio.host import supervisor
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.audio.host.wire import Kind, pack_note
from pinch_tui.children import pack
from pinch_tui.engine.alarm import SystemClock
from tests.faults.warp import run

pytestmark = pytest.mark.slow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NUMBERS = st.integers(-2, 9) | JSON
NOTES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["ready", "opened", "failed", "closed", "progress", "muted", "began", "dry", "over", "devices", "x"]
        )
    },
    optional={
        "pid": NUMBERS,
        "name": st.text(max_size=4) | JSON,
        "rate": NUMBERS,
        "substitute": JSON,
        "is_server": JSON,
        "endpoint": JSON,
        "code": NUMBERS,
        "text": JSON,
        "playout": NUMBERS,
        "played": NUMBERS,
        "underflows": NUMBERS,
        "t": NUMBERS,
        "on": JSON,
        "latency": NUMBERS,
        "input": JSON,
        "output": st.lists(st.lists(JSON, min_size=6, max_size=6), max_size=2) | JSON,
    },
).map(lambda note: pack(Kind.NOTE, json.dumps(note, allow_nan=True).encode()))
READY = pack_note({"kind": "ready", "pid": 1})
OPENED = pack_note({"kind": "opened", "name": "a mic", "rate": 48_000, "substitute": False})
MESSAGES = st.lists(
    NOTES
    | st.sampled_from([READY, OPENED])
    | st.builds(pack, st.sampled_from(Kind), st.binary(max_size=50))
    | st.binary(max_size=20),
    max_size=6,
).map(b"".join)


class OddChild:
    """A process that writes these bytes and ends."""

    def __init__(self, data: bytes) -> None:
        self.pid, self.returncode, self.stdin = 0, 0, None
        self.stdout, self.stderr = asyncio.StreamReader(), asyncio.StreamReader()
        self.stdout.feed_data(data)
        self.stderr.feed_data(b"\x1b[31m\xff\n")
        for pipe in (self.stdout, self.stderr):
            pipe.feed_eof()

    async def wait(self) -> int:
        return 0

    async def communicate(self) -> tuple[bytes, bytes]:
        return await self.stdout.read(), b""


@settings(max_examples=60)
@given(st.sampled_from(["capture", "playback"]), st.lists(MESSAGES, max_size=3))
@example("playback", [READY + OPENED + pack_note({"kind": "over"})])
@example("capture", [pack(Kind.NOTE, b"[" * 100_000)])
def test_anything_a_sound_host_can_write(role: str, writes: list[bytes]) -> None:
    left = list(writes)

    async def spawn(asked: str) -> Any:
        if asked == role and left:
            return OddChild(left.pop(0))
        raise OSError(12, "no memory")

    async def talk() -> None:
        clock = SystemClock()
        async with SoundHost(clock=clock) as host:
            microphone, speaker = HostMicrophone(host, clock=clock), HostSpeaker(host, clock=clock)
            microphone.request_open()
            speaker.begin(1)
            speaker.play(1, bytes(4_000))
            speaker.end(1)
            await asyncio.sleep(20.0)
            assert not left, "each fault was another try"
            microphone.request_close()
            speaker.clear()
            await microphone.aclose()
            await speaker.aclose()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervisor, "spawn_host", spawn)
        run(talk())


@settings(max_examples=60)
@given(MESSAGES | NOTES)
def test_anything_in_place_of_the_list_of_devices(data: bytes) -> None:
    async def spawn(role: str) -> Any:
        return OddChild(data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "spawn_host", spawn)
        patch.setattr(listing, "has_pactl", lambda: False)
        found = asyncio.run(listing.list_devices())
    assert all(matching([device], device.name) or not device.name for device in found.inputs)


ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "index": NUMBERS,
        "name": st.text(max_size=5) | JSON,
        "description": JSON,
        "monitor_source": JSON,
        "properties": st.dictionaries(
            st.sampled_from(["device.class", "device.bus", "application.process.id"]), JSON | st.just("\u00b2")
        )
        | JSON,
        "source": NUMBERS,
        "sink": NUMBERS,
        "ports": JSON,
        "active_port": JSON,
        "sample_specification": st.sampled_from(["s16le 2ch 48000Hz", "\u0662ch \u0663Hz", 5]),
    },
)
LISTINGS = st.dictionaries(
    st.sampled_from(["sources", "sinks", "source_outputs", "sink_inputs"]), st.lists(ENTRY, max_size=2) | JSON
)


@settings(max_examples=150)
@given(LISTINGS | JSON, st.dictionaries(st.sampled_from(["default_source_name", "default_sink_name"]), JSON) | JSON)
@example({"sources": [{"index": float("inf"), "name": "x"}]}, {})
def test_anything_a_sound_server_can_say(everything: object, server: object) -> None:
    state = parse(json.dumps(everything, allow_nan=True), json.dumps(server, allow_nan=True))
    for direction in Direction:
        server_devices(state, direction)
        route(state, direction, "a name")


def test_a_listing_of_endless_depth_is_none() -> None:
    assert parse("[" * 100_000, "{}") is None
