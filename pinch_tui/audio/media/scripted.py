"""The child that a player's script runs in, and what is said when there is none."""

from __future__ import annotations

from asyncio.subprocess import Process
from collections.abc import Sequence

from pinch_tui import children
from pinch_tui.errors import AudioError


async def start(command: Sequence[str], *, has_input: bool) -> Process:
    """Raises `AudioError` where the program cannot be started."""
    try:
        return await children.start(*command, has_stdin=has_input)
    except OSError as exc:
        raise unusable(type(exc).__name__) from exc


def unusable(why: str) -> AudioError:
    """``why``: the name or number of an error, never text of another program."""
    return AudioError("What other programs play goes on: they cannot be reached.", f"({why})", retryable=False)
