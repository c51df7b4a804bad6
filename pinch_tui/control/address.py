"""The address of remote control on each system.

Imports no asyncio, because the client must finish within a key press.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pinch_tui.control.messages import ControlError

if TYPE_CHECKING:
    import asyncio

Serve = Callable[["asyncio.StreamReader", "asyncio.StreamWriter", bool], Awaitable[None]]
"""Serves one connection: reader, writer, and whether the peer is the same user."""
MAX_SOCKET_PATH = 100
"""Length of a socket's path that every system accepts, in bytes (Linux 107, macOS 103)."""


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name for ``path`` that is short enough for a socket address, valid inside the block.

    A long path is reached through its open folder in ``/proc/self/fd``. Raises `ControlError` if there is no such path.
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
    """The name of the pipe that replaces a socket path on Windows, different for each user and home."""
    digest = hashlib.sha256(str(path).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return rf"\\.\pipe\pinch-tui-{digest}"
