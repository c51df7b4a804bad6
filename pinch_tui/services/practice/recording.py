"""``--record``: the received audio of each session as a WAV file, and a log next to it.

Every frame updates the WAV's header, so the file can be read at any time and after a kill. The log (``.jsonl``) has one
object per line: ``t`` (`time.monotonic` at arrival), ``kind`` and that kind's fields.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from pinch_tui.errors import InputFileError
from pinch_tui.services.practice.ports import EAR_RATE

_HEADER_BYTES = 44


def wav_header(n_bytes: int) -> bytes:
    """The header for ``n_bytes`` of mono PCM16 at 16 kHz."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _HEADER_BYTES - 8 + n_bytes, b"WAVE", b"fmt ", 16, 1, 1, EAR_RATE, EAR_RATE * 2, 2, 16),
        *(b"data", n_bytes),
    )


def _create(path: Path) -> int:
    """A new file with mode 0600, since it contains speech."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)


@contextlib.contextmanager
def _reporting(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise InputFileError(f"Nothing can be recorded in {folder}: {exc.strerror}.") from exc


def make_folder(folder: Path) -> None:
    """Create the folder for recordings and its parents (0700). Raises `InputFileError`."""
    with _reporting(folder):
        for new in [*reversed([parent for parent in folder.parents if not parent.exists()]), folder]:
            new.mkdir(0o700, exist_ok=True)


class Recording:
    """One session's files, named after its id. All methods but `close` raise `InputFileError` if writing fails."""

    def __init__(self, folder: Path, session_id: str) -> None:
        self._folder = folder
        self._wav_path, self._log_path = folder / f"{session_id}.wav", folder / f"{session_id}.jsonl"
        self._n_bytes = 0
        with _reporting(folder), contextlib.ExitStack() as files:
            self._wav: BinaryIO = files.enter_context(os.fdopen(_create(self._wav_path), "wb", 0))
            self._log: TextIO = files.enter_context(os.fdopen(_create(self._log_path), "w", 1, encoding="utf-8"))
            self._write(b"")
            files.pop_all()

    def audio(self, data: bytes, now: float) -> None:
        at = self._n_bytes // 2
        self._write(data)
        self.event(now, "audio", at=at, n_samples=len(data) // 2)

    def event(self, now: float, kind: str, **fields: Any) -> None:
        with _reporting(self._folder):
            self._log.write(json.dumps({"t": now, "kind": kind, **fields}) + "\n")

    def close(self) -> None:
        """Close the files; remove them if no audio arrived, as in a spare session."""
        for file, path in ((self._wav, self._wav_path), (self._log, self._log_path)):
            # A full disk was already reported by the write.
            with contextlib.suppress(OSError):
                file.close()
            if not self._n_bytes:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _write(self, data: bytes) -> None:
        with _reporting(self._folder):
            self._wav.seek(_HEADER_BYTES + self._n_bytes)
            self._wav.write(data)
            self._n_bytes += len(data)
            self._wav.seek(0)
            self._wav.write(wav_header(self._n_bytes))
