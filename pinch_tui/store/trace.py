"""The trace for support (``--trace FILE``): one JSON object per line, 0600, redacted before it gets here.

The first line of each run is a ``trace`` header. Lines about the wire come from `pinch_tui.services.wirelog`; lines
about the talk key come from the engine's log through `TraceWriter.log`, which lets only numbers and known words pass. A
trace that reaches `MAX_BYTES` ends with a ``full`` line, and the program goes on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pinch_tui.core.untrusted import number_of, object_of, whole_of
from pinch_tui.errors import InputFileError
from pinch_tui.store.eventlog import JsonLines, encoded

VERSION: Final = 1
MAX_BYTES: Final = 64 * 1024 * 1024
"""Size limit of one run: about six hours of talking."""

LOGGED_KINDS: Final = frozenset(
    {"ready", "session", "talk-start", "talk-soft-stop", "talk-stop", "talk-cancel", "first-frame", "finalize"}
    | {"speech-start", "speech-end", "underrun", "reconnecting", "error", "quit"}
)
"""Kinds of the event log that go into a trace; not ``interim`` and ``final``, which hold words."""
_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
_WORD_FIELDS: Final = frozenset(
    {"source", "session_id", "model_version_id", "reason", "code", "word", "kind_of_failure"}
)


class TraceWriter(JsonLines):
    """Appends to the trace file."""

    def __init__(
        self,
        path: Path,
        *,
        t: float,
        wall: float,
        version: str,
        with_text: bool = False,
        is_continuous: bool = False,
        max_bytes: int = MAX_BYTES,
        on_failure: Callable[[str], None] | None = None,
    ) -> None:
        """Open the file, make it 0600, and write the header. ``t`` and ``wall``: monotonic and Unix time of the start.

        Raises `UsageError`.
        """
        super().__init__(path, "trace", on_failure, flag="--trace", is_private=True)
        self._max_bytes = max_bytes
        self.write(
            {
                "t": round(t, 6),
                "kind": "trace",
                "version": VERSION,
                "program": version,
                "wall": round(wall, 3),
                "with_text": with_text,
                "continuous": is_continuous,
            }
        )

    def write(self, line: Mapping[str, object]) -> None:
        """Append a redacted line. Never raises."""
        data = encoded(line)
        if self._fd is not None and self._written + len(data) > self._max_bytes:
            self._append(b'{"t":0,"kind":"full"}\n')
            self.close()
            self._on_failure(f"The trace {self.path} is full ({self._max_bytes // 1_000_000} MB); it ends here.")
        self._append(data)

    def log(self, t: float, kind: str, fields: Mapping[str, object]) -> None:
        """Append a line of the event log: its kind, its numbers and booleans, and fields known to hold no text."""
        if kind in LOGGED_KINDS:
            head = {"t": round(t, 6), "kind": kind}
            self.write(head | {name: value for name, value in fields.items() if _is_harmless(name, value)} | head)


def _is_harmless(name: str, value: object) -> bool:
    if not _WORD.fullmatch(name):
        return False
    if value is None or isinstance(value, int | float):
        return not isinstance(value, float) or math.isfinite(value)
    return name in _WORD_FIELDS and isinstance(value, str) and _WORD.fullmatch(value) is not None


# ---- reading back -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of a trace. ``connection`` 0: none; ``fields``: everything else."""

    t: float
    kind: str
    connection: int = 0
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class TraceReader:
    """Reads a trace file. ``unreadable`` counts lines that cannot be parsed, such as a torn last one."""

    path: Path
    unreadable: int = 0

    def lines(self) -> Iterator[TraceLine]:
        """Yield the lines in order. Raises `InputFileError` when the file cannot be read or is not a trace."""
        seen_header = False
        try:
            with self.path.open("rb") as file:
                while raw := file.readline(8_000_000):
                    line = parse_line(raw)
                    if line is None:
                        self.unreadable += 1
                        continue
                    if not seen_header and line.kind != "trace":
                        break
                    seen_header = True
                    yield line
        except OSError as exc:
            raise InputFileError(f"{self.path} cannot be read: {exc.strerror}.") from exc
        if not seen_header:
            raise InputFileError(f"{self.path} is not a trace.", "Make one with `pinch-tui --trace FILE`.")


def parse_line(raw: bytes) -> TraceLine | None:
    """One line of a trace; None if it cannot be parsed. Never raises."""
    if (value := object_of(raw)) is None:
        return None
    t, kind, connection = number_of(value.get("t")), value.get("kind"), whole_of(value.get("c", 0))
    if t is None or not isinstance(kind, str) or connection is None or abs(connection) > 1e15:
        return None
    return TraceLine(t, kind, connection, {k: v for k, v in value.items() if k not in ("t", "kind", "c")})
