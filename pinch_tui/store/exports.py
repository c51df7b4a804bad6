"""Files on request: exports and speech. Existing files are never overwritten."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from pathlib import Path

import platformdirs

from pinch_tui.core.transcript.documents import render
from pinch_tui.core.transcript.export import (
    ExportFormat,
    ExportHead,
    ExportPart,
    ExportSide,
    file_name,
    lines_of,
    pair_of,
)
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.errors import UsageError
from pinch_tui.store.paths import BINARY


def create(folder: Path, name_of: Callable[[int], str], data: bytes) -> Path:
    """Write ``data`` (0600) to the first free name of ``name_of(1)``, ``name_of(2)``... Raises `UsageError`."""
    for copy in itertools.count(1):
        path = folder / name_of(copy)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        except FileExistsError:
            continue
        except OSError as exc:
            raise UsageError(f"{path} cannot be written: {exc.strerror}.", "Choose a folder of your own.") from exc
        break
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
    except OSError as exc:
        path.unlink(missing_ok=True)  # half a file would look like a whole one
        raise UsageError(f"{path} cannot be written: {exc.strerror}.", "Free some space and try again.") from exc
    return path


def nothing_in(part: ExportPart) -> str:
    """The message for a part without lines."""
    return f"There is nothing to export in the {part}." if str(part) else "There is nothing to export yet."


def export_conversation(
    folder: Path,
    utterances: Iterable[Utterance],
    format_: ExportFormat,
    side: ExportSide,
    *,
    pair: tuple[str, str],
    starred: Collection[int] = (),
    part: ExportPart = ExportPart(),  # noqa: B008 - a frozen value
    service: str = "",
    context: str = "",
    now: datetime | None = None,
) -> Path:
    """Write the conversation so far; returns the new file. Raises `UsageError` when there is nothing to write.

    ``pair``: the languages in the file's name if the lines have none. ``service``, ``context``: for the head.
    """
    rows = list(utterances)
    lines = lines_of(part.of(rows, starred), starred)
    if not lines:
        raise UsageError(nothing_in(part))
    head = ExportHead(datetime.fromtimestamp(rows[0].started).astimezone(), service, context, str(part))
    text = render(lines, format_, side, head)
    at = now or datetime.now().astimezone()
    source, target = pair_of(lines, pair)
    return create(folder, lambda copy: file_name(at, source, target, format_, side, copy=copy), text.encode("utf-8"))


def save_speech(folder: Path, utterance: int, wav: bytes) -> Path:
    """Write the speech of one line, a complete WAV file; returns the new file."""
    name = f"pinch-{datetime.now().astimezone():%Y-%m-%d-%H%M}-line-{utterance}"
    return create(folder, lambda copy: f"{name}-{copy}.wav" if copy > 1 else f"{name}.wav", wav)


def default_folder() -> Path:
    """The folder for exports, an absolute path: the current folder, else the user's documents, else the home folder."""
    folders = [Path(platformdirs.user_documents_dir())]
    with contextlib.suppress(OSError):  # the current folder was deleted
        folders.insert(0, Path.cwd())
    usable = (folder for folder in folders if folder.is_dir() and os.access(folder, os.W_OK))
    return next(usable, Path(os.path.expanduser("~")))  # noqa: PTH111 - never raises
