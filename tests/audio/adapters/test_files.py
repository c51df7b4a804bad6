from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pinch_tui.audio.adapters.files import FileMicrophone
from pinch_tui.core.events import FRAME_BYTES, Frame
from pinch_tui.core.sound import MicClosed, MicEvent, MicOpened
from pinch_tui.errors import InputFileError
from tests.audio.recordings import SAMPLES, write_wav
from tests.fakes.manual_clock import ManualClock, settle


async def first_samples(mic: FileMicrophone) -> None:
    """Until the microphone's thread has read the recording's beginning, whatever the manual clock says."""
    async with asyncio.timeout(5):
        while not mic.heard_s and not mic._ready:
            await asyncio.to_thread(lambda: None)


class Listener:
    """Collects events in the background of a test."""

    def __init__(self, events: AsyncIterator[MicEvent], group: asyncio.TaskGroup) -> None:
        self.events: list[MicEvent] = []
        self.task = group.create_task(self._run(events))

    async def _run(self, events: AsyncIterator[MicEvent]) -> None:
        async for event in events:
            self.events.append(event)

    @property
    def frames(self) -> list[Frame]:
        return [event for event in self.events if isinstance(event, Frame)]


async def test_a_file_is_heard_at_real_time_pace(tmp_path: Path) -> None:
    clock = ManualClock()
    mic = FileMicrophone(write_wav(tmp_path / "a.wav", SAMPLES.tobytes()), clock=clock)
    async with asyncio.TaskGroup() as group:
        listener = Listener(mic.events(), group)
        await clock.advance(1.0)
        assert listener.events == []
        mic.request_open()
        await settle()
        assert isinstance(listener.events[0], MicOpened)
        await first_samples(mic)
        await clock.advance(0.1)
        assert len(listener.frames) == 5
        assert [round(frame.t - 101.0, 6) for frame in listener.frames] == [0.02, 0.04, 0.06, 0.08, 0.1]
        mic.request_close()
        await clock.advance(1.0)
        assert listener.events[-1] == MicClosed(listener.events[-1].t)  # type: ignore[union-attr]
        heard = len(listener.frames)
        mic.request_open()
        await clock.advance(1.0)
        assert len(listener.frames) == 16
        assert heard < 16
        last = listener.events[-1]
        assert isinstance(last, MicClosed)
        assert last.at_end
        joined = b"".join(frame.pcm for frame in listener.frames)
        assert joined[: len(SAMPLES) * 2] == SAMPLES.tobytes()
        assert not any(joined[len(SAMPLES) * 2 :])
        assert len(joined) % FRAME_BYTES == 0
        await mic.aclose()
        await asyncio.wait_for(listener.task, 5)


async def test_after_a_long_stand_still_there_is_no_burst(tmp_path: Path) -> None:
    clock = ManualClock()
    mic = FileMicrophone(write_wav(tmp_path / "a.wav", SAMPLES.tobytes() * 50), clock=clock)
    async with asyncio.TaskGroup() as group:
        listener = Listener(mic.events(), group)
        mic.request_open()
        await first_samples(mic)
        await clock.advance(0.1)
        clock._now += 60.0
        await clock.advance(0.1)
        assert 5 < len(listener.frames) < 15
        await mic.aclose()
        await clock.advance(0.1)


class EagerClock(ManualClock):
    """A clock whose sleepers wake at once, at the time that they wait for."""

    async def sleep_until(self, t: float) -> None:
        self._now = max(self._now, t)
        await asyncio.sleep(0)


async def test_a_file_gives_all_its_frames_and_then_its_end(tmp_path: Path) -> None:
    mic = FileMicrophone(write_wav(tmp_path / "a.wav", SAMPLES.tobytes()), clock=EagerClock())
    mic.request_open()
    got: list[MicEvent] = []
    async for event in mic.events():
        got.append(event)
        if isinstance(event, MicClosed):
            await mic.aclose()
    assert sum(isinstance(event, Frame) for event in got) == 16


async def test_raw_pcm_from_a_pipe_is_heard_as_it_comes() -> None:
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd, "rb") as source:
        mic = FileMicrophone(source, clock=EagerClock())
        mic.request_open()
        events = mic.events()
        assert isinstance(await anext(events), MicOpened)
        os.write(write_fd, SAMPLES.tobytes()[:700])
        first = await asyncio.wait_for(anext(events), 5)
        assert isinstance(first, Frame)
        assert first.pcm == SAMPLES.tobytes()[:640]
        os.write(write_fd, SAMPLES.tobytes()[700:900])
        os.close(write_fd)
        last = await asyncio.wait_for(anext(events), 5)
        assert isinstance(last, Frame)
        assert last.pcm == SAMPLES.tobytes()[640:900].ljust(640, b"\0")
        end = await asyncio.wait_for(anext(events), 5)
        assert isinstance(end, MicClosed)
        assert end.at_end
        await mic.aclose()


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
async def test_a_sound_file_in_a_pipe_is_decoded(form: str) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(44_100), 44_100, format=form)
    buffer.seek(0)
    mic = FileMicrophone(buffer, clock=EagerClock())
    mic.request_open()
    frames = 0
    async for event in mic.events():
        frames += isinstance(event, Frame)
        if isinstance(event, MicClosed):
            await mic.aclose()
    assert frames == pytest.approx(50, abs=3)


async def test_what_is_no_sound_is_refused_before_the_first_frame() -> None:
    mic = FileMicrophone(io.BytesIO(b"Dear all,\n" * 50), clock=EagerClock())
    mic.request_open()
    events = mic.events()
    assert isinstance(await anext(events), MicOpened)
    with pytest.raises(InputFileError, match="standard input is text"):
        await anext(events)
    await mic.aclose()


async def test_what_is_amiss_is_told_once_and_the_length_is_known(tmp_path: Path) -> None:
    tone = (0.3 * np.sin(np.arange(3 * 48_000) / 10)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, -tone], axis=1), 48_000)
    said: list[str] = []
    mic = FileMicrophone(tmp_path / "a.wav", clock=EagerClock(), tell=said.append)
    assert (mic.heard_s, mic.length_s) == (0.0, 3.0)
    mic.request_open()
    loudest = 0.0
    async for event in mic.events():
        if isinstance(event, Frame):
            loudest = max(loudest, event.peak)
        if isinstance(event, MicClosed):
            await mic.aclose()
    assert loudest == pytest.approx(0.3, abs=0.02)
    assert len(said) == 1 and "opposite phase" in said[0]
    assert (mic.heard_s, mic.length_s, mic.is_damaged) == (3.0, 3.0, False)


async def test_a_silent_pipe_keeps_nobody_from_leaving() -> None:
    read_fd, write_fd = os.pipe()
    source = os.fdopen(read_fd, "rb")
    mic = FileMicrophone(source, clock=ManualClock())
    async with asyncio.TaskGroup() as group:
        listener = Listener(mic.events(), group)
        mic.request_open()
        await settle()
        await mic.aclose()
        await asyncio.wait_for(listener.task, 5)
    stuck = [thread for thread in threading.enumerate() if thread.name == "recording"]
    assert all(thread.daemon for thread in stuck)
    os.close(write_fd)
    for thread in stuck:
        thread.join(5)
    source.close()


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="nothing"):
        FileMicrophone(tmp_path / "nothing.wav", clock=ManualClock())
