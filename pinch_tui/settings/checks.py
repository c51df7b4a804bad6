"""Checks of the settings: types, ranges, and values that contradict each other. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, get_origin
from urllib.parse import urlsplit

from pinch_tui.core.hosts import is_loopback
from pinch_tui.core.keynames import nearest_key, talk_key
from pinch_tui.core.languages import AUTO, normalize, suggestion, understood
from pinch_tui.core.options import SESSION_OPTIONS, Text
from pinch_tui.settings.model import OPTIONS, ServiceName, Settings

HEARS_ONLY = frozenset((ServiceName.CARTESIA, ServiceName.SMALLEST))
"""Services that do not translate: they ignore target, two-way and context."""


class BadValue(Exception):
    """An unusable value. The message continues a sentence that begins with the key."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on the settings as a whole. ``is_fatal``: they cannot be used."""

    key: str
    text: str
    hint: str = ""
    is_fatal: bool = False


# ---- types --------------------------------------------------------------------------------------------------------

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


def convert(kind: Any, raw: object) -> object:
    """Convert a value from TOML or click to the field's type. Raises `BadValue`."""
    if get_origin(kind) is dict:
        if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
            raise BadValue("must be a table of names and strings", 'Write name = "value" lines.')
        return {str(name): value for name, value in raw.items()}
    if issubclass(kind, StrEnum):
        return _choice(kind, raw)
    if kind is bool:
        if not isinstance(raw, bool):
            raise BadValue("must be true or false", "Write it without quotes.")
        return raw
    if kind in (int, float):
        if isinstance(raw, bool) or not isinstance(raw, int if kind is int else int | float):
            raise BadValue("must be a whole number" if kind is int else "must be a number", "Write it without quotes.")
        return kind(_reasonable(raw))
    if not isinstance(raw, str):
        raise BadValue("must be a string", "Put it in quotes.")
    return raw


def _reasonable(number: Any) -> Any:
    """Refuse integers that floats cannot represent. Raises `BadValue`."""
    if isinstance(number, int) and abs(number) > 10**15:
        raise BadValue("must be a number of a reasonable size")
    return number


def convert_text(kind: Any, raw: str) -> object:
    """Convert an environment variable to the field's type. Raises `BadValue`."""
    if get_origin(kind) is dict:
        pairs = [item.partition("=") for item in raw.split(",") if item.strip()]
        if not all(equals and name.strip() and value.strip() for name, equals, value in pairs):
            raise BadValue("must be pairs such as name=value,name=value")
        return {name.strip(): value.strip() for name, _, value in pairs}
    if kind is bool:
        word = raw.strip().lower()
        if word not in _TRUE | _FALSE:
            raise BadValue("must be true or false")
        return word in _TRUE
    if kind in (int, float):
        try:
            return _reasonable(kind(raw.strip()))
        except ValueError:
            raise BadValue("must be a whole number" if kind is int else "must be a number") from None
    return convert(kind, raw)


def _choice(kind: type[StrEnum], raw: object) -> StrEnum:
    choices = [str(member) for member in kind if member]
    if "on" in choices and "off" in choices:  # true and false are accepted as well
        word = str(raw).strip().lower()
        raw = "on" if word in _TRUE else "off" if word in _FALSE else raw
    if isinstance(raw, str) and not raw and "" in list(kind):
        return kind("")
    if isinstance(raw, str) and raw.strip().lower() in choices:
        return kind(raw.strip().lower())
    near = difflib.get_close_matches(raw.lower(), choices, n=1, cutoff=0.5) if isinstance(raw, str) else []
    said = f" is {_shown(raw)}; it" if isinstance(raw, str) else ""
    either = f"{', '.join(choices[:-1])} or {choices[-1]}"
    raise BadValue(f"{said.strip()} must be {either}".strip(), f"Did you mean {near[0]}?" if near else "")


def _shown(raw: str) -> str:
    """A value for a message: short, printable, quoted."""
    text = "".join(char if char.isprintable() else "?" for char in raw[:40])
    return f'"{text}"' if len(raw) <= 40 else f'"{text}..."'


# ---- values -------------------------------------------------------------------------------------------------------


def _within(value: Any, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:  # also true of NaN
        raise BadValue(f"must be {low:g} to {high:g}{unit}, not {value:g}")


def _base_url(value: str, usual: str) -> str:
    """``usual``: the service's default address, as an example."""
    hint = f"For example {usual}, or http://127.0.0.1:PORT for a service on this machine."
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadValue("is not a URL", hint) from None
    if parts.username is not None or parts.password is not None:
        raise BadValue("must not contain a user name or a password", hint)
    if parts.scheme not in ("https", "http") or not host:
        raise BadValue("must be an https URL", hint)
    if parts.scheme == "http" and not is_loopback(host):
        raise BadValue("must be https: the key would be sent unencrypted", hint)
    if parts.query or parts.fragment:
        raise BadValue("must not have a query or a fragment", hint)
    if not value.isprintable() or " " in value:
        raise BadValue("is not a URL", hint)
    return value.rstrip("/")


def _api_key(value: str) -> str:
    if not (value.isascii() and value.isprintable() and " " not in value) or len(value) > 512:
        raise BadValue("must be one word of plain characters", "Copy it again from the developer portal.")
    return value


def _language(value: str, *, may_be_auto: bool) -> str:
    code = understood(value)
    if code == AUTO and not may_be_auto:
        raise BadValue("must name a language; only the spoken language can be auto")
    if code is None:
        also = ", or auto" if may_be_auto else ""
        near = suggestion(value)
        hint = f"Did you mean {near.code} ({near.name})?" if near else "pinch-tui languages lists them."
        raise BadValue(f"must be a language such as en, pt-BR or spanish{also}, not {_shown(value)}", hint)
    return code


def _printable(value: str) -> str:
    if not value.replace("\n", "").replace("\t", "").isprintable():
        raise BadValue("must not contain control characters")
    return value


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise BadValue("must be one line without control characters")
    return value


def _key_name(value: str) -> None:
    if not value or any(char.isspace() for char in value) or not value.isprintable():
        raise BadValue("must be a key's name such as space, f9 or ctrl+t", "pinch-tui keys shows the names.")


def _talk_key(value: str) -> str:
    _key_name(value)
    key = talk_key(value)
    if key is None:
        near = nearest_key(value)
        hint = f"Did you mean {near}?" if near else "pinch-tui keys shows the names."
        raise BadValue(f"must be a key's name such as space, f9 or ctrl+t, not {_shown(value)}", hint)
    return key


def _key_map(value: dict[str, str]) -> dict[str, str]:
    for name in sorted(value):
        if not re.fullmatch(r"[a-z][a-z0-9_.\-]*", name):
            raise BadValue(
                f"has {_shown(name)}, which is not the name of an action", "pinch-tui keys --actions lists them."
            )
        for key in value[name].split(",") if value[name] else ():
            _key_name(key.strip())
    return value


_TEXTS: dict[Text, Callable[[str], str]] = {
    Text.SPOKEN_LANGUAGE: lambda value: _language(value, may_be_auto=True),
    Text.LANGUAGE: lambda value: _language(value, may_be_auto=False),
    Text.LINE: _one_line,
    Text.PARAGRAPH: _printable,
}
_CHECKS: dict[str, Callable[[Any], object]] = {
    **{
        key: partial(_base_url, usual=str(option.default))
        for key, option in OPTIONS.items()
        if key.endswith(".base_url")
    },
    **{key: _api_key for key, option in OPTIONS.items() if option.is_secret},
    "talk.key": _talk_key,
    "ui.keys": _key_map,
}


def check(key: str, value: object) -> object:
    """The value in its canonical form. Raises `BadValue` if it is not allowed."""
    row = OPTIONS[key]
    if row.within is not None:
        _within(value, *row.within)
    if row.text in _TEXTS and isinstance(value, str):
        value = _TEXTS[row.text](value)
    return _CHECKS[key](value) if key in _CHECKS else value


def notes(settings: Settings) -> list[Note]:
    """Errors about values that contradict each other, warnings about texts that will be cut."""
    found: list[Note] = []
    session = settings.session
    if settings.service.name in HEARS_ONLY:
        return found
    if normalize(session.source) == normalize(session.target):
        found.append(Note("session.target", f"is {session.target}, the spoken language", "Choose two languages.", True))
    if session.two_way and session.lacks_a_language:
        found.append(
            Note("session.two_way", "needs two named languages, and session.source is auto", "Name the language.", True)
        )
    found += [
        Note(row.key, f"has {length:,} characters", f"Only the first {row.limit:,} are sent.")
        for row in SESSION_OPTIONS
        if row.is_free_text and (length := len(getattr(session, row.name))) > row.limit
    ]
    return found
