"""What the players' adapters share: the record of a quieted player, the child of a script, and the refusal."""

from __future__ import annotations

from asyncio.subprocess import Process
from collections.abc import Sequence
from dataclasses import dataclass

from pinch_tui import children
from pinch_tui.errors import AudioError


@dataclass(frozen=True, slots=True)
class Held:
    """A player that was quieted. ``before`` and ``ducked``: its volumes in its own unit; without them it was paused."""

    name: str
    before: float = 0.0
    ducked: float = 0.0


async def start(command: Sequence[str], *, has_input: bool) -> Process:
    """Raises `AudioError` where the program cannot be started."""
    try:
        return await children.start(*command, has_stdin=has_input)
    except OSError as exc:
        raise unusable(type(exc).__name__) from exc


def unusable(why: str) -> AudioError:
    """``why``: the name or number of an error, never text of another program."""
    return AudioError("What other programs play goes on: they cannot be reached.", f"({why})", retryable=False)
