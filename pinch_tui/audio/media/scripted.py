"""The child that a player's script runs in: no API key in its environment, and nothing of its stderr on the screen."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence

from pinch_tui.children import apart, without_keys
from pinch_tui.errors import AudioError


async def start(command: Sequence[str], *, has_input: bool) -> Process:
    """Raises `AudioError` where the program cannot be started."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE if has_input else DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
            env=without_keys(os.environ),
            **apart(),
        )
    except OSError as exc:
        raise unusable(type(exc).__name__) from exc


def unusable(why: str) -> AudioError:
    """``why``: the name or number of an error, never text of another program."""
    return AudioError("What other programs play goes on: they cannot be reached.", f"({why})", retryable=False)
