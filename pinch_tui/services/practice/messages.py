"""The JSON that the practice service sends, after the v1 reference (sections 1.2, 1.8, 1.12). Pure."""

from __future__ import annotations

import json
from typing import Any

from pinch_tui.services.practice.ports import Final, Interim, SessionPlan


def dump(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def ready(session_id: str) -> str:
    return dump({"type": "ready", "session_id": session_id})


def error(text: str, now: float) -> str:
    return dump({"type": "error", "error": text, "timestamp": now})


def unsupported_target(code: str, spoken: tuple[str, ...], now: float) -> str:
    """The frame that lists the current set."""
    return error(f"targetLanguage='{code}' is not supported. Supported languages: {', '.join(spoken)}.", now)


def metadata_ack(request: dict[str, Any], now: float) -> str:
    """The echo of a request; raise `ValueError` or `RecursionError` for what JSON cannot say (``1e999``). In ASCII,
    because half a surrogate pair can be written as ``\\ud800`` and in no other way."""
    applied = {key: value for key, value in request.items() if key != "type"}
    fields = {"type": "metadata_ack", "applied": applied, "timestamp": now}
    return json.dumps(fields, allow_nan=False, separators=(",", ":"))


def _common(heard: Interim | Final, plan: SessionPlan, segment_id: str, now: float) -> dict[str, Any]:
    return {
        "correlation_id": segment_id,
        "source_language": plan.source,
        "target_language": plan.target,
        "detected_language": heard.language,
        "timestamp": now,
    }


def _note(heard: Interim | Final) -> dict[str, Any]:
    """Why the text is empty. An addition to the reference: clients that do not know the field see an empty final."""
    return {"note": heard.note} if isinstance(heard, Final) and heard.note else {}


def original(
    heard: Interim | Final, text: str, plan: SessionPlan, segment_id: str, now: float, *, is_final: bool
) -> str:
    return dump(
        {
            "type": "original_transcript",
            "text": text,
            "is_final": is_final,
            **_common(heard, plan, segment_id, now),
            **({} if text else _note(heard)),
        }
    )


def translated(heard: Interim | Final, plan: SessionPlan, segment_id: str, now: float, *, is_final: bool) -> str:
    return dump(
        {
            "type": "translated_transcript",
            "text": heard.translation,
            "translated_text": heard.translation,
            "original_text": heard.text,
            "is_final": is_final,
            **_common(heard, plan, segment_id, now),
            **(_note(heard) if heard.text else {}),
        }
    )
