"""The terminal as a device: raw mode that is always undone, reading with a deadline, and the query for key releases.

The query follows section 1.4 of the talk key's reference: request flags 27, query the flags in force, query the device
attributes, which every terminal answers; then withdraw the request. POSIX only; on Windows nothing is queried.
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

PUSH = b"\x1b[>27u"
POP = b"\x1b[<u"
QUESTION = b"\x1b[?u\x1b[c"
FLAGS = re.compile(rb"\x1b\[\?(\d{1,4})u")
ATTRIBUTES = re.compile(rb"\x1b\[\?[\d;]*c")

Read = Callable[[float], bytes]
"""Takes a time limit in seconds; returns the bytes that arrived, b"" for none."""
Write = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """A terminal's answer to the query for key releases. ``flags`` is None if it does not know the query."""

    flags: int | None
    has_answered: bool
    waited_ms: int = 0


@contextlib.contextmanager
def raw(fd: int) -> Iterator[None]:
    """Raw mode on a terminal, always undone at the end. Raises OSError if it is not a terminal."""
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
    """The controlling terminal, for reading and writing, even if streams are redirected. Raises OSError."""
    if sys.platform == "win32":
        raise OSError("a console is not a file")
    fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    try:
        yield fd
    finally:
        os.close(fd)


def reader(fd: int) -> Read:
    """A `Read` from a terminal in raw mode. It raises `OSError` if the terminal has gone."""

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
    """A `Write` to a terminal that writes everything."""

    def write(data: bytes) -> None:
        while data:
            data = data[os.write(fd, data) :]

    return write


def ask(read: Read, write: Write, within_s: float, clock: Callable[[], float] = time.monotonic) -> KeyAnswer:
    """Ask a terminal in raw mode whether it reports key releases, and restore its state."""
    start = clock()
    answer = b""
    write(PUSH + QUESTION)
    try:
        while (left := start + within_s - clock()) > 0 and not ATTRIBUTES.search(answer):
            answer += read(left)
    finally:
        write(POP)
    waited = round((clock() - start) * 1000)
    flags = FLAGS.search(answer)
    has_answered = flags is not None or ATTRIBUTES.search(answer) is not None
    return KeyAnswer(int(flags.group(1)) if flags else None, has_answered, waited)


def ask_here(*, is_remote: bool) -> KeyAnswer | None:
    """Ask the controlling terminal; None without one, or (on Windows) without a way to ask."""
    if sys.platform == "win32":
        return None
    try:
        with terminal() as fd:
            if os.tcgetpgrp(fd) != os.getpgrp():
                return None  # a background job would be stopped for changing the terminal's mode
            with raw(fd):
                return ask(reader(fd), writer(fd), 2.0 if is_remote else 1.0)
    except OSError:
        return None
