"""The practice service's JSON messages, as in the v1 reference (sections 1.2, 1.8, 1.12). Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pinch_tui.services.practice.allocation import SessionQuery
from pinch_tui.services.practice.ports import Final, Interim


def _dump(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def ready(session_id: str) -> str:
    return _dump({"type": "ready", "session_id": session_id})


def error(text: str, now: float) -> str:
    return _dump({"type": "error", "error": text, "timestamp": now})


def unsupported_target(code: str, spoken: Sequence[str], now: float) -> str:
    return error(f"targetLanguage='{code}' is not supported. Supported languages: {', '.join(spoken)}.", now)


def metadata_ack(request: dict[str, Any], now: float) -> str:
    """The echo of a request, in ASCII, the only way to write a lone surrogate (``\\ud800``).

    Raises `ValueError` or `RecursionError` for values that JSON cannot express (``1e999``).
    """
    applied = {key: value for key, value in request.items() if key != "type"}
    fields = {"type": "metadata_ack", "applied": applied, "timestamp": now}
    return json.dumps(fields, allow_nan=False, separators=(",", ":"))


def original(
    heard: Interim | Final, text: str, query: SessionQuery, segment_id: str, now: float, *, is_final: bool
) -> str:
    fields = {"type": "original_transcript", "text": text, "is_final": is_final}
    return _transcript(fields, heard, query, segment_id, now, has_note=not text)


def translated(heard: Interim | Final, query: SessionQuery, segment_id: str, now: float, *, is_final: bool) -> str:
    text = heard.translation
    fields = {"type": "translated_transcript", "text": text, "translated_text": text, "is_final": is_final}
    return _transcript(
        {**fields, "original_text": heard.text}, heard, query, segment_id, now, has_note=bool(heard.text)
    )


def _transcript(
    fields: dict[str, Any], heard: Interim | Final, query: SessionQuery, segment_id: str, now: float, *, has_note: bool
) -> str:
    """``note`` says why a text is empty. The reference has no such field; other clients see an empty final."""
    if has_note and isinstance(heard, Final) and heard.note:
        fields = {**fields, "note": heard.note}
    return _dump(
        {
            **fields,
            "correlation_id": segment_id,
            "source_language": query.source,
            "target_language": query.target,
            "detected_language": heard.language,
            "timestamp": now,
        }
    )
