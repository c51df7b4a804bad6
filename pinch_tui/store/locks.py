"""A lock between processes: one file, locked by the system, so that a killed process releases it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pinch_tui.errors import UsageError, why
from pinch_tui.store.paths import folder_fault, private_folder


class FileLock:
    """A lock on ``path``, which is created (0600), is never removed, and must not be a link. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self) -> bool:
        """Take the lock if no other process has it. Raises `UsageError` when the file cannot be opened."""
        return self._take(is_waiting=False)

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Hold the lock, after waiting for a process that has it. For short steps only."""
        self._take(is_waiting=True)
        try:
            yield
        finally:
            self.release()

    def _take(self, *, is_waiting: bool) -> bool:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            fd = os.open(self._path, flags, 0o600)
        except OSError as exc:
            raise UsageError(f"{self._path} cannot be opened: {why(exc)}.", "Check the folder's owner.") from exc
        try:
            is_ours = _lock(fd, is_waiting=is_waiting)
        except OSError:
            os.close(fd)
            raise
        if not is_ours:
            os.close(fd)
            return False
        self._fd = fd
        return True


class MicrophoneLock:
    """The copy of the program that has the microphone holds the lock on ``path`` as long as it runs.

    Where locks do not work, every copy has the microphone, as if it were the only one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path)
        self._has_it = False

    def take(self) -> bool:
        """Claim the microphone unless another copy has it. Does not wait."""
        if self._has_it:
            return True
        try:
            if folder_fault(private_folder(self._path.parent)) is not None:
                return True
            self._has_it = self._lock.take()
        except (OSError, UsageError):
            return True
        return self._has_it

    def release(self) -> None:
        if self._has_it:
            self._has_it = False
            self._lock.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int, *, is_waiting: bool) -> bool:
        """Waiting gives up after ten seconds, as the C library does."""
        try:
            msvcrt.locking(fd, msvcrt.LK_LOCK if is_waiting else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(fd: int, *, is_waiting: bool) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if is_waiting else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
