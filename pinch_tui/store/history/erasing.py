"""Removes cancelled utterances from a conversation's file: the file is rewritten without them and replaced."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

from pinch_tui.store.paths import sync_folder

_BINARY = getattr(os, "O_BINARY", 0)
LEFTOVER = ".part"
"""Ending of a file that was being written when the program was killed."""


def erase(path: Path, utterances: Collection[int], since: int = 0) -> None:
    """Write the file without any line about these utterances. A line that cannot be read may hold such words, so it
    goes, too. ``since``: everything before this byte stays as it is. Raises OSError; even then the file is complete,
    with the words or without."""
    before, after = (data := path.read_bytes())[:since], data[since:]
    kept = [before, *(line for line in after.splitlines(keepends=True) if not _is_about(line, utterances))]
    part = path.with_name(path.name + LEFTOVER)
    part.unlink(missing_ok=True)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.writelines(kept)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)  # noqa: PTH105 - one step, over the old file
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _is_about(line: bytes, utterances: Collection[int]) -> bool:
    try:
        fields = json.loads(line)
    except ValueError:
        return True
    return isinstance(fields, dict) and fields.get("utterance") in utterances
