"""Which conversations a running copy of the program has open."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def hold(fd: int) -> None:
    """Show other copies of the program that this conversation is open, as long as the file is."""
    if sys.platform != "win32":
        import fcntl

        with contextlib.suppress(OSError):  # not every file system can
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_held(path: Path) -> bool:
    """Whether a running copy has this conversation open. Raises OSError when the file cannot be opened.

    On Windows nobody can remove an open file, so that this need not be known.
    """
    if sys.platform == "win32":
        return False
    import fcntl

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
