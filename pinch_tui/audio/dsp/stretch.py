"""Slower speech for a second listening: plainly slower, so lower too. Pure."""

from __future__ import annotations

import numpy as np

from pinch_tui.audio.dsp.resample import convert
from pinch_tui.core.events import OUT_RATE


def slow_down(data: bytes, speed: float) -> bytes:
    """float32 LE mono samples at ``speed`` (0.5-1.0) of their pace; other values are brought into that range."""
    speed = max(0.5, min(1.0, speed))
    samples = np.frombuffer(data, dtype="<f4")
    slower = convert(samples, round(OUT_RATE * speed), OUT_RATE)
    return bytes(np.asarray(slower, dtype="<f4").tobytes())
