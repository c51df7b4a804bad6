"""Writes one conversation's finals as they arrive. Nothing reported as saved is lost to ``kill -9`` or a power cut.

`HistoryWriter.record` appends new lines with one write and syncs them; only synced lines are reported as saved. It runs
on the event loop: writing and syncing one line took 0.2 ms (p50) and 1.2 ms (p99) on a virtual disk (``python -m
tests.bench.history_sync``), far below a frame's 20 ms. On a disk slower than `SLOW_MS`, finals are written at once and
synced together, every `BATCH_S` seconds and whenever an utterance settles. Lines that a full disk refused are written
again with the next line and at the end, and the user is told how many are missing. A file that was removed meanwhile is
noticed before anything is reported as saved, and the whole conversation is written again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pinch_tui.core.transcript.correct import first_wording
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, final_part
from pinch_tui.store.history.erasing import erase
from pinch_tui.store.history.holding import claim
from pinch_tui.store.history.lines import (
    About,
    Header,
    encode_about,
    encode_cancelled,
    encode_correction,
    encode_final,
    encode_header,
    encode_star,
)
from pinch_tui.store.paths import open_file, private_folder, sync_folder

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would write two characters for each end of line

SLOW_MS = 5.0
"""A disk is slow if its syncs usually take longer than this."""
BATCH_S = 1.0
_ENDED = frozenset((UtteranceState.SETTLED, UtteranceState.EMPTY))


@dataclass(slots=True)
class _Kept:
    """What the file holds of one utterance. Finals and corrections are by the segments' ids."""

    finals: dict[str, Segment] = field(default_factory=dict)
    row: tuple[str, ...] = ()
    """The segments with finals, in order."""
    corrections: dict[str, tuple[str, str]] = field(default_factory=dict)
    is_starred: bool = False


class HistoryWriter:
    """One conversation's file, created with its first final, or continued (`resume`)."""

    def __init__(
        self,
        folder: Path,
        started: float,
        *,
        is_practice: bool = False,
        on_failure: Callable[[str], None] | None = None,
        on_recovery: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``started``: Unix seconds. ``on_failure`` takes a sentence when writing begins to fail, and again for each
        further utterance that is missing; ``on_recovery`` is called when everything is written."""
        self.folder = folder
        self.path: Path | None = None
        self.slowest_sync_ms = 0.0
        self.usual_sync_ms = 0.0
        """A running mean."""
        self._started = started
        self._is_practice = is_practice
        self._on_failure = on_failure
        self._on_recovery = on_recovery
        self._fd: int | None = None
        self._known: dict[int, Utterance] = {}  # every utterance with finals, in its newest state
        self._kept: dict[int, _Kept] = {}
        self._cancelled: set[int] = set()
        self._stars: dict[int, bool] = {}  # as they should be
        self._unwritten: dict[int, None] = {}  # utterances that could not be written, in order
        self._unsynced: dict[int, None] = {}  # utterances with finals that are written but not synced, in order
        self._synced_at = float("-inf")
        self._clock = clock
        self._about = self._kept_about = About()
        self._n_told: int | None = None  # utterances missing when the failure was last reported, None: no failure
        self._is_torn = False
        self._earlier: frozenset[int] = frozenset()  # utterances from before the conversation was resumed
        self._resumed_at = 0  # bytes of the file that are theirs

    def resume(self, path: Path, fd: int, utterances: Iterable[Utterance], stars: Collection[int]) -> None:
        """Continue a conversation's file at its end. ``fd`` is open for appending and held, and belongs to the writer
        from now on. ``utterances``, ``stars``: what it holds. Raises OSError."""
        size = os.fstat(fd).st_size
        self.path, self._fd, self._resumed_at = path, fd, size
        with open_file(path) as file:
            self._is_torn = size > 0 and file.seek(size - 1) >= 0 and file.read(1) != b"\n"
        for utterance in utterances:
            number = utterance.number
            self._known[number] = utterance
            self._kept[number] = _Kept(
                {final.id: final for final in _finals(utterance)},
                _row(utterance),
                {one.id: (one.original, one.translation) for one in utterance.segments if one.is_corrected},
                number in stars,
            )
        self._earlier = frozenset(self._known)
        self._stars = dict.fromkeys(stars, True)

    @property
    def missing(self) -> int:
        """Number of utterances that are not completely saved."""
        return len(self._unwritten.keys() | self._unsynced.keys())

    @property
    def n_kept(self) -> int:
        """Utterances of this run that the file holds, without cancelled ones."""
        return len(self._kept.keys() - self._cancelled - self._earlier)

    def about(self, about: About) -> None:
        """Note the service, context and model version of what follows; written before the next final."""
        self._about = about

    def record(self, utterances: Iterable[Utterance]) -> tuple[int, ...]:
        """Append and sync every final of these utterances that is not in the file yet, and everything that is still
        missing. Returns the numbers of the utterances with newly saved finals. Never raises.
        """
        has_ended = False
        for utterance in utterances:
            if utterance.number in self._kept or _finals(utterance):
                self._known[utterance.number] = utterance
                self._unwritten[utterance.number] = None
            has_ended = has_ended or utterance.state in _ENDED
        has_written = self._write_missing()
        if has_written is None:
            return ()
        is_slow = self.usual_sync_ms > SLOW_MS
        if self._unsynced and is_slow and not has_ended and self._clock() - self._synced_at < BATCH_S:
            return ()
        saved = tuple(self._unsynced)
        if not (has_written or saved):
            return ()
        return saved if self._confirm() else ()

    def star(self, number: int, *, is_on: bool) -> bool:
        """Note that the user starred or unstarred an utterance. False when it is not saved yet: the star of an
        utterance without finals is written with its first final."""
        self._stars[number] = is_on
        if number not in self._kept:
            return False
        has_written = self._write_missing()
        if has_written is None:
            return False
        return self._confirm() if has_written else self._kept.get(number, _Kept()).is_starred is is_on

    def close(self) -> int:
        """Write what is still missing, sync, and close the file; returns how many utterances are missing for good."""
        if self._unwritten or self._unsynced:
            self.record(())
        if self._unsynced:
            self._confirm()
        self._close_file()
        return self.missing

    def _write_missing(self) -> bool | None:
        """Write everything that the file lacks; returns whether there was anything to write, None if writing failed."""
        lines: list[str] = []
        fresh: list[tuple[Utterance, Segment]] = []
        thrown_away: set[int] = set()
        moved: set[int] = set()
        corrected: dict[tuple[int, str], tuple[str, str]] = {}
        for number in self._unwritten:
            utterance, kept = self._known[number], self._kept.get(number)
            if utterance.state is UtteranceState.CANCELLED:
                if kept is not None and number not in self._cancelled:
                    thrown_away.add(number)
                    lines.append(encode_cancelled(number))
                continue
            if kept is not None and not _finals(utterance):  # its text belongs to another utterance
                moved.add(number)
            for segment in self._new_finals(utterance):
                lines.append(encode_final(utterance, segment))
                fresh.append((utterance, segment))
            for segment in utterance.segments:
                texts = (segment.original, segment.translation)
                known = None if kept is None else kept.corrections.get(segment.id)
                if known != texts and (segment.is_corrected or known is not None):
                    lines.append(encode_correction(number, segment))
                    corrected[number, segment.id] = texts
        if not self._erase(thrown_away | moved):
            return None
        on_file = self._kept.keys() | {utterance.number for utterance, _ in fresh}
        stars = {
            number: is_on
            for number, is_on in self._stars.items()
            if number in on_file and self._kept.get(number, _Kept()).is_starred is not is_on
        }
        lines += [encode_star(number, is_on=is_on) for number, is_on in stars.items()]
        if not lines:
            self._unwritten.clear()
            return False
        about = self._about
        if fresh and about != self._kept_about:
            lines.insert(0, encode_about(about))
        if not self._write("".join(lines)):
            return None
        if fresh:
            self._kept_about = about
        self._unwritten.clear()
        self._cancelled |= thrown_away
        self._unsynced |= dict.fromkeys(number for number, _ in corrected)
        for utterance, segment in fresh:
            file = self._kept.setdefault(utterance.number, _Kept())
            file.finals[segment.id], file.row = segment, _row(utterance)
            self._unsynced[utterance.number] = None
        for number, is_on in stars.items():
            self._kept[number].is_starred = is_on
        for (number, name), texts in corrected.items():
            if number in self._kept:
                self._kept[number].corrections[name] = texts
        return True

    def _erase(self, numbers: set[int]) -> bool:
        """Remove these utterances from the file; False when that failed."""
        if not numbers or self._fd is None or self.path is None:
            return True
        try:
            self._close_file()  # Windows replaces no open file
            erase(self.path, numbers - self._earlier, self._resumed_at)
        except OSError as exc:
            self._failed(exc)
            return False
        finally:
            self._reopen()
        for number in numbers:
            self._kept.pop(number, None)
            self._unsynced.pop(number, None)
        self._is_torn = False
        return True

    def _reopen(self) -> None:
        """Reopen the file at its end; a missing file is noticed at the next sync."""
        if self._fd is not None or self.path is None:
            return
        with contextlib.suppress(OSError):
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | _BINARY)
            claim(self._fd)

    def _new_finals(self, utterance: Utterance) -> list[Segment]:
        """The finals that the file does not have; the last one again if only the row has changed."""
        kept = self._kept.get(utterance.number, _Kept())
        finals = _finals(utterance)
        new = [final for final in finals if not _is_same(kept.finals.get(final.id), final)]
        if not new and finals and kept.row != _row(utterance):
            return finals[-1:]
        return new

    def _write(self, text: str) -> bool:
        try:
            if self._fd is None:
                self._fd, text = self._create(), self._header() + text
            if self._is_torn:  # seal a line that a full disk cut off
                text = "\n" + text
            data = text.encode("utf-8", "replace")
            written = 0
            while written < len(data):
                written += os.write(self._fd, data[written:])
                self._is_torn = written < len(data)
        except OSError as exc:
            if self._fd is not None and self._is_empty():
                self._discard()
            self._failed(exc)
            return False
        return True

    def _confirm(self) -> bool:
        """Sync, and check that the file still exists: writes to a removed file succeed and are lost."""
        if not self._sync():
            return False
        if self._is_there():
            self._recovered()
            return True
        self._forget_file()
        return bool(self._write_missing()) and self._sync() and self._is_there() and self._recovered()

    def _sync(self) -> bool:
        if self._fd is None:
            return False
        begun = self._clock()
        try:
            os.fsync(self._fd)
        except OSError as exc:
            # The kernel may have dropped what it could not write, and would report the next sync as a success.
            for number in self._unsynced:
                self._kept.pop(number, None)
                self._unwritten[number] = None
            self._unsynced.clear()
            self._failed(exc)
            return False
        self._synced_at = self._clock()
        took = (self._synced_at - begun) * 1e3
        self.slowest_sync_ms = max(self.slowest_sync_ms, took)
        self.usual_sync_ms += 0.1 * (took - self.usual_sync_ms)
        self._unsynced.clear()
        return True

    def _is_there(self) -> bool:
        if self._fd is None or self.path is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._fd), self.path.stat())
        except OSError:
            return False

    def _forget_file(self) -> None:
        """The file is gone: write the whole conversation to a new one."""
        with contextlib.suppress(OSError):
            self._close_file()
        self._is_torn = False
        self._resumed_at = 0
        self._kept.clear()
        self._cancelled.clear()
        self._kept_about = About()
        self._unsynced.clear()
        self._unwritten = dict.fromkeys(self._known)

    def _close_file(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _failed(self, exc: OSError) -> None:
        is_news = self._n_told is None or self.missing > self._n_told
        self._n_told = self.missing
        if is_news and self._on_failure is not None:
            what = f" {lines_missing(self.missing)}" if self.missing else ""
            self._on_failure(f"The conversation cannot be saved in {self.folder}: {exc.strerror}.{what}")

    def _recovered(self) -> bool:
        if self._n_told is not None:
            self._n_told = None
            if self._on_recovery is not None:
                self._on_recovery()
        return True

    def _create(self) -> int:
        private_folder(self.folder)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._started))
        if self.path is None or self.path.exists():
            self.path = self.folder / f"{stamp}-{secrets.token_hex(2)}.jsonl"
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        claim(fd)
        sync_folder(self.folder)  # the directory entry must survive a power cut, too
        return fd

    def _header(self) -> str:
        name = self.path.stem if self.path else ""
        return encode_header(Header(name, self._started, self._is_practice))

    def _is_empty(self) -> bool:
        try:
            return self._fd is not None and os.fstat(self._fd).st_size == 0
        except OSError:
            return False

    def _discard(self) -> None:
        """Remove a file that stayed empty, so that the header is written once the disk has room."""
        self._close_file()
        self._is_torn = False
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
            self.path = None


def lines_missing(count: int) -> str:
    """A sentence on how many lines are not saved."""
    return f"{count} line{'s are' if count != 1 else ' is'} not saved."


def _finals(utterance: Utterance) -> list[Segment]:
    """The segment's finals as the service sent them, without the user's corrections."""
    segments = map(first_wording, utterance.segments) if utterance.is_corrected else utterance.segments
    return [final for segment in segments if (final := final_part(segment)) is not None]


def _row(utterance: Utterance) -> tuple[str, ...]:
    return tuple(segment.id for segment in _finals(utterance))


def _is_same(kept: Segment | None, final: Segment) -> bool:
    return kept is not None and (kept.original, kept.translation) == (final.original, final.translation)
