"""The practice service's JSON messages, as in the v1 reference (sections 1.2, 1.8, 1.12). Pure."""

from __future__ import annotations

import json
from typing import Any

from pinch_tui.services.practice.allocation import SessionQuery
from pinch_tui.services.practice.ports import Final, Heard


def _dump(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def ready(session_id: str) -> str:
    return _dump({"type": "ready", "session_id": session_id})


def error(text: str, now: float) -> str:
    return _dump({"type": "error", "error": text, "timestamp": now})


def metadata_ack(request: dict[str, Any], now: float) -> str:
    """The echo of a request, in ASCII, the only way to write a lone surrogate (``\\ud800``).

    Raises `ValueError` or `RecursionError` for values that JSON cannot express (``1e999``).
    """
    applied = {key: value for key, value in request.items() if key != "type"}
    fields = {"type": "metadata_ack", "applied": applied, "timestamp": now}
    return json.dumps(fields, allow_nan=False, separators=(",", ":"))


def transcript(kind: str, text: str, heard: Heard, query: SessionQuery, id_: str, now: float, *, is_final: bool) -> str:
    """A transcript of the ``kind`` original or translated."""
    fields: dict[str, Any] = {
        "type": f"{kind}_transcript",
        "text": text,
        "is_final": is_final,
        "correlation_id": id_,
        "source_language": query.source,
        "target_language": query.target,
        "detected_language": heard.language,
        "timestamp": now,
    }
    if kind == "translated":
        fields |= {"translated_text": text, "original_text": heard.text}
    # Why a text is missing. The reference has no such field; other clients see an empty final.
    if isinstance(heard, Final) and heard.note and bool(heard.text) is (kind == "translated"):
        fields["note"] = heard.note
    return _dump(fields)
