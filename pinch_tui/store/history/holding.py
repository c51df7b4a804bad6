"""Which conversations a running copy of the program has open."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 40
    """Windows locks bytes. This one, beyond the end of any conversation, stands for the whole file."""

    def claim(fd: int) -> bool:
        """Hold a conversation as long as its file is open; False when another copy of the program does."""
        try:
            os.lseek(fd, _FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def is_held(path: Path) -> bool:
        """Windows does not remove an open file, so there is no need to ask."""
        return False

else:
    import fcntl

    def claim(fd: int) -> bool:
        """Hold a conversation as long as its file is open; False when another copy of the program does."""
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
            return not claim(fd)
        finally:
            os.close(fd)
