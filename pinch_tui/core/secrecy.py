"""Takes keys and tokens out of texts that somebody else wrote before they are shown, logged or traced. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "<hidden>"
MIN_SECRET: Final = 4
"""Shorter strings are no secrets: they stand in every text."""

_PATTERNS: Final = (
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',;)]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b((?:wss?|https?)://[^\s\"'?#]*)[?#][^\s\"']*"), rf"\1?{HIDDEN}"),
    (re.compile(r"(?i)\b((?:token|api[_-]?key|authorization|ws_url)\"?\s*[=:]\s*\"?)[^\s\"',;&)]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\bpk_[A-Za-z0-9_\-]{6,}"), HIDDEN),
)
_QUERY: Final = re.compile(r"[?&][^=&#]*=([^&#]+)")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without the given secrets, bearer tokens, query strings of URLs and whatever looks like a key."""
    for secret in secrets:
        if len(secret) >= MIN_SECRET:
            text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def secrets_of(url: str) -> tuple[str, ...]:
    """A pre-signed URL and the values of its query: what must not be repeated."""
    return (url, *_QUERY.findall(url))
