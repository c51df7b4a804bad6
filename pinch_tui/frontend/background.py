"""Before the program goes to the shell's background: a stopped program must not go on listening."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from pinch_tui.core.events import EngineEvent, Foreground, MicState
from pinch_tui.engine.facade import EngineFacade

SUSPEND_S = 3.5
"""The longest wait for the microphone to close: an opening that hangs is over then."""
_SEND_S = 0.05
"""For the last frames and the finalize to go out."""


async def deafen(engine: EngineFacade) -> None:
    """End what is being said, and return when no microphone is open and the last words are on their way."""
    is_deaf = asyncio.Event()

    def look(_event: EngineEvent | None) -> None:
        if engine.status.mic in (MicState.CLOSED, MicState.ABSENT):
            is_deaf.set()

    engine.post(Foreground(False))
    unsubscribe = engine.subscribe(look)
    look(None)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(SUSPEND_S):
                await is_deaf.wait()
    finally:
        unsubscribe()
    await asyncio.sleep(_SEND_S)
