"""Past conversations for the app: the history's files, read and written in threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.errors import UsageError, why
from pinch_tui.frontend.past import PastEntry
from pinch_tui.frontend.ports import Wording
from pinch_tui.store.history.conversations import Conversation, History, Unreadable, matching
from pinch_tui.store.locks import is_held

PART_S = 0.05
"""How long a search reads before it yields its results, so that they can be shown and the search cancelled."""
_FIRST_WORDS = 300
"""Maximum length of a conversation's first words in the list, in characters."""


class KeptConversations:
    """Implements `frontend.past.PastConversations`. ``running``: the file of the running conversation, which is left
    out."""

    def __init__(self, history: History, running: Callable[[], Path | None]) -> None:
        self._history, self._running = history, running
        self._changes = asyncio.Lock()  # keeps changes of a file in the order of the calls

    async def find(self, text: str) -> AsyncGenerator[Sequence[PastEntry]]:
        rows = self._rows(text)
        is_more = True
        while is_more:
            part, is_more = await asyncio.to_thread(self._part, rows)
            yield part

    def _part(self, rows: Iterator[list[PastEntry]]) -> tuple[list[PastEntry], bool]:
        """The results of the next `PART_S`, and whether there is more to read."""
        end = time.monotonic() + PART_S
        found: list[PastEntry] = []
        for some in rows:
            found += some
            if time.monotonic() >= end:
                return found, True
        return found, False

    def _rows(self, text: str) -> Iterator[list[PastEntry]]:
        """The rows of each conversation in turn."""
        running = self._running()
        for entry in self._history.entries():
            if entry.path == running:
                continue
            if isinstance(entry, Unreadable):
                yield [] if text.strip() else [_unreadable(entry)]
            elif text.strip():
                yield [_entry(entry, said, line.number) for line, said in matching(entry, text)]
            else:
                first = entry.utterances[0]
                yield [_entry(entry, (first.original or first.translation)[:_FIRST_WORDS])]

    async def open(self, id_: str) -> Conversation:
        return await asyncio.to_thread(self._history.named, id_)

    async def star(self, id_: str, number: int, *, is_on: bool) -> Conversation:
        def star() -> Conversation:
            return self._history.star(self._history.named(id_), number, is_on=is_on)

        async with self._changes:
            return await asyncio.to_thread(star)

    async def correct(self, id_: str, number: int, wording: Wording) -> Conversation:
        def correct() -> Conversation:
            return self._history.correct(self._history.named(id_), number, *wording)

        async with self._changes:
            return await asyncio.to_thread(correct)

    async def export(self, id_: str, format_: ExportFormat, side: ExportSide, part: ExportPart) -> Path:
        return await asyncio.to_thread(self._export, id_, format_, side, part)

    def _export(self, id_: str, format_: ExportFormat, side: ExportSide, part: ExportPart) -> Path:
        from pinch_tui.store.exports import default_folder, export_conversation

        item = self._history.named(id_)
        return export_conversation(
            default_folder(),
            item.utterances,
            format_,
            side,
            pair=item.pairs[0] if item.pairs else ("xx", "xx"),
            starred=item.stars,
            part=part,
            service=", ".join(item.services) or ("Practice" if item.is_practice else ""),
            context=item.context,
            now=datetime.fromtimestamp(item.started).astimezone(),
        )

    async def delete(self, id_: str) -> None:
        async with self._changes:
            await asyncio.to_thread(self._delete, id_)

    def _delete(self, id_: str) -> None:
        """Refuses a conversation that is open, since its writer would write it again."""
        path = self._history.path_of(id_)
        try:
            is_open = is_held(path)
        except FileNotFoundError:
            return
        except OSError as exc:
            raise UsageError(f"{path} cannot be removed: {why(exc)}.", "Check its permissions.") from exc
        if is_open:
            raise UsageError("This conversation is open in another copy of pinch-tui.", "Quit that one first.")
        self._history.delete(id_)


def _entry(item: Conversation, words: str, line: int | None = None) -> PastEntry:
    return PastEntry(
        item.id,
        item.started,
        item.pairs,
        len(item.utterances),
        len(item.stars),
        item.is_practice,
        words,
        line,
    )


def _unreadable(item: Unreadable) -> PastEntry:
    try:
        changed = item.path.stat().st_mtime
    except OSError:
        changed = 0.0
    return PastEntry(item.id, changed, problem=item.reason)
