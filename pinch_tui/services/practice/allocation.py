"""``GET /v1/session``: its query and its tokens. Pure: the clock is an argument.

Enforced (sections 1.1 and 1.4): spelling of booleans and modes, language codes, context of at most 2,000 characters,
a token that works once and for 60 seconds. Lenient: unknown parameters are ignored, and named in the log; labels may be
of any length.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl

from pinch_tui.core.options import FREE_TEXT_LIMIT
from pinch_tui.services.practice.ports import SessionPlan

TOKEN_SECONDS = 60
MAX_GRANTS = 1_000

_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_BOOLS = {"true": True, "false": False}
_KNOWN = frozenset(
    {"sourceLanguage", "targetLanguage", "voiceType", "audioOutputEnabled", "finalizeMode", "twoWay"}
    | {"sourceLanguageLabel", "targetLanguageLabel", "context"}
)


class BadQueryError(ValueError):
    """A query that the service answers with 400; the text says why."""


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """The query of one allocation, with the reference's defaults. Language codes stand as they were given."""

    source: str = "en"
    target: str = "es"
    voice: str = "male"
    is_spoken: bool = True
    is_stable: bool = True
    is_two_way: bool = False
    context: str = ""
    unknown: tuple[str, ...] = ()
    """Names of parameters that mean nothing here, harmless to print."""

    @property
    def plan(self) -> SessionPlan:
        """What the ear and the voice need: base codes, and ``clone`` replaced by ``male``."""
        return SessionPlan(
            source=base_code(self.source),
            target=base_code(self.target),
            voice="female" if self.voice == "female" else "male",
            is_spoken=self.is_spoken,
            is_two_way=self.is_two_way,
            is_stable=self.is_stable and not self.is_two_way,
        )


def base_code(code: str) -> str:
    """``en-US`` -> ``en``."""
    return code.split("-", 1)[0].lower()


def parse_query(query: str) -> SessionQuery:
    """Read the query string of ``GET /v1/session``; raise `BadQueryError` for what the service refuses."""
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
    voice = values.get("voiceType", "male")
    if voice not in ("male", "female", "clone"):
        raise BadQueryError("voiceType must be male or female")
    mode = values.get("finalizeMode", "stable")
    if mode not in ("stable", "sentence"):
        raise BadQueryError("finalizeMode must be stable or sentence")
    context = values.get("context", "")
    if len(context) > FREE_TEXT_LIMIT:
        raise BadQueryError(f"context must have at most {FREE_TEXT_LIMIT} characters")
    return SessionQuery(
        source=source,
        target=target,
        voice=voice,
        is_spoken=_boolean(values, "audioOutputEnabled", True),
        is_stable=mode == "stable",
        is_two_way=_boolean(values, "twoWay", False),
        context=context,
        unknown=tuple(_printable(name) for name in values if name not in _KNOWN),
    )


def _printable(name: str) -> str:
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in name[:40])


def _boolean(values: dict[str, str], name: str, default: bool) -> bool:
    text = values.get(name)
    if text is None:
        return default
    if text not in _BOOLS:
        raise BadQueryError(f"{name} must be true or false")
    return _BOOLS[text]


@dataclass(frozen=True, slots=True)
class Grant:
    """One allocated session, until its socket is opened."""

    session_id: str
    query: SessionQuery
    expires_at: float
    client: str = ""


class Grants:
    """The unused tokens. Each works once, for `TOKEN_SECONDS`; at most `MAX_GRANTS` are kept."""

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}

    def add(self, query: SessionQuery, now: float, client: str = "") -> tuple[str, Grant]:
        """Allocate a session; return its token and its grant."""
        self._grants = {token: grant for token, grant in self._grants.items() if grant.expires_at > now}
        while len(self._grants) >= MAX_GRANTS:
            del self._grants[next(iter(self._grants))]
        token = secrets.token_urlsafe(32)
        grant = Grant(f"ss_{secrets.token_hex(12).upper()}", query, now + TOKEN_SECONDS, client)
        self._grants[token] = grant
        return token, grant

    def take(self, token: str, now: float) -> Grant | None:
        """Spend a token; None when it is unknown, spent or too old."""
        grant = self._grants.pop(token, None)
        return grant if grant is not None and now < grant.expires_at else None
