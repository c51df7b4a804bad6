"""The event log (``--events FILE``), for scripts and tests, and the file format it shares with the trace.

One JSON object per line. Every line has ``t`` (``time.monotonic()`` when it happened) and ``kind``; the other fields
depend on the kind. Each line is appended with one write, so that lines of several writers do not mix. When a disk is
full or a reader has gone, that is reported once and the program goes on; the next successful write first ends a line
that was cut off. A slow reader loses lines and never stops the conversation.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pinch_tui.errors import UsageError
from pinch_tui.store.paths import open_output


class JsonLines:
    """Appends to a file (created 0600), a pipe or a device such as ``/dev/stderr``."""

    def __init__(
        self, path: Path, name: str, on_failure: Callable[[str], None] | None, *, flag: str, is_private: bool = False
    ) -> None:
        """Open the file; ``is_private`` makes an existing file 0600, too. Raises `UsageError`."""
        self.path = path
        self.dropped = 0
        """Number of lines that were not written."""
        self._name = name
        self._on_failure = on_failure or (lambda _: None)
        self._has_failed = False
        self._is_torn = False
        self._written = 0  # bytes
        try:
            self._fd: int | None = open_output(path)
            if is_private and sys.platform != "win32" and path.is_file():
                os.fchmod(self._fd, 0o600)
        except OSError as exc:
            raise UsageError(
                f"The {name} {path} cannot be opened: {exc.strerror}.", f"Name a writable file after {flag}."
            ) from exc

    def close(self) -> None:
        """Close the file; later lines are counted as dropped."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _append(self, line: bytes) -> None:
        """Never raises."""
        if self._fd is None:
            self.dropped += 1
            return
        data = (b"\n" if self._is_torn else b"") + line
        done = 0
        try:
            while done < len(data):
                done += os.write(self._fd, data[done:])
            self._is_torn = False
            self._written += len(data)
        except OSError as exc:
            self._is_torn = self._is_torn or done > 0
            self.dropped += 1
            if not self._has_failed:
                self._has_failed = True
                self._on_failure(f"The {self._name} {self.path} cannot be written: {exc.strerror}.")


class EventLog(JsonLines):
    """The event log. ``on_failure`` gets one sentence if lines are lost."""

    def __init__(self, path: Path, on_failure: Callable[[str], None] | None = None) -> None:
        """Raises `UsageError` when the file cannot be opened."""
        super().__init__(path, "event log", on_failure, flag="--events")

    def write(self, t: float, kind: str, fields: Mapping[str, object] | None = None) -> None:
        """Append one event. ``fields`` are JSON-ready; ``t`` and ``kind`` in them are ignored. Never raises."""
        head = {"t": round(t, 6), "kind": kind}
        self._append(encoded(head | {key: _plain(value) for key, value in (fields or {}).items()} | head))


def encoded(fields: Mapping[str, object]) -> bytes:
    """The fields as a line. Values that JSON does not support are written as text."""
    line = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"{line}\n".encode("utf-8", "replace")


def _plain(value: object) -> object:
    """The value with null for infinities and NaN, which JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
