"""Decodes a recording in a thread, up to `AHEAD` blocks before its consumer, without blocking the loop or the exit.

It is a daemon thread, because an executor's thread would delay the exit while the other end of a pipe is silent.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from pinch_tui.audio.recordings.decode import Remark, decoded
from pinch_tui.audio.recordings.source import check_path, open_source
from pinch_tui.errors import InputFileError

AHEAD: Final = 8


class RecordingReader:
    """One pass through one recording; the thread starts with the first `read`.

    ``may_be_raw``: an unknown format is taken for 16 kHz mono PCM16 (standard input and pipes).
    """

    def __init__(self, source: Path | BinaryIO, *, may_be_raw: bool) -> None:
        self._source = source
        self._may_be_raw = may_be_raw
        self._room = threading.Semaphore(AHEAD)
        self._items: asyncio.Queue[bytes | Remark | InputFileError] = asyncio.Queue()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._at_end = False

    async def read(self) -> bytes | Remark:
        """The next samples or remark; b"" at the end. Raises `InputFileError`."""
        if self._at_end or self._is_closed:
            return b""
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, args=(loop,), name="recording", daemon=True)
            self._thread.start()
        item = await self._items.get()
        self._room.release()
        self._at_end = not item or isinstance(item, InputFileError)
        if isinstance(item, InputFileError):
            raise item
        return item

    def close(self) -> None:
        """Stop, and end a waiting `read`. A thread that is stuck in the stream ends with the program."""
        self._is_closed = True
        self._room.release()
        self._items.put_nowait(b"")

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        for item in self._decode():
            self._room.acquire()
            if self._is_closed:
                return
            try:
                loop.call_soon_threadsafe(self._items.put_nowait, item)
            except RuntimeError:  # the loop is closed
                return

    def _decode(self) -> Iterator[bytes | Remark | InputFileError]:
        try:
            source = open_source(self._source)
            try:
                for item in decoded(source, may_be_raw=self._may_be_raw):
                    if item:
                        yield item
            finally:
                source.close()
        except InputFileError as exc:
            yield exc
            return
        yield b""


def check(path: Path) -> bool:
    """Decode the first block of a file, to refuse an unreadable one before a session is opened for it.

    Returns True for a regular file; a pipe can be read only once, so it is not touched. Raises `InputFileError`.
    """
    if not check_path(path):
        return False
    source = open_source(path)
    items = decoded(source, may_be_raw=False)
    try:
        for item in items:
            if isinstance(item, bytes) and item:
                break
    finally:
        items.close()
        source.close()
    return True
