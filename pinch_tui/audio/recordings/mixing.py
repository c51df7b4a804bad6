"""Converts blocks of any rate and number of channels to 16 kHz mono PCM16. Pure: numpy and the resampler, no I/O."""

from __future__ import annotations

from typing import Final

import numpy as np

from pinch_tui.audio.dsp import pcm
from pinch_tui.audio.dsp.pcm import Floats
from pinch_tui.audio.dsp.resample import Stream, stream
from pinch_tui.audio.recordings.block import Block
from pinch_tui.core.events import IN_RATE

CANCELS: Final = 0.2
"""Channels cancel if their mean has less than this part of the energy that uncorrelated channels would give. For two
channels this is a correlation below -0.8."""
_AUDIBLE: Final = 1e-6
"""Mean square below which a block is too quiet to judge (-60 dBFS)."""


class Mixer:
    """Converts one recording. If channels of opposite phase cancel, the loudest is used and `has_cancelled` is set."""

    def __init__(self) -> None:
        self.has_cancelled = False
        self._rate = 0
        self._converter: Stream | None = None

    def push(self, block: Block) -> bytes:
        """Convert a block; returns the samples that are ready."""
        out = b""
        if block.rate != self._rate:
            out = self.finish()
            self._rate = block.rate
            self._converter = None if block.rate == IN_RATE else stream(block.rate, IN_RATE, is_live=False)
        samples = self._mono(np.nan_to_num(block.samples, posinf=0, neginf=0))
        return out + pcm.to_pcm16(samples if self._converter is None else self._converter.resample_chunk(samples))

    def finish(self) -> bytes:
        """The tail."""
        converter, self._converter, self._rate = self._converter, None, 0
        if converter is None:
            return b""
        return pcm.to_pcm16(converter.resample_chunk(np.zeros(0, np.float32), last=True))

    def _mono(self, samples: Floats) -> Floats:
        mixed = pcm.mono(samples)
        channels = samples.shape[1]
        if channels == 1:
            return mixed
        energies = np.mean(np.square(samples, dtype=np.float64), axis=0)
        loudest = int(np.argmax(energies))
        if energies[loudest] < _AUDIBLE:
            return mixed
        unrelated = float(energies.sum()) / channels**2
        if float(np.mean(np.square(mixed, dtype=np.float64))) >= CANCELS * unrelated:
            return mixed
        self.has_cancelled = True
        return np.ascontiguousarray(samples[:, loudest])
