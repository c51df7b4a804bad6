"""Resampling of live streams, with a constant delay, and of whole recordings.

Pure: numpy and soxr, no I/O, no clock. Live streams use soxr's variable-rate engine, whose delay is constant (12.5 ms
from 48 to 16 kHz; the default engine works in bursts, up to 37 ms late). Without soxr, `SincStream` is used.
"""

from __future__ import annotations

import atexit
import weakref
from typing import Any, Final

import numpy as np

from pinch_tui.audio.dsp.pcm import Floats, Ints
from pinch_tui.audio.dsp.sinc import SincStream
from pinch_tui.core.events import OUT_RATE

try:
    import soxr
except ImportError:
    soxr = None


class _SoxrStream:
    """soxr's stream, released before the interpreter exits: soxr warns about one that a thread still holds."""

    def __init__(self, rate_in: int, rate_out: int, *, is_live: bool) -> None:
        quality = "HQ" if is_live else "VHQ"
        self._inner: Any = soxr.ResampleStream(rate_in, rate_out, 1, dtype="float32", quality=quality, vr=is_live)
        _alive.add(self)

    def resample_chunk(self, samples: Floats, last: bool = False) -> Floats:
        inner = self._inner
        out: Floats = samples[:0] if inner is None else inner.resample_chunk(samples, last)
        return out

    def release(self) -> None:
        self._inner = None


_alive: Final[weakref.WeakSet[_SoxrStream]] = weakref.WeakSet()


@atexit.register
def _release_all() -> None:
    for stream in list(_alive):
        stream.release()


Stream = _SoxrStream | SincStream
"""Converts mono samples; the call with ``last`` also returns the tail and ends the stream."""


def stream(rate_in: int, rate_out: int, *, is_live: bool) -> Stream:
    """``is_live`` prefers a constant delay to the best quality."""
    if soxr is None:
        return SincStream(rate_in, rate_out)
    return _SoxrStream(rate_in, rate_out, is_live=is_live)


class Resampler:
    """Converts one continuous mono stream; make a new one after a gap.

    ``dtype`` is ``int16`` or ``float32``. The joined output does not depend on how the input is split. int16 is
    converted as float32 and rounded, because soxr dithers its own int16 output, so exact zeros would not stay zeros.

    ``is_prompt`` is for playback, where the jitter buffer needs whole chunks: samples held back would be missing from
    its depth, and would be heard alone during a pause in the speech. Each chunk then comes out as long as it went in.
    The first one begins with silence as long as the delay (1.5 ms from 24 to 48 kHz), and as much is lost at the end.
    This always uses `SincStream`, because soxr's delay would be 10 ms.
    """

    def __init__(self, rate_in: int, rate_out: int, dtype: str, *, is_prompt: bool = False) -> None:
        self.rate_in = rate_in
        self.rate_out = rate_out
        self._dtype = np.dtype(dtype)
        self._stream: Stream | None = None
        if rate_in != rate_out:
            self._stream = SincStream(rate_in, rate_out) if is_prompt else stream(rate_in, rate_out, is_live=True)
        if is_prompt and isinstance(self._stream, SincStream):
            self._stream.prime()
        self._fed = 0
        self._given = 0

    @property
    def delay_s(self) -> float:
        """Seconds of input whose output is still held back (0 if ``is_prompt``)."""
        return self._fed / self.rate_in - self._given / self.rate_out

    def push(self, data: bytes) -> bytes:
        """Whole samples in, the samples that are ready out."""
        if self._stream is None:
            return data
        samples = np.frombuffer(data, dtype=self._dtype).astype(np.float32, copy=False)
        if not samples.size:
            return b""
        self._fed += samples.size
        out: Floats = self._stream.resample_chunk(samples)
        self._given += out.size
        if self._dtype == np.int16:
            return bytes(np.clip(np.rint(out), -32_768, 32_767).astype("<i2").tobytes())
        return bytes(out.tobytes())


def convert(samples: Floats | Ints, rate_in: int, rate_out: int) -> Floats | Ints:
    """Convert a whole mono recording in the best quality; the dtype stays."""
    if rate_in == rate_out or not samples.size:
        return samples
    if soxr is not None:
        converted: Floats | Ints = soxr.resample(samples, rate_in, rate_out, quality="VHQ")
        return converted
    floats = SincStream(rate_in, rate_out).resample_chunk(samples.astype(np.float32), last=True)
    if samples.dtype == np.int16:
        return np.asarray(np.clip(np.rint(floats), -32_768, 32_767), dtype=np.int16)
    return floats


def slow_down(speech: bytes, speed: float) -> bytes:
    """Speech (float32 LE at 24 kHz) at ``speed`` (0.5-1.0, clamped) for a second listening; its pitch falls, too."""
    speed = max(0.5, min(1.0, speed))
    slower = convert(np.frombuffer(speech, dtype="<f4"), round(OUT_RATE * speed), OUT_RATE)
    return bytes(np.asarray(slower, dtype="<f4").tobytes())
