"""Past conversations: list, read, search, correct, delete, and apply retention.

One JSON-lines file per conversation in the data folder (`pinch_tui.store.history.lines` gives its format,
`pinch_tui.store.history.writer` writes it). Readers accept a file that is being written or was cut off.
"""

from __future__ import annotations

import contextlib
import os
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pinch_tui.core.transcript.correct import corrected
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.errors import UsageError, why
from pinch_tui.store.history.lines import Header, encode_correction, encode_star, read
from pinch_tui.store.history.writer import HistoryWriter
from pinch_tui.store.locks import claim, is_held
from pinch_tui.store.paths import BINARY, is_torn, open_file

_SUFFIX: Final = ".jsonl"
_AHEAD_DAYS: Final = 90
"""A clock that is later than the newest conversation by more than this is probably wrong."""
_BEHIND_DAYS: Final = 1
"""The same for a clock that is earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation(PastConversation):
    """A past conversation and its file."""

    path: Path


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A conversation's file that cannot be read. ``reason`` completes a sentence."""

    id: str
    path: Path
    reason: str

    def error(self) -> UsageError:
        return UsageError(f"{self.path} cannot be read: {self.reason}.", "Its owner can allow it: chmod u+rw.")


@dataclass(frozen=True, slots=True)
class Purge:
    """The outcome of retention. ``doubt``: a sentence saying why something was not removed."""

    removed: int = 0
    doubt: str = ""


class History:
    """The folder of conversations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resume(
        self,
        name: str,
        *,
        on_failure: Callable[[str], None] | None = None,
        on_recovery: Callable[[], None] | None = None,
    ) -> tuple[Conversation, HistoryWriter]:
        """A conversation and a writer that continues its file.

        Raises `UsageError` if it does not exist, cannot be read or written, or is open in another copy of the program.
        """
        path = self.path_of(name)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | BINARY | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            raise _no_such(name) from None
        except OSError as exc:
            raise UsageError(f"{path} cannot be written: {why(exc)}.", "Check its permissions.") from exc
        try:
            if not claim(fd):
                raise UsageError("This conversation is open in another copy of pinch-tui.", "Quit that one first.")
            found = self.named(name)
            writer = HistoryWriter(
                self.folder,
                found.started,
                is_practice=found.is_practice,
                on_failure=on_failure,
                on_recovery=on_recovery,
            )
            writer.resume(path, fd, found.utterances, found.stars)
        except BaseException:
            os.close(fd)
            raise
        return found, writer

    def ids(self) -> list[str]:
        """The names of all conversations. Raises `UsageError` for a folder that cannot be read."""
        try:
            names = [name for name in os.listdir(self.folder) if name.endswith(_SUFFIX)]  # noqa: PTH208 - glob hides EACCES
            return sorted((name.removesuffix(_SUFFIX) for name in names), reverse=True)
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise UsageError(
                f"The conversations in {self.folder} cannot be read: {why(exc)}.",
                "Its owner can allow it: chmod u+rwx.",
            ) from exc

    def entries(self) -> Iterator[Conversation | Unreadable]:
        """All conversations that are not empty, and the files that cannot be read, newest first.

        Their names hold local times, which cannot be compared, so they are sorted by the header's time.
        """
        for _, name in sorted(((self._began(name), name) for name in self.ids()), reverse=True):
            found = self._read(name)
            if isinstance(found, Unreadable) or (found is not None and found.utterances):
                yield found

    def conversations(self) -> Iterator[Conversation]:
        """All conversations that can be read and are not empty, newest first."""
        return (entry for entry in self.entries() if isinstance(entry, Conversation))

    def find(self, reference: str) -> Conversation:
        """A conversation by ``last``, by its number in the list (1 is the newest) or by the beginning of its name.

        Raises `UsageError` when there is none, or more than one.
        """
        if reference == "last":
            for entry in self.entries():
                if isinstance(entry, Unreadable):
                    raise entry.error()
                return entry
            raise UsageError("There are no conversations yet.", "The first translation starts one.")
        if reference.isdigit() and len(reference) <= 4:
            for number, conversation in enumerate(self.conversations(), 1):
                if number == int(reference):
                    return conversation
            raise _no_such(reference)
        names = [name for name in self.ids() if name.startswith(reference)] if reference else []
        if reference in names:
            names = [reference]
        if len(names) > 1:
            raise UsageError(f"{len(names)} conversations begin with {reference}.", "Give more of the name.")
        if not names:
            raise _no_such(reference)
        return self.named(names[0])

    def named(self, name: str) -> Conversation:
        """The conversation with exactly this name. Raises `UsageError` when it is not there or cannot be read."""
        conversation = self._read(name)
        if isinstance(conversation, Unreadable):
            raise conversation.error()
        if conversation is None:
            raise _no_such(name)
        return conversation

    def correct(
        self, conversation: Conversation, number: int, original: str | None, translation: str | None
    ) -> Conversation:
        """Correct a line of a past conversation, as `core.transcript.correct` does; returns the changed conversation.

        Raises `UsageError` if there is no such line, or the file cannot be written.
        """
        segments = next((one.segments for one in conversation.utterances if one.number == number), None)
        if segments is None:
            raise UsageError(f"There is no line {number}.", "pinch-tui history show numbers the lines.")
        new = [one for one in corrected(segments, original, translation) if one not in segments]
        if not new:
            return conversation
        return self._extended(conversation, "".join(encode_correction(number, segment) for segment in new))

    def star(self, conversation: Conversation, number: int, *, is_on: bool) -> Conversation:
        """Star or unstar a line of a past conversation; returns the changed conversation.

        Raises `UsageError` when the file cannot be written.
        """
        return self._extended(conversation, encode_star(number, is_on=is_on))

    def _extended(self, conversation: Conversation, lines: str) -> Conversation:
        """Append lines to a conversation's file, sync them, and read it again; a torn last line is sealed first."""
        path = conversation.path
        try:
            seal = "\n" if is_torn(path) else ""
            with path.open("ab") as file:
                file.write((seal + lines).encode("utf-8", "replace"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise UsageError(f"{path} cannot be written: {exc.strerror}.", "Check its permissions.") from exc
        found = self._read(conversation.id)
        return found if isinstance(found, Conversation) else conversation

    def delete(self, name: str) -> None:
        """Remove a conversation's file. Raises `UsageError` when that fails."""
        path = self.path_of(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as exc:
            raise UsageError(f"{path} cannot be removed: {why(exc)}.", "Check the folder's permissions.") from exc

    def purge(self, keep_days: int, now: float) -> Purge:
        """Remove conversations whose last final is older than ``keep_days`` days at the Unix time ``now``; 0 keeps all.

        Conversations that are open in a running copy are kept. If the clock is far from the newest file's time, it is
        not trusted: nothing is removed, and ``doubt`` says so.
        """
        if keep_days <= 0:
            return Purge()
        try:
            paths = [self.path_of(name) for name in self.ids()]
        except UsageError as exc:
            return Purge(doubt=str(exc))
        changed: dict[Path, float] = {}
        for path in paths:
            with contextlib.suppress(OSError):
                changed[path] = path.stat().st_mtime
        old = [path for path, at in changed.items() if now - at > keep_days * 86_400]
        away = (now - max(changed.values(), default=now)) / 86_400
        if away < -_BEHIND_DAYS or (old and away > _AHEAD_DAYS):
            side = "behind" if away < 0 else "ahead of"
            return Purge(
                doubt=f"This machine's clock is {abs(away):,.0f} days {side} the newest conversation. If it is right, "
                f"you need not do anything; no conversation was deleted for being older than {keep_days} days."
            )
        removed, failed = 0, ""
        for path in old:
            try:
                if not is_held(path):
                    path.unlink()
                    removed += 1
            except OSError as exc:
                failed = f"{path} is older than {keep_days} days and cannot be removed: {why(exc)}."
        return Purge(removed, failed)

    def path_of(self, name: str) -> Path:
        """The file of a conversation."""
        return self.folder / f"{name}{_SUFFIX}"

    def _began(self, name: str) -> float:
        """Start of a conversation in Unix seconds, from its first line, else from its name or its file."""
        path = self.path_of(name)
        try:
            with open_file(path) as file:
                header = read([file.readline(64 * 1024)]).header
            return header.started if header is not None else _started_from(name, path)
        except OSError:
            try:
                return path.stat().st_mtime
            except OSError:
                return float("inf")  # list it first, so that it is noticed

    def _read(self, name: str) -> Conversation | Unreadable | None:
        path = self.path_of(name)
        try:
            with open_file(path) as file:
                reading = read(file)
            header = reading.header or Header(name, _started_from(name, path))
        except FileNotFoundError:
            return None
        except OSError as exc:
            return Unreadable(name, path, why(exc))
        utterances = tuple(utterance for _, utterance in sorted(reading.utterances.items()))
        return Conversation(
            id=name,
            path=path,
            started=header.started,
            utterances=utterances,
            is_practice=header.is_practice,
            stars=frozenset(reading.stars & reading.utterances.keys()),
            unreadable=reading.unreadable,
            services=tuple(dict.fromkeys(about.service for about in reading.about if about.service)),
            models=tuple(dict.fromkeys(about.model for about in reading.about if about.model)),
            context=next((about.context for about in reversed(reading.about) if about.context), ""),
        )


def _no_such(name: str) -> UsageError:
    return UsageError(f"There is no conversation {name}.", "pinch-tui history list shows them.")


def matching(conversation: Conversation, text: str) -> Iterator[tuple[Utterance, str]]:
    """Utterances that contain ``text`` in either language, ignoring case and accents, each with that side's text."""
    wanted = _folded(text)
    for utterance in conversation.utterances:
        for said in (utterance.original, utterance.translation):
            if wanted in _folded(said):
                yield utterance, said
                break


def _started_from(name: str, path: Path) -> float:
    """Start of a conversation without a readable header, from its name or else its file. Raises OSError."""
    try:
        return time.mktime(time.strptime(name[:15], "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return path.stat().st_mtime


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
