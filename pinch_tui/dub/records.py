"""The records of dubbing jobs: one private file a job in the data folder, replaced as a whole at every step.

A record is on the disk before `Records.save` returns, its folder's entry included, so that neither a kill nor a power
cut forgets that a job was asked for. Reading never raises: what is damaged is counted.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
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
"""Characters of a job's id that may stand for the whole."""


class Records:
    """The folder of records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unreadable = 0
        """Files of the last `all` that could not be read."""

    def all(self) -> list[Record]:
        """Every record, newest first."""
        self.unreadable = 0
        found: list[Record] = []
        try:
            paths = sorted(self.folder.glob("*.json"))
        except OSError:
            return []
        for path in paths:
            record = _read(path)
            if record is None:
                self.unreadable += 1
            else:
                found.append(record)
        return sorted(found, key=lambda record: (record.created_at, record.id), reverse=True)

    def read(self, record_id: str) -> Record | None:
        """One record as it stands now."""
        return _read(self.folder / f"{record_id}.json")

    def save(self, record: Record) -> None:
        """Write a record, synced. Raises `UsageError` when it cannot be written."""
        path = self.folder / f"{record.id}.json"
        try:
            write_private(path, json.dumps({"schema": SCHEMA, **asdict(record)}, indent=1) + "\n")
            _sync_folder(self.folder)
        except OSError as exc:
            raise UsageError(
                f"The record of the job cannot be written to {path}: {why(exc)}.", "Free some space, and try again."
            ) from exc

    def same(self, digest: str, target: str, *, is_rehearsal: bool) -> Record | None:
        """The newest record of the same recording and target that stands in the way of a new job.

        That is a live one, else one whose answer is unknown, else one that can be gone on with. What failed or was
        refused does not count. Another base URL is the same service: it may well be the same account.
        """
        wanted = (digest, target, is_rehearsal)
        known = [record for record in self.all() if (record.digest, record.target, record.is_rehearsal) == wanted]
        for phases in (LIVE, {Phase.ASKED}, BEGUN):
            for record in known:
                if record.phase in phases:
                    return record
        return None

    def find(self, reference: str) -> Record | None:
        """A job by its id, our own id of it, the beginning of either, or ``last``. None when it is not known here.

        Raises `UsageError` when a beginning fits several.
        """
        records = self.all()
        if reference == "last":
            if not records:
                raise UsageError("No job was created here yet.", "pinch-tui dub FILE --to LANG creates one.")
            return records[0]
        for record in records:
            if reference in (record.job_id, record.id):
                return record
        if len(reference) < _SHORTEST:
            return None
        fitting = [r for r in records if r.job_id.startswith(reference) or r.id.startswith(reference)]
        if len(fitting) > 1:
            raise UsageError(f"{clean(reference, 60)} fits several jobs.", "pinch-tui dub list shows them whole.")
        return fitting[0] if fitting else None

    def limits(self, service: str) -> Limits:
        """The limits that this service told last."""
        known = [record for record in self.all() if record.service == service]
        return Limits(
            next((record.max_bytes for record in known if record.max_bytes), MAX_BYTES),
            next((record.max_duration_s for record in known if record.max_duration_s), MAX_DURATION_S),
        )

    def lock(self, record: Record) -> FileLock:
        """Held by the one process that works on a job. Raises `UsageError`."""
        self._make_folder()
        return FileLock(self.folder / f"{record.id}.lock")

    def _make_folder(self) -> None:
        try:
            private_folder(self.folder)
        except OSError as exc:
            raise UsageError(
                f"The records of jobs cannot be kept in {self.folder}: {why(exc)}.", "Is the folder yours?"
            ) from exc

    @contextlib.contextmanager
    def choosing(self) -> Iterator[None]:
        """Held while a record is looked for and made, so that two runs never make one each."""
        self._make_folder()
        with FileLock(self.folder / "choosing.lock").waiting():
            yield


def _read(path: Path) -> Record | None:
    try:
        return decode(json_of(read_file(path).decode("utf-8", "replace")))
    except OSError:
        return None


def decode(raw: Any) -> Record | None:
    """A record of what a file holds; None without its essentials."""
    if not isinstance(raw, dict):
        return None
    try:
        phase = Phase(raw.get("phase", ""))
    except (ValueError, TypeError):
        return None
    name = _text(raw, "id", 120)
    if not name or name != Path(name).name:
        return None
    outputs = raw.get("outputs")
    return Record(
        id=name,
        phase=phase,
        service=_text(raw, "service"),
        target=_text(raw, "target", 40),
        source=_text(raw, "source", 40),
        created_at=_number(raw, "created_at") or 0.0,
        updated_at=_number(raw, "updated_at") or 0.0,
        file=_path(raw, "file"),
        address=_text(raw, "address"),
        digest=_text(raw, "digest", 200),
        size=int(_number(raw, "size") or 0),
        duration_s=_number(raw, "duration_s"),
        source_url=_text(raw, "source_url", 16_384),
        uploaded_at=_number(raw, "uploaded_at") or 0.0,
        job_id=_text(raw, "job_id", 200),
        asked_at=_number(raw, "asked_at") or 0.0,
        status=_text(raw, "status", 80),
        cost_usd=_number(raw, "cost_usd"),
        error=_text(raw, "error", 400),
        max_bytes=_whole(raw, "max_bytes"),
        max_duration_s=_number(raw, "max_duration_s"),
        out=_path(raw, "out"),
        outputs={
            str(Output(key)): value
            for key, value in (outputs.items() if isinstance(outputs, dict) else ())
            if key in tuple(Output) and isinstance(value, str)
        },
    )


def _text(raw: dict[str, Any], name: str, limit: int = 4_096) -> str:
    return clean(text_of(raw.get(name)), limit)


def _path(raw: dict[str, Any], name: str) -> str:
    """A path as it is: cleaning it would name another file."""
    value = text_of(raw.get(name))
    return "" if "\0" in value else value


def _number(raw: dict[str, Any], name: str) -> float | None:
    return number_of(raw.get(name))


def _whole(raw: dict[str, Any], name: str) -> int | None:
    value = _number(raw, name)
    return None if value is None else int(value)


_sync_folder: Callable[[Path], None]
if os.name == "posix":

    def _sync_folder(folder: Path) -> None:
        """Make the folder's entries as safe as their content."""
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

else:

    def _sync_folder(folder: Path) -> None:
        """Windows keeps the entries of a folder with the file."""
