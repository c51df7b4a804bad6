"""Saves the files of a finished job: each is written to a ``.part`` file, then renamed to a free name."""

from __future__ import annotations

import contextlib
import filecmp
import itertools
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pinch_tui.dub.model import Output, Phase, Record
from pinch_tui.dub.names import output_name
from pinch_tui.errors import UsageError, why

_ELSEWHERE = "Name another place with --out."


class Place:
    """The destination of one output. Existing files are never overwritten: a name that is taken gets a number."""

    def __init__(self, record: Record, output: Output, folder: Path) -> None:
        self._record, self._output, self._folder = record, output, folder
        self._kind = ""
        self._part: Path | None = None

    def begin(self, content_type: str) -> BinaryIO:
        """Open an empty ``.part`` file. Raises OSError."""
        self._kind = content_type
        self._part = _part_of(self._record, self._path(1))
        fd = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
        return os.fdopen(fd, "wb")

    def publish(self) -> Path:
        """Rename the complete file and return its path; an identical file already there is kept. Raises OSError."""
        assert self._part is not None
        with self._part.open("rb+") as file:
            os.fsync(file.fileno())
        for copy in itertools.count(1):
            path = self._path(copy)
            try:
                _rename(self._part, path)
            except FileExistsError:
                # An identical file is this output: an earlier run was killed between renaming it and recording that.
                if not path.is_file() or not filecmp.cmp(self._part, path, shallow=False):
                    continue
                self.discard()
            return path
        raise AssertionError("unreachable")

    def discard(self) -> None:
        """Remove an incomplete file."""
        if self._part is not None:
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)

    def _path(self, copy: int) -> Path:
        return self._folder / output_name(self._record, self._output, content_type=self._kind, copy=copy)


def _rename(part: Path, path: Path) -> None:
    """Rename without overwriting. Raises FileExistsError, OSError."""
    if os.name == "nt":
        part.rename(path)
        return
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: reserve the name with an empty file, then replace that
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        part.replace(path)
    else:
        part.unlink()


def folder_of(record: Record, here: Path) -> Path:
    """The folder of a job's outputs: from ``--out``, else the recording's, else the current folder."""
    if record.out:
        return Path(record.out).parent if record.named_out else Path(record.out)
    return Path(record.file).parent if record.file else here


def check_place(record: Record, here: Path) -> None:
    """Raises `UsageError`, before anything is paid for, if the result could not be saved."""
    folder = folder_of(record, here)
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
        for output in Output:
            _part_of(record, folder / output_name(record, output)).lstat()
    except (FileNotFoundError, NotADirectoryError):
        is_folder = os.path.isdir(folder)  # noqa: PTH112 - never raises
    except OSError as exc:
        raise UsageError(f"The result cannot be written to {folder}: {why(exc)}.", _ELSEWHERE) from exc
    if not is_folder:
        raise UsageError(f"{folder} is not a folder.", _ELSEWHERE)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be written to.", _ELSEWHERE)


def _part_of(record: Record, path: Path) -> Path:
    """Where a file is written first. The record's id distinguishes it from other files."""
    return path.with_name(f"{path.name}.{record.id[-6:]}.part")


def without_missing_outputs(record: Record) -> Record:
    """The record without outputs that no longer exist; they will be downloaded again."""
    outputs = {output: path for output, path in record.outputs.items() if Path(path).is_file()}
    return record if outputs == record.outputs else _unsaved(replace(record, outputs=outputs))


def moved_to(record: Record, out: str) -> Record:
    """The record with another destination for its outputs."""
    return _unsaved(replace(record, out=out, outputs={}))


def _unsaved(record: Record) -> Record:
    return replace(record, phase=Phase.FINISHED) if record.phase is Phase.SAVED else record
