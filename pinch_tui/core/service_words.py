"""Extracts a service's own words from the body of an HTTP error or the reason of a close. Pure.

They come from outside, so they are cleaned, cut to a length, and stripped of keys and signed URLs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from pinch_tui.core.secrecy import redact
from pinch_tui.core.transcript.clean import clean

WORDS_LIMIT: Final = 300
"""Most characters to show."""
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]{0,60}")
_MARKUP: Final = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|[a-z]+[ >])", re.IGNORECASE)
_TAGS: Final = re.compile(r"</?[a-z][a-z0-9-]{0,20}(?:\s[^<>]{0,300})?/?>|<!--[^<>]{0,300}-->", re.IGNORECASE)


def is_markup(text: str) -> bool:
    """Whether a text is HTML or XML rather than words."""
    return _MARKUP.match(text) is not None


def words(text: object, secrets: Iterable[str] = ()) -> str:
    """A text of the service, safe to show: no tags, controls or secrets; "" for anything but a string."""
    return clean(redact(_TAGS.sub(" ", text), secrets), WORDS_LIMIT) if isinstance(text, str) else ""


def code(value: object) -> str:
    """A short name, such as an error code; "" for anything else."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def of_body(body: bytes, secrets: Iterable[str] = ()) -> tuple[str, str]:
    """The code and the words in an error's body, each "" if missing.

    Known shapes: ``{"error": {"code", "message", "field"}}``, ``{"error": "..."}``, ``{"message": "..."}``,
    ``{"detail": "..."}`` and plain text. A web page yields nothing.
    """
    fields = _fields(body)
    error = fields.get("error")
    inner: Mapping[str, object] = error if isinstance(error, dict) else {}
    candidates = (inner.get("message"), error, fields.get("message"), fields.get("detail"))
    message = next((text for text in candidates if isinstance(text, str) and text.strip()), "")
    said = words(message, secrets)
    field = code(inner.get("field")) or code(inner.get("param"))
    if field and field not in said:
        said = f"{field}: {said}" if said else field
    return code(inner.get("code")) or code(fields.get("code")), said


def quoted(said: str) -> str:
    """The words as a sentence to follow one of ours; "" if there are none."""
    return f'The service says: "{said}"' if said else ""


def _fields(body: bytes) -> dict[str, object]:
    """The JSON object of a body. Plain text becomes its ``message``; other JSON and HTML become nothing."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = body.decode("utf-8", "replace")
    if isinstance(value, str):
        return {} if is_markup(value) else {"message": value}
    return value if isinstance(value, dict) else {}
