from __future__ import annotations

import asyncio
import errno
import io
import os
import threading
import wave
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pinch_tui.audio.adapters.files import FileMicrophone, FileSpeaker, file_name, load
from pinch_tui.core.events import FRAME_BYTES, Frame
from pinch_tui.core.sound import MicClosed, MicEvent, MicOpened, PlayoutEnded, SpeakerOpened
from pinch_tui.errors import InputFileError
from tests.fakes.manual_clock import ManualClock, settle

SAMPLES = array("h", [((i * 7919) % 65_536) - 32_768 for i in range(5000)])


def write_wav(path: Path, pcm: bytes, rate: int = 16_000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(pcm)
    return path


def sine(rate: int, seconds: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def test_a_16_khz_mono_pcm16_wav_passes_sample_for_sample(tmp_path: Path) -> None:
    assert load(write_wav(tmp_path / "a.wav", SAMPLES.tobytes())) == SAMPLES.tobytes()


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 16_000, 2, "PCM_16"),
        ("a.wav", 44_100, 1, "PCM_16"),
        ("a.wav", 48_000, 2, "PCM_24"),
        ("a.wav", 8_000, 1, "PCM_U8"),
        ("a.wav", 24_000, 1, "FLOAT"),
        ("a.flac", 44_100, 2, "PCM_16"),
        ("a.ogg", 44_100, 1, "VORBIS"),
        ("a.mp3", 44_100, 1, "MPEG_LAYER_III"),
        ("a.aiff", 22_050, 1, "PCM_16"),
    ],
)
def test_everything_else_is_converted(tmp_path: Path, name: str, rate: int, channels: int, subtype: str) -> None:
    path = tmp_path / name
    data = np.repeat(sine(rate)[:, None], channels, axis=1)
    soundfile.write(path, data, rate, subtype=subtype)
    pcm = np.frombuffer(load(path), dtype="<i2").astype(np.float64) / 32_768
    assert pcm.size == pytest.approx(16_000, rel=0.02)
    middle = pcm[2000:14_000]
    power = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    assert np.argmax(power) * 16_000 / middle.size == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.5, rel=0.05)


def test_float_beyond_full_scale_is_clipped_and_not_wrapped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.array([2.0, -2.0, 0.0], dtype=np.float32), 16_000, subtype="FLOAT")
    assert array("h", load(tmp_path / "loud.wav")).tolist() == [32_767, -32_768, 0]


@pytest.mark.parametrize("rate", [0, 1, 999, 2_000_000_000, 4_294_967_295])
def test_a_header_with_an_impossible_rate_is_refused(tmp_path: Path, rate: int) -> None:
    path = write_wav(tmp_path / "a.wav", bytes(200_000))
    data = bytearray(path.read_bytes())
    data[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputFileError, match=r"a\.wav (says|is not)"):
        load(path)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_header_that_lies_about_the_length_is_said(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros(rate, dtype=np.int16), rate)
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F  # 2^36 - 1 samples
    data[22:26] = b"\xff" * 4
    path.write_bytes(data)
    with pytest.raises(InputFileError, match=r"a\.flac"):
        load(path)


def test_what_is_no_number_spoils_nothing_around_it(tmp_path: Path) -> None:
    samples = sine(44_100)
    samples[20_000] = np.nan
    samples[20_001] = np.inf
    soundfile.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    pcm = np.frombuffer(load(tmp_path / "a.wav"), dtype="<i2")
    assert abs(pcm[:5_000]).max() > 10_000 and abs(pcm[9_000:]).max() > 10_000


def test_from_an_open_file() -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(SAMPLES, dtype=np.int16), 16_000, subtype="PCM_16", format="WAV")
    buffer.seek(0)
    assert load(buffer) == SAMPLES.tobytes()


def test_what_cannot_be_read_is_named_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "no\x1b[31msound.wav"
    text.write_text("this is no sound")
    for path, words in (
        (text, "is not a sound file"),
        (tmp_path / "missing.wav", "does not exist"),
        (tmp_path, "is a folder"),
        (Path(os.devnull), "does not exist"),
    ):
        with pytest.raises(InputFileError, match=words) as info:
            load(path)
        assert info.value.exit_code == 2
        assert file_name(path) in info.value.title
        assert "\x1b" not in str(info.value)
        assert "\n" not in str(info.value)


def test_an_empty_recording_is_no_error(tmp_path: Path) -> None:
    assert load(write_wav(tmp_path / "empty.wav", b"")) == b""
    assert load(write_wav(tmp_path / "empty48.wav", b"", rate=48_000)) == b""


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
        await clock.advance(0.1)
        clock._now += 60.0
        await clock.advance(0.1)
        assert len(listener.frames) < 15
        await mic.aclose()
        await clock.advance(0.1)


async def test_unpaced_for_tests(tmp_path: Path) -> None:
    mic = FileMicrophone(write_wav(tmp_path / "a.wav", SAMPLES.tobytes()), clock=ManualClock(), realtime=False)
    mic.request_open()
    got: list[MicEvent] = []
    async for event in mic.events():
        got.append(event)
        if isinstance(event, MicClosed):
            await mic.aclose()
    assert sum(isinstance(event, Frame) for event in got) == 16


async def test_raw_pcm_from_a_pipe_is_heard_as_it_comes() -> None:
    read_fd, write_fd = os.pipe()
    clock = ManualClock()
    with os.fdopen(read_fd, "rb") as source:
        mic = FileMicrophone(source, clock=clock, is_raw=True, realtime=False)
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


@pytest.mark.parametrize("header", [b"RIFF\x24\x00\x00\x00WAVEfmt ", b"fLaC\x00", b"OggS\x00", b"ID3\x04"])
async def test_a_sound_file_in_place_of_raw_samples_is_refused(header: bytes) -> None:
    mic = FileMicrophone(io.BytesIO(header + bytes(6_400)), clock=ManualClock(), is_raw=True, realtime=False)
    mic.request_open()
    events = mic.events()
    assert isinstance(await anext(events), MicOpened)
    with pytest.raises(InputFileError, match="raw 16 kHz"):
        await anext(events)
    await mic.aclose()


async def test_a_silent_pipe_keeps_nobody_from_leaving() -> None:
    read_fd, write_fd = os.pipe()
    source = os.fdopen(read_fd, "rb")
    mic = FileMicrophone(source, clock=ManualClock(), is_raw=True)
    async with asyncio.TaskGroup() as group:
        listener = Listener(mic.events(), group)
        mic.request_open()
        await settle()
        await mic.aclose()
        await asyncio.wait_for(listener.task, 5)
    stuck = [thread for thread in threading.enumerate() if thread.name == "raw-input"]
    assert all(thread.daemon for thread in stuck)
    os.close(write_fd)
    for thread in stuck:
        thread.join(5)
    source.close()


def test_a_raw_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="nothing"):
        FileMicrophone(tmp_path / "nothing.pcm", clock=ManualClock(), is_raw=True)
    with pytest.raises(InputFileError, match="nothing"):
        FileMicrophone(tmp_path / "nothing.wav", clock=ManualClock())


async def test_the_written_file_holds_exactly_the_samples_in_order(tmp_path: Path) -> None:
    speaker = FileSpeaker(tmp_path / "out.wav", clock=ManualClock())
    parts = [array("f", [0.1, -0.2, 1.7, float("nan")]), array("f", [float("inf")] * 3), array("f", range(1000))]
    speaker.set_gain(0.1)
    speaker.begin(1)
    speaker.begin(2)
    speaker.play(1, parts[0].tobytes())
    speaker.play(2, parts[1].tobytes())
    speaker.play(1, parts[2].tobytes() + b"xy")
    speaker.end(1)
    assert speaker.samples_written == 1007
    await speaker.aclose()
    data, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate == 24_000
    assert data.tobytes() == b"".join(part.tobytes() for part in parts)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.channels, info.subtype, info.format) == (1, "FLOAT", "WAV")
    events = [event async for event in speaker.events()]
    assert isinstance(events[0], SpeakerOpened)
    assert [(e.playout, e.played, e.was_cleared) for e in events if isinstance(e, PlayoutEnded)] == [
        (1, 1004, False),
        (2, 3, True),
    ]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be written"):
        FileSpeaker(tmp_path / "no" / "out.wav", clock=ManualClock())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
async def test_a_full_disk_is_said_once_and_the_file_is_closed() -> None:
    with pytest.raises(InputFileError, match="cannot be written: No space left"):
        FileSpeaker(Path("/dev/full"), clock=ManualClock())


async def test_a_disk_that_becomes_full_is_said_and_what_was_written_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = FileSpeaker(tmp_path / "a.wav", clock=ManualClock())
    speaker.begin(1)
    speaker.play(1, bytes(400))

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    speaker._file.close()
    monkeypatch.setattr(speaker, "_file", Full())
    with pytest.raises(InputFileError, match="cannot be written"):
        speaker.play(1, bytes(400))
    speaker.play(1, bytes(400))  # said once
    await speaker.aclose()
    assert (tmp_path / "a.wav").stat().st_size == 58 + 400
