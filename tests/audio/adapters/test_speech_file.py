from __future__ import annotations

import asyncio
import errno
import io
import os
import struct
from array import array
from pathlib import Path

import pytest
import soundfile

from pinch_tui.audio.adapters import speech_file
from pinch_tui.audio.adapters.speech_file import FileSpeaker, wav_header
from pinch_tui.core.sound import PlayoutEnded, SpeakerOpened
from pinch_tui.errors import InputFileError
from tests.fakes.manual_clock import ManualClock


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
    with pytest.raises(InputFileError, match=r"cannot be written: the disk is full\. Free some space"):
        FileSpeaker(Path("/dev/full"), clock=ManualClock())


async def test_a_disk_that_becomes_full_is_said_and_what_was_written_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = FileSpeaker(tmp_path / "a.wav", clock=ManualClock())
    speaker.begin(1)
    speaker.play(1, bytes(400))

    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    speaker.play(1, bytes(400))
    assert speaker.failure is not None and "cannot be written: the disk is full" in speaker.failure.title
    speaker.play(1, bytes(400))
    await speaker.aclose()
    assert (tmp_path / "a.wav").stat().st_size == 58 + 400


# ---- pipes --------------------------------------------------------------------------------------------------------

needs_fifo = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")


async def spoken(speaker: FileSpeaker, chunk: bytes) -> None:
    speaker.begin(1)
    speaker.play(1, chunk)
    speaker.end(1)
    await speaker.aclose()


@needs_fifo
async def test_a_pipe_gets_a_wav_of_open_length(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    samples = array("f", [i / 50_000 for i in range(48_000)]).tobytes()
    speaker = FileSpeaker(tmp_path / "pipe", clock=ManualClock())
    os.set_blocking(reader, True)

    def read() -> bytes:
        with os.fdopen(reader, "rb") as pipe:
            return pipe.read()

    reading = asyncio.get_running_loop().run_in_executor(None, read)
    await spoken(speaker, samples)
    data = await reading
    assert data == wav_header(speech_file.OPEN_LENGTH) + samples
    assert struct.unpack("<I", data[54:58]) == (0xFFFF_FFFF,)
    heard, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate == 24_000 and heard.tobytes() == samples


@needs_fifo
async def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputFileError, match="cannot be written: no program reads the pipe"):
        FileSpeaker(tmp_path / "pipe", clock=ManualClock())


@needs_fifo
async def test_a_reader_that_leaves_is_told_from_a_full_disk(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    speaker = FileSpeaker(tmp_path / "pipe", clock=ManualClock())
    os.close(reader)
    await spoken(speaker, bytes(400_000))
    assert "no program reads it any more. The program at the pipe's other end has left." in str(speaker.failure)


@needs_fifo
async def test_a_reader_that_stops_reading_does_not_stop_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_file, "BEHIND_LIMIT", 1_000_000)
    monkeypatch.setattr(speech_file, "_CLOSE_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    speaker = FileSpeaker(tmp_path / "pipe", clock=ManualClock())
    speaker.begin(1)
    speaker.play(1, bytes(900_000))
    assert speaker.failure is None
    speaker.play(1, bytes(900_000))
    assert "its reader is minutes behind" in str(speaker.failure)
    await speaker.aclose()
    os.close(reader)


def test_a_stream_that_is_open_already_stays_open(tmp_path: Path) -> None:
    with (tmp_path / "stdout").open("wb") as stdout:
        speaker = FileSpeaker(stdout, clock=ManualClock())
        asyncio.run(spoken(speaker, bytes(400)))
        assert not stdout.closed
    assert (tmp_path / "stdout").read_bytes() == wav_header(400) + bytes(400)
