"""Shared by the players' adapters: the record of a quieted player, starting a script's child, and the failure."""

from __future__ import annotations

from asyncio.subprocess import Process
from collections.abc import Sequence
from dataclasses import dataclass

from pinch_tui import children
from pinch_tui.errors import AudioError


@dataclass(frozen=True, slots=True)
class Held:
    """A quieted player. ``before`` and ``ducked`` are volumes in its own unit; both are 0 if it was paused."""

    name: str
    before: float = 0.0
    ducked: float = 0.0


async def start(command: Sequence[str], *, has_input: bool) -> Process:
    """Start a child. Raises `AudioError` if that fails."""
    try:
        return await children.start(*command, has_stdin=has_input)
    except OSError as exc:
        raise unusable(type(exc).__name__) from exc


def unusable(why: str) -> AudioError:
    """The error for the user. ``why``: the name or number of an error, never text from another program."""
    return AudioError("Other programs keep playing: they cannot be reached.", f"({why})", retryable=False)
