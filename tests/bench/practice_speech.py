"""Test speech for the practice benchmarks: flite and espeak voices, noise, near misses and far sentences.

Voices are named ``flite:slt`` or ``espeak:+f5``; a foreign language is spoken by espeak's voice of that language.
Rendered speech is kept in a folder below the temporary one, so that the next run is quick.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
import soxr

from pinch_tui.services.practice.speech.espeak import VOICES, Espeak

CACHE = Path(tempfile.gettempdir()) / "pinch-tui-bench-speech"

NEAR = (
    """
Where is the museum?|Where is the bank?|Where is the beach?|Where is the library?|Where is my suitcase?
I am allergic to milk.|I am allergic to fish.|A table for nine, please.|A table by the window, please.
I would like a beer, please.|I would like a salad, please.|Turn around.|Please call my wife.|Please call the manager.
I need money.|I lost my wallet.|I lost my keys.|What time does the bus leave?|What time does the concert start?
What time is dinner?|I would like a room for three weeks.|Can I pay tomorrow?|It is too cold.|Do you speak German?
Do you have children?|How do I get to the stadium?|Is it closed today?|The chicken, please.|A cup of milk, please.
See you on Monday.|Please stop the music.|I don't eat eggs.|My name is Anna.|I am hungry.|My name is Peter Miller.
Could I see the manager, please?|What is the name of this street?|It costs ninety dollars.|The train leaves on Friday.
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

FAR = (
    """
The quick brown fox jumps over the lazy dog.|It was a dark and stormy night and the rain fell.
My brother works in a factory in the north.|Compilers translate programs into machine code.
Seven birds were sitting on the old roof yesterday.|We hold these truths to be self evident.
He picked up the newspaper and started to read.|Water boils at one hundred degrees.
The committee will publish its report in autumn.|Nobody knew why the engine had stopped.
She painted every wall of the kitchen yellow.|Snow covered the fields for eleven weeks.
Our neighbours have three dogs and a parrot.|The price of copper rose again last month.
Children were playing football behind the school.|Every window of the house had been left open.
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@functools.cache
def library() -> Espeak:
    """The one instance of this process: the library knows a single callback."""
    return Espeak()


def render(text: str, voice: str, language: str = "en") -> np.ndarray:
    """Speech as float samples (int16 range) at 16 kHz, without anything before or after."""
    CACHE.mkdir(exist_ok=True)
    engine, _, name = voice.partition(":")
    path = CACHE / (hashlib.sha256(f"{voice}|{language}|{text}".encode()).hexdigest()[:24] + ".wav")
    if not path.exists():
        part = path.with_suffix(".part")
        if engine == "flite":
            subprocess.run(["flite", "-voice", name, "-t", text, "-o", str(part)], check=True)
        else:
            with wave.open(str(part), "wb") as target:
                target.setnchannels(1)
                target.setsampwidth(2)
                target.setframerate(library().rate)
                target.writeframes(library().render(text, VOICES[language][0] + name))
        part.rename(path)
    with wave.open(str(path)) as source:
        samples = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2").astype(np.float64)
        rate = source.getframerate()
    return soxr.resample(samples, rate, 16_000) if rate != 16_000 else samples


def converted(speech: np.ndarray) -> np.ndarray:
    """Speech as it comes through a voice at 24 kHz, a loudspeaker at 48 kHz and a microphone."""
    return soxr.resample(soxr.resample(soxr.resample(speech, 16_000, 24_000), 24_000, 48_000), 48_000, 16_000)


def utterance(speech: np.ndarray, *, noise_db: float | None = None, seed: int = 0) -> bytes:
    """A hold of the key: 0.3 s before, 0.1 s after, a faint room or white noise at ``noise_db`` below the speech."""
    rng = np.random.default_rng(seed)
    whole = np.concatenate([np.zeros(4_800), speech, np.zeros(1_600)])
    rms = float(np.sqrt(np.mean(speech**2)))
    level = 4.0 if noise_db is None else rms / 10 ** (noise_db / 20)
    return np.clip(whole + rng.normal(0, level, whole.size), -32_768, 32_767).astype("<i2").tobytes()


def has(program: str) -> bool:
    return shutil.which(program) is not None
