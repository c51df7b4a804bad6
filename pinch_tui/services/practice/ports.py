"""The ports of the practice service: an ear and a voice. Pure: values and Protocols.

Both live in the helper process (`pinch_tui.services.practice.helper.worker`). What is heard travels to the server as
JSON, speech as chunks of samples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Protocol

EAR_RATE = 16_000
"""Samples per second that an ear is fed with (mono PCM16 little-endian)."""
VOICE_RATE = 24_000
"""Samples per second that a voice gives (mono float32 little-endian)."""
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
    """A guess that grows. ``locked`` is the part of ``text`` (a prefix of it) that will not change any more;
    ``translation`` is empty until exactly one phrase can be meant."""

    segment: int
    text: str
    locked: str = ""
    language: str | None = None
    translation: str = ""


@dataclass(frozen=True, slots=True)
class Final:
    """The end of a segment. ``say`` is what the voice shall speak in ``target``; when it is empty, ``tone`` names the
    sound that stands in its place: ``""`` (none), ``"plain"`` (something was heard), ``"falling"`` (refused). ``note``
    says why a text is missing; it is no transcript and no translation."""

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


class Ear(Protocol):
    """Turns samples into guesses and finals. A segment ends by a silence or by `finish`; silence gives nothing."""

    def feed(self, pcm: bytes) -> list[Heard]:
        """Take mono PCM16 at 16 kHz, any whole number of samples."""

    def prepare(self) -> None:
        """`finish` will probably follow: prepare for it."""

    def finish(self) -> list[Heard]:
        """The utterance is over: close the open segment; the next samples start a new one."""

    def close(self) -> None:
        """Return the recogniser to its pool."""


class Voice(Protocol):
    """Turns text into sound."""

    name: str

    def speak(self, text: str, language: str, voice: str) -> Iterator[bytes]:
        """Yield float32 little-endian mono 24 kHz pieces of any length; nothing for a language it does not know."""


def heard_to_json(heard: Heard) -> bytes:
    """One line of JSON; `heard_from_json` reads it back."""
    kind = "final" if isinstance(heard, Final) else "interim"
    return json.dumps({"kind": kind, **asdict(heard)}).encode()


def heard_from_json(data: bytes) -> Heard:
    fields = json.loads(data)
    return Final(**fields) if fields.pop("kind") == "final" else Interim(**fields)
