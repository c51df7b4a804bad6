"""Peaks, mean squares and dBFS, without numpy because the sound host must start fast.

Pure: no I/O, no clock, stdlib only. Samples are little-endian, as is every platform that the program runs on.
"""

from __future__ import annotations

import math
from array import array
from operator import mul

SILENCE_DBFS = float("-inf")
FULL_SCALE = 32_768


def peak16(pcm: bytes) -> float:
    """Largest absolute sample of mono int16 bytes, 0.0-1.0; 0.0 if empty."""
    samples = array("h", pcm)
    if not samples:
        return 0.0
    return max(max(samples), -min(samples)) / FULL_SCALE


def mean_square16(pcm: bytes) -> float:
    """Mean square of mono int16 bytes, 0.0-1.0; 0.0 if empty."""
    samples = array("h", pcm)
    if not samples:
        return 0.0
    squares: int = sum(map(mul, samples, samples))
    return squares / len(samples) / (FULL_SCALE * FULL_SCALE)


def dbfs(amplitude: float) -> float:
    """Linear amplitude -> dBFS; `SILENCE_DBFS` for zero."""
    return 20.0 * math.log10(amplitude) if amplitude > 0.0 else SILENCE_DBFS


def amplitude(decibels: float) -> float:
    """dBFS -> linear amplitude."""
    return 0.0 if decibels == SILENCE_DBFS else float(10.0 ** (decibels / 20.0))
