"""Reads JSON from outside; nothing here raises. Pure."""

from __future__ import annotations

import json
from typing import Any

from pinch_tui.core.wire import MESSAGE_LIMIT, Malformed


def json_of(raw: bytes | str) -> Any:
    """The value of a JSON text; None if it is not JSON, or nested too deeply."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):  # no JSON, no Unicode, a number of thousands of digits
        return None


def object_of(raw: bytes | str) -> dict[str, Any] | None:
    """The object of a JSON text; None if there is none."""
    value = json_of(raw)
    return value if isinstance(value, dict) else None


def message_of(raw: bytes | str) -> dict[str, Any] | Malformed:
    """The JSON object of a message of at most `MESSAGE_LIMIT` characters or bytes."""
    if len(raw) > MESSAGE_LIMIT:
        return Malformed("message is too long")
    fields = object_of(raw)
    return Malformed("message is no JSON object") if fields is None else fields


def text_of(value: object) -> str:
    """The value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def number_of(value: object, limit: float = 1e15) -> float | None:
    """The value if it is a number between ``-limit`` and ``limit``, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) < limit else None


def whole_of(value: object) -> int | None:
    """The value if it is a whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
