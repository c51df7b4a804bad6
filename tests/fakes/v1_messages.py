"""The service's side of version 1: the message of an event."""

from __future__ import annotations

import json
from typing import assert_never

from pinch_tui.core.wire import (
    ErrorMessage,
    Malformed,
    MetadataAck,
    ReadyMessage,
    SpeechChunk,
    TranscriptKind,
    TranscriptMessage,
    UnknownMessage,
    V1Event,
)


def encode(event: V1Event) -> bytes | str:
    """The message that decodes to ``event``; a `Malformed` becomes one that cannot be read."""
    match event:
        case SpeechChunk(data):
            return data
        case Malformed():
            return b""
        case ReadyMessage(session_id):
            return _json({"type": "ready", "session_id": session_id})
        case MetadataAck():
            return _json({"type": "metadata_ack", "applied": {}})
        case ErrorMessage(text, _, supported):
            return _json({"type": "error", "error": text} | ({"supported": list(supported)} if supported else {}))
        case UnknownMessage(kind):
            return _json({"type": kind})
        case TranscriptMessage():
            return _json(_transcript_fields(event))
        case _:
            assert_never(event)


def _transcript_fields(message: TranscriptMessage) -> dict[str, object]:
    fields: dict[str, object] = {
        "type": f"{message.kind}_transcript",
        "correlation_id": message.id,
        "text": message.text,
        "is_final": message.is_final,
        "source_language": message.source_language,
        "target_language": message.target_language,
        "detected_language": message.detected_language,
        "timestamp": message.timestamp,
    }
    if message.note:
        fields["note"] = message.note
    if message.kind is TranscriptKind.TRANSLATED:
        fields |= {"translated_text": message.text, "original_text": message.original_text}
    return fields


def _json(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
