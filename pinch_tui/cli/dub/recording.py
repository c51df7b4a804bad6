"""The request to ``pinch-tui dub``, and the checks of a recording before anything is sent or paid for."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pinch_tui.cli.dub.output import Report
from pinch_tui.core.transcript.clean import clean
from pinch_tui.dub import rehearsal
from pinch_tui.dub.checks import bytes_text, check_address, check_duration, check_size, is_address, kind_of, page_error
from pinch_tui.dub.client import DubClient
from pinch_tui.dub.model import Address, Phase, Record
from pinch_tui.dub.outputs import check_place
from pinch_tui.dub.probe import digest_of, open_recording, probe
from pinch_tui.dub.records import Records
from pinch_tui.dub.wire import without_query
from pinch_tui.errors import InputFileError, UsageError
from pinch_tui.store.paths import expanded

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """The request. ``confirm`` shows the price and asks for agreement; None agrees."""

    media: str
    target: str
    source: str
    out: Path | None
    is_again: bool
    waits: bool
    timeout_s: float | None
    confirm: Callable[[str], bool] | None


@dataclass(frozen=True, slots=True)
class Recording:
    """A checked recording."""

    record: Record
    url: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The dubbing service, or its stand-in for a rehearsal."""

    base_url: str
    key: str
    key_source: str
    poll_s: float
    is_rehearsal: bool

    def client(self) -> DubClient:
        """Raises `PinchError` for a key or a proxy that cannot be used."""
        if self.is_rehearsal:
            return DubClient(rehearsal.BASE_URL, self.key, transport=rehearsal.Rehearsal())
        return DubClient(self.base_url, self.key)

    def ask(self, question: Callable[[DubClient], Awaitable[T]]) -> T:
        """Send one request with a new client."""

        async def ask() -> T:
            async with contextlib.aclosing(self.client()) as client:
                return await question(client)

        return asyncio.run(ask())


def check_recording(
    request: Request, target: str, source: str, service: str, records: Records, report: Report, at: Endpoint
) -> Recording:
    """Check the recording as far as possible on this machine. Raises `UsageError`."""
    now = time.time()
    name = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{secrets.token_hex(3)}"
    record = Record(name, Phase.NEW, service, target, source, now, now)
    limits = records.limits(service)
    if is_address(request.media):
        url = check_address(request.media)
        digest = hashlib.sha256(url.encode()).hexdigest()
        record = replace(record, address=without_query(url), digest=digest)
        if not at.is_rehearsal:
            size, is_page = at.ask(lambda client: client.glance(url))
            if is_page:
                raise page_error(urlsplit(url).hostname or "")
            record = replace(record, size=size)
            if size:
                check_size(record.name, size, limits.max_bytes)
        return Recording(_placed(record, request.out), url)
    path = expanded(Path(request.media)).absolute()
    with open_recording(path) as file:
        kind = kind_of(path.name)
        size = os.fstat(file.fileno()).st_size
        record = replace(record, file=str(path), size=size)
        max_bytes = limits.max_bytes
        if size > max_bytes and not at.is_rehearsal:  # the limit may have been raised
            answer = at.ask(lambda client: client.address(path.name, kind))
            max_bytes = (isinstance(answer, Address) and answer.max_bytes) or max_bytes
        check_size(record.name, size, max_bytes)
        found = probe(path)
        if found.is_media is False:
            raise InputFileError(
                f"{clean(path.name, 80)} is not a recording that ffprobe can read.",
                "Is it complete, and does the extension match its type?",
            )
        if found.has_sound is False:
            raise InputFileError(f"{clean(path.name, 80)} has no sound.", "There is nothing to dub.")
        check_duration(record.name, found.duration_s, limits)
        record = _placed(replace(record, duration_s=found.duration_s), request.out)
        digest = digest_of(file, lambda done: _show_reading(report, record, done))
        report.clear()
    return Recording(replace(record, digest=digest), content_type=kind)


def _show_reading(report: Report, record: Record, done: int) -> None:
    if record.size > 50_000_000:
        tenth = 10 * done // record.size
        text = f"Reading {record.name} - {bytes_text(done)} of {bytes_text(record.size)}"
        report.progress(text, ("reading", tenth // 5), time.monotonic())


def _placed(record: Record, out: Path | None) -> Record:
    record = replace(record, out=resolved_out(out))
    check_place(record, here())
    return record


def resolved_out(out: Path | None) -> str:
    """``--out`` in the form that the record keeps. Raises `UsageError` for an existing file."""
    if out is None:
        return ""
    path = expanded(out).absolute()
    if os.path.isdir(path):  # noqa: PTH112 - never raises
        return f"{path}/"
    if os.path.lexists(path):
        raise UsageError(f"{path} already exists and was not changed.", "Name another file after --out.")
    return str(path)


def here() -> Path:
    try:
        return Path.cwd()
    except OSError as exc:
        raise UsageError("The current folder no longer exists.", "Change to another folder, or use --out.") from exc
