"""The other programs that play, as a port, and which adapter this system has."""

from __future__ import annotations

import importlib.util
import sys
from typing import Protocol

from pinch_tui.core.choices import OtherSound
from pinch_tui.errors import AudioError


class Players(Protocol):
    """What was done to each player is remembered here, and only that is taken back."""

    async def quiet(self, how: OtherSound) -> None:
        """Pause or duck what plays now. Raises `AudioError` where a player cannot be reached, or not ducked."""

    async def restore(self) -> None:
        """Take it back, but for players that somebody has changed since. Raises `AudioError`."""

    async def aclose(self) -> None: ...


def media_problem(platform: str = sys.platform) -> str:
    """Why other programs cannot be paused on this system, "" where they can."""
    if platform == "darwin":
        return ""
    if platform == "win32":
        from pinch_tui.audio.media.windows import powershell

        return "" if powershell().exists() else "needs Windows PowerShell 5.1"
    return "" if importlib.util.find_spec("jeepney") is not None else "needs the package jeepney"


class NoPlayers:
    """Of a system where they cannot be reached: says why."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    async def quiet(self, how: OtherSound) -> None:
        raise AudioError("What other programs play cannot be paused.", f"This {self._problem}.", retryable=False)

    async def restore(self) -> None:
        """Nothing was done."""

    async def aclose(self) -> None:
        """Nothing is open."""


def players_here(platform: str = sys.platform) -> Players:
    """The adapter of this system. It connects, or starts its child, when it is first needed."""
    if problem := media_problem(platform):
        return NoPlayers(problem)
    if platform == "darwin":
        from pinch_tui.audio.media.apple import ApplePlayers

        return ApplePlayers()
    if platform == "win32":
        from pinch_tui.audio.media.windows import WindowsPlayers, command

        return WindowsPlayers(command())
    from pinch_tui.audio.media.mpris import MprisPlayers

    return MprisPlayers()
