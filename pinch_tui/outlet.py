"""Output that never blocks its writer: a thread writes to the terminal or pipe.

Writing to a stopped terminal or an unread pipe can block for any time; `Outlet.write` returns at once. The caller
limits the backlog by watching `Outlet.pending` and `Outlet.waiting_s`.

`PollingSink` asks the system before it writes. `BlockingSink` is for Windows, where only writing shows that a console
is paused (a selection, Ctrl+S).
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, TextIO

POLL_S = 0.1
LAST_WORDS_S = 0.5
"""How long the program waits at its exit for its last output to be written."""
_THREAD_TERMINATE = 0x0001  # the access right that CancelSynchronousIo needs
_PIECE = getattr(select, "PIPE_BUF", 512)  # a writable pipe takes this many bytes without blocking


def key_decoder() -> codecs.IncrementalDecoder:
    """A decoder for the terminal's input, in its locale's encoding. ASCII is read as UTF-8, which contains it."""
    own = codecs.lookup(getattr(sys.__stdin__, "encoding", None) or "utf-8")
    return codecs.getincrementaldecoder("utf-8" if own.name == "ascii" else own.name)("replace")


class Sink(Protocol):
    """Writes an outlet's bytes. Used in the outlet's thread, except for `close`."""

    def put(self, data: memoryview) -> int:
        """Write as much as possible; 0 if nothing could be written for a moment. Raises `OSError`."""

    def close(self, thread: threading.Thread, *, is_done: bool) -> None:
        """Nothing more will be written. ``thread``: the outlet's, which may be inside `put` unless ``is_done``."""


class Outlet:
    """One descriptor. ``on_idle`` is called in the outlet's thread whenever nothing is left to write."""

    def __init__(self, fd: int, name: str, on_idle: Callable[[], None] | None = None, sink: Sink | None = None) -> None:
        self._name = name
        self._on_idle = on_idle
        self._sink = sink or sink_of(fd)
        self._changed = threading.Condition()
        self._queue: deque[bytes] = deque()
        self.pending = 0
        """Bytes not yet written."""
        self._moved_at = 0.0  # when the last bytes were written, or the backlog began
        self._is_closing = False
        self._thread: threading.Thread | None = None
        self.error: OSError | None = None
        """Why writing failed: the reader has gone, or the disk is full. Nothing is written after that."""

    @property
    def waiting_s(self) -> float:
        """Seconds without progress, while bytes are pending."""
        return time.monotonic() - self._moved_at if self.pending else 0.0

    def write(self, data: bytes) -> None:
        """Queue bytes, which are written in order."""
        if not data or self.error is not None or self._is_closing:
            return
        with self._changed:
            if not self.pending:
                self._moved_at = time.monotonic()
            self._queue.append(data)
            self.pending += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self, limit_s: float) -> bool:
        """Block until everything is written, for ``limit_s`` at most; returns whether it was, or writing failed."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.pending or self.error is not None, limit_s)

    def close(self, limit_s: float) -> bool:
        """`drain`, then drop the rest."""
        is_done = self.drain(limit_s)
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._sink.close(self._thread, is_done=is_done)
        return is_done

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._is_closing)
                if self._is_closing:
                    return
                data = self._queue.popleft()
            try:
                self._put(data)
            except OSError as exc:
                with self._changed:
                    self.error = exc
                    self._queue.clear()
                    self.pending = 0
                    self._changed.notify_all()
                return
            if not self.pending and self._on_idle is not None:
                self._on_idle()

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self._is_closing:
            n = self._sink.put(rest)
            rest = rest[n:]
            if n:
                with self._changed:
                    self.pending -= n
                    self._moved_at = time.monotonic()
                    self._changed.notify_all()


class PollingSink:
    """A descriptor that is written to only when it is ready."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._private = _own_terminal(fd)

    def put(self, data: memoryview) -> int:
        if sys.platform == "win32":
            raise OSError("descriptors cannot be polled here")
        target = self._fd if self._private is None else self._private
        poll = select.poll()
        poll.register(target, select.POLLOUT)
        if not poll.poll(POLL_S * 1000):
            return 0
        try:
            return os.write(target, data if self._private is not None else data[:_PIECE])
        except BlockingIOError:
            return 0

    def close(self, thread: threading.Thread, *, is_done: bool) -> None:
        thread.join(2 * POLL_S if self._private is not None or is_done else 0.0)
        if self._private is not None and not thread.is_alive():
            os.close(self._private)
            self._private = None


class BlockingSink:
    """A descriptor whose writes can block for any time. ``write`` returns the number of bytes written; ``cancel`` makes
    the write of the thread with this native id fail."""

    def __init__(self, write: Callable[[bytes], int | None], cancel: Callable[[int], None]) -> None:
        self._write = write
        self._cancel = cancel

    def put(self, data: memoryview) -> int:
        return self._write(whole_characters(data, _PIECE)) or 0

    def close(self, thread: threading.Thread, *, is_done: bool) -> None:
        if not is_done and thread.native_id is not None:
            self._cancel(thread.native_id)
        thread.join(2 * POLL_S)


def sink_of(fd: int) -> Sink:
    """The sink for a descriptor on this system."""
    if sys.platform == "win32":
        # A console's raw stream takes UTF-8 and writes with WriteConsoleW, whatever the code page.
        raw = open(fd, "wb", buffering=0, closefd=False)  # noqa: SIM115  # as long as the process
        return BlockingSink(raw.write, _cancel_writing)
    return PollingSink(fd)


def whole_characters(data: memoryview, most: int) -> bytes:
    """At most ``most`` bytes from the front, without half a UTF-8 character at the end."""
    piece = bytes(data[:most])
    if len(piece) == len(data):
        return piece
    end = most
    while end > most - 4 and end > 0 and data[end] & 0xC0 == 0x80:
        end -= 1
    return piece[: end or most]


def _cancel_writing(thread: int) -> None:
    """Windows: make a blocked write fail, with CancelSynchronousIo. No effect on a thread that is not writing."""
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenThread.restype = ctypes.c_void_p
        handle: int | None = kernel.OpenThread(_THREAD_TERMINATE, False, thread)
        if handle is not None:
            kernel.CancelSynchronousIo(ctypes.c_void_p(handle))
            kernel.CloseHandle(ctypes.c_void_p(handle))


def _own_terminal(fd: int) -> int | None:
    """The terminal, opened again in non-blocking mode for us alone; None if it is no terminal or cannot be opened."""
    if sys.platform == "win32":
        return None
    with contextlib.suppress(OSError):
        if os.isatty(fd):
            return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    return None


def say_briefly(fd: int, text: str) -> bool:
    """Write a last sentence unless the terminal is blocked; returns whether it was written."""
    outlet = Outlet(fd, "pinch-last-words")
    outlet.write(text.encode("utf-8", "replace"))
    return outlet.close(LAST_WORDS_S) and outlet.error is None


class PatientStream:
    """A text stream whose writes never block. ``is_lossy``: nothing is added to a long backlog."""

    MOST_LOSSY = 64 * 1024

    def __init__(self, stream: TextIO, name: str, *, is_lossy: bool = False, outlet: Outlet | None = None) -> None:
        self._stream = stream
        self._is_lossy = is_lossy
        self.outlet = outlet or Outlet(stream.fileno(), name)

    def write(self, text: str) -> int:
        """Raises the OSError of an earlier write: BrokenPipeError if the reader has gone."""
        outlet = self.outlet
        if outlet.error is not None:
            raise outlet.error
        if not (self._is_lossy and outlet.pending > self.MOST_LOSSY):
            outlet.write(text.encode(self._stream.encoding or "utf-8", self._stream.errors or "replace"))
        return len(text)

    def flush(self) -> None:
        """Everything is written as soon as possible anyway."""

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()
