"""The short sounds for go, stop and error, synthesised at the device's rate. Pure: stdlib only."""

from __future__ import annotations

import math
from array import array
from functools import cache

LOUDNESS = 0.18
EDGE_MS = 6
"""Length of each note's fade-in and fade-out."""

_NOTES: dict[str, tuple[tuple[float, float], ...]] = {
    # (Hz, ms) in sequence: rising for go, falling for stop, two low notes for an error
    "go": ((660.0, 45.0), (880.0, 60.0)),
    "stop": ((880.0, 45.0), (587.0, 60.0)),
    "error": ((220.0, 90.0), (0.0, 40.0), (196.0, 130.0)),
}


@cache
def render(name: str, rate: int) -> array[float]:
    """float32 samples of a cue at ``rate``. Unknown names are silent."""
    samples = array("f")
    edge = max(1, round(rate * EDGE_MS / 1000))
    for hertz, millis in _NOTES.get(name, ()):
        count = round(rate * millis / 1000)
        for i in range(count):
            near = min(i + 1, count - i)
            shape = 1.0 if near >= edge else 0.5 - 0.5 * math.cos(math.pi * near / edge)
            samples.append(LOUDNESS * shape * math.sin(2.0 * math.pi * hertz * i / rate))
    return samples
