"""One reaction and one sentence for each way in which a session can fail. Pure.

`Policy` says when the next try follows, `describe` the message for the user. Statuses and close codes with a meaning of
their own for one service are declared by that service (`Reaction`, or the sentences of its errors).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.core.service_words import quoted


class FailureKind(StrEnum):
    HTTP = "http"  # the allocation was answered with a status
    FOREIGN = "foreign"  # the answer is not the service's: a redirect, a login page
    NETWORK = "network"  # the allocation was not answered
    OPEN = "open"  # the socket could not be opened
    EXPIRED = "expired"  # the allocation expired before the socket was open
    NO_READY = "no-ready"  # the socket opened, but `ready` never came
    CLOSE = "close"  # closed by the service, or lost (1006)
    STALL = "stall"  # open, but silent


class Policy(StrEnum):
    """When the next try follows."""

    STOP = "stop"  # not before the user has cured the cause
    BUSY = "busy"  # 1 s, 2 s, 4 s ... cap 10 s; 60 s of tries
    LOST = "lost"  # at once after a stable ready, then 0.5 s, 1 s ... cap 10 s; 60 s of tries
    EXPIRED = "expired"  # at once, once; then as LOST
    FAULT = "fault"  # 1 s, 2 s, 4 s ... cap 10 s; 5 tries
    BAD = "bad"  # at once, one fresh session; then stop
    ENDED = "ended"  # at the next press, or at once while something is unsettled


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a service means by a close code: when the next try follows, and the message for the user."""

    policy: Policy
    title: str
    hint: str


@dataclass(frozen=True, slots=True)
class Failure:
    """``code``: HTTP status or close code. ``title``, ``hint``: the adapter's own words, if it knows better.

    ``is_final``: another try would fail the same way. ``policy``: the service's own reaction, if it has one.
    """

    kind: FailureKind
    code: int | None = None
    title: str = ""
    hint: str = ""
    is_credential: bool = False
    is_final: bool = False
    policy: Policy | None = None
    words: str = ""
    """The service's own words, cleaned and without secrets."""


def policy_of(failure: Failure) -> Policy:
    """The one reaction to a failure."""
    if failure.policy is not None:
        return failure.policy
    match failure.kind:
        case FailureKind.HTTP:
            status = failure.code or 0
            if failure.is_credential:
                return Policy.STOP
            return Policy.BUSY if status == 429 or status >= 500 else Policy.STOP
        case FailureKind.FOREIGN:
            return Policy.BUSY
        case FailureKind.NETWORK | FailureKind.OPEN | FailureKind.STALL:
            return Policy.STOP if failure.is_final else Policy.LOST
        case FailureKind.NO_READY | FailureKind.EXPIRED:
            return Policy.EXPIRED
        case FailureKind.CLOSE:
            return Policy.ENDED if failure.code == 1000 else Policy.LOST


def describe(failure: Failure) -> tuple[str, str]:
    """Title and hint for the user: the adapter's own if it has any, followed by the service's own words."""
    title, hint = (failure.title, failure.hint) if failure.title else _usual(failure)
    return title, f"{hint} {quoted(failure.words)}".strip()


def _usual(failure: Failure) -> tuple[str, str]:
    match failure.kind:
        case FailureKind.HTTP:
            return f"The service gave no session ({failure.code or 0}).", "Your words are safe."
        case FailureKind.FOREIGN:
            return (
                "Something else answered instead of the service.",
                "Does this network have a login page? Your words are safe.",
            )
        case FailureKind.NETWORK:
            return "Can't reach the service.", "Check your network. Your words are safe."
        case FailureKind.OPEN:
            return "The connection could not be opened.", "Check for a firewall or proxy; your words are safe."
        case FailureKind.EXPIRED:
            return "The session expired before it could be opened.", "Opening a new session; your words are safe."
        case FailureKind.NO_READY:
            return "The service never became ready.", "Opening a new session; your words are safe."
        case FailureKind.STALL:
            return "The connection has stalled.", "Reconnecting; your words are safe and will be sent again."
        case FailureKind.CLOSE:
            return _close(failure.code or 1006)


def _close(code: int) -> tuple[str, str]:
    match code:
        case 1000:
            return "The service ended the session.", "Press the talk key to open a new one."
        case 1001:
            return "The service is shutting down (1001).", "Opening a new session; your words will be sent again."
        case _:
            return f"The connection was lost ({code}).", "Reconnecting; your words are safe and will be sent again."
