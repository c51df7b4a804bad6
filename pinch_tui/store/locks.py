"""Locks between processes. The system holds them for an open file, so a killed process releases its own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pinch_tui.errors import UsageError, why
from pinch_tui.store.paths import folder_fault, private_folder


def lock_file(path: Path, *, is_waiting: bool = False) -> int | None:
    """Lock a file, which is created (0600), is never removed, and must not be a link.

    Returns the descriptor whose closing releases the lock; None if another process has it. Raises OSError.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0), 0o600)
    is_ours = False
    try:
        is_ours = _lock(fd, is_waiting=is_waiting)
    finally:
        if not is_ours:
            os.close(fd)
    return fd if is_ours else None


class FileLock:
    """A lock on ``path``. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self, *, is_waiting: bool = False) -> bool:
        """Take the lock if no other process has it. Raises `UsageError` when the file cannot be opened."""
        try:
            fd = lock_file(self._path, is_waiting=is_waiting)
        except OSError as exc:
            raise UsageError(f"{self._path} cannot be opened: {why(exc)}.", "Check the folder's owner.") from exc
        if fd is not None:
            self._fd = fd
        return fd is not None

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Hold the lock, after waiting for a process that has it. For short steps only."""
        self.take(is_waiting=True)
        try:
            yield
        finally:
            self.release()


class MicrophoneLock(FileLock):
    """Held by the copy of the program that uses the microphone.

    Where locks do not work, every copy uses the microphone, as if it were the only one.
    """

    def take(self, *, is_waiting: bool = False) -> bool:
        """Claim the microphone unless another copy has it."""
        if self._fd is not None:
            return True
        try:
            if folder_fault(private_folder(self._path.parent)) is not None:
                return True
            return super().take(is_waiting=is_waiting)
        except (OSError, UsageError):
            return True


def claim(fd: int) -> bool:
    """Lock a conversation until its file is closed; False when another copy of the program has it open."""
    try:
        return _lock(fd)
    except OSError:  # not every file system can
        return True


def is_held(path: Path) -> bool:
    """Whether a running copy has this conversation open. Raises OSError when the file cannot be opened."""
    if sys.platform == "win32":
        return False  # Windows does not remove an open file, so there is no need to ask
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return not claim(fd)
    finally:
        os.close(fd)


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 40
    """Windows locks bytes, which other processes then cannot read. This one is beyond the end of any file."""

    def _lock(fd: int, *, is_waiting: bool = False) -> bool:
        """Waiting gives up after ten seconds, as the C library does."""
        try:
            os.lseek(fd, _FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_LOCK if is_waiting else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(fd: int, *, is_waiting: bool = False) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if is_waiting else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
