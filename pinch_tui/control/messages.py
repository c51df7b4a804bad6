"""Outside control on the wire: one JSON line for a request, one for its reply; and its errors. Pure.

A request is ``{"command": "start"}``; a reply is ``{"ok": true, ...}`` or ``{"ok": false, "error": "..."}``. Both are
bounded; a request that cannot be read is a value, never an exception.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.core.untrusted import json_of, object_of
from pinch_tui.errors import LinkError

MAX_REQUEST = 4096
"""Bytes of a request line, its newline included."""
MAX_REPLY = 65_536
"""Bytes of a reply line, its newline included."""


class ControlCommand(StrEnum):
    """What can be asked of a running app."""

    START = "start"
    STOP = "stop"
    TOGGLE = "toggle"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that is not carried out; ``reason`` is a sentence that is safe to send back."""

    reason: str


def encode_request(command: ControlCommand) -> bytes:
    """The line that asks for ``command``."""
    return json.dumps({"command": command.value}).encode("ascii") + b"\n"


def decode_request(line: bytes) -> ControlCommand | Refused:
    """Read a request; total over all byte strings."""
    if len(line) > MAX_REQUEST:
        return Refused("The request is too long.")
    message = json_of(line)
    if message is None:
        return Refused("The request is not a JSON line.")
    if not isinstance(message, dict):
        return Refused("The request is not a JSON object.")
    name = message.get("command")
    if not isinstance(name, str) or name not in list(ControlCommand):
        return Refused("Known commands: " + ", ".join(ControlCommand) + ".")
    return ControlCommand(name)


def encode_reply(reply: Mapping[str, object]) -> bytes:
    """The line of a reply that was carried out; one that does not fit becomes a refusal."""
    line = json.dumps({"ok": True, **reply}, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
    return line if len(line) <= MAX_REPLY else encode_refusal("The reply is too long.")


def encode_refusal(reason: str) -> bytes:
    """The line that says why a request was not carried out."""
    return json.dumps({"ok": False, "error": reason[:500]}, ensure_ascii=True).encode("ascii") + b"\n"


def decode_reply(line: bytes) -> dict[str, object] | None:
    """Read a reply; None when it is not one (too long, cut off, not a JSON object with ``ok``)."""
    if len(line) > MAX_REPLY or not line.endswith(b"\n"):
        return None
    message = object_of(line)
    return message if message is not None and isinstance(message.get("ok"), bool) else None


# ---- errors -------------------------------------------------------------------------------------------------------


class ControlError(LinkError):
    """The running app could not be reached, or did not do what it was asked."""


class AlreadyRunning(ControlError):
    """Another copy of the app answers to outside control. ``pid`` is that copy's process, None when not known."""

    def __init__(self, pid: int | None) -> None:
        which = f" (process {pid})" if pid else ""
        super().__init__(
            f"Another pinch-tui is open{which}.",
            "This one works too, but `pinch-tui talk` reaches the first as long as that is open.",
        )
        self.pid = pid


class NotRunning(ControlError):
    """No app answers."""

    def __init__(self) -> None:
        super().__init__(
            "No pinch-tui is open.", "Start it in a terminal with `pinch-tui`; `pinch-tui talk` then reaches it."
        )


class Forbidden(ControlError):
    """The socket belongs to another user."""

    def __init__(self) -> None:
        super().__init__(
            "The running pinch-tui belongs to another user.", "Only the user who started it can talk through it."
        )
