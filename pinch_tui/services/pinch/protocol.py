"""The wire codec of Pinch's real-time interface, version 1. Pure.

``decode`` never raises: any bytes and any text become a `V1Event` with bounded sizes and clean texts. ``query`` and
``parse_allocation`` are the two halves of ``GET /v1/session``. Section numbers are those of the service's reference.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any, Final

from pinch_tui.core.options import SESSION_OPTIONS, FinalizeMode, SessionParams
from pinch_tui.core.transcript.clean import clean, is_between_clusters
from pinch_tui.core.untrusted import message_of, number_of, object_of
from pinch_tui.core.wire import (
    MESSAGE_LIMIT,
    Allocation,
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

ID_LIMIT: Final = 200
ERROR_LIMIT: Final = 2_000
NOTE_LIMIT: Final = 300
DEFAULT_EXPIRES_S: Final = 60.0
_SUPPORTED_LIMIT: Final = 300

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4}")

# ---- client messages ----------------------------------------------------------------------------------------------


FINALIZE: Final = '{"type":"finalize"}'
"""The only message that the client sends: the utterance is over (1.10)."""


def query(params: SessionParams) -> list[tuple[str, str]]:
    """The parameters of ``GET /v1/session`` (1.1), not yet percent-encoded; empty free texts are left out."""
    if params.two_way:
        params = replace(params, finalize_mode=FinalizeMode.SENTENCE)
    pairs = []
    for row in SESSION_OPTIONS:
        value = getattr(params, row.name)
        if isinstance(value, bool):
            pairs.append((row.query, "true" if value is not bool(row.inverse) else "false"))
        elif not row.is_free_text:
            pairs.append((row.query, str(value)))
        elif text := cut_text(value, row.limit):
            pairs.append((row.query, text))
    return pairs


def cut_text(text: str, limit: int) -> str:
    """The first ``limit`` code points at most, without splitting a visible character."""
    text = "".join(char for char in text if not 0xD800 <= ord(char) <= 0xDFFF)
    if len(text) <= limit:
        return text
    end = limit
    while end > limit - 32 and not is_between_clusters(text[end - 1], text[end]):
        end -= 1
    return text[:end]


# ---- the answer of GET /v1/session --------------------------------------------------------------------------------


def parse_allocation(body: bytes) -> Allocation | None:
    """The session in a 200 answer (1.2); None unless it is a JSON object with a session id and a URL. The URL's target
    is not checked here."""
    fields = object_of(body)
    if fields is None:
        return None
    session_id = _identifier(fields.get("session_id"))
    ws_url = fields.get("ws_url")
    if session_id is None or not isinstance(ws_url, str):
        return None
    if not ws_url or len(ws_url) > 8_192 or not ws_url.isascii() or not ws_url.isprintable() or " " in ws_url:
        return None
    expires_in = number_of(fields.get("expires_in"))
    if expires_in is None or expires_in <= 0:
        expires_in = DEFAULT_EXPIRES_S
    return Allocation(session_id, ws_url, expires_in, _identifier(fields.get("model_version_id")))


# ---- service messages ---------------------------------------------------------------------------------------------


def decode(raw: bytes | str) -> V1Event:
    """Decode a message: bytes are speech (1.6), text is JSON (1.8). Never raises."""
    if isinstance(raw, str):
        return _decode_text(raw)
    if not raw:
        return Malformed("empty binary message")
    if len(raw) % 4:
        return Malformed("binary message is not a whole number of float32 samples")
    if len(raw) > MESSAGE_LIMIT:
        return Malformed("binary message is too long")
    return SpeechChunk(bytes(raw))


def _decode_text(raw: str) -> V1Event:
    fields = message_of(raw)
    if isinstance(fields, Malformed):
        return fields
    kind = fields.get("type")
    if not isinstance(kind, str):
        return Malformed("message without a type")
    match kind:
        case "original_transcript" | "translated_transcript":
            return decode_transcript(fields)
        case "ready":
            return ReadyMessage(_identifier(fields.get("session_id")) or "")
        case "metadata_ack":
            return MetadataAck()
        case "error":
            return _decode_error(fields)
        case _:
            return UnknownMessage(clean(kind, 100))


def decode_transcript(fields: dict[str, Any]) -> TranscriptMessage | Malformed:
    """Decode the fields of a message whose type is one of the two transcripts."""
    kind = TranscriptKind(fields["type"].removesuffix("_transcript"))
    id_ = _identifier(fields.get("correlation_id"))
    if id_ is None:
        return Malformed("transcript without a correlation id")
    text = fields.get("text")
    if kind is TranscriptKind.TRANSLATED and not (isinstance(text, str) and text):
        text = fields.get("translated_text", text)  # the same value (1.8)
    if not isinstance(text, str):
        return Malformed("transcript without a text")
    is_final = fields.get("is_final", False)
    if not isinstance(is_final, bool):
        return Malformed("transcript whose is_final is not a boolean")
    original = fields.get("original_text") if kind is TranscriptKind.TRANSLATED else None
    return TranscriptMessage(
        kind,
        id_,
        clean(text),
        is_final,
        source_language=_language_code(fields.get("source_language")),
        target_language=_language_code(fields.get("target_language")),
        detected_language=_language_code(fields.get("detected_language")),
        original_text=(clean(original) or None) if isinstance(original, str) else None,
        timestamp=number_of(fields.get("timestamp"), math.inf),
        note=clean(note, NOTE_LIMIT) if isinstance(note := fields.get("note"), str) and not text else "",
    )


def _identifier(value: object) -> str | None:
    return (clean(value, ID_LIMIT) or None) if isinstance(value, str) else None


def _language_code(value: object) -> str | None:
    return value if isinstance(value, str) and _LANGUAGE.fullmatch(value) else None


# ---- error texts (1.12) -------------------------------------------------------------------------------------------

_NAMED_TARGET: Final = re.compile(r"target[ _-]?language\s*[=:]?\s*[\"'`]?[\w-]{0,35}[\"'`]?", re.I)
_UNSUPPORTED_TARGET: Final = re.compile(
    r"target[ _-]?language.{0,80}?\bnot\s+(?:\w+\s+)?(?:supported|available)"
    r"|(?:unsupported|invalid)\s+target[ _-]?language",
    re.I | re.S,
)
_CODE: Final = r"[a-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?"
_QUOTED_CODE: Final = re.compile(rf"[\"'`]({_CODE})[\"'`]")
_BRACED_CODE: Final = re.compile(rf"\w\s*[(\[]({_CODE})[)\]]")
_LEADING_CODE: Final = re.compile(rf"({_CODE})(?:\s*[-(:=\[.\u2013\u2014].*|\s+[A-Z].*)?", re.S)
_LIST_FIELDS: Final = (
    "supported",
    "supported_languages",
    "supportedLanguages",
    "supported_target_languages",
    "languages",
)


def _decode_error(fields: dict[str, Any]) -> ErrorMessage:
    text = ""
    candidates = [fields.get("error"), fields.get("message")]
    if isinstance(candidates[0], dict):
        inner = candidates[0]
        fields = {**fields, **inner}
        candidates[:1] = [inner.get("message"), inner.get("code")]
    for candidate in candidates:
        if isinstance(candidate, str) and (text := clean(candidate, ERROR_LIMIT)):
            break
    if _UNSUPPORTED_TARGET.search(text) is None:
        return ErrorMessage(text)
    listed = next((codes for name in _LIST_FIELDS if (codes := _listed_field(fields.get(name)))), ())
    return ErrorMessage(text, is_unsupported_target=True, supported=listed or supported_codes(text))


def _listed_field(value: object) -> tuple[str, ...]:
    if isinstance(value, dict):
        value = list(value)
    if not isinstance(value, list):
        return ()
    return _unique(code for item in value if (code := _language_code(item)) is not None)


def supported_codes(text: str) -> tuple[str, ...]:
    """The language codes listed in an error text, in its order: quoted, in brackets after names, or separated."""
    rest = _NAMED_TARGET.sub(" ", text, count=1)
    for shape in (_QUOTED_CODE, _BRACED_CODE):
        found = shape.findall(rest)
        if len(found) > 1:
            return _unique(found)
    pieces = re.split(r"[,;|/]|\s(?:and|or)\s", rest)
    if len(pieces) == 1:  # "supported: en es fr"
        words = rest.rpartition(":")[2].strip(" []().").split()
        return _unique(words) if len(words) > 1 and all(re.fullmatch(_CODE, word) for word in words) else ()
    lead_in, colon, first = pieces[0].rpartition(":")
    pieces[0] = first if colon and first.strip() else re.split(r"[\s=\[({]", lead_in.strip() or first.strip())[-1]
    codes = []
    for piece in pieces:
        match = _LEADING_CODE.fullmatch(piece.lstrip(" -*[({\"'`").rstrip(" ])}\"'`."))
        if match is not None:
            codes.append(match.group(1))
    return _unique(codes)


def _unique(codes: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codes))[:_SUPPORTED_LIMIT]
