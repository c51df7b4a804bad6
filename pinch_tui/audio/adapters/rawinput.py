"""Reads a byte stream that may block for ever (standard input) without ever blocking the loop or the exit.

A daemon thread reads: unlike an executor's thread it keeps nobody from leaving while the other end of a pipe is silent.
It reads the stream's descriptor, past Python's buffer: the interpreter cannot leave while a thread holds the lock of a
buffer that it wants to flush. Bound: `AHEAD` blocks are read ahead, then the thread waits.
"""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Callable
from typing import BinaryIO, Final

READ_BYTES: Final = 64 * 1024
AHEAD: Final = 8


class RawReader:
    """One reader of one stream; the thread starts with the first `read`."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._room = threading.Semaphore(AHEAD)
        self._blocks: asyncio.Queue[bytes] = asyncio.Queue()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._at_end = False

    async def read(self) -> bytes:
        """The next bytes, as soon as there are some; b"" at the end (a read error ends it too)."""
        if self._at_end or self._is_closed:
            return b""
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, args=(loop,), name="raw-input", daemon=True)
            self._thread.start()
        block = await self._blocks.get()
        self._room.release()
        self._at_end = not block
        return block

    def close(self) -> None:
        """Stop: a waiting `read` ends. A thread that is stuck in the stream dies with the program."""
        self._is_closed = True
        self._room.release()
        self._blocks.put_nowait(b"")

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        read = _reading(self._source)
        block = b"?"
        while block and not self._is_closed:
            self._room.acquire()
            try:
                block = read(READ_BYTES)
            except (OSError, ValueError):
                block = b""
            try:
                loop.call_soon_threadsafe(self._blocks.put_nowait, block)
            except RuntimeError:  # the loop is closed: nobody listens any more
                return


def _reading(source: BinaryIO) -> Callable[[int], bytes]:
    """Reads what is there now instead of waiting for a whole block: a live pipe is heard at once."""
    try:
        descriptor = source.fileno()
    except (AttributeError, io.UnsupportedOperation, ValueError):
        read1 = getattr(source, "read1", None) or source.read
        return lambda n: bytes(read1(n) or b"")
    return lambda n: os.read(descriptor, n)
