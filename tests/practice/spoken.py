"""Speech for the practice ear that sounds the same in every run.

espeak's breath is random: the same text never gives the same samples twice, and now and then a voice that is always
understood is not. The tests hear recordings of it; a text without one is spoken by espeak and recorded (``speech/``).
How often the ear is right over many voices is measured in ``tests/bench/practice_ear.py``.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).with_name("speech")
RATE = 16_000
_SPEAK = """
import sys
from pinch_tui.practice.espeak import Espeak
sys.stdout.buffer.write(b"".join(Espeak().speak(sys.argv[1], sys.argv[2], "female")))
"""


@cache
def spoken(text: str, language: str) -> npt.NDArray[np.float64]:
    """Mono speech at `RATE`, full scale 1.0."""
    import soundfile

    path = FOLDER / f"{language}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.flac"
    if not path.exists():
        soundfile.write(path, _speak(text, language), RATE, subtype="PCM_16")
    samples, rate = soundfile.read(path)
    assert rate == RATE
    return np.asarray(samples, dtype=np.float64)


def _speak(text: str, language: str) -> Any:
    import soxr

    done = subprocess.run([sys.executable, "-c", _SPEAK, text, language], check=True, capture_output=True)
    return soxr.resample(np.frombuffer(done.stdout, dtype="<f4"), 24_000, RATE)
