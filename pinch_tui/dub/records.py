"""The records of dubbing jobs: one private file per job in the data folder, replaced atomically at every step.

`Records.save` syncs the record and its folder, so that a requested job survives a kill and a power failure. Reading
never raises; damaged files are counted.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.untrusted import json_of, number_of, text_of
from pinch_tui.dub.checks import Limits
from pinch_tui.dub.model import BEGUN, LIVE, MAX_BYTES, MAX_DURATION_S, Output, Phase, Record
from pinch_tui.errors import UsageError, why
from pinch_tui.store.locks import FileLock
from pinch_tui.store.paths import private_folder, read_file, write_private

SCHEMA = 1
_SHORTEST = 4
"""Minimum number of characters that abbreviate a job's id."""
_LONGEST = 16_384
"""Longer texts in a file are cut to this many characters."""


class Records:
    """The folder of records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unreadable = 0
        """Number of files that the last `all` could not read."""

    def all(self) -> list[Record]:
        """Every record, newest first."""
        try:
            found = [_read(path) for path in self.folder.glob("*.json")]
        except OSError:
            found = []
        records = [record for record in found if record is not None]
        self.unreadable = len(found) - len(records)
        return sorted(records, key=lambda record: (record.created_at, record.id), reverse=True)

    def read(self, record_id: str) -> Record | None:
        """The current content of one record."""
        return _read(self.folder / f"{record_id}.json")

    def save(self, record: Record) -> None:
        """Write and sync a record. Raises `UsageError` if it cannot be written."""
        path = self.folder / f"{record.id}.json"
        try:
            write_private(path, json.dumps({"schema": SCHEMA, **asdict(record)}, indent=1) + "\n")
        except OSError as exc:
            raise UsageError(
                f"The record of the job cannot be written to {path}: {why(exc)}.", "Free some space, and try again."
            ) from exc

    def same(self, digest: str, target: str, *, is_rehearsal: bool) -> Record | None:
        """The newest record of the same recording and target to use instead of a new job.

        Preferred are live jobs, then those whose answer is unknown, then those that can be continued; failed and
        refused ones do not count. The base URL is ignored, since the account may be the same.
        """
        wanted = (digest, target, is_rehearsal)
        known = [record for record in self.all() if (record.digest, record.target, record.is_rehearsal) == wanted]
        ranked = (record for phases in (LIVE, {Phase.ASKED}, BEGUN) for record in known if record.phase in phases)
        return next(ranked, None)

    def find(self, reference: str) -> Record | None:
        """A job by the service's id or ours, the beginning of either, or ``last``; None if it has no record here.

        Raises `UsageError` if a beginning matches several.
        """
        records = self.all()
        if reference == "last":
            if not records:
                raise UsageError("No job has been created here yet.", "pinch-tui dub FILE --to LANG creates one.")
            return records[0]
        for record in records:
            if reference in (record.job_id, record.id):
                return record
        if len(reference) < _SHORTEST:
            return None
        fitting = [r for r in records if r.job_id.startswith(reference) or r.id.startswith(reference)]
        if len(fitting) > 1:
            raise UsageError(
                f"{clean(reference, 60)} matches several jobs.", "pinch-tui dub list shows their full names."
            )
        return fitting[0] if fitting else None

    def limits(self, service: str) -> Limits:
        """The limits that this service last stated."""
        known = [record for record in self.all() if record.service == service]
        return Limits(
            next((record.max_bytes for record in known if record.max_bytes), MAX_BYTES),
            next((record.max_duration_s for record in known if record.max_duration_s), MAX_DURATION_S),
        )

    def lock(self, record: Record) -> FileLock:
        """The lock of the one process that works on a job. Raises `UsageError`."""
        return self._lock(record.id)

    @contextlib.contextmanager
    def choosing(self) -> Iterator[None]:
        """Held while a record is looked up or created, so that two runs do not both create one."""
        with self._lock("choosing").waiting():
            yield

    def _lock(self, name: str) -> FileLock:
        try:
            private_folder(self.folder)
        except OSError as exc:
            raise UsageError(
                f"Job records cannot be kept in {self.folder}: {why(exc)}.", "Check the folder's owner."
            ) from exc
        return FileLock(self.folder / f"{name}.lock")


def _read(path: Path) -> Record | None:
    try:
        return decode(json_of(read_file(path).decode("utf-8", "replace")))
    except OSError:
        return None


def decode(raw: Any) -> Record | None:
    """The record in a file's JSON; None if the id or the phase is missing."""
    if not isinstance(raw, dict):
        return None
    values: dict[str, Any] = {}
    for field in fields(Record):
        name, kind, value = field.name, str(field.type), raw.get(field.name)
        if name in ("file", "out"):  # paths are not cleaned: that would name another file
            values[name] = "" if "\0" in (text := text_of(value)) else text
        elif kind == "str":
            values[name] = clean(text_of(value), _LONGEST)
        elif kind.startswith(("float", "int")):
            number = number_of(value)
            whole = number if number is None or kind.startswith("float") else int(number)
            values[name] = whole if kind.endswith("None") else whole or 0
    try:
        values["phase"] = Phase(raw.get("phase", ""))
    except ValueError:
        return None
    outputs = raw.get("outputs")
    values["outputs"] = {
        str(Output(key)): value
        for key, value in (outputs.items() if isinstance(outputs, dict) else ())
        if key in tuple(Output) and isinstance(value, str)
    }
    return Record(**values) if values["id"] and values["id"] == Path(values["id"]).name else None
