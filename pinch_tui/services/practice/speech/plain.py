"""The plain ear and the tones, used when no recogniser or no voice is installed. Its texts are labelled as practice.

The plain ear measures how long a person speaks, not what they say; the tones are short sine sounds. Together they
exercise the whole path from microphone to loudspeaker.
"""

from __future__ import annotations

import math
from array import array

from pinch_tui.services.practice.ports import VOICE_RATE, Final, Heard, Interim, SessionPlan
from pinch_tui.services.practice.speech.gate import Segmenter, SegmentState

PLAIN_LABEL = "[practice]"


class PlainEar:
    """Reports how long a person spoke. Every full second is locked, so that the finals of stable mode grow."""

    def __init__(self, plan: SessionPlan) -> None:
        self._plan = plan
        self._segmenter = Segmenter()
        self._segment = 0
        self._seconds = 0.0
        self._shown = ""

    def feed(self, pcm: bytes) -> list[Heard]:
        heard: list[Heard] = []
        for state, _ in self._segmenter.push(pcm):
            if state is SegmentState.START:
                self._segment += 1
                self._shown = ""
                self._seconds = self._segmenter.voiced_seconds
            elif state is SegmentState.SPEECH:
                self._seconds = max(self._seconds, self._segmenter.voiced_seconds)
                heard += self._interim()
            elif state is SegmentState.END:
                heard.append(self._final())
        return heard

    def prepare(self) -> None:
        pass

    def finish(self) -> list[Heard]:
        self._seconds = max(self._seconds, self._segmenter.voiced_seconds)
        return [self._final()] if self._segmenter.finish() == SegmentState.END else []

    def close(self) -> None:
        pass

    def _ticks(self) -> str:
        return "".join(f" {second} s," for second in range(1, int(self._seconds) + 1))

    def _interim(self) -> list[Heard]:
        # Five guesses per second are enough to see the text move.
        text = f"{PLAIN_LABEL}{self._ticks()} {int(self._seconds * 5) / 5:.1f} s of speech"
        if text == self._shown:
            return []
        self._shown = text
        locked = f"{PLAIN_LABEL}{self._ticks()}" if self._seconds >= 1 else ""
        return [Interim(self._segment, text, locked)]

    def _final(self) -> Final:
        ticks = self._ticks() if self._plan.is_stable else ""
        text = f"{PLAIN_LABEL}{ticks} {self._seconds:.1f} s of speech"
        self._seconds = 0.0
        source = "en" if self._plan.source == "auto" else self._plan.source
        return Final(self._segment, text, text, source, self._plan.target, tone="plain")


def tone(kind: str) -> bytes:
    """The sound of a tone, float32 at 24 kHz: two rising notes (``plain``) or one gliding down (``falling``)."""
    seconds = 0.36
    n_samples = int(seconds * VOICE_RATE)
    phase = 0.0
    samples = array("f")
    for n in range(n_samples):
        t = n / VOICE_RATE
        frequency = (523.25 if t < seconds / 2 else 659.26) if kind != "falling" else 440.0 - 220.0 * t / seconds
        phase += 2 * math.pi * frequency / VOICE_RATE
        fade = min(1.0, n / 480, (n_samples - n) / 480)
        samples.append(0.2 * fade * math.sin(phase))
    return samples.tobytes()


class ToneVoice:
    """Replaces a voice by one short tone per word."""

    name = "tones"

    def speak(self, text: str, language: str, voice: str) -> bytes:
        pitch = 294.0 if voice == "female" else 196.0
        samples = array("f")
        for number, word in enumerate(text.split()[:24]):
            n_samples = int(VOICE_RATE * min(0.28, 0.10 + 0.02 * len(word)))
            step = 2 * math.pi * pitch * (1.0, 1.125, 1.25, 1.125)[number % 4] / VOICE_RATE
            samples.extend(
                0.2 * min(1.0, n / 240, (n_samples - n) / 240) * math.sin(step * n) for n in range(n_samples)
            )
            samples.extend([0.0] * (VOICE_RATE // 25))
        return samples.tobytes()
