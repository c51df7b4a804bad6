"""``GET /v1/session``: its query and its tokens. Pure: the clock is an argument.

Enforced (sections 1.1 and 1.4): spelling of booleans and modes, language codes, context of at most 2,000 characters, a
token that works once and for 60 seconds. Allowed: unknown parameters, which are logged, and labels of any length.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl

from pinch_tui.core.options import FREE_TEXT_LIMIT
from pinch_tui.services.practice.ports import SessionPlan, base_code

TOKEN_SECONDS = 60
MAX_GRANTS = 1_000

_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_KNOWN = frozenset(
    {"sourceLanguage", "targetLanguage", "voiceType", "audioOutputEnabled", "finalizeMode", "twoWay"}
    | {"sourceLanguageLabel", "targetLanguageLabel", "context"}
)


class BadQueryError(ValueError):
    """A query that gets status 400; the text is the reason."""


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """The query of one allocation, with the reference's defaults. Language codes are as the client wrote them."""

    source: str = "en"
    target: str = "es"
    voice: str = "male"
    is_spoken: bool = True
    is_stable: bool = True
    is_two_way: bool = False
    unknown: tuple[str, ...] = ()
    """Names of unknown parameters, printable."""

    @property
    def plan(self) -> SessionPlan:
        """The parameters for ear and voice: base codes, and ``clone`` replaced by ``male``."""
        return SessionPlan(
            source=base_code(self.source),
            target=base_code(self.target),
            voice="female" if self.voice == "female" else "male",
            is_spoken=self.is_spoken,
            is_two_way=self.is_two_way,
            is_stable=self.is_stable and not self.is_two_way,
        )


def parse_query(query: str) -> SessionQuery:
    """Read the query string of ``GET /v1/session``. Raises `BadQueryError`."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as exc:
        raise BadQueryError("the query string cannot be read") from exc
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values and name in _KNOWN:
            raise BadQueryError(f"{name} is given twice")
        values[name] = value
    source = values.get("sourceLanguage", "en")
    if source != "auto" and not _CODE.fullmatch(source):
        raise BadQueryError("sourceLanguage must be a language code or auto")
    target = values.get("targetLanguage", "es")
    if target == "auto" or not _CODE.fullmatch(target):
        raise BadQueryError("targetLanguage must be a language code")
    if len(values.get("context", "")) > FREE_TEXT_LIMIT:
        raise BadQueryError(f"context must have at most {FREE_TEXT_LIMIT} characters")
    return SessionQuery(
        source=source,
        target=target,
        voice="clone" if values.get("voiceType") == "clone" else _one_of(values, "voiceType", "male", "female"),
        is_spoken=_one_of(values, "audioOutputEnabled", "true", "false") == "true",
        is_stable=_one_of(values, "finalizeMode", "stable", "sentence") == "stable",
        is_two_way=_one_of(values, "twoWay", "false", "true") == "true",
        unknown=tuple(_printable(name) for name in values if name not in _KNOWN),
    )


def _printable(name: str) -> str:
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in name[:40])


def _one_of(values: dict[str, str], name: str, default: str, other: str) -> str:
    value = values.get(name, default)
    if value not in (default, other):
        raise BadQueryError(f"{name} must be {default} or {other}")
    return value


@dataclass(frozen=True, slots=True)
class Grant:
    """One allocated session whose socket is not open yet."""

    session_id: str
    query: SessionQuery
    expires_at: float
    client: str = ""


class Grants:
    """The unused tokens, at most `MAX_GRANTS`. Each works once, within `TOKEN_SECONDS`."""

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}

    def add(self, query: SessionQuery, now: float, client: str = "") -> tuple[str, Grant]:
        """Allocate a session; returns its token and its grant."""
        self._grants = {token: grant for token, grant in self._grants.items() if grant.expires_at > now}
        while len(self._grants) >= MAX_GRANTS:
            del self._grants[next(iter(self._grants))]
        token = secrets.token_urlsafe(32)
        grant = Grant(f"ss_{secrets.token_hex(12).upper()}", query, now + TOKEN_SECONDS, client)
        self._grants[token] = grant
        return token, grant

    def take(self, token: str, now: float) -> Grant | None:
        """Spend a token; None if it is unknown, spent or expired."""
        grant = self._grants.pop(token, None)
        return grant if grant is not None and now < grant.expires_at else None
