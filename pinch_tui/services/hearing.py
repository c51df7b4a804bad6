"""One utterance at a provider that only hears: pieces of text in, the v1 vocabulary out. Pure.

A provider's dialect makes a `Hearing` for each utterance; `pinch_tui.services.utterances` feeds it what its socket
brings. Decoding never raises: what cannot be read is a `Malformed`, a refusal is a `Refused`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pinch_tui.core.session.outbox import VOICE_PEAK
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.wire import MESSAGE_LIMIT, EndMessage, Malformed, TranscriptKind, TranscriptMessage, WireEvent
from pinch_tui.errors import PinchError

PAUSE_FRAMES: Final = 20
"""Quiet frames in a row after a text that end a segment, where segments are wanted: less than a checkpoint needs."""
SEGMENT_LIMIT: Final = 10_000
"""Characters of one segment."""
_LOUD: Final = int(VOICE_PEAK * 32768)


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider refuses to go on. ``error`` says why, in the service's words."""

    error: PinchError


Heard = WireEvent | Refused


class Hearing(Protocol):
    """What one utterance comes to."""

    def sent(self, pcm: bytes) -> None:
        """A frame of its sound is on its way."""

    def released(self) -> None:
        """All of it is sent."""

    def message(self, raw: bytes | str) -> Sequence[Heard]:
        """What a message of the socket says."""

    def closed(self, code: int) -> Sequence[Heard]:
        """The socket closed; nothing where that is a loss."""


class Pieces:
    """Texts of one utterance: joined verbatim into one growing text a segment, cleaned as a whole.

    ``by_pause``: the utterance may last for hours, so a pause in its sound ends a segment.
    """

    def __init__(self, name: str, *, by_pause: bool) -> None:
        self._name = name
        self._by_pause = by_pause
        self._segment = 1
        self._quiet = 0
        self.text = ""
        self.has_text = False
        self._language: str | None = None

    def sent(self, pcm: bytes) -> None:
        if self._by_pause:
            self._quiet = self._quiet + 1 if is_quiet(pcm) else 0

    def final(self, whole: str, language: str | None = None) -> list[Heard]:
        """The segment's text so far is ``whole``, and final."""
        self._language = language or self._language
        self.text = whole
        return self._said(whole, is_final=True)

    def interim(self, whole: str, language: str | None = None) -> list[Heard]:
        """The segment's text may become ``whole``."""
        self._language = language or self._language
        return self._said(whole, is_final=False)

    def begin(self) -> None:
        """A text comes: it belongs to the next segment if a pause, or the bound, stands before it."""
        is_over = len(self.text) > SEGMENT_LIMIT or (self._by_pause and self._quiet >= PAUSE_FRAMES)
        if self.text and is_over:
            self.next_segment()
        self._quiet = 0

    def next_segment(self) -> None:
        self._segment += 1
        self.text = ""

    def _said(self, whole: str, *, is_final: bool) -> list[Heard]:
        text = clean(whole)
        if not text:
            return []
        self.has_text = True
        id_ = f"{self._name}.{self._segment}"
        return [TranscriptMessage(TranscriptKind.ORIGINAL, id_, text, is_final, detected_language=self._language)]


def is_quiet(pcm: bytes) -> bool:
    """Whether no sample of PCM16 is louder than a voice begins."""
    samples = memoryview(pcm[: len(pcm) // 2 * 2]).cast("h")
    return max(samples, default=0) <= _LOUD and min(samples, default=0) >= -_LOUD


def fields_of(raw: bytes | str) -> dict[str, Any] | Malformed:
    """A message's JSON object."""
    if isinstance(raw, bytes):
        return Malformed("a message of bytes")
    if len(raw) > MESSAGE_LIMIT:
        return Malformed("message is too long")
    try:
        value = json.loads(raw)
    except RecursionError:
        return Malformed("message is nested too deeply")
    except ValueError:
        return Malformed("message is no JSON")
    return value if isinstance(value, dict) else Malformed("message is no JSON object")


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


END: Final = EndMessage()
