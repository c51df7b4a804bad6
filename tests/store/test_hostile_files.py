"""Files and folders that others prepared, disks that fill up, and pipes that nobody reads."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinch_tui.audio.adapters.speech_file import FileSpeaker
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.errors import PinchError, UsageError
from pinch_tui.services.practice.recording import Recording, make_folder
from pinch_tui.store import logs
from pinch_tui.store.eventlog import EventLog
from pinch_tui.store.paths import private_folder, write_private
from pinch_tui.store.trace import TraceReader, TraceWriter

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and named pipes as POSIX has them")


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def trace(path: Path, on_failure: Callable[[str], None] | None = None) -> TraceWriter:
    return TraceWriter(path, t=0.0, wall=0.0, version="test", on_failure=on_failure)


OPENERS: dict[str, Callable[[Path], object]] = {
    "events": EventLog,
    "trace": trace,
    "log": lambda path: logs.configure(path, is_required=True),
    "out": lambda path: FileSpeaker(path, clock=SystemClock()),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("what", OPENERS)
def test_a_pipe_that_nobody_reads_is_refused_at_once(fifo: Path, what: str) -> None:
    with pytest.raises(PinchError, match="pipe") as caught:
        OPENERS[what](fifo)
    assert "pipe" in f"{caught.value.title} {caught.value.hint}"
    logs.close()


@pytest.mark.parametrize("option", ["--events", "--trace", "--log-file"])
def test_the_program_says_that_nobody_reads_the_pipe(fifo: Path, tmp_path: Path, option: str) -> None:
    command = [sys.executable, "-m", "pinch_tui", "--plain", "--practice", option, str(fifo)]
    env = {**os.environ, "PINCH_TUI_HOME": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2 and "no program reads" in done.stderr, done.stderr


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Bytes that the disk takes before it is full; None of the first item means as many as come."""
    left = [1 << 30]
    real = os.write

    def write(fd: int, data: bytes) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = real(fd, data[: left[0]])
        left[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", write)
    yield left


def test_the_event_log_seals_a_torn_line_and_goes_on(tmp_path: Path, room: list[int]) -> None:
    said: list[str] = []
    log = EventLog(tmp_path / "events", said.append)
    log.write(1.0, "one")
    room[0] = 7
    log.write(2.0, "two")
    log.write(3.0, "three")
    room[0] = 1 << 30
    log.write(4.0, "four")
    log.close()
    lines = (tmp_path / "events").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in (lines[0], lines[-1])] == ["one", "four"]
    assert len(lines) == 3 and log.dropped == 2 and len(said) == 1


def test_the_trace_seals_a_torn_line_and_goes_on(tmp_path: Path, room: list[int]) -> None:
    said: list[str] = []
    writer = trace(tmp_path / "trace", said.append)
    room[0] = 7
    writer.write({"t": 1.0, "kind": "closed"})
    room[0] = 1 << 30
    writer.write({"t": 2.0, "kind": "opened"})
    writer.close()
    reader = TraceReader(tmp_path / "trace")
    assert [line.kind for line in reader.lines()] == ["trace", "opened"]
    assert reader.unreadable == 1 and writer.dropped == 1 and len(said) == 1


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_new_folders_are_for_the_owner_alone_and_old_ones_stay_as_they_are(tmp_path: Path, umask: int) -> None:
    ours = tmp_path / "theirs"
    ours.mkdir()
    ours.chmod(0o775)
    before = os.umask(umask)
    try:
        private_folder(ours / "a" / "b" / "c")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (ours, ours / "a", ours / "a" / "b", ours / "a" / "b" / "c")]
    assert modes == [0o775, 0o700, 0o700, 0o700]


@posix
def test_a_link_in_place_of_the_spare_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs", encoding="utf-8")
    spare = tmp_path / f".key.{os.getpid()}.new"
    spare.symlink_to(victim)
    write_private(tmp_path / "key", "secret")
    assert victim.read_text(encoding="utf-8") == "theirs"
    assert (tmp_path / "key").read_text(encoding="utf-8") == "secret"
    assert not (tmp_path / "key").is_symlink() and not spare.exists()


@posix
def test_a_link_in_place_of_the_key_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs", encoding="utf-8")
    (tmp_path / "key").symlink_to(victim)
    write_private(tmp_path / "key", "secret")
    assert victim.read_text(encoding="utf-8") == "theirs" and not (tmp_path / "key").is_symlink()


@posix
def test_what_practice_records_is_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    before = os.umask(0o000)
    try:
        make_folder(folder)
        recording = Recording(folder, "ss_1")
        recording.audio(bytes(640), 1.0)
        recording.close()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_a_file_that_cannot_be_opened_is_still_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        EventLog(tmp_path / "missing" / "events")
