"""Speech for the practice ear that sounds the same in every run.

espeak's breath is random: a text said again gives other samples, and now and then a voice that is always understood is
not. The tests hear recordings of it; a text without one is spoken by espeak and recorded (``speech/``).
How often the ear is right over many voices is measured in ``tests/bench/practice_ear.py``, how sure it is of the same
phrase spoken many times in ``tests/bench/practice_suggestions.py``.
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
WAYS = ("clean", "silence", "noise", "late", "loud", "microphone", "loudspeaker")
"""How speech may come to the ear (`through`)."""
_ROOM_DBFS = {"noise": -50.0, "late": -60.0, "loud": -40.0}
_SPEAK = """
import sys
from pinch_tui.services.practice.speech.espeak import Espeak
sys.stdout.buffer.write(Espeak().speak(sys.argv[1], sys.argv[2], "female"))
"""


def through(speech: npt.NDArray[np.float64], rate: int, way: str) -> bytes:
    """A speech (full scale 1.0) as the microphone hears it in one of `WAYS`: PCM16 at 16 kHz."""
    import soxr

    for step in {"microphone": (22_050,), "loudspeaker": (16_000, 24_000, 48_000)}.get(way, ()):
        speech, rate = soxr.resample(speech, rate, step), step
    speech = soxr.resample(speech, rate, 16_000) * 20_000
    if way != "clean":
        # In "late" and "loud" the key comes up long after the last word.
        speech = np.concatenate([np.zeros(8_000), speech, np.zeros(14_400 if way in ("late", "loud") else 8_000)])
    if way in _ROOM_DBFS:
        speech = speech + np.random.default_rng(5).normal(0, 32_768 * 10 ** (_ROOM_DBFS[way] / 20), speech.size)
    return speech.clip(-32_768, 32_767).astype("<i2").tobytes()


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
