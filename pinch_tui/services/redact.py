"""What a message of the wire looks like in a trace: its shape without its words. Pure.

Texts become placeholders that keep what a replay needs: length, spaces, punctuation, upper and lower case, digits,
wide characters, and which text is the beginning of which. Each letter's placeholder is drawn from a keyed hash of all
that stands before it, so two texts share exactly the placeholders of their common beginning, and nobody without the
key (made anew for every trace, and never written) can go back. Ids, language codes, types, booleans and times stay as
they are; every field that is not known is treated as text.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from hashlib import blake2b
from typing import Final

from pinch_tui.core import secrecy
from pinch_tui.core.wire import MESSAGE_LIMIT

CHAIN_LIMIT: Final = 5_000
"""Characters of a text that get placeholders of their own; the rest becomes ``x``, so that a huge text costs little."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = "0123456789"
_WIDE: Final = "口日木山川田中人火水土月目耳手"
_DEPTH_LIMIT: Final = 6
_ITEMS_LIMIT: Final = 200

_ID_FIELDS: Final = frozenset({"correlation_id", "session_id"})
_LANGUAGE_FIELDS: Final = frozenset({"source_language", "target_language", "detected_language"})
_TIME_FIELDS: Final = frozenset({"timestamp"})
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
_CODE: Final = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4}")
_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z_.-]{0,40}")
_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,40}")
# The one error text that the client reacts to: a parameter's name, a language code, and a list of codes.
_KNOWN_ERROR: Final = re.compile(
    r"(?:targetLanguage|voiceType)\s*=\s*'[A-Za-z-]{0,20}' is not supported(?: yet)?\.?"
    r"(?:\s*(?:Supported|Available)[A-Za-z ]{0,30}:(?:\s*,?\s*[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,4})?){1,200}\.?)?"
)

Json = object
Placeholder = Callable[[str], str]


def placeholder(text: str, key: bytes) -> str:
    """``text`` with its letters and digits replaced; ``key`` is 16 to 64 secret random bytes."""
    out: list[str] = []
    state = key[:64]
    for index, char in enumerate(text):
        category = unicodedata.category(char)
        if category[0] in "ZP":
            out.append(char if char.isprintable() else " ")
            continue
        if category[0] == "M":
            out.append("\u0301")
            continue
        if category[0] == "C":
            out.append("?")
            continue
        if index >= CHAIN_LIMIT:
            out.append("x")
            continue
        # Case is left out of the chain: "Hello" and "hello" are the same beginning to whoever compares loosely.
        state = blake2b(char.casefold().encode("utf-8", "surrogatepass"), key=state, digest_size=32).digest()
        out.append(_like(char, category, state[0]))
    return "".join(out)


def _like(char: str, category: str, draw: int) -> str:
    if category[0] == "N":
        return _DIGITS[draw % 10]
    if unicodedata.east_asian_width(char) in "WF":
        return _WIDE[draw % len(_WIDE)]
    letter = _LETTERS[draw % 26]
    return letter.upper() if category == "Lu" else letter


def redact(raw: bytes | str, key: bytes, *, with_text: bool = False, secrets: Collection[str] = ()) -> dict[str, Json]:
    """The fields of a trace line for one message: ``bytes`` for sound, ``message`` and ``length`` for text.

    A text that is no JSON object has ``message`` None. Never raises. ``with_text`` keeps the words, though not the
    ``secrets`` nor what looks like a key or a token.
    """
    if isinstance(raw, bytes):
        return {"bytes": len(raw)}
    fields: dict[str, Json] = {"length": len(raw)}
    message: Json = None
    if len(raw) <= MESSAGE_LIMIT:
        try:
            message = json.loads(raw)
        except (ValueError, RecursionError):
            message = None
    if not isinstance(message, dict):
        return {**fields, "message": None}

    def hide(text: str) -> str:
        return secrecy.redact(text, secrets) if with_text else placeholder(text, key)

    return {**fields, "message": _object(message, hide, 0)}


def _object(message: Mapping[str, Json], hide: Placeholder, depth: int) -> dict[str, Json]:
    kept: dict[str, Json] = {}
    for name, value in list(message.items())[:_ITEMS_LIMIT]:
        kept[name if _FIELD.fullmatch(name) else hide(name[:40])] = _value(name, value, hide, depth)
    return kept


def _value(name: str, value: Json, hide: Placeholder, depth: int) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(name, value)
    if isinstance(value, str):
        return value if _is_harmless(name, value) else hide(value)
    if depth >= _DEPTH_LIMIT:
        return None
    if isinstance(value, dict):
        return _object(value, hide, depth + 1)
    if isinstance(value, list):
        return [_value("", item, hide, depth + 1) for item in value[:_ITEMS_LIMIT]]
    return None


def _number(name: str, value: float) -> float:
    """Times stay; any other number might be somebody's, so only its type does."""
    is_time = name in _TIME_FIELDS and abs(value) < 1e12
    return value if is_time else type(value)(0)


def _is_harmless(name: str, value: str) -> bool:
    if name == "type":
        return _TYPE.fullmatch(value) is not None
    if name in _ID_FIELDS:
        return _ID.fullmatch(value) is not None
    if name in _LANGUAGE_FIELDS:
        return _CODE.fullmatch(value) is not None
    return name == "error" and len(value) < 4_000 and _KNOWN_ERROR.fullmatch(value) is not None
