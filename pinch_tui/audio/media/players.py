"""The port to other programs' media players, and the choice of this system's adapter."""

from __future__ import annotations

import importlib.util
import sys
from typing import Protocol

from pinch_tui.core.choices import OtherSound
from pinch_tui.errors import AudioError


class Players(Protocol):
    """Quiets players, and restores exactly those."""

    async def quiet(self, how: OtherSound) -> None:
        """Pause or duck the playing media. Raises `AudioError` if a player cannot be reached or ducked."""

    async def restore(self) -> None:
        """Undo `quiet`, except for players that have been changed since. Raises `AudioError`."""

    async def aclose(self) -> None: ...


def media_problem(platform: str = sys.platform) -> str:
    """Why other programs cannot be paused on this system; "" if they can."""
    if platform == "darwin":
        return ""
    if platform == "win32":
        from pinch_tui.audio.media.windows import powershell

        return "" if powershell().exists() else "needs Windows PowerShell 5.1"
    return "" if importlib.util.find_spec("jeepney") is not None else "needs the package jeepney"


class NoPlayers:
    """A `Players` for a system without an adapter; reports why."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    async def quiet(self, how: OtherSound) -> None:
        raise AudioError("Other programs cannot be paused.", f"This {self._problem}.", retryable=False)

    async def restore(self) -> None:
        """Nothing to undo."""

    async def aclose(self) -> None:
        """Nothing to close."""


def players_here(platform: str = sys.platform) -> Players:
    """This system's adapter. It connects, or starts its child, when first used."""
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
