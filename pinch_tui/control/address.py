"""The address of outside control on each system.

Separate from the endpoints, because the client must not import asyncio: it has to finish within a key press.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pinch_tui.control.messages import ControlError

MAX_SOCKET_PATH = 100
"""Bytes of a socket's path that every system accepts (Linux 107, macOS 103)."""


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name for ``path`` that is short enough for a socket address, valid inside the block.

    A long path is reached through an open folder below ``/proc/self/fd``. Raises `ControlError` where that is missing.
    """
    name = os.fspath(path)
    if len(os.fsencode(name)) <= MAX_SOCKET_PATH:
        yield name
        return
    if sys.platform == "win32" or not Path("/proc/self/fd").is_dir():
        raise ControlError(
            "The runtime folder's name is too long for a socket.", "Point PINCH_TUI_HOME at a shorter path."
        )
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def pipe_name(path: Path) -> str:
    """The named pipe that stands for a socket path on Windows: one for each user and home."""
    digest = hashlib.sha256(str(path).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return rf"\\.\pipe\pinch-tui-{digest}"
