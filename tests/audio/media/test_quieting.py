"""When other programs are quiet, with players that a test is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.audio.media import players
from pinch_tui.audio.media.apple import ApplePlayers
from pinch_tui.audio.media.players import NoPlayers, Players, media_problem, players_here
from pinch_tui.audio.media.quieting import BOUND_S, RESUME_S, Quieting, is_busy
from pinch_tui.audio.media.windows import WindowsPlayers
from pinch_tui.core.choices import OtherSound
from pinch_tui.core.events import StateWord, Status, StatusChanged
from pinch_tui.errors import AudioError
from tests.faults.warp import run

IDLE = Status(StateWord.READY)
TALKING = Status(StateWord.TALKING, talking_since=1.0)


@dataclass
class FakePlayers:
    log: list[str] = field(default_factory=list)
    error: AudioError | None = None
    hangs: bool = False

    async def quiet(self, how: OtherSound) -> None:
        self.log.append(how.value)
        if self.hangs:
            await asyncio.sleep(1000)
        if self.error is not None:
            raise self.error

    async def restore(self) -> None:
        self.log.append("restore")

    async def aclose(self) -> None:
        self.log.append("close")


class Scene:
    def __init__(self, how: OtherSound, fake: Players) -> None:
        self.told: list[AudioError] = []
        self.log = fake.log if isinstance(fake, FakePlayers) else []
        self.quieting = Quieting(fake, how, self.told.append)

    async def says(self, status: Status, seconds: float = 0.01) -> None:
        self.quieting.handle(StatusChanged(status))
        await asyncio.sleep(seconds)


def play(scene: Any, how: OtherSound = OtherSound.PAUSE, fake: Players | None = None) -> Scene:
    async def main() -> Scene:
        made = Scene(how, fake or FakePlayers())
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(made.quieting.run())
            await asyncio.sleep(0)
            await scene(made)
            task.cancel()
        return made

    return run(main())


@pytest.mark.parametrize(
    ("status", "busy"),
    [
        (IDLE, False),
        (TALKING, True),
        (Status(StateWord.FINALIZING), True),
        (Status(StateWord.SPEAKING, speaking_utterance=1), True),
        (Status(StateWord.RECONNECTING, talking_since=1.0), True),
        (Status(StateWord.RECONNECTING), False),
    ],
)
def test_what_counts_as_busy(status: Status, busy: bool) -> None:
    assert is_busy(status) is busy


def test_they_pause_at_the_press_and_play_a_moment_after_the_last_word() -> None:
    async def scene(s: Scene) -> None:
        await s.says(IDLE)
        assert s.log == []
        await s.says(TALKING)
        assert s.log == ["pause"]
        await s.says(replace(TALKING, limit_at=9.0))
        await s.says(IDLE, RESUME_S / 2)  # between two sentences
        await s.says(TALKING, 5.0)
        assert s.log == ["pause"]
        await s.says(IDLE, RESUME_S - 0.1)
        assert s.log == ["pause"]
        await asyncio.sleep(0.2)
        assert s.log == ["pause", "restore"]

    assert play(scene).log == ["pause", "restore", "close"]


def test_leaving_lets_them_play_at_once() -> None:
    async def scene(s: Scene) -> None:
        await s.says(TALKING)

    assert play(scene, OtherSound.DUCK).log == ["duck", "restore", "close"]


def test_off_touches_nobody_and_a_change_holds_at_once() -> None:
    async def scene(s: Scene) -> None:
        await s.says(TALKING)
        assert s.log == []
        for how in (OtherSound.DUCK, OtherSound.PAUSE, OtherSound.OFF):
            s.quieting.use(how)
            await asyncio.sleep(0.01)
        assert s.log == ["duck", "restore", "pause", "restore"]

    play(scene, OtherSound.OFF)


def test_why_not_is_told_once_and_a_player_that_hangs_is_left() -> None:
    async def scene(s: Scene) -> None:
        for _ in range(3):
            await s.says(TALKING)
            await s.says(IDLE, RESUME_S + 0.1)

    assert len(play(scene, fake=FakePlayers(error=AudioError("No bus."))).told) == 1

    async def hanging(s: Scene) -> None:
        await s.says(TALKING, BOUND_S + 0.1)
        await s.says(IDLE, RESUME_S + 0.1)
        assert s.log == ["pause", "restore"]

    assert play(hanging, fake=FakePlayers(hangs=True)).told == []


def test_where_there_is_no_way_the_settings_and_the_notice_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert isinstance(players_here("darwin"), ApplePlayers)
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    assert media_problem("win32") == "needs Windows PowerShell 5.1"
    shell = tmp_path / "System32" / "WindowsPowerShell" / "v1.0" / "powershell.exe"
    shell.parent.mkdir(parents=True)
    shell.touch()
    assert isinstance(players_here("win32"), WindowsPlayers)
    monkeypatch.setattr(players, "media_problem", lambda _platform: "needs the package jeepney")

    async def scene(s: Scene) -> None:
        await s.says(TALKING)

    made = play(scene, fake=players_here())
    assert isinstance(players_here(), NoPlayers)
    assert made.told[0].hint == "This needs the package jeepney."
