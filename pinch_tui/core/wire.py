"""What the service can say, decoded: `WireEvent` values. Pure.

Each service turns what its wire brings into these (`pinch_tui.services`); decoding never raises, so an unknown or
malformed message is a value too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pinch_tui.core.hosts import Scope

MESSAGE_LIMIT: Final = 4_000_000
"""Characters or bytes of one message; a longer one is malformed."""


class TranscriptKind(StrEnum):
    ORIGINAL = "original"
    TRANSLATED = "translated"


@dataclass(frozen=True, slots=True)
class ReadyMessage:
    session_id: str


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """One interim or final text of one segment. Texts are clean: no control characters, 20,000 characters at most."""

    kind: TranscriptKind
    id: str
    text: str
    is_final: bool
    source_language: str | None = None
    target_language: str | None = None
    detected_language: str | None = None
    original_text: str | None = None  # on translations: the original they translate
    timestamp: float | None = None  # Unix seconds at the service
    said: tuple[tuple[int, float], ...] = ()
    """Characters of the text, and when they had been said: seconds since the first sound of this attempt. Rising; the
    first is (0, when the first word began). Empty where the service gives no times of words."""
    note: str = ""
    """Why the text is empty, in the service's words: it did not recognise the original, or has no translation.
    Takes back the interims and finals of this text."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """float32 little-endian mono 24 kHz, exactly as it came; ``data`` is a whole number of samples, never empty."""

    data: bytes

    @property
    def n_samples(self) -> int:
        return len(self.data) // 4


@dataclass(frozen=True, slots=True)
class MetadataAck:
    """Not proof of any effect."""


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """The service's own words. ``is_unsupported_target``: speech is not available in the target language;
    ``supported``: the language codes that the text lists, when it lists any."""

    text: str
    is_unsupported_target: bool = False
    supported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """A type that this client does not know; ignored, counted."""

    type: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not readable as any message; counted. ``reason`` never quotes the content."""

    reason: str


@dataclass(frozen=True, slots=True)
class EndMessage:
    """Everything about the oldest utterance that had not ended yet has come. Version 1 of the interface has no such
    message; services that acknowledge the end say it."""


V1Event = ReadyMessage | TranscriptMessage | SpeechChunk | MetadataAck | ErrorMessage | UnknownMessage | Malformed
WireEvent = V1Event | EndMessage


@dataclass(frozen=True, slots=True)
class Progress:
    """How far what we sent has got: bytes handed to the connection, and bytes that the peer's system acknowledged.

    ``arrived``: packets that the peer's system has, also those that it has out of order; None where unknown.
    """

    written: int
    acknowledged: int
    arrived: int | None = None
    rtt_s: float = 0.0
    """The round trip as the system measures it, queues included; 0 where unknown."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """A session that may be opened within ``expires_in`` seconds. ``ws_url`` and ``token`` are secrets."""

    session_id: str
    ws_url: str = field(repr=False)
    expires_in: float
    model_version_id: str | None = None
    token: str = field(default="", repr=False)
    latched_url: str = field(default="", repr=False)
    """Where a latched utterance is heard, if that is another address."""
    is_text_only: bool = False
    """No speech is wanted of it, where the service has no parameter for that."""
    nearest: Scope = Scope.MACHINE
    """How near to us the hosts may be that the service names."""
