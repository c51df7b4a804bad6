"""Decides when other programs are quiet: from the press, or the first spoken word, until shortly after the last one.

It follows the engine's status in a task of its own, for which nothing waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from pinch_tui.audio.media.players import Players
from pinch_tui.core.choices import OtherSound
from pinch_tui.core.events import EngineEvent, StateWord, Status, StatusChanged
from pinch_tui.errors import AudioError

RESUME_S: Final = 1.5
"""Silence before other programs resume; the next sentence often follows soon."""
BOUND_S: Final = 1.5
"""Time limit for all players together."""
_BUSY: Final = (StateWord.TALKING, StateWord.FINALIZING, StateWord.SPEAKING)


def is_busy(status: Status) -> bool:
    """True while the user talks, waits for a translation, or listens to it."""
    return status.talking_since is not None or status.speaking_utterance is not None or status.word in _BUSY


class Quieting:
    """``tell`` is called once with the reason if quieting fails. Cancelling `run` restores everything."""

    def __init__(self, players: Players, how: OtherSound, tell: Callable[[AudioError], None]) -> None:
        self._players = players
        self._how = how
        self._tell = tell
        self._is_busy = False
        self._applied = OtherSound.OFF
        self._is_told = False
        self._changed = asyncio.Event()

    def handle(self, event: EngineEvent) -> None:
        if isinstance(event, StatusChanged) and is_busy(event.status) is not self._is_busy:
            self._is_busy = not self._is_busy
            self._changed.set()

    def use(self, how: OtherSound) -> None:
        """Change how other programs are quieted."""
        self._how, self._is_told = how, False
        self._changed.set()

    async def run(self) -> None:
        """Run until cancelled."""
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                if self._applied is not OtherSound.OFF and not self._is_busy and self._applied is self._how:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(RESUME_S):
                            await self._changed.wait()
                            continue
                await self._apply()
        finally:
            self._is_busy = False
            await self._apply()
            await self._players.aclose()

    async def _apply(self) -> None:
        wanted = self._how if self._is_busy else OtherSound.OFF
        if wanted is self._applied:
            return
        was, self._applied = self._applied, wanted
        try:
            async with asyncio.timeout(BOUND_S):
                if was is not OtherSound.OFF:
                    await self._players.restore()
                if wanted is not OtherSound.OFF:
                    await self._players.quiet(wanted)
        except TimeoutError:
            return
        except AudioError as exc:
            if not self._is_told:
                self._is_told = True
                self._tell(exc)
