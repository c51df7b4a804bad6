"""Recordings for tests, made here; what only ffmpeg writes is made by it where it is installed."""

from __future__ import annotations

import io
import shutil
import wave
from array import array
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pinch_tui.audio.recordings.decode import Remark, decoded
from pinch_tui.audio.recordings.source import open_source

SAMPLES = array("h", [((i * 7919) % 65_536) - 32_768 for i in range(5000)])
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def load(source: Path | io.BytesIO, *, may_be_raw: bool = False) -> bytes:
    """A whole recording as 16 kHz mono PCM16."""
    return heard(source, may_be_raw=may_be_raw)[0]


def heard(source: Path | io.BytesIO, *, may_be_raw: bool = False) -> tuple[bytes, list[Remark]]:
    """A whole recording, and what is said about it."""
    bytes_ = open_source(source)
    try:
        items = list(decoded(bytes_, may_be_raw=may_be_raw))
    finally:
        bytes_.close()
    return (
        b"".join(item for item in items if isinstance(item, bytes)),
        [item for item in items if isinstance(item, Remark)],
    )


def wav(pcm: bytes, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(pcm)
    return buffer.getvalue()


def write_wav(path: Path, pcm: bytes, rate: int = 16_000, channels: int = 1, width: int = 2) -> Path:
    path.write_bytes(wav(pcm, rate, channels, width))
    return path


def sine(rate: int, seconds: float = 1.0, hz: float = 440) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def encoded(form: str, hz: float = 440, rate: int = 44_100, seconds: float = 1.0, channels: int = 1) -> bytes:
    """A tone in a format that libsndfile writes."""
    buffer = io.BytesIO()
    data = np.repeat(sine(rate, seconds, hz)[:, None], channels, axis=1)
    soundfile.write(buffer, data, rate, format=form)
    return buffer.getvalue()


def tones(pcm: bytes, seconds: float = 1.0) -> list[int]:
    """The frequency in the middle of each stretch of ``seconds``, to the nearest 10 Hz."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    n = round(16_000 * seconds)
    found = []
    for start in range(0, samples.size - n // 2, n):
        middle = samples[start + n // 4 : start + 3 * n // 4]
        power = np.abs(np.fft.rfft(middle * np.hanning(middle.size), 32_000))
        found.append(round(float(np.argmax(power)) / 2, -1))
    return [int(hz) for hz in found]
