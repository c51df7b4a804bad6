"""The event log (``--events FILE``): one JSON object a line, for people's scripts and for tests.

Every line has ``t`` (``time.monotonic()`` where it happened) and ``kind``; what else depends on the kind. Lines are
appended with one write each, so that they are whole and in order even with several writers. Writing never raises: a
full disk or a reader that went away is said once through ``on_failure``, and the program goes on: a line that was cut
off is sealed by the next one that can be written. A reader that is slow loses lines; it never stops the conversation.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from pinch_tui.errors import UsageError
from pinch_tui.store.paths import open_output

SEAL = b"\n"
"""Goes before a line when the one before it was cut off."""


class EventLog:
    """Appends events to a file (created 0600), a pipe or a device. ``path`` may be ``/dev/stderr`` and the like."""

    def __init__(self, path: Path, on_failure: Callable[[str], None] | None = None) -> None:
        """Open the log. Raises `UsageError` when the file cannot be opened."""
        self.path = path
        self.dropped = 0
        """Lines that could not be written."""
        self._on_failure = on_failure
        self._has_failed = False
        self._is_torn = False
        try:
            self._fd: int | None = open_output(path)
        except OSError as exc:
            raise UsageError(
                f"The event log {path} cannot be opened: {exc.strerror}.", "Name a writable file after --events."
            ) from exc

    def write(self, t: float, kind: str, fields: Mapping[str, object] | None = None) -> None:
        """Append one event. ``fields`` are JSON-ready; ``t`` and ``kind`` in them are ignored. Never raises."""
        if self._fd is None:
            self.dropped += 1
            return
        event: dict[str, object] = {"t": round(t, 6), "kind": kind}
        event.update((key, _plain(value)) for key, value in (fields or {}).items() if key not in ("t", "kind"))
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"
        data = (SEAL if self._is_torn else b"") + line.encode("utf-8", "replace")
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:])
            self._is_torn = False
        except OSError as exc:
            self._is_torn = self._is_torn or written > 0
            self.dropped += 1
            if not self._has_failed:
                self._has_failed = True
                if self._on_failure is not None:
                    self._on_failure(f"The event log {self.path} cannot be written: {exc.strerror}.")

    def close(self) -> None:
        """Close the file; later events are counted as dropped."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _plain(value: object) -> object:
    """JSON has no infinities: they become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
