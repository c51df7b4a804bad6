"""Faults that the practice service simulates, to test a client against them. Pure.

`FAULTS` documents ``--fault``, `FaultPlan.parse` reads it, and `FaultState` hands faults out, one allocation or session
at a time. Faults can be combined.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.errors import UsageError

FAULTS: dict[str, str] = {
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

_STATUSES = ("401", "403", "429", "500", "503")
_CLOSE_CODES = (1000, 1001, 1011, 4400, 4401, 4500, 4503)
_FOREVER = 1_000_000_000


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
    """(HTTP status, how many times), answered one after the other."""
    allocate_ms: float = 0.0
    never_ready: int = 0
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
        """Read ``--fault`` values; raise `UsageError` naming the word and what would be right."""
        fields: dict[str, object] = {}
        statuses: list[tuple[int, int]] = []
        closes: list[Timed] = []
        crashes: list[Timed] = []
        for word in words:
            name, *rest = word.strip().split(":")
            if name in _STATUSES:
                statuses.append((int(name), _count(word, rest, 0)))
            elif name == "never-ready":
                fields["never_ready"] = _count(word, rest, 0)
            elif name == "close" and len(rest) in (2, 3):
                code = int(_number(word, rest[0]))
                if code not in _CLOSE_CODES:
                    raise UsageError(f"--fault {word}: {code} is no close code here.", f"Use one of {_CLOSE_CODES}.")
                closes.append(Timed(_number(word, rest[1]), code, _count(word, rest, 2)))
            elif name == "lose" and len(rest) in (1, 2):
                closes.append(Timed(_number(word, rest[0]), 0, _count(word, rest, 1)))
            elif name == "crash" and len(rest) in (1, 2):
                crashes.append(Timed(_number(word, rest[0]), 0, _count(word, rest, 1)))
            elif name in _NUMBERS and len(rest) == 1:
                fields[_NUMBERS[name]] = _number(word, rest[0])
            elif name in _FLAGS and not rest:
                fields[_FLAGS[name]] = True
            else:
                raise UsageError(f"--fault {word} is not known.", "Known faults: " + ", ".join(FAULTS) + ".")
        return cls(statuses=tuple(statuses), closes=tuple(closes), crashes=tuple(crashes), **fields)  # type: ignore[arg-type]


_NUMBERS = {
    "slow-allocate": "allocate_ms",
    "late-ready": "ready_ms",
    "jitter": "jitter_ms",
    "stall": "stall_seconds",
    "slow-read": "slow_read_ms",
}
_FLAGS = {"unsupported-language": "is_language_unsupported", "garbage": "has_garbage"}


def _number(word: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1e6:
        raise UsageError(f"--fault {word}: {text!r} is not a number of 0 or more.")
    return value


def _count(word: str, rest: list[str], index: int) -> int:
    if len(rest) <= index:
        return _FOREVER
    if len(rest) > index + 1 or not rest[index].isdecimal():
        raise UsageError(f"--fault {word}: the number of times must be a whole number.")
    return int(rest[index])


@dataclass(slots=True)
class FaultState:
    """Hands out the plan's faults in order. There is one for the whole service."""

    plan: FaultPlan
    _allocations: int = field(default=0, init=False)
    _sessions: int = field(default=0, init=False)

    def next_status(self) -> int:
        """The HTTP status of the next allocation: a fault's, or 200."""
        at = self._allocations
        self._allocations += 1
        for status, times in self.plan.statuses:
            if at < times:
                return status
            at -= times
        return 200

    def next_session(self) -> SessionFaults:
        """The faults of the next session."""
        at = self._sessions
        self._sessions += 1
        return SessionFaults(
            is_never_ready=at < self.plan.never_ready,
            closes=tuple(timed for timed in self.plan.closes if at < timed.times),
            crashes=tuple(timed for timed in self.plan.crashes if at < timed.times),
        )


@dataclass(frozen=True, slots=True)
class SessionFaults:
    """The counted faults of one session."""

    is_never_ready: bool = False
    closes: tuple[Timed, ...] = ()
    crashes: tuple[Timed, ...] = ()
