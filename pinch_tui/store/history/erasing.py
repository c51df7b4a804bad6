"""Removes cancelled utterances from a conversation's file: the file is rewritten without them and replaced."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from pinch_tui.store.paths import write_private


def erase(path: Path, utterances: Collection[int], since: int = 0) -> None:
    """Write the file without any line about these utterances; everything before byte ``since`` stays as it is.

    An unreadable line may hold their words, so it is removed, too. Raises OSError; the file is then complete, with the
    words or without.
    """
    before, after = (data := path.read_bytes())[:since], data[since:]
    kept = [line for line in after.splitlines(keepends=True) if not _is_about(line, utterances)]
    write_private(path, before + b"".join(kept))


def _is_about(line: bytes, utterances: Collection[int]) -> bool:
    try:
        fields = json.loads(line)
    except ValueError:
        return True
    return isinstance(fields, dict) and fields.get("utterance") in utterances
