"""The log file: rotating, 0600, without transcripts and without secrets.

Only this program's own loggers are written, and warnings of asyncio's; those of the HTTP and WebSocket libraries would
hold URLs, tokens and texts. Everything that is written passes `Redactor`, tracebacks included.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
import traceback
from collections.abc import Iterable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from pinch_tui.core.secrecy import redact
from pinch_tui.errors import UsageError
from pinch_tui.store.paths import open_output, private_folder

MAX_BYTES = 1_000_000
BACKUPS = 3
ROOT = "pinch_tui"


def append_fault(path: Path, fault: BaseException) -> Path | None:
    """Append where an unexpected exception was raised. Returns the file, None if it cannot be written.

    Types, files and lines only: an exception's message may hold a transcript or a secret.
    """
    lines = [f"{time.strftime('%Y-%m-%d %H:%M:%S')} FAULT"]
    link: BaseException | None = fault
    while link is not None:
        lines.append(f"  {type(link).__module__}.{type(link).__qualname__}")
        lines += [
            f"    {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(link.__traceback__)
        ]
        link = link.__cause__ or link.__context__
    try:
        private_folder(path.parent)
        handle = open_output(path)
        with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as file:
            file.write("\n".join(lines) + "\n")
    except OSError:
        return None
    return path


class Redactor(logging.Formatter):
    """Formats a record and removes every secret from the result. ``secrets`` may grow while the program runs."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.secrets: set[str] = set()

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self.secrets)


class _PrivateRotatingFile(RotatingFileHandler):
    """A rotating file that only its owner may read, and whose failures do not print on the screen."""

    def _open(self) -> TextIOWrapper:
        handle = open_output(Path(self.baseFilename))
        return os.fdopen(handle, "a", encoding="utf-8", errors="replace")

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a full disk, once more
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the base class's name)
        """A full disk must neither stop the program nor print over the screen."""


def configure(path: Path, *, secrets: Iterable[str] = (), is_required: bool = False) -> Redactor:
    """Write the program's log to ``path`` from now on; returns the redactor, to which later secrets are added.

    Raises `UsageError` when the file cannot be opened and ``is_required`` (it was asked for with ``--log-file``);
    otherwise nothing is logged.
    """
    redactor = Redactor()
    redactor.secrets.update(secrets)
    logger = logging.getLogger(ROOT)
    close()
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        private_folder(path.parent)
        handler: logging.Handler = _PrivateRotatingFile(path, maxBytes=MAX_BYTES, backupCount=BACKUPS)
    except OSError as exc:
        if is_required:
            raise UsageError(
                f"The log {path} cannot be opened: {exc.strerror}.", "Name a writable file after --log-file."
            ) from exc
        handler = logging.NullHandler()
    handler.setFormatter(redactor)
    logger.addHandler(handler)
    loop_logger = logging.getLogger("asyncio")
    loop_logger.setLevel(logging.WARNING)
    loop_logger.propagate = False
    loop_logger.addHandler(handler)
    return redactor


def close() -> None:
    """Close the log file, if one is open."""
    for name in (ROOT, "asyncio"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            with contextlib.suppress(OSError):  # a full disk
                handler.close()
        logger.propagate = True
