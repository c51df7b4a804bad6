"""Gives the room's texts ids, which they lack. Pure.

Originals and translations pair by order: the n-th translation belongs to the n-th original. Surplus translations are
further sentences of the last one. A text that repeats the previous one is a new text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import message_of, text_of
from pinch_tui.core.wire import (
    ErrorMessage,
    Malformed,
    MetadataAck,
    TranscriptKind,
    TranscriptMessage,
    UnknownMessage,
    WireEvent,
)
from pinch_tui.services.pinch.protocol import decode_transcript


class Pairing:
    """The texts of one room."""

    def __init__(self) -> None:
        self._originals = 0  # final ones
        self._translated = 0  # those with a final translation
        self._is_open = False  # an interim original has come since the last final one

    def take(self, raw: bytes) -> WireEvent:
        """Decode a data message. Never raises."""
        fields = message_of(raw)
        if isinstance(fields, Malformed):
            return fields
        match fields.get("type"):
            case "original_transcript" | "translated_transcript":
                return self._transcript(fields)
            case "session_started" | "session_ended":
                return MetadataAck()
            case "error":
                text = fields.get("error", fields.get("message"))
                return ErrorMessage(clean(text_of(text), 300))
            case name:
                return UnknownMessage(clean(text_of(name), 100))

    def _transcript(self, fields: dict[str, Any]) -> TranscriptMessage | Malformed:
        v1: dict[str, Any] = {k: fields[k] for k in ("type", "text", "translated_text", "timestamp") if k in fields}
        v1 |= {
            "correlation_id": "-",
            "is_final": fields.get("is_final", True),  # final unless it says otherwise (3.5)
            "detected_language": fields.get("language_detected"),
        }
        message = decode_transcript(v1)
        if isinstance(message, Malformed):
            return message
        count = self._original if message.kind is TranscriptKind.ORIGINAL else self._translation
        return replace(message, id=f"beta_{count(message.is_final)}")

    def _original(self, is_final: bool) -> int:
        if not is_final:
            self._is_open = True
            return self._originals + 1
        self._is_open = False
        self._originals += 1
        return self._originals

    def _translation(self, is_final: bool) -> int:
        known = self._originals + (1 if self._is_open else 0)
        following = self._translated + 1
        if following > known and self._translated:
            return self._translated  # another sentence of the last translation
        if is_final:
            self._translated = following
        return following
