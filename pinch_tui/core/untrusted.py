"""JSON from outside: whatever it is, nothing here raises. Pure."""

from __future__ import annotations

import json
from typing import Any

from pinch_tui.core.wire import MESSAGE_LIMIT, Malformed


def json_of(raw: bytes | str) -> Any:
    """The value of a JSON text; None where it is none, or is nested too deeply."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):  # no JSON, no Unicode, a number of thousands of digits
        return None


def object_of(raw: bytes | str) -> dict[str, Any] | None:
    """The JSON object of a text; None where it is none."""
    value = json_of(raw)
    return value if isinstance(value, dict) else None


def message_of(raw: bytes | str) -> dict[str, Any] | Malformed:
    """The JSON object of a message of at most `MESSAGE_LIMIT`."""
    if len(raw) > MESSAGE_LIMIT:
        return Malformed("message is too long")
    fields = object_of(raw)
    return Malformed("message is no JSON object") if fields is None else fields


def text_of(value: object) -> str:
    """A string, "" for anything else."""
    return value if isinstance(value, str) else ""


def number_of(value: object, limit: float = 1e15) -> float | None:
    """A number between ``-limit`` and ``limit``; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) < limit else None


def whole_of(value: object) -> int | None:
    """A whole number; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
