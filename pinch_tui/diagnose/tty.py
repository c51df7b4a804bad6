"""The terminal as a device: raw mode that is always undone, reading with a deadline, and the question about keys.

The question is that of the talk key's reference, section 1.4: ask for flags 27, ask what is in force, ask for the
device attributes, which every terminal answers; then take the request back. POSIX only; on Windows nothing is asked.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ASK_S = 1.0
ASK_REMOTE_S = 2.0
PUSH = b"\x1b[>27u"
POP = b"\x1b[<u"
QUESTION = b"\x1b[?u\x1b[c"
FLAGS = re.compile(rb"\x1b\[\?(\d{1,4})u")
ATTRIBUTES = re.compile(rb"\x1b\[\?[\d;]*c")

Read = Callable[[float], bytes]
"""The bytes that arrive within a number of seconds, b"" for none."""
Write = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What a terminal answered when asked for key releases. ``flags`` None: it does not know the question."""

    flags: int | None
    has_answered: bool
    waited_ms: int = 0


@contextlib.contextmanager
def raw(fd: int) -> Iterator[None]:
    """Raw mode on a terminal, undone at the end whatever happens. Raises OSError when it is no terminal."""
    if sys.platform == "win32":
        raise OSError("a console has no raw mode")
    import termios
    import tty

    try:
        before = termios.tcgetattr(fd)
    except termios.error as exc:
        raise OSError("not a terminal") from exc
    try:
        tty.setraw(fd, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)


@contextlib.contextmanager
def terminal() -> Iterator[int]:
    """The controlling terminal, for reading and writing, whatever is redirected. Raises OSError."""
    if sys.platform == "win32":
        raise OSError("a console is no file")
    fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    try:
        yield fd
    finally:
        os.close(fd)


def reader(fd: int) -> Read:
    """Read from a terminal that is in raw mode. Raises `OSError` when it is gone, b"" means that nothing came."""

    def read(within_s: float) -> bytes:
        ready, _, _ = select.select([fd], [], [], max(0.0, within_s))
        if not ready:
            return b""
        data = os.read(fd, 4096)
        if not data:
            raise OSError(errno.EIO, "the terminal hung up")
        return data

    return read


def writer(fd: int) -> Write:
    """Write to a terminal, whole."""

    def write(data: bytes) -> None:
        while data:
            data = data[os.write(fd, data) :]

    return write


def ask(read: Read, write: Write, within_s: float, clock: Callable[[], float] = time.monotonic) -> KeyAnswer:
    """Ask a terminal in raw mode whether it reports key releases, and leave it as it was."""
    start = clock()
    heard = b""
    write(PUSH + QUESTION)
    try:
        while (left := start + within_s - clock()) > 0:
            heard += read(left)
            if ATTRIBUTES.search(heard):
                break
    finally:
        write(POP)
    waited = round((clock() - start) * 1000)
    flags = FLAGS.search(heard)
    has_answered = flags is not None or ATTRIBUTES.search(heard) is not None
    return KeyAnswer(int(flags.group(1)) if flags else None, has_answered, waited)


def ask_here(*, is_remote: bool) -> KeyAnswer | None:
    """Ask the controlling terminal; None where there is none, or (Windows) no way to ask."""
    if sys.platform == "win32":
        return None
    try:
        with terminal() as fd:
            if os.tcgetpgrp(fd) != os.getpgrp():
                return None  # a job in the background is stopped when it touches the terminal's mode
            with raw(fd):
                return ask(reader(fd), writer(fd), ASK_REMOTE_S if is_remote else ASK_S)
    except OSError:
        return None
