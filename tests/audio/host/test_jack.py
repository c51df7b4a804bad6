"""A broken metadata database of JACK, which hangs or crashes every later sound host, is removed."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinch_tui.audio.host import supervision, supervisor
from pinch_tui.audio.host.jack import remove_database
from pinch_tui.audio.host.supervision import START_S, HostSupervision, Kill, Spawn
from pinch_tui.engine.alarm import SystemClock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="JACK's database is looked for on Linux alone")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as sockets need one."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        database = Path(path) / f"jack_db-{os.getuid()}"
        database.mkdir()
        (database / "__db.001").touch()
        yield Path(path)


def test_the_database_is_removed_if_no_server_runs(folder: Path) -> None:
    assert remove_database(folder)
    assert list(folder.iterdir()) == []
    assert not remove_database(folder)


def test_a_running_server_keeps_its_database(folder: Path) -> None:
    path = folder / f"jack_default_{os.getuid()}_0"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert not remove_database(folder)
    assert path.exists()  # as after a kill
    assert remove_database(folder)


def test_what_another_user_put_there_is_left_alone(folder: Path, tmp_path: Path) -> None:
    database = folder / f"jack_db-{os.getuid()}"
    (database / "__db.001").unlink()
    database.rmdir()
    (tmp_path / "kept").touch()
    database.symlink_to(tmp_path)
    assert not remove_database(folder)
    assert (tmp_path / "kept").exists()


def test_a_start_that_hangs_or_crashes_is_followed_by_a_cleaned_one() -> None:
    host = HostSupervision("capture")
    assert host.prespawn(0.0) == [Spawn(1)]
    assert host.tick(START_S) == [Kill()]
    assert host.deadline is not None
    assert host.tick(host.deadline) == [Spawn(2, is_after_failed_start=True)]
    host.exited(2, 8.0)
    assert host.deadline is not None
    assert host.tick(host.deadline) == [Spawn(3, is_after_failed_start=True)]
    host.note({"kind": "ready"}, 10.0)
    host.exited(3, 11.0)
    assert host.deadline is not None
    assert host.tick(host.deadline) == [Spawn(4)]


async def test_the_supervisor_cleans_before_such_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    has_cleaned = asyncio.Event()

    async def no_child(role: str) -> None:
        done.append("start")
        raise OSError

    def clean() -> None:
        done.append("clean")
        loop.call_soon_threadsafe(has_cleaned.set)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(supervisor, "spawn_host", no_child)
    monkeypatch.setattr(supervisor, "remove_database", clean)
    monkeypatch.setattr(supervision, "WAITS_S", (0.0,))
    async with supervisor.SoundHost(clock=SystemClock()):
        await asyncio.wait_for(has_cleaned.wait(), 10)
    assert done[:3] == ["start", "start", "clean"]  # one start for each direction
