"""Removes keys and tokens from texts from outside, before they are shown, logged or traced. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from pinch_tui.core.wire import ReadyMessage, TranscriptMessage, WireEvent

HIDDEN: Final = "<hidden>"
MIN_SECRET: Final = 4
"""Shorter strings are not treated as secrets: they occur in ordinary text."""

_PATTERNS: Final = (
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',;)]+"), rf"\1{HIDDEN}"),
    # The bound keeps the time linear for a text full of beginnings of URLs.
    (re.compile(r"\b((?:wss?|https?)://[^\s\"'?#]{0,2000})[?#][^\s\"']*"), rf"\1?{HIDDEN}"),
    (re.compile(r"(?i)\b((?:token|api[_-]?key|authorization|ws_url)\"?\s*[=:]\s*\"?)[^\s\"',;&)]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b[ps]k_[A-Za-z0-9_\-]{6,}"), HIDDEN),
)
_QUERY: Final = re.compile(r"[?&][^=&#]*=([^&#]+)")
UNMISTAKABLE: Final = 12
"""Shorter secrets, and harmless values in a socket's URL, can also be spoken words."""


def hide(text: str, secrets: Iterable[str], shortest: int = UNMISTAKABLE) -> str:
    """``text`` without the given secrets of at least ``shortest`` characters."""
    for secret in secrets:
        if len(secret) >= shortest:
            text = text.replace(secret, HIDDEN)
    return text


def hide_in(event: WireEvent, secrets: Collection[str]) -> WireEvent:
    """A message without the given secrets in its texts and ids."""

    def clear(text: str | None) -> str | None:
        return hide(text, secrets) if text else text

    match event:
        case TranscriptMessage(id=id_, text=text, original_text=original, note=note):
            new = (clear(id_), clear(text), clear(original), clear(note))
            if new == (id_, text, original, note):
                return event
            return replace(event, id=new[0] or "", text=new[1] or "", original_text=new[2], note=new[3] or "")
        case ReadyMessage(session_id):
            return ReadyMessage(hide(session_id, secrets))
        case _:
            return event


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without the given secrets, bearer tokens, query strings of URLs, and anything that looks like a key."""
    text = hide(text, secrets, MIN_SECRET)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def secrets_of(url: str) -> tuple[str, ...]:
    """The secrets of a pre-signed URL: itself, and the values of its query."""
    return (url, *_QUERY.findall(url))
