"""Writes the translated speech as a WAV, into a file or, with an open length, into a pipe.

The float samples are written unchanged and in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import struct
import sys
from pathlib import Path
from typing import BinaryIO, Final

from pinch_tui.audio.adapters.null import UnpacedSpeaker
from pinch_tui.audio.recordings.source import display_name
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import OUT_RATE
from pinch_tui.core.sound import SpeakerOpened
from pinch_tui.errors import InputFileError, why
from pinch_tui.outlet import Outlet

OPEN_LENGTH: Final = 0xFFFF_FFFF
"""The length in a WAV header if the real one is unknown, as ffmpeg writes and reads it."""
BEHIND_LIMIT: Final = 32 * 1024 * 1024
"""Bytes that can wait for the pipe's reader: 5.8 minutes of speech."""
_CLOSE_S: Final = 10.0


class _File:
    """A file on a disk, written without a buffer so that a full disk is noticed in time to report it.

    `write` raises OSError. So does `_Pipe.write`, possibly for an earlier write.
    """

    def __init__(self, handle: int, *, is_ours: bool) -> None:
        self._handle = handle
        self._is_ours = is_ours

    def write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._handle, data) :]
        except OSError:
            self._leave()
            raise

    async def close(self, header: bytes) -> None:
        """Complete the header."""
        if self._handle < 0:  # a failed write has been reported
            return
        try:
            os.lseek(self._handle, 0, os.SEEK_SET)
        except OSError:  # a device: its header keeps the open length
            pass
        else:
            self.write(header)
        self._leave()

    def _leave(self) -> None:
        if self._is_ours and self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


class _Pipe:
    """A pipe whose reader can stall. Beyond `BEHIND_LIMIT` unread bytes `write` raises."""

    def __init__(self, handle: int, *, is_ours: bool) -> None:
        self._handle = handle
        self._is_ours = is_ours
        self._outlet = Outlet(handle, "speech-pipe")

    def write(self, data: bytes) -> None:
        if self._outlet.error is not None:
            raise self._outlet.error
        if self._outlet.pending + len(data) > BEHIND_LIMIT:
            raise TimeoutError(None, "its reader is minutes behind")
        self._outlet.write(data)

    async def close(self, header: bytes) -> None:
        """Wait for the reader to take the rest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                while self._outlet.pending:  # noqa: ASYNC110 - a thread's counter
                    await asyncio.sleep(0.02)
        is_written = self._outlet.close(0.0)
        if self._is_ours and is_written:  # otherwise the outlet's thread may still use it
            os.close(self._handle)
        if self._outlet.error is not None:
            raise self._outlet.error
        if not is_written:
            raise TimeoutError(None, "its reader does not take the rest")


class FileSpeaker(UnpacedSpeaker):
    """Writes every played chunk into a 24 kHz mono float32 WAV.

    `aclose` completes a file's header; a pipe, which cannot seek back, gets a header of open length. The constructor
    raises `InputFileError` with the reason: a full disk, a reader that has gone, a pipe without a reader. Later
    failures are kept in ``failure``, because the engine would take an exception for a fault of the session.
    """

    def __init__(self, target: Path | BinaryIO, *, clock: Clock) -> None:
        self.path = target if isinstance(target, Path) else None
        self._name = display_name(target) if isinstance(target, Path) else "standard output"
        super().__init__(clock)
        self._bytes = 0
        self.failure: InputFileError | None = None
        """Why writing has stopped."""
        try:
            self._output, self._is_stream = _opened(target)
        except OSError as exc:
            raise self._failed(exc) from exc
        except ValueError as exc:  # a zero byte
            raise InputFileError(f"{self._name} is not a valid file name.", "Name another file.") from exc
        self._write(wav_header(OPEN_LENGTH if self._is_stream else 0))
        self._inbox.put(SpeakerOpened(self._name, OUT_RATE))

    @property
    def samples_written(self) -> int:
        return self._bytes // 4

    def _take(self, samples: bytes) -> bool:
        if self.failure is None:
            with contextlib.suppress(InputFileError):  # kept in `failure`
                self._write(samples)
                self._bytes += len(samples)
        return True

    async def aclose(self) -> None:
        if self._is_shut:
            return
        await super().aclose()
        try:
            await self._output.close(wav_header(self._bytes))
        except OSError as exc:
            if self.failure is None:
                self._failed(exc)

    def _write(self, data: bytes) -> None:
        try:
            self._output.write(data)
        except OSError as exc:
            raise self._failed(exc) from exc

    def _failed(self, exc: OSError) -> InputFileError:
        hint = "Name another file."
        if isinstance(exc, BrokenPipeError):
            hint = "The program at the pipe's other end has left."
        elif isinstance(exc, TimeoutError):
            hint = "Is the program at the pipe's other end stuck?"
        elif "disk" in why(exc):
            hint = "Free some space, or name another file."
        self.failure = InputFileError(f"{self._name} cannot be written: {why(exc)}.", hint)
        return self.failure


def _opened(target: Path | BinaryIO) -> tuple[_File | _Pipe, bool]:
    """The output, and True if it is a stream. Raises OSError, also for a pipe without a reader."""
    if not isinstance(target, Path):
        handle, is_ours = target.fileno(), False
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        handle, is_ours = os.open(target, flags | getattr(os, "O_NONBLOCK", 0), 0o666), True
        if sys.platform != "win32":
            os.set_blocking(handle, True)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode) or stat.S_ISCHR(mode):
        return _File(handle, is_ours=is_ours), not stat.S_ISREG(mode)
    return _Pipe(handle, is_ours=is_ours), True


def wav_header(data_bytes: int) -> bytes:
    """The header of a 24 kHz mono float32 WAV with ``data_bytes`` of samples (format 3, with its fact chunk).

    An unknown length is `OPEN_LENGTH` in all three places.
    """
    is_open = data_bytes >= OPEN_LENGTH - 58
    size = OPEN_LENGTH if is_open else data_bytes
    fmt = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, 1, OUT_RATE, OUT_RATE * 4, 4, 32, 0)
    fact = struct.pack("<4sII", b"fact", 4, OPEN_LENGTH if is_open else size // 4)
    body = b"WAVE" + fmt + fact + struct.pack("<4sI", b"data", size)
    return struct.pack("<4sI", b"RIFF", OPEN_LENGTH if is_open else len(body) + size) + body
