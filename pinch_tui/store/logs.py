"""The log file: rotating, 0600, without transcripts and without secrets.

It takes the messages of this program's own loggers and asyncio's warnings; the HTTP and WebSocket libraries would log
URLs, tokens and texts. Every record passes `Redactor`, tracebacks included.
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
_LEVELS = {"pinch_tui": logging.INFO, "asyncio": logging.WARNING}
"""Logged loggers and their lowest levels."""


def append_fault(path: Path, fault: BaseException) -> Path | None:
    """Append the place where an unexpected exception was raised. Returns the file, None if it cannot be written.

    Only types, files and lines: an exception's message can hold a transcript or a secret.
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
    """Formats a record and removes every secret from it. ``secrets`` can grow while the program runs."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.secrets: set[str] = set()

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self.secrets)


class _PrivateRotatingFile(RotatingFileHandler):
    """A rotating file with mode 0600 that never prints on the screen."""

    def _open(self) -> TextIOWrapper:
        handle = open_output(Path(self.baseFilename))
        return os.fdopen(handle, "a", encoding="utf-8", errors="replace")

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a full disk
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the base class's name)
        """Ignore a full disk: it must neither stop the program nor print over the screen."""


def configure(path: Path, *, secrets: Iterable[str] = (), is_required: bool = False) -> Redactor:
    """Write the program's log to ``path`` from now on; returns the redactor, so that secrets can be added later.

    If the file cannot be opened, raises `UsageError` if ``is_required`` (``--log-file``), else logs nothing.
    """
    redactor = Redactor()
    redactor.secrets.update(secrets)
    close()
    try:
        private_folder(path.parent)
        handler: logging.Handler = _PrivateRotatingFile(path, maxBytes=MAX_BYTES, backupCount=3)
    except OSError as exc:
        if is_required:
            raise UsageError(
                f"The log {path} cannot be opened: {exc.strerror}.", "Name a writable file after --log-file."
            ) from exc
        handler = logging.NullHandler()
    handler.setFormatter(redactor)
    for name, level in _LEVELS.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        logger.addHandler(handler)
    return redactor


def close() -> None:
    """Close the log file, if one is open."""
    for name in _LEVELS:
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
        logger.propagate = True
