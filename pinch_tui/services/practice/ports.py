"""The ports of the practice service, an ear and a voice, and the values that pass through them. Pure.

Both run in the helper process (`pinch_tui.services.practice.helper.worker`). Recognised text travels to the server as
JSON, speech as chunks of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

EAR_RATE = 16_000
"""Sample rate of an ear's input in Hz (mono PCM16 little-endian)."""
VOICE_RATE = 24_000
"""Sample rate of a voice's output in Hz (mono float32 little-endian)."""
CHUNK_SAMPLES = 1_920
"""80 ms at 24 kHz: the size of a chunk on the wire."""


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """A session's parameters for an ear and a voice. Language codes are base codes (``en``)."""

    source: str
    target: str
    voice: str = "male"
    is_spoken: bool = True
    is_two_way: bool = False
    is_stable: bool = True


@dataclass(frozen=True, slots=True)
class Interim:
    """A guess that grows. ``locked``: the prefix of ``text`` that will not change any more; ``translation``: empty
    until only one phrase fits."""

    segment: int
    text: str
    locked: str = ""
    language: str | None = None
    translation: str = ""


@dataclass(frozen=True, slots=True)
class Final:
    """The end of a segment. ``say``: the text to speak in ``target``; if it is empty, ``tone`` names the sound to play:
    ``""`` (none), ``"plain"`` (something was heard), ``"falling"`` (refused). ``note``: why a text is missing; neither
    transcript nor translation."""

    segment: int
    text: str
    translation: str
    source: str
    target: str
    language: str | None = None
    say: str = ""
    tone: str = ""
    note: str = ""


Heard = Interim | Final


@dataclass(frozen=True, slots=True)
class Hello:
    """What the helper offers: ``ear`` phrasebook or plain, ``voice`` espeak or tones, and their languages. ``problem``:
    why something requested is missing."""

    ear: str = "plain"
    voice: str = "tones"
    languages: Sequence[str] = ()
    spoken: Sequence[str] = ()
    problem: str = ""

    def mode(self, plan: SessionPlan) -> str:
        """The name shown to people: ``phrasebook + voice``, ``phrasebook + tones`` or ``plain ear``."""
        if self.ear != "phrasebook" or (plan.source != "auto" and plan.source not in self.languages):
            return "plain ear"
        return "phrasebook + voice" if self.voice == "espeak" else "phrasebook + tones"


class Ear(Protocol):
    """Turns samples into guesses and finals. A segment ends with a silence or with `finish`."""

    def feed(self, pcm: bytes) -> list[Heard]:
        """Process mono PCM16 at 16 kHz, any whole number of samples."""

    def prepare(self) -> None:
        """Prepare for `finish`, which will probably follow."""

    def finish(self) -> list[Heard]:
        """Close the open segment at the end of the utterance; the next samples start a new one."""

    def close(self) -> None:
        """Return the recogniser to its pool."""


class Voice(Protocol):
    """Turns text into sound."""

    name: str

    def speak(self, text: str, language: str, voice: str) -> bytes:
        """The speech of a text: float32 little-endian mono 24 kHz; empty for an unknown language."""


def base_code(code: str) -> str:
    """``en-US`` -> ``en``."""
    return code.split("-", 1)[0].lower()
