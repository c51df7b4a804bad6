"""The bytes of a recording: a file, a pipe or standard input, whose beginning can be examined and read again.

Streams are read from their descriptor, not through Python's buffer: the interpreter cannot exit while a thread holds
the lock of a buffer.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, Final

from pinch_tui.core.transcript.clean import printable
from pinch_tui.errors import InputFileError, why

READ_BYTES: Final = 64 * 1024
KEPT: Final = 4 * 1024 * 1024
"""Bytes that can be rewound: decoders accept or refuse a stream within its first blocks."""
FORMATS: Final = "Give a WAV, FLAC, OGG or MP3 file, or another one that ffmpeg can read."


class ByteSource:
    """Bytes in order. ``path`` and ``size`` are those of a regular file, else None.

    `read` and `peek` raise `InputFileError` if reading fails.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        name: str,
        *,
        path: Path | None = None,
        size: int | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.path = path
        self.size = size
        self._read = read
        self._close = close
        self._kept: bytearray | None = bytearray()  # everything since the beginning; None beyond `KEPT`
        self._ahead = bytearray()
        self._at_end = False

    @property
    def can_rewind(self) -> bool:
        return self._kept is not None

    def peek(self, n: int) -> bytes:
        """Wait for the next ``n`` bytes, fewer only at the end, without consuming them."""
        while len(self._ahead) < n and self._pull():
            pass
        return bytes(self._ahead[:n])

    def is_whole(self, n: int) -> bool:
        """True if at most ``n`` bytes are known to be left. Never waits."""
        return self._at_end and len(self._ahead) <= n

    def read(self, n: int = READ_BYTES) -> bytes:
        """Up to ``n`` bytes, as soon as any are available; b"" at the end."""
        if not self._ahead:
            self._pull()
        data = bytes(self._ahead[:n])
        del self._ahead[:n]
        if self._kept is not None:
            self._kept += data
            if len(self._kept) > KEPT:
                self._kept = None
        return data

    def exactly(self, n: int) -> bytes:
        """``n`` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while n > 0 and (part := self.read(n)):
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def skip(self, n: int) -> None:
        while n > 0 and (part := self.read(min(n, READ_BYTES))):
            n -= len(part)

    def rewind(self) -> None:
        """Back to the beginning; requires `can_rewind`."""
        assert self._kept is not None, "cannot rewind"
        self._ahead[:0] = self._kept
        self._kept.clear()

    def close(self) -> None:
        self._close()

    def _pull(self) -> bool:
        if self._at_end:
            return False
        try:
            data = self._read(READ_BYTES)
        except OSError as exc:
            raise InputFileError(f"{self.name} cannot be read: {why(exc)}.", "Copy it to another place.") from exc
        except ValueError:  # closed meanwhile
            data = b""
        self._at_end = not data
        self._ahead += data
        return bool(data)


class Feeder:
    """A thread that copies ``read()`` into a decoder's pipe until either side ends. `failure`: why reading failed."""

    def __init__(self, read: Callable[[], bytes], pipe: IO[bytes], name: str) -> None:
        self._read = read
        self._pipe = pipe
        self.failure: InputFileError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, which comes at the end of the input, or at the next write after the pipe is closed."""
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._pipe as pipe:
                while data := self._read():
                    pipe.write(data)
                    pipe.flush()
        except (BrokenPipeError, ValueError):  # the decoder is done
            pass
        except InputFileError as exc:
            self.failure = exc


def display_name(source: Path | BinaryIO) -> str:
    """The name of a source for messages, without control characters."""
    name = str(source) if isinstance(source, Path) else str(getattr(source, "name", ""))
    if name in ("", "<stdin>", "-"):
        return "standard input"
    return printable(name)


def check_path(path: Path) -> bool:
    """True for a regular file, False for a pipe or a socket, which can be read only once.

    Raises `InputFileError` with the true reason if it is neither, or is not readable.
    """
    name = display_name(path)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path.stat says the same, and a name of bytes passes here
    except OSError as exc:
        raise InputFileError(f"{name} cannot be read: {why(exc)}.", FORMATS) from exc
    except ValueError as exc:  # a zero byte
        raise InputFileError(f"{name} is not a valid file name.", FORMATS) from exc
    what = {stat.S_IFDIR: "a folder", stat.S_IFBLK: "a disk", stat.S_IFCHR: "a device"}.get(stat.S_IFMT(mode))
    if what is not None:
        raise InputFileError(f"{name} is {what}, not a sound file.", FORMATS)
    if not os.access(path, os.R_OK):
        raise InputFileError(f"{name} cannot be read: you have no permission.", "Change its permissions: chmod +r.")
    return stat.S_ISREG(mode)


def open_source(source: Path | BinaryIO) -> ByteSource:
    """Open a file or a named pipe, or wrap an open stream. Raises `InputFileError` with the true reason.

    Opening a named pipe waits, possibly for ever, for a program to open its other end.
    """
    name = display_name(source)
    if not isinstance(source, Path):
        return ByteSource(_reading(source), name)
    is_regular = check_path(source)
    try:
        handle = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as exc:
        raise InputFileError(f"{name} cannot be read: {why(exc)}.", FORMATS) from exc
    size = os.fstat(handle).st_size if is_regular else None

    def close() -> None:
        nonlocal handle
        if handle >= 0:
            with contextlib.suppress(OSError):
                os.close(handle)
            handle = -1

    return ByteSource(lambda n: os.read(handle, n), name, path=source if is_regular else None, size=size, close=close)


def _reading(stream: BinaryIO) -> Callable[[int], bytes]:
    """A function that reads the available bytes without waiting for a full block, so a live pipe starts at once."""
    try:
        stream.fileno()
    except (AttributeError, io.UnsupportedOperation, ValueError):
        read1 = getattr(stream, "read1", None) or stream.read
        return lambda n: bytes(read1(n) or b"")
    return lambda n: os.read(stream.fileno(), n)
