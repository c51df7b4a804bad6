"""The messages of remote control, one JSON line for a request and one for its reply; and its errors. Pure.

A request is ``{"command": "start"}``; a reply is ``{"ok": true, ...}`` or ``{"ok": false, "error": "..."}``. Both have
a size limit. Decoding never raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.core.untrusted import json_of, object_of
from pinch_tui.errors import LinkError

MAX_REQUEST = 4096
"""Size limit of a request line with its newline, in bytes."""
MAX_REPLY = 65_536
"""Size limit of a reply line with its newline, in bytes."""


class ControlCommand(StrEnum):
    """The commands of a running app."""

    START = "start"
    STOP = "stop"
    TOGGLE = "toggle"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused request; ``reason`` is a sentence that is safe to send back."""

    reason: str


def encode_request(command: ControlCommand) -> bytes:
    """The request line for ``command``."""
    return json.dumps({"command": command.value}).encode("ascii") + b"\n"


def decode_request(line: bytes) -> ControlCommand | Refused:
    """Read a request. Never raises."""
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
    """The reply line after a command was carried out; a reply that is too long becomes a refusal."""
    line = json.dumps({"ok": True, **reply}, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
    return line if len(line) <= MAX_REPLY else encode_refusal("The reply is too long.")


def encode_refusal(reason: str) -> bytes:
    """The reply line that says why a request was refused."""
    return json.dumps({"ok": False, "error": reason[:500]}, ensure_ascii=True).encode("ascii") + b"\n"


def decode_reply(line: bytes) -> dict[str, object] | None:
    """Read a reply; None if it is too long, cut off or not a JSON object with ``ok``."""
    if len(line) > MAX_REPLY or not line.endswith(b"\n"):
        return None
    message = object_of(line)
    return message if message is not None and isinstance(message.get("ok"), bool) else None


# ---- errors -------------------------------------------------------------------------------------------------------


class ControlError(LinkError):
    """The running app could not be reached, or refused the command."""


class AlreadyRunning(ControlError):
    """Another copy of the app already listens for commands. ``pid``: its process id, None if unknown."""

    def __init__(self, pid: int | None) -> None:
        which = f" (process {pid})" if pid else ""
        super().__init__(
            f"Another pinch-tui is open{which}.",
            "This one works too, but `pinch-tui talk` controls the other one until it is closed.",
        )
        self.pid = pid
