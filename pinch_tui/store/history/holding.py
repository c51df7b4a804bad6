"""Which conversations a running copy of the program has open."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 40
    """Windows locks bytes. This one, beyond the end of any conversation, stands for the whole file."""

    def hold(fd: int) -> None:
        """Show other copies of the program that this conversation is open, as long as the file is."""
        claim(fd)

    def claim(fd: int) -> bool:
        """Hold a conversation that is there already; False when another copy of the program does."""
        try:
            os.lseek(fd, _FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def is_held(path: Path) -> bool:
        """Here an open file cannot be removed, so other copies need not be told."""
        return False

else:
    import fcntl

    def hold(fd: int) -> None:
        """Show other copies of the program that this conversation is open, as long as the file is."""
        with contextlib.suppress(OSError):  # not every file system can
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def claim(fd: int) -> bool:
        """Hold a conversation that is there already; False when another copy of the program does."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # not every file system can
            return True
        return True

    def is_held(path: Path) -> bool:
        """Whether a running copy has this conversation open. Raises OSError when the file cannot be opened."""
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(fd)
        return False
