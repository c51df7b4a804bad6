"""Rates: streaming with a constant delay, and whole recordings at once.

Pure: numpy and soxr, no I/O, no clock. soxr's variable-rate engine is used for streams because its delay is constant
(12.5 ms at 48 -> 16 kHz; the default engine works in blocks and is up to 37 ms late in bursts). Where there is no soxr,
`pinch_tui.audio.dsp.sinc` takes its place.
"""

from __future__ import annotations

import atexit
import weakref
from typing import Any, Final

import numpy as np

from pinch_tui.audio.dsp.pcm import Floats, Ints
from pinch_tui.audio.dsp.sinc import SincStream

try:
    import soxr
except ImportError:
    soxr = None


class _SoxrStream:
    """soxr's stream, given back before the interpreter ends: it prints a warning about one that a thread has."""

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
"""Mono samples of one rate in, those of another out. With ``last`` also the tail; then the stream is over."""


def stream(rate_in: int, rate_out: int, *, is_live: bool) -> Stream:
    """``is_live``: a constant delay rather than the best quality."""
    if soxr is None:
        return SincStream(rate_in, rate_out)
    return _SoxrStream(rate_in, rate_out, is_live=is_live)


class Resampler:
    """One continuous stream of mono samples from one rate to another; a new one after every gap.

    ``dtype`` is ``int16`` or ``float32``. Any chopping of the same input gives the same output, joined. int16 is worked
    on as float32 and rounded, because soxr's own int16 output is dithered: exact zeros would not stay exact zeros.
    """

    def __init__(self, rate_in: int, rate_out: int, dtype: str) -> None:
        self.rate_in = rate_in
        self.rate_out = rate_out
        self._dtype = np.dtype(dtype)
        self._stream = None if rate_in == rate_out else self._new()
        self._fed = 0
        self._given = 0

    def _new(self) -> Stream:
        return stream(self.rate_in, self.rate_out, is_live=True)

    def push(self, data: bytes) -> bytes:
        """Samples in (whole ones, any number), samples out: those that are ready by now."""
        if self._stream is None:
            return data
        samples = np.frombuffer(data, dtype=self._dtype).astype(np.float32, copy=False)
        if not samples.size:
            return b""
        self._fed += samples.size
        out: Floats = self._stream.resample_chunk(samples)
        self._given += out.size
        return self._bytes(out)

    def _bytes(self, out: Floats) -> bytes:
        if self._dtype == np.int16:
            return bytes(np.clip(np.rint(out), -32_768, 32_767).astype("<i2").tobytes())
        return bytes(out.tobytes())

    def flush(self) -> bytes:
        """The tail, so that the output is as long as the input was; the next `push` starts a new stream."""
        if self._stream is None or not self._fed:
            return b""
        due = -(-self._fed * self.rate_out // self.rate_in) - self._given
        tail: list[Floats] = []
        zeros = np.zeros(max(1, self.rate_in // 50), dtype=np.float32)
        got = 0
        while got < due:
            out = self._stream.resample_chunk(zeros)
            tail.append(out)
            got += out.size
        self._stream, self._fed, self._given = self._new(), 0, 0
        return self._bytes(np.concatenate(tail)[:due]) if tail else b""


class PromptResampler(Resampler):
    """A stream of which nothing is held back: every chunk comes out as long as it went in, a constant delay later.

    For playback, where the jitter buffer needs whole chunks: what a stream holds back would be missing from its
    cushion, and would be heard alone when the speech has paused. The delay (1.5 ms from 24 to 48 kHz) stands before the
    first chunk as silence, and as much of the end, where it fades, is left out. soxr's streams would need 10 ms, so
    `SincStream` does it everywhere.
    """

    def _new(self) -> Stream:
        return SincStream(self.rate_in, self.rate_out)

    def push(self, data: bytes) -> bytes:
        is_first = not self._fed
        out = super().push(data)
        if not is_first or not self._fed or not isinstance(self._stream, SincStream):
            return out
        self._given += self._stream.lag
        return bytes(self._stream.lag * self._dtype.itemsize) + out


def convert(samples: Floats | Ints, rate_in: int, rate_out: int) -> Floats | Ints:
    """A whole mono recording at another rate, best quality, same dtype."""
    if rate_in == rate_out or not samples.size:
        return samples
    if soxr is not None:
        converted: Floats | Ints = soxr.resample(samples, rate_in, rate_out, quality="VHQ")
        return converted
    floats = SincStream(rate_in, rate_out).resample_chunk(samples.astype(np.float32), last=True)
    if samples.dtype == np.int16:
        return np.asarray(np.clip(np.rint(floats), -32_768, 32_767), dtype=np.int16)
    return floats
