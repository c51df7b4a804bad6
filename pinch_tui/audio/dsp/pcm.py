"""Conversions between the sample formats of the wire, of files and of devices.

Pure: numpy, no I/O, no clock. ``pcm`` is mono int16 little-endian bytes, ``speech`` mono float32 little-endian bytes;
arrays are 1-D float32 in -1.0..1.0 unless a docstring says otherwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int16]

SOFT_KNEE = 0.9
"""Amplitude above which the limiter acts."""


def to_pcm16(samples: Floats) -> bytes:
    """float32 samples -> int16 bytes, rounded and clipped; non-finite values become silence."""
    finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return bytes(np.clip(np.rint(finite * np.float32(32_768)), -32_768, 32_767).astype("<i2").tobytes())


def mono(samples: Floats) -> Floats:
    """(n, channels) float32 -> (n,) float32: the mean of the channels."""
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    mixed: Floats = samples.mean(axis=1, dtype=np.float32)
    return mixed


def speech_samples(speech: bytes) -> Floats:
    """float32 bytes -> samples; up to three odd last bytes are ignored."""
    return np.frombuffer(speech, dtype="<f4", count=len(speech) // 4).astype(np.float32, copy=False)


def clean_speech(speech: bytes) -> bytes:
    """Make speech safe for a loudspeaker: non-finite samples become silence, loud ones are limited softly.

    Samples up to `SOFT_KNEE` pass bit for bit; louder ones approach 1.0 along a tanh.
    """
    samples = speech_samples(speech)
    if samples.size == 0:
        return b""
    loudest = np.abs(samples).max()
    if np.isfinite(loudest) and loudest <= SOFT_KNEE:
        return bytes(samples.tobytes())
    finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    size = np.abs(finite)
    room = np.float32(1.0 - SOFT_KNEE)
    limited = SOFT_KNEE + room * np.tanh((size - SOFT_KNEE) / room)
    return bytes(np.where(size > SOFT_KNEE, np.sign(finite) * limited, finite).astype("<f4").tobytes())
