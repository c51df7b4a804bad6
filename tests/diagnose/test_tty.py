from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from pinch_tui.diagnose import tty
from pinch_tui.diagnose.tty import KeyAnswer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")


@pytest.fixture
def pair() -> Iterator[tuple[int, int]]:
    import pty

    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


class Clock:
    def __init__(self) -> None:
        self.t = 0.0

    def __call__(self) -> float:
        return self.t


def asked(*answers: bytes) -> tuple[KeyAnswer, bytes]:
    """Ask a terminal that says these things, one a read, then nothing."""
    clock, sent, script = Clock(), bytearray(), list(answers)

    def read(within_s: float) -> bytes:
        if script:
            clock.t += 0.005
            return script.pop(0)
        clock.t += within_s
        return b""

    answer = tty.ask(read, sent.extend, 1.0, clock)
    return answer, bytes(sent)


@pytest.mark.parametrize(
    ("answers", "flags", "has_answered"),
    [
        ((b"\x1b[?27u\x1b[?62;c",), 27, True),
        ((b"\x1b[?2", b"7u\x1b[", b"?6c"), 27, True),
        ((b"\x1b[?1;2c",), None, True),
        ((b"\x1b[?1u\x1b[?62c",), 1, True),
        ((), None, False),
        ((b"garbage", b"\x1b[?27"), None, False),
    ],
)
def test_answers(answers: tuple[bytes, ...], flags: int | None, has_answered: bool) -> None:
    answer, sent = asked(*answers)
    assert (answer.flags, answer.has_answered) == (flags, has_answered)
    assert sent == tty.PUSH + tty.QUESTION + tty.POP
    assert answer.waited_ms == (1000 if not has_answered else 5 * len(answers))


def test_a_terminal_that_breaks_is_still_asked_to_forget() -> None:
    sent = bytearray()

    def read(within_s: float) -> bytes:
        raise OSError(5, "gone")

    with pytest.raises(OSError, match="gone"):
        tty.ask(read, sent.extend, 1.0)
    assert sent.endswith(tty.POP)


def test_the_mode_is_put_back_whatever_happens(pair: tuple[int, int]) -> None:
    import termios

    _, slave = pair
    before = termios.tcgetattr(slave)
    with pytest.raises(KeyError), tty.raw(slave):
        during = termios.tcgetattr(slave)
        assert not during[3] & termios.ICANON
        assert not during[3] & termios.ISIG
        raise KeyError
    assert termios.tcgetattr(slave) == before


def test_a_pipe_is_no_terminal() -> None:
    left, right = os.pipe()
    try:
        with pytest.raises(OSError, match="not a terminal"), tty.raw(left):
            pass
    finally:
        os.close(left)
        os.close(right)


def test_reading_and_writing(pair: tuple[int, int]) -> None:
    master, slave = pair
    with tty.raw(slave):
        read, write = tty.reader(slave), tty.writer(slave)
        assert read(0.0) == b""
        os.write(master, b" x")
        assert read(1.0) == b" x"
        write(b"y" * 1000)
        assert os.read(master, 2000) == b"y" * 1000


def test_a_terminal_that_is_gone_is_not_one_that_is_silent() -> None:
    end, other = os.pipe()
    read = tty.reader(end)
    assert read(0) == b""
    os.close(other)
    with pytest.raises(OSError, match="hung up"):
        read(0)
    os.close(end)
