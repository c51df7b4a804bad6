"""What a message on the wire looks like in a trace: its shape without its words. Pure.

Texts become placeholders that keep what a replay needs: length, spaces, punctuation, case, digits, wide characters, and
which text is a prefix of which. Each letter's placeholder is drawn from a keyed hash of everything before it, so two
texts share exactly the placeholders of their common prefix, and nobody can reverse them without the key, which is made
for each trace and never written. Ids become aliases. Language codes, types, booleans and times stay; every unknown
field is treated as text. The time for a message is bounded, whatever it contains.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Final

from pinch_tui.core import secrecy
from pinch_tui.core.untrusted import message_of
from pinch_tui.core.wire import Malformed

CHAIN_LIMIT: Final = 5_000
"""Characters of a message, all its texts together, that get placeholders of their own: each costs a hash."""
TEXT_LIMIT: Final = 20_000
"""Characters of a message that are kept if words are: more than the longest text on the screen."""
VALUES_LIMIT: Final = 2_000
"""Values of a message that are looked at."""
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
# The only error text that the client reacts to: a parameter's name, a language code, and a list of codes.
_KNOWN_ERROR: Final = re.compile(
    r"(?:targetLanguage|voiceType)\s*=\s*'[A-Za-z-]{0,20}' is not supported(?: yet)?\.?"
    r"(?:\s*(?:Supported|Available)[A-Za-z ]{0,30}:(?:\s*,?\s*[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,4})?){1,200}\.?)?"
)


def placeholder(text: str, key: bytes, limit: int = CHAIN_LIMIT) -> str:
    """``text`` with its letters and digits replaced, beyond ``limit`` by ``x``. ``key``: 16 to 64 random bytes."""
    out: list[str] = []
    state = key[:64]
    for char in text[:limit]:
        category = unicodedata.category(char)
        if category[0] in "ZP":
            out.append(char if char.isprintable() else " ")
        elif category[0] == "M":
            out.append("\u0301")
        elif category[0] == "C":
            out.append("?")
        else:
            # Without case: "Hello" and "hello" are the same prefix where texts are compared loosely.
            state = blake2b(char.casefold().encode("utf-8", "surrogatepass"), key=state, digest_size=32).digest()
            out.append(_like(char, category, state[0]))
    return "".join(out) + "x" * (len(text) - limit)


def alias(id_: str, key: bytes) -> str:
    """A stand-in for an id, always the same for one id."""
    return "id-" + blake2b(id_.encode("utf-8", "surrogatepass"), key=key[:64], digest_size=8).hexdigest() if id_ else ""


def _like(char: str, category: str, draw: int) -> str:
    if category[0] == "N":
        return _DIGITS[draw % 10]
    if unicodedata.east_asian_width(char) in "WF":
        return _WIDE[draw % len(_WIDE)]
    letter = _LETTERS[draw % 26]
    return letter.upper() if category == "Lu" else letter


def redact(
    raw: bytes | str, key: bytes, *, with_text: bool = False, secrets: Collection[str] = ()
) -> dict[str, object]:
    """The fields of a trace line for one message: ``bytes`` for sound, ``message`` and ``length`` for text.

    ``message`` is None for a text that is not a JSON object. Never raises. ``with_text`` keeps the words, except for
    ``secrets`` and anything that looks like a key or a token.
    """
    if isinstance(raw, bytes):
        return {"bytes": len(raw)}
    message = message_of(raw)
    shown = None if isinstance(message, Malformed) else _Hiding(key, secrets, with_text=with_text).fields(message, 0)
    return {"length": len(raw), "message": shown}


class _Hiding:
    """Hides the texts and the ids of one message."""

    def __init__(self, key: bytes, secrets: Collection[str], *, with_text: bool) -> None:
        self._key = key
        self._secrets = secrets
        self._with_text = with_text
        self._characters = TEXT_LIMIT if with_text else CHAIN_LIMIT  # that are left
        self._values = VALUES_LIMIT

    def fields(self, message: Mapping[str, object], depth: int) -> dict[str, object]:
        kept: dict[str, object] = {}
        for name, value in itertools.islice(message.items(), _ITEMS_LIMIT):
            if self._values <= 0:
                break
            kept[name if _FIELD.fullmatch(name) else self._text(name[:40])] = self._value(name, value, depth)
        return kept

    def _value(self, name: str, value: object, depth: int) -> object:
        self._values -= 1
        match value:
            case None | bool():
                return value
            case int() | float():
                # Times stay. Any other number could be personal, so only its type is kept.
                is_time = name in _TIME_FIELDS and abs(value) < 1e12
                return value if is_time else type(value)(0)
            case str() if name in _ID_FIELDS and _ID.fullmatch(value):
                return self._text(value) if self._with_text else alias(value, self._key)
            case str():
                return value if _is_harmless(name, value) else self._text(value)
            case dict() if depth < _DEPTH_LIMIT:
                return self.fields(value, depth + 1)
            case list() if depth < _DEPTH_LIMIT:
                items = itertools.takewhile(lambda _: self._values > 0, value[:_ITEMS_LIMIT])
                return [self._value("", item, depth + 1) for item in items]
            case _:
                return None

    def _text(self, text: str) -> str:
        left = self._characters
        self._characters -= min(left, len(text))
        return secrecy.redact(text[:left], self._secrets) if self._with_text else placeholder(text, self._key, left)


def _is_harmless(name: str, value: str) -> bool:
    if name == "type":
        return _TYPE.fullmatch(value) is not None
    if name in _LANGUAGE_FIELDS:
        return _CODE.fullmatch(value) is not None
    return name == "error" and len(value) < 4_000 and _KNOWN_ERROR.fullmatch(value) is not None
