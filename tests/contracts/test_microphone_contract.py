"""One suite for every microphone: the fake, the file and the real one on the virtual devices."""

from __future__ import annotations

import asyncio
import wave
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.audio.adapters.files import FileMicrophone
from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.dsp.loudness import peak16
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.core.events import FRAME_BYTES, Frame
from pinch_tui.core.sound import MicClosed, MicEvent, MicOpened
from pinch_tui.engine.ports import Microphone
from tests.audio.rig import RealClock, virtual_audio, why_not
from tests.fakes.fake_microphone import FakeMicrophone

KINDS = ["fake", "file", pytest.param("host", marks=pytest.mark.device)]


def a_tone(seconds: float) -> bytes:
    return array("h", [(i * 37) % 8000 - 4000 for i in range(round(16_000 * seconds))]).tobytes()


@asynccontextmanager
async def microphone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Microphone, Callable[[], None]]]:
    """(the microphone, what makes it hear something)."""
    clock = RealClock()
    match kind:
        case "fake":
            fake = FakeMicrophone(clock)
            yield fake, lambda: fake.feed(a_tone(0.4)) and None
        case "file":
            path = tmp_path / "tone.wav"
            with wave.open(str(path), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(16_000)
                out.writeframes(a_tone(20))
            yield FileMicrophone(path, clock=clock), lambda: None
        case _:
            if (reason := why_not()) is not None:
                pytest.skip(reason)
            with virtual_audio() as audio:
                for name, value in audio.env.items():
                    monkeypatch.setenv(name, value)
                async with SoundHost(clock=clock) as host:
                    yield HostMicrophone(host, clock=clock), lambda: None


async def until(events: AsyncIterator[MicEvent], wanted: Callable[[list[MicEvent]], Any]) -> list[MicEvent]:
    got: list[MicEvent] = []
    async with asyncio.timeout(10):
        async for event in events:
            got.append(event)
            if wanted(got):
                return got
    return got


def frames_of(events: list[MicEvent]) -> list[Frame]:
    return [event for event in events if isinstance(event, Frame)]


@pytest.mark.parametrize("kind", KINDS)
async def test_opens_hears_closes_and_opens_again(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with microphone(kind, tmp_path, monkeypatch) as (mic, hear):
        events = mic.events()
        mic.request_close()  # nothing is open: harmless
        mic.request_open()
        mic.request_open()  # twice is once
        hear()
        first = await until(events, lambda got: len(frames_of(got)) >= 12)
        assert isinstance(first[0], MicOpened)
        assert first[0].name
        mic.request_close()
        first += await until(events, lambda got: isinstance(got[-1], MicClosed))
        assert sum(isinstance(event, MicOpened) for event in first) == 1
        assert first[-1] == MicClosed(first[-1].t, at_end=False)
        mic.request_open()
        hear()
        second = await until(events, lambda got: len(frames_of(got)) >= 3)
        assert isinstance(second[0], MicOpened)
        frames = frames_of(first) + frames_of(second)
        assert [frame.index for frame in frames] == list(range(len(frames)))
        assert all(len(frame.pcm) == FRAME_BYTES for frame in frames)
        assert all(frame.peak == pytest.approx(peak16(frame.pcm)) for frame in frames)
        times = [frame.t for frame in frames_of(first)]
        assert times == sorted(times)
        assert all(frame.lost == 0 for frame in frames)
        await mic.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_frames_wait_for_their_consumer(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with microphone(kind, tmp_path, monkeypatch) as (mic, hear):
        mic.request_open()
        hear()
        await asyncio.sleep(0.3)
        hear()
        got = frames_of(await until(mic.events(), lambda got: len(frames_of(got)) >= 10))
        assert [frame.index for frame in got] == list(range(len(got)))
        await mic.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_aclose_ends_the_events(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with microphone(kind, tmp_path, monkeypatch) as (mic, _):
        mic.request_open()
        await mic.aclose()
        await mic.aclose()  # twice is harmless
        mic.request_open()
        mic.select("another")
        async with asyncio.timeout(5):
            left = [event async for event in mic.events()]
        assert all(isinstance(event, MicOpened | MicClosed | Frame) for event in left)
