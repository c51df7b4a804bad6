"""Output that waits for nobody: pipes that nobody reads, terminals that stop, readers that leave."""

from __future__ import annotations

import os
import pty
import threading
from collections.abc import Callable, Iterator

import pytest

from pinch_tui.outlet import BlockingSink, Outlet, PatientStream, whole_characters

MUCH = bytes(range(256)) * 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        try:
            os.close(fd)
        except OSError:
            pass


def read(fd: int, n: int) -> bytes:
    data = b""
    while len(data) < n:
        data += os.read(fd, 65536)
    return data


def test_a_pipe_that_nobody_reads_holds_nobody_up(pipe: tuple[int, int]) -> None:
    outlet = Outlet(pipe[1], "test")
    outlet.write(MUCH)
    outlet.write(b"the end")
    assert not outlet.drain(0.05)
    assert 0 < outlet.pending < len(MUCH) + 7
    assert outlet.waiting_s >= 0.0
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(read(pipe[0], len(MUCH) + 7)))
    reader.start()
    assert outlet.close(10.0)
    reader.join(10.0)
    assert got == [MUCH + b"the end"], "everything, in order"
    assert outlet.pending == 0


def test_what_has_not_left_when_the_time_is_over_never_does(pipe: tuple[int, int]) -> None:
    outlet = Outlet(pipe[1], "test")
    outlet.write(MUCH)
    assert not outlet.close(0.05)
    outlet.write(b"more")
    assert outlet.pending <= len(MUCH)


def test_a_reader_that_leaves_is_told(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    outlet = Outlet(pipe[1], "test")
    outlet.write(b"x")
    assert outlet.drain(10.0)
    assert isinstance(outlet.error, BrokenPipeError)
    with os.fdopen(pipe[1], "w", closefd=False) as stream, pytest.raises(BrokenPipeError):
        PatientStream(stream, "test", outlet=outlet).write("y")


def test_a_stopped_terminal_takes_the_rest_when_it_reads_again() -> None:
    master, slave = pty.openpty()
    idle = threading.Event()
    outlet = Outlet(slave, "test", idle.set)
    try:
        outlet.write(b"x" * 200_000)
        assert not outlet.drain(0.05), "more than a terminal holds"
        assert read(master, 200_000) == b"x" * 200_000
        assert idle.wait(10.0)
    finally:
        outlet.close(1.0)
        os.close(master)
        os.close(slave)


def test_a_terminal_that_stays_stopped_ends_no_program_late() -> None:
    master, slave = pty.openpty()
    outlet = Outlet(slave, "test")
    outlet.write(b"x" * 200_000)
    assert not outlet.close(0.05)
    assert outlet._thread is not None
    outlet._thread.join(10.0)
    assert not outlet._thread.is_alive(), "no thread is left in a write"
    os.close(master)
    os.close(slave)


class PausedConsole:
    """A Windows console: writing to it blocks while text on it is selected."""

    def __init__(self) -> None:
        self.is_reading = threading.Event()
        self.is_cancelled = False
        self.got = b""
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(data)
        self.is_reading.wait()
        if self.is_cancelled:
            raise OSError(995, "the operation was aborted")
        self.got += data
        return len(data)

    def cancel(self, _thread: int) -> None:
        self.is_cancelled = True
        self.is_reading.set()


def console_outlet(console: PausedConsole, on_idle: Callable[[], None] | None = None) -> Outlet:
    return Outlet(-1, "test", on_idle, BlockingSink(console.write, console.cancel))


def test_a_paused_console_holds_nobody_up_and_takes_the_rest_when_it_goes_on() -> None:
    console, idle = PausedConsole(), threading.Event()
    outlet = console_outlet(console, idle.set)
    outlet.write(b"x" * 5_000)
    assert not outlet.drain(0.05)
    assert outlet.pending == 5_000
    assert outlet.waiting_s > 0.0
    outlet.write("é".encode() * 3_000)
    console.is_reading.set()
    assert idle.wait(10.0)
    assert outlet.close(10.0)
    assert console.got == b"x" * 5_000 + "é".encode() * 3_000
    for piece in console.pieces:
        piece.decode()  # no piece ends within a character
    assert not console.is_cancelled


def test_a_write_that_a_paused_console_holds_is_given_up_at_the_end() -> None:
    console = PausedConsole()
    outlet = console_outlet(console)
    outlet.write(b"x" * 5_000)
    assert not outlet.close(0.05)
    assert console.is_cancelled
    assert outlet._thread is not None
    outlet._thread.join(10.0)
    assert not outlet._thread.is_alive(), "no thread is left in a write"


@pytest.mark.parametrize("text", ["plain", "é" * 300, "€" * 300, "🎤" * 300, "x🎤" * 200])
@pytest.mark.parametrize("most", [1, 4, 5, 6, 7, 255, 512])
def test_pieces_end_between_characters(text: str, most: int) -> None:
    data = memoryview(text.encode())
    pieces = []
    while data:
        pieces.append(whole_characters(data, most))
        assert 0 < len(pieces[-1]) <= most
        data = data[len(pieces[-1]) :]
    assert b"".join(pieces).decode() == text
    if most >= 4:
        assert all(piece.decode() for piece in pieces)
