"""One suite for every speaker: the fake, the file, none at all, and the real one on the virtual devices."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.audio.adapters.null import UnpacedSpeaker
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.adapters.speech_file import FileSpeaker
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.core.sound import PlayoutEnded, PlayoutStarted, SpeakerEvent, SpeakerFailed, SpeakerOpened
from pinch_tui.engine.ports import Speaker
from pinch_tui.errors import AudioError
from tests.audio.rig import RealClock, virtual_audio, why_not
from tests.fakes.fake_speaker import FakeSpeaker

KINDS = ["fake", "file", "null", pytest.param("host", marks=pytest.mark.device)]
CHUNK = array("f", [0.2 * math.sin(i / 15) for i in range(1920)]).tobytes()


@asynccontextmanager
async def speaker(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Speaker]:
    clock = RealClock()
    match kind:
        case "fake":
            yield FakeSpeaker(clock)
        case "file":
            yield FileSpeaker(tmp_path / "out.wav", clock=clock)
        case "null":
            yield UnpacedSpeaker(clock, AudioError("No sound."))
        case _:
            if (reason := why_not()) is not None:
                pytest.skip(reason)
            with virtual_audio() as audio:
                for name, value in audio.env.items():
                    monkeypatch.setenv(name, value)
                async with SoundHost(clock=clock) as host:
                    yield HostSpeaker(host, clock=clock)


async def until(events: AsyncIterator[SpeakerEvent], wanted: Callable[[list[SpeakerEvent]], Any]) -> list[SpeakerEvent]:
    got: list[SpeakerEvent] = []
    async with asyncio.timeout(10):
        async for event in events:
            if not isinstance(event, SpeakerOpened | SpeakerFailed):
                got.append(event)
            if wanted(got):
                return got
    return got


def ended(events: list[SpeakerEvent]) -> list[PlayoutEnded]:
    return [event for event in events if isinstance(event, PlayoutEnded)]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_playout_starts_and_ends_with_all_its_samples(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaker(kind, tmp_path, monkeypatch) as out:
        out.set_gain(0.5)
        out.begin(7)
        for _ in range(5):
            out.play(7, CHUNK)
        out.end(7)
        out.end(7)  # twice is once
        got = await until(out.events(), ended)
        (end,) = ended(got)
        assert (end.playout, end.was_cleared) == (7, False)
        assert end.played == (0 if kind == "null" else 5 * 1920)
        starts = [event for event in got if isinstance(event, PlayoutStarted)]
        assert [start.playout for start in starts] == ([] if kind == "null" else [7])
        assert out.buffered_s() == 0.0
        await out.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_playouts_follow_one_another(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaker(kind, tmp_path, monkeypatch) as out:
        for number in (1, 2, 3):
            out.begin(number)
            if number != 2:
                out.play(number, CHUNK)
            out.end(number)
        got = await until(out.events(), lambda got: len(ended(got)) == 3)
        assert [end.playout for end in ended(got)] == [1, 2, 3]
        assert [end.played for end in ended(got)] == ([0, 0, 0] if kind == "null" else [1920, 0, 1920])
        await out.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_clear_ends_each_playout_once(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaker(kind, tmp_path, monkeypatch) as out:
        events = out.events()
        for number in (1, 2):
            out.begin(number)
            for _ in range(20):
                out.play(number, CHUNK)
        out.clear(2)
        got = await until(events, ended)
        assert [(end.playout, end.was_cleared) for end in ended(got)] == [(2, True)]
        out.clear()
        out.play(1, CHUNK)  # late: ignored
        out.end(1)
        got = await until(events, ended)
        assert [(end.playout, end.was_cleared) for end in ended(got)] == [(1, True)]
        assert out.buffered_s() == 0.0
        out.begin(3)
        out.play(3, CHUNK)
        out.end(3)
        got = await until(events, ended)
        assert [(end.playout, end.was_cleared) for end in ended(got)] == [(3, False)]
        await out.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_unknown_playouts_and_odd_chunks_are_harmless(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaker(kind, tmp_path, monkeypatch) as out:
        out.play(99, CHUNK)
        out.end(99)
        out.clear(99)
        out.cue("go")
        out.select(None)
        out.begin(1)
        out.play(1, b"")
        out.play(1, array("f", [float("nan"), float("inf"), 5.0]).tobytes())
        out.end(1)
        got = await until(out.events(), ended)
        assert [(end.playout, end.was_cleared) for end in ended(got)] == [(1, False)]
        await out.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_aclose_ends_playouts_and_events(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaker(kind, tmp_path, monkeypatch) as out:
        out.begin(1)
        out.play(1, CHUNK)
        await out.aclose()
        await out.aclose()
        out.begin(2)
        async with asyncio.timeout(5):
            left = [event async for event in out.events()]
        assert [end.playout for end in ended(left)] == [1]
