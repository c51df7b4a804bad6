"""The decoded messages of a service: `WireEvent` values. Pure.

Each service in `pinch_tui.services` decodes its own protocol into these. Decoding never raises, so unknown and
malformed messages are values too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pinch_tui.core.hosts import Scope

MESSAGE_LIMIT: Final = 4_000_000
"""Most characters or bytes of a message; a longer one is malformed."""


class TranscriptKind(StrEnum):
    ORIGINAL = "original"
    TRANSLATED = "translated"


@dataclass(frozen=True, slots=True)
class ReadyMessage:
    session_id: str


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """An interim or final text of one segment. Texts are clean: no control characters, at most 20,000 characters."""

    kind: TranscriptKind
    id: str
    text: str
    is_final: bool
    source_language: str | None = None
    target_language: str | None = None
    detected_language: str | None = None
    original_text: str | None = None  # of a translation
    timestamp: float | None = None  # Unix seconds at the service
    word_times: tuple[tuple[int, float], ...] = ()
    """(characters of the text, when they had been said, in seconds since the first sound of this attempt), rising; the
    first is (0, when the first word began). Empty if the service gives no times of words."""
    note: str = ""
    """Why the text is empty, in the service's words: it did not recognise the original, or has no translation.
    Withdraws the interims and finals of this text."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """float32 little-endian mono 24 kHz, unchanged; ``data`` is a whole number of samples, never empty."""

    data: bytes

    @property
    def n_samples(self) -> int:
        return len(self.data) // 4


@dataclass(frozen=True, slots=True)
class MetadataAck:
    """Proves no effect."""


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """The service's own words. ``is_unsupported_target``: speech is not available in the target language;
    ``supported``: the language codes in the text, if any."""

    text: str
    is_unsupported_target: bool = False
    supported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """A type that this client does not know; ignored and counted."""

    type: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """An unreadable message; counted. ``reason`` never quotes the content."""

    reason: str


@dataclass(frozen=True, slots=True)
class EndMessage:
    """Everything about the oldest unfinished utterance has come. Only services that acknowledge the end send it; Pinch
    v1 does not."""


V1Event = ReadyMessage | TranscriptMessage | SpeechChunk | MetadataAck | ErrorMessage | UnknownMessage | Malformed
WireEvent = V1Event | EndMessage


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the sent data: bytes handed to the connection, and bytes that the peer's system has acknowledged.

    ``arrived``: packets that have reached the peer's system, out of order or not; None if unknown.
    """

    written: int
    acknowledged: int
    arrived: int | None = None
    rtt_s: float = 0.0
    """The round trip as measured by the system, queues included; 0 if unknown."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """A session to open within ``expires_in`` seconds. ``ws_url`` and ``token`` are secrets."""

    session_id: str
    ws_url: str = field(repr=False)
    expires_in: float
    model_version_id: str | None = None
    token: str = field(default="", repr=False)
    latched_url: str = field(default="", repr=False)
    """The URL for latched utterances, if that is another one."""
    is_text_only: bool = False
    """Whether to drop its speech, if the service has no parameter for that."""
    nearest: Scope = Scope.MACHINE
    """The nearest scope allowed for the hosts that the service names."""
