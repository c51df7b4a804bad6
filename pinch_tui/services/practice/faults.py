"""Faults that the practice service simulates, to test a client against them. Pure.

`FAULTS` defines and documents ``--fault``, `FaultPlan.parse` reads it, and `FaultState` counts allocations and
sessions. Faults can be combined.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

from pinch_tui.errors import UsageError

FAULTS = {
    "401[:n]": "GET /v1/session answers 401 (the first n times; without n always)",
    "403[:n]": "GET /v1/session answers 403",
    "429[:n]": "GET /v1/session answers 429 with Retry-After: 1",
    "500[:n]": "GET /v1/session answers 500",
    "503[:n]": "GET /v1/session answers 503",
    "slow-allocate:MS": "GET /v1/session answers after MS milliseconds",
    "never-ready[:n]": "the socket opens and `ready` never comes (for the first n sessions)",
    "late-ready:MS": "`ready` comes after MS milliseconds",
    "close:CODE:SECONDS[:n]": "the socket is closed with CODE, SECONDS after `ready` (for the first n sessions)",
    "lose:SECONDS[:n]": "the connection is cut without a close frame, SECONDS after `ready`",
    "jitter:MS": "every message and chunk is late by a random 0 to MS milliseconds; order is kept",
    "stall:SECONDS": "after the first audio the service falls silent for SECONDS, then sends everything at once",
    "slow-read:MS": "the service takes MS milliseconds over every message it reads",
    "unsupported-language": "every target language counts as unsupported for speech: an `error` frame, text only",
    "garbage": "unknown, malformed and odd messages are mixed in",
    "crash:SECONDS[:n]": "the recogniser's helper process dies SECONDS after `ready`",
}

_CLOSE_CODES = (1000, 1001, 1011, 4400, 4401, 4500, 4503)
_FOREVER = 1_000_000_000
_FIELDS = {
    "slow-allocate": "allocate_ms",
    "late-ready": "ready_ms",
    "jitter": "jitter_ms",
    "stall": "stall_seconds",
    "slow-read": "slow_read_ms",
    "unsupported-language": "is_language_unsupported",
    "garbage": "has_garbage",
}
"""Fault -> the field of `FaultPlan` that holds its number, or True."""


@dataclass(frozen=True, slots=True)
class Timed:
    """An event ``seconds`` after `ready`, for the first ``times`` sessions; ``code`` 0 cuts the connection."""

    seconds: float
    code: int = 0
    times: int = _FOREVER


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All faults to simulate."""

    statuses: tuple[tuple[int, int], ...] = ()
    """HTTP statuses of allocations, one after the other, each with its number of times."""
    allocate_ms: float = 0.0
    never_ready: int = 0
    """Number of sessions."""
    ready_ms: float = 0.0
    closes: tuple[Timed, ...] = ()
    crashes: tuple[Timed, ...] = ()
    jitter_ms: float = 0.0
    stall_seconds: float = 0.0
    slow_read_ms: float = 0.0
    is_language_unsupported: bool = False
    has_garbage: bool = False

    @classmethod
    def parse(cls, words: tuple[str, ...] | list[str]) -> FaultPlan:
        """Read ``--fault`` values; raise `UsageError` naming the faulty word and the correct form."""
        forms = {form.partition(":")[0].removesuffix("["): form for form in FAULTS}
        fields: dict[str, Any] = {"statuses": (), "closes": (), "crashes": ()}
        for word in words:
            name, *rest = word.strip().split(":")
            form = forms.get(name, "")
            n_optional = form.count("[")
            n_numbers = form.count(":") - n_optional
            if not form or not n_numbers <= len(rest) <= n_numbers + n_optional:
                raise UsageError(f"--fault {word} is not known.", "Known faults: " + ", ".join(FAULTS) + ".")
            numbers = [_number(word, text) for text in rest[:n_numbers]]
            times = _times(word, rest[n_numbers]) if rest[n_numbers:] else _FOREVER
            if name.isdecimal():
                fields["statuses"] += ((int(name), times),)
            elif name == "never-ready":
                fields["never_ready"] = times
            elif name in _FIELDS:
                fields[_FIELDS[name]] = numbers[0] if numbers else True
            else:
                code = int(numbers[0]) if name == "close" else 0
                if name == "close" and code not in _CLOSE_CODES:
                    raise UsageError(
                        f"--fault {word}: {code} is not a supported close code.", f"Use one of {_CLOSE_CODES}."
                    )
                fields["crashes" if name == "crash" else "closes"] += (Timed(numbers[-1], code, times),)
        return cls(**fields)


def _number(word: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1e6:
        raise UsageError(f"--fault {word}: {text!r} is not a number of 0 or more.")
    return value


def _times(word: str, text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"--fault {word}: the number of times must be a whole number.")
    return int(text)


class FaultState:
    """Counts the allocations and sessions of a service."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self._allocations, self._sessions = itertools.count(), itertools.count()

    def next_status(self) -> int:
        """The HTTP status of the next allocation: a fault's, or 200."""
        at = next(self._allocations)
        for status, times in self.plan.statuses:
            if at < times:
                return status
            at -= times
        return 200

    def next_session(self) -> FaultPlan:
        """The plan of the next session, without the faults that have happened often enough."""
        at, plan = next(self._sessions), self.plan
        return replace(
            plan,
            never_ready=max(0, plan.never_ready - at),
            closes=tuple(timed for timed in plan.closes if at < timed.times),
            crashes=tuple(timed for timed in plan.crashes if at < timed.times),
        )
