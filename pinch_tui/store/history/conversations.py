"""Past conversations: list, read, search, delete, and what retention removes.

One JSON-lines file a conversation in the data folder (`pinch_tui.store.history.lines` gives its format,
`pinch_tui.store.history.writer` writes it). Readers accept a file that is being written or was cut off.
"""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pinch_tui.core.transcript.correct import corrected
from pinch_tui.core.transcript.transcript import Utterance
from pinch_tui.errors import UsageError
from pinch_tui.store.history.lines import Header, encode_correction, encode_star, read
from pinch_tui.store.history.writer import HistoryWriter, is_held
from pinch_tui.store.paths import open_file

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation as it stands on disk, utterances in press order."""

    id: str
    path: Path
    started: float
    """Unix seconds."""
    utterances: tuple[Utterance, ...]
    is_practice: bool = False
    stars: frozenset[int] = frozenset()
    """Numbers of the utterances that the user starred."""
    unreadable: int = 0
    """Lines that could not be read."""
    services: tuple[str, ...] = ()
    """Names of the services that translated it, in order of appearance."""
    context: str = ""
    """The last context that was given."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The language pairs spoken in it, in order of appearance."""
        return tuple(dict.fromkeys((utterance.source, utterance.target) for utterance in self.utterances))


class History:
    """The folder of conversations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(
        self,
        started: float,
        *,
        is_practice: bool = False,
        on_failure: Callable[[str], None] | None = None,
        on_recovery: Callable[[], None] | None = None,
    ) -> HistoryWriter:
        """A writer for a new conversation; its file appears with the first final."""
        return HistoryWriter(
            self.folder, started, is_practice=is_practice, on_failure=on_failure, on_recovery=on_recovery
        )

    def ids(self) -> list[str]:
        """The conversations' names, newest first."""
        try:
            return sorted((path.stem for path in self.folder.glob("*.jsonl")), reverse=True)
        except OSError:
            return []

    def conversations(self) -> Iterator[Conversation]:
        """All conversations with something in them, newest first."""
        for name in self.ids():
            conversation = self._read(name)
            if conversation is not None and conversation.utterances:
                yield conversation

    def find(self, reference: str) -> Conversation:
        """A conversation by ``last``, by its number in the list (1 is the newest) or by the beginning of its name.

        Raises `UsageError` when there is none, or more than one.
        """
        if reference == "last" or (reference.isdigit() and len(reference) <= 4):
            wanted = 1 if reference == "last" else int(reference)
            for number, listed in enumerate(self.conversations(), start=1):
                if number == wanted:
                    return listed
            if reference == "last":
                raise UsageError("There are no conversations yet.", "They are kept from the first translation on.")
            raise UsageError(f"There is no conversation {reference}.", "pinch-tui history list shows what there is.")
        names = [name for name in self.ids() if name.startswith(reference)] if reference else []
        if len(names) > 1 and reference not in names:
            raise UsageError(f"{len(names)} conversations begin with {reference}.", "Give more of the name.")
        name = reference if reference in names else (names[0] if names else "")
        conversation = self._read(name) if name else None
        if conversation is None:
            raise UsageError(f"There is no conversation {reference}.", "pinch-tui history list shows what there is.")
        return conversation

    def search(self, text: str) -> Iterator[tuple[Conversation, Utterance]]:
        """Utterances with ``text`` in either language, newest conversation first; case and accents aside."""
        wanted = _folded(text)
        for conversation in self.conversations():
            for utterance in conversation.utterances:
                if wanted in _folded(utterance.original) or wanted in _folded(utterance.translation):
                    yield conversation, utterance

    def correct(
        self, conversation: Conversation, number: int, original: str | None, translation: str | None
    ) -> Conversation:
        """Correct a line of a past conversation, as `core.transcript.correct` does; the conversation as it is now.

        Raises `UsageError` for a line that is not there, and when the file cannot be written.
        """
        utterance = next((one for one in conversation.utterances if one.number == number), None)
        if utterance is None:
            raise UsageError(f"There is no line {number}.", "pinch-tui history show numbers the lines.")
        segments = corrected(utterance.segments, original, translation)
        changed = [new for old, new in zip(utterance.segments, segments, strict=True) if old != new]
        if not changed:
            return conversation
        _append(conversation.path, "".join(encode_correction(number, segment) for segment in changed))
        return self._read(conversation.id) or conversation

    def star(self, conversation: Conversation, number: int, *, is_on: bool) -> Conversation:
        """Star a line of a past conversation, or take its star back; the conversation as it is now.

        Raises `UsageError` when the file cannot be written.
        """
        _append(conversation.path, encode_star(number, is_on=is_on))
        return self._read(conversation.id) or conversation

    def delete(self, conversation: Conversation) -> None:
        """Remove a conversation's file. Raises `UsageError` when that fails."""
        try:
            conversation.path.unlink(missing_ok=True)
        except OSError as exc:
            raise UsageError(
                f"{conversation.path} cannot be removed: {exc.strerror}.", "Check the folder's permissions."
            ) from exc

    def purge(self, keep_days: int, now: float) -> int:
        """Remove conversations whose last final is older than ``keep_days``; 0 keeps all, and those that a running copy
        has open are spared. Returns how many went."""
        if keep_days <= 0:
            return 0
        removed = 0
        for name in self.ids():
            path = self.folder / f"{name}.jsonl"
            try:
                if now - path.stat().st_mtime > keep_days * _DAY_S and not is_held(path):
                    path.unlink()
                    removed += 1
            except OSError:
                continue
        return removed

    def _read(self, name: str) -> Conversation | None:
        path = self.folder / f"{name}.jsonl"
        try:
            with open_file(path) as file:
                reading = read(file)
            header = reading.header or Header(name, _started_from(name, path))
        except OSError:
            return None
        utterances = tuple(utterance for _, utterance in sorted(reading.utterances.items()))
        return Conversation(
            name,
            path,
            header.started,
            utterances,
            header.is_practice,
            frozenset(reading.stars & reading.utterances.keys()),
            reading.unreadable,
            tuple(dict.fromkeys(about.service for about in reading.about if about.service)),
            next((about.context for about in reversed(reading.about) if about.context), ""),
        )


def _append(path: Path, lines: str) -> None:
    """Add lines to a conversation's file and sync them; a line that was cut off is sealed first."""
    try:
        with open_file(path) as file:
            is_torn = file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
        with path.open("ab") as file:
            file.write(("\n" if is_torn else "").encode() + lines.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {exc.strerror}.", "Check its permissions.") from exc


def _started_from(name: str, path: Path) -> float:
    """When a conversation without a readable header began, by its name or else its file."""
    try:
        return time.mktime(time.strptime(name[:15], "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return path.stat().st_mtime


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
