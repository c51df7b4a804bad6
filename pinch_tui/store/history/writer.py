"""Writes one conversation's finals as they arrive. Nothing reported as saved is lost to ``kill -9`` or a power cut.

`HistoryWriter.record` appends new lines with one write and syncs them; only synced lines are reported as saved. It runs
on the event loop: writing and syncing one line took 0.2 ms (p50) and 1.2 ms (p99) on a virtual disk (``python -m
tests.bench.history_sync``), far below a frame's 20 ms. On a disk slower than `SLOW_MS`, finals are written at once, but
synced only every `BATCH_S` seconds and when an utterance settles. Lines that a full disk refused are written again with
the next line and at the end, and the user learns how many are missing. Every sync checks that the file still exists; if
it was removed, the whole conversation is written again.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pinch_tui.core.transcript.correct import first_wording
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, final_part
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
from pinch_tui.store.locks import claim
from pinch_tui.store.paths import BINARY, is_torn, private_folder, sync_folder, write_private

SLOW_MS = 5.0
"""A disk is slow if its syncs usually take longer than this."""
BATCH_S = 1.0
"""Interval of syncs on a slow disk."""
_ENDED = frozenset((UtteranceState.SETTLED, UtteranceState.EMPTY))

Wordings = Mapping[str, tuple[str, str]]
"""Segment id -> original and translation."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The file's content about an utterance. ``finals`` are in the row's order; ``is_starred`` None: no line says."""

    finals: Wordings
    corrections: Wordings
    is_starred: bool | None = None


_NOTHING = _Kept({}, {})


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
        """``started``: Unix seconds. ``on_failure`` gets a sentence when writing begins to fail, and again for each
        further missing utterance; ``on_recovery`` is called once everything is written."""
        self.folder = folder
        self.path: Path | None = None
        self.usual_sync_ms = 0.0
        """A running mean."""
        self._started = started
        self._is_practice = is_practice
        self._on_failure = on_failure or (lambda _: None)
        self._on_recovery = on_recovery or (lambda: None)
        self._fd: int | None = None
        self._known: dict[int, Utterance] = {}  # every utterance with finals, in its newest state
        self._kept: dict[int, _Kept] = {}
        self._stars: dict[int, bool] = {}  # as the user wants them
        self._unwritten: dict[int, None] = {}  # utterances that may differ from the file, in order
        self._unsynced: dict[int, None] = {}  # utterances with written lines that are not synced, in order
        self._synced_at = float("-inf")
        self._clock = clock
        self._about = self._kept_about = About()
        self._reported_missing: int | None = None  # `missing` at the last reported failure; None: no failure
        self._is_torn = False
        self._earlier: frozenset[int] = frozenset()  # utterances from before the conversation was resumed
        self._resumed_at = 0  # size of the file at that time

    def resume(self, path: Path, fd: int, utterances: Iterable[Utterance], stars: Collection[int]) -> None:
        """Continue a conversation's file, which holds these ``utterances`` and ``stars``. ``fd`` is open for appending
        and claimed; the writer closes it. Raises OSError."""
        self.path, self._fd, self._resumed_at = path, fd, os.fstat(fd).st_size
        self._is_torn = is_torn(path)
        self._stars = dict.fromkeys(stars, True)
        for utterance in utterances:
            self._known[utterance.number] = utterance
            self._kept[utterance.number] = _wanted(utterance, _finals(utterance), _NOTHING, utterance.number in stars)
        self._earlier = frozenset(self._known)

    @property
    def missing(self) -> int:
        """Number of utterances that are not completely saved."""
        return len(self._unwritten.keys() | self._unsynced.keys())

    @property
    def n_kept(self) -> int:
        """Number of utterances of this run in the file, without cancelled ones."""
        return len(self._kept.keys() - self._earlier)

    def about(self, about: About) -> None:
        """Set the service, context and model version of what follows; written before the next final."""
        self._about = about

    def record(self, utterances: Iterable[Utterance]) -> tuple[int, ...]:
        """Append and sync every final of these utterances that is not in the file yet, and everything still missing.

        Returns the numbers of the utterances with newly saved lines. Never raises.
        """
        has_ended = False
        for utterance in utterances:
            if utterance.number in self._kept or _finals(utterance):
                self._known[utterance.number] = utterance
                self._unwritten[utterance.number] = None
            has_ended = has_ended or utterance.state in _ENDED
        has_written = self._write_missing()
        saved = tuple(self._unsynced)
        is_slow = self.usual_sync_ms > SLOW_MS and self._clock() - self._synced_at < BATCH_S
        if has_written is None or (saved and is_slow and not has_ended):
            return ()
        return saved if (has_written or saved) and self._confirm() else ()

    def star(self, number: int, *, is_on: bool) -> bool:
        """Star or unstar an utterance; True if that is saved. A star set before the first final is written with it."""
        self._stars[number] = is_on
        if number not in self._kept:
            return False
        self._unwritten[number] = None
        has_written = self._write_missing()
        return has_written is False or (has_written is True and self._confirm())

    def close(self) -> int:
        """Write everything still missing, sync, and close the file; returns the number of utterances lost for good."""
        if self._unwritten or self._unsynced:
            self.record(())
        if self._unsynced:
            self._confirm()
        self._close_file()
        return self.missing

    def _write_missing(self) -> bool | None:
        """Bring the file up to date; returns whether lines were written, None if writing failed."""
        lines: list[str] = []
        changed: dict[int, _Kept] = {}
        gone: set[int] = set()
        has_finals = False
        for number in self._unwritten:
            utterance, before = self._known[number], self._kept.get(number, _NOTHING)
            finals, is_cancelled = _finals(utterance), utterance.state is UtteranceState.CANCELLED
            if is_cancelled or not finals:  # without finals: its text now belongs to another utterance
                if number in self._kept:
                    gone.add(number)
                    lines += [encode_cancelled(number)] if is_cancelled else []
                continue
            after = _wanted(utterance, finals, before, self._stars.get(number))
            new = [final for final in finals if before.finals.get(final.id) != after.finals[final.id]]
            if not new and list(after.finals) != list(before.finals):
                new = finals[-1:]  # only the row's ids have changed
            news = [encode_final(utterance, final) for final in new] + [
                encode_correction(number, segment)
                for segment in utterance.segments
                if after.corrections.get(segment.id) != before.corrections.get(segment.id)
            ]
            if after.is_starred is not None and after.is_starred is not before.is_starred:
                news.append(encode_star(number, is_on=after.is_starred))
            has_finals = has_finals or bool(new)
            if news:
                lines += news
                changed[number] = after
        if gone and not self._erase(gone):
            return None
        if has_finals and self._about != self._kept_about:
            lines.insert(0, encode_about(self._about))
        if lines and not self._write("".join(lines)):
            return None
        if has_finals:
            self._kept_about = self._about
        for number in gone:
            self._kept.pop(number, None)
            self._unsynced.pop(number, None)
        self._kept |= changed
        self._unsynced |= dict.fromkeys(changed)
        self._unwritten.clear()
        return bool(lines)

    def _erase(self, numbers: Collection[int]) -> bool:
        """Replace the file by one without these utterances of this run; False when that failed.

        Unreadable lines can contain their words, so they are removed, too. Lines from before `resume` are not touched.
        """
        if self._fd is None or self.path is None:
            return True
        try:
            self._close_file()  # Windows cannot replace an open file
            data = self.path.read_bytes()
            lines = data[self._resumed_at :].splitlines(keepends=True)
            kept = (line for line in lines if not _is_about(line, set(numbers) - self._earlier))
            write_private(self.path, data[: self._resumed_at] + b"".join(kept))
        except OSError as exc:
            self._failed(exc)
            return False
        finally:
            with contextlib.suppress(OSError):  # a missing file is noticed at the next sync
                self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | BINARY)
                claim(self._fd)
        self._is_torn = False
        return True

    def _write(self, text: str) -> bool:
        try:
            if self._fd is None:
                self._fd, name = self._create()
                text = encode_header(Header(name, self._started, self._is_practice)) + text
            if self._is_torn:  # seal a line that a full disk cut off
                text = "\n" + text
            data = text.encode("utf-8", "replace")
            written = 0
            while written < len(data):
                written += os.write(self._fd, data[written:])
                self._is_torn = written < len(data)
        except OSError as exc:
            self._discard_empty()
            self._failed(exc)
            return False
        return True

    def _confirm(self) -> bool:
        """Sync, and check that the file still exists: writes to a removed file succeed and are lost."""
        if not self._sync():
            return False
        if not self._is_there():
            self._forget_file()
            if not (self._write_missing() and self._sync() and self._is_there()):
                return False
        if self._reported_missing is not None:
            self._reported_missing = None
            self._on_recovery()
        return True

    def _sync(self) -> bool:
        if self._fd is None:
            return False
        begun = self._clock()
        try:
            os.fsync(self._fd)
        except OSError as exc:
            # The kernel can have dropped the unwritten data, and would report success for the next sync.
            for number in self._unsynced:
                self._kept.pop(number, None)
                self._unwritten[number] = None
            self._unsynced.clear()
            self._failed(exc)
            return False
        self._synced_at = self._clock()
        took = (self._synced_at - begun) * 1e3
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
        self._kept_about = About()
        self._unsynced.clear()
        self._unwritten = dict.fromkeys(self._known)

    def _close_file(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _failed(self, exc: OSError) -> None:
        is_news = self._reported_missing is None or self.missing > self._reported_missing
        self._reported_missing = self.missing
        if is_news:
            what = f" {lines_missing(self.missing)}" if self.missing else ""
            self._on_failure(f"The conversation cannot be saved in {self.folder}: {exc.strerror}.{what}")

    def _create(self) -> tuple[int, str]:
        """Create the file; returns its descriptor and the conversation's name. Raises OSError."""
        private_folder(self.folder)
        if self.path is None or self.path.exists():
            stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._started))
            self.path = self.folder / f"{stamp}-{secrets.token_hex(2)}.jsonl"
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        claim(fd)
        sync_folder(self.folder)  # the directory entry must survive a power cut, too
        return fd, self.path.stem

    def _discard_empty(self) -> None:
        """Remove a file that stayed empty, so that the header is written once the disk has room."""
        with contextlib.suppress(OSError):
            if self._fd is not None and os.fstat(self._fd).st_size == 0:
                self._close_file()
                self._is_torn = False
                path, self.path = self.path, None
                if path is not None:
                    path.unlink(missing_ok=True)


def lines_missing(count: int) -> str:
    """A sentence on how many lines are not saved."""
    return f"{count} line{'s are' if count != 1 else ' is'} not saved."


def _finals(utterance: Utterance) -> list[Segment]:
    """The utterance's finals as the service sent them, without the user's corrections."""
    segments = map(first_wording, utterance.segments) if utterance.is_corrected else utterance.segments
    return [final for segment in segments if (final := final_part(segment)) is not None]


def _wanted(utterance: Utterance, finals: Iterable[Segment], before: _Kept, is_starred: bool | None) -> _Kept:
    """The lines that the file must hold of an utterance. A revoked correction remains, with the first wording."""
    return _Kept(
        {final.id: (final.original, final.translation) for final in finals},
        {
            segment.id: (segment.original, segment.translation)
            for segment in utterance.segments
            if segment.is_corrected or segment.id in before.corrections
        },
        before.is_starred if is_starred is None else is_starred,
    )


def _is_about(line: bytes, utterances: Collection[int]) -> bool:
    try:
        fields = json.loads(line)
    except ValueError:
        return True
    return isinstance(fields, dict) and fields.get("utterance") in utterances
