"""Real D-Bus, on a bus of its own, with players that a test is."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

jeepney = pytest.importorskip("jeepney")

from jeepney import HeaderFields, MessageType, new_error, new_method_return  # noqa: E402
from jeepney.bus_messages import message_bus  # noqa: E402
from jeepney.io.asyncio import DBusRouter, Proxy, open_dbus_connection  # noqa: E402

from pinch_tui.audio.media import mpris  # noqa: E402
from pinch_tui.audio.media.mpris import MprisPlayers  # noqa: E402
from pinch_tui.core.choices import DUCKED, OtherSound  # noqa: E402
from pinch_tui.errors import AudioError  # noqa: E402

needs_bus = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed")

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow own="*"/><allow eavesdrop="false"/></policy></busconfig>
"""


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    """The address of a daemon of its own."""
    config = tmp_path / "bus.conf"
    config.write_text(CONFIG.format(path=tmp_path / "bus"))
    command = ["dbus-daemon", "--nofork", "--print-address=1", f"--config-file={config}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as daemon:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip().partition(",")[0]
        daemon.kill()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The players of these tests share a machine with other tests."""
    monkeypatch.setattr(mpris, "CALL_S", 10.0)


class Player:
    """A media player: its properties, and what it was asked for. ``hangs``: it never answers."""

    def __init__(self, status: str, volume: float | None = None, *, hangs: bool = False) -> None:
        self.status, self.volume, self.hangs = status, volume, hangs
        self.log: list[str] = []

    def answer(self, message: Any) -> Any:
        fields = message.header.fields
        match fields[HeaderFields.member], message.body:
            case "Get", (_, "PlaybackStatus"):
                return new_method_return(message, "v", (("s", self.status),))
            case "Get", (_, "Volume") if self.volume is not None:
                return new_method_return(message, "v", (("d", self.volume),))
            case "Set", (_, "Volume", ("d", volume)):
                self.volume = volume
                return new_method_return(message)
            case "Pause" | "Play" as verb, _:
                self.log.append(verb)
                self.status = {"Pause": "Paused", "Play": "Playing"}[verb]
                return new_method_return(message)
        return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")

    async def serve(self, address: str, name: str, is_there: asyncio.Event) -> None:
        connection = await open_dbus_connection(address)
        async with DBusRouter(connection) as router:
            await Proxy(message_bus, router).RequestName(f"org.mpris.MediaPlayer2.{name}")
        is_there.set()
        try:
            while True:
                message = await connection.receive()
                if message.header.message_type is MessageType.method_call and not self.hangs:
                    await connection.send(self.answer(message))
        finally:
            connection.writer.close()


@asynccontextmanager
async def playing(address: str, **players: Player) -> AsyncIterator[MprisPlayers]:
    async with asyncio.TaskGroup() as group:
        tasks = []
        for name, player in players.items():
            is_there = asyncio.Event()
            tasks.append(group.create_task(player.serve(address, name, is_there)))
            await is_there.wait()
        ours = MprisPlayers(address)
        try:
            yield ours
        finally:
            await ours.aclose()
            for task in tasks:
                task.cancel()


@needs_bus
async def test_what_plays_is_paused_and_only_that_plays_again(bus: str) -> None:
    music, film, radio = Player("Playing"), Player("Paused"), Player("Playing")
    async with playing(bus, music=music, film=film, radio=radio, playerctld=Player("Playing")) as ours:
        await ours.quiet(OtherSound.PAUSE)
        assert (music.log, film.log, radio.log) == (["Pause"], [], ["Pause"])
        radio.status = "Stopped"  # by somebody, meanwhile
        await ours.restore()
        assert (music.log, film.log, radio.log) == (["Pause", "Play"], [], ["Pause"])
        await ours.restore()
        assert music.log == ["Pause", "Play"]


@needs_bus
async def test_what_plays_is_made_quieter_and_louder_again(bus: str) -> None:
    music, film, mute = Player("Playing", 0.8), Player("Playing", 0.5), Player("Playing")
    async with playing(bus, music=music, film=film, mute=mute) as ours:
        await ours.quiet(OtherSound.DUCK)
        assert music.volume == pytest.approx(0.8 * DUCKED)
        assert film.volume == pytest.approx(0.5 * DUCKED)
        film.volume = 0.9  # by somebody, meanwhile
        await ours.restore()
    assert (music.volume, film.volume, mute.log) == (0.8, 0.9, [])


@needs_bus
async def test_a_player_that_hangs_costs_a_moment_and_no_other_player(
    bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mpris, "CALL_S", 1.0)
    stuck, music = Player("Playing", hangs=True), Player("Playing")
    async with playing(bus, a_stuck=stuck, music=music) as ours:
        async with asyncio.timeout(5):
            await ours.quiet(OtherSound.PAUSE)
        assert music.log == ["Pause"]


@needs_bus
async def test_a_bus_that_ends_is_told_and_the_next_one_is_found(bus: str, tmp_path: Path) -> None:
    gone = MprisPlayers(f"unix:path={tmp_path / 'nothing'}")
    with pytest.raises(AudioError, match=r"D-Bus cannot be used"):
        await gone.quiet(OtherSound.PAUSE)
    await gone.restore()
    ours = MprisPlayers(bus)
    await ours.quiet(OtherSound.PAUSE)
    ours._connection.writer.close()
    with contextlib.suppress(AudioError):
        await ours.quiet(OtherSound.PAUSE)
    await ours.quiet(OtherSound.PAUSE)
    await ours.aclose()


async def test_what_is_no_bus_is_told(tmp_path: Path) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)
        await writer.drain()
        writer.close()

    path = tmp_path / "socket"
    async with await asyncio.start_unix_server(chatter, path):
        with pytest.raises(AudioError):
            await MprisPlayers(f"unix:path={path}").quiet(OtherSound.PAUSE)
