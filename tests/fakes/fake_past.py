"""Past conversations in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pinch_tui.core.transcript.correct import corrected
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.errors import PinchError
from pinch_tui.frontend.past import PastEntry
from pinch_tui.frontend.ports import Wording


@dataclass
class FakePast:
    """Implements `PastConversations`; finds by plain containment. ``refuses``: raised by everything but ``find``."""

    kept: list[PastConversation] = field(default_factory=list)
    """Newest first."""
    problems: list[PastEntry] = field(default_factory=list)
    refuses: PinchError | None = None
    exported: list[tuple[str, ExportFormat, ExportSide, ExportPart]] = field(default_factory=list)
    continued: list[str] = field(default_factory=list)
    looked_for: list[str] = field(default_factory=list)

    async def find(self, text: str) -> AsyncGenerator[Sequence[PastEntry]]:
        self.looked_for.append(text)
        for one in self.kept:
            if text:
                yield [
                    self._entry(one, words, said.number)
                    for said in one.utterances
                    for words in [
                        next((side for side in (said.original, said.translation) if text in side.lower()), "")
                    ]
                    if words
                ]
            else:
                yield [self._entry(one, one.utterances[0].original)]
        yield [] if text else self.problems

    def _entry(self, one: PastConversation, words: str, number: int | None = None) -> PastEntry:
        n_lines, n_stars = len(one.utterances), len(one.stars)
        return PastEntry(one.id, one.started, one.pairs, n_lines, n_stars, one.is_practice, words, number)

    async def open(self, id_: str) -> PastConversation:
        if self.refuses is not None:
            raise self.refuses
        return next(one for one in self.kept if one.id == id_)

    async def _put(self, now: PastConversation) -> PastConversation:
        self.kept = [now if one.id == now.id else one for one in self.kept]
        return now

    async def star(self, id_: str, number: int, *, is_on: bool) -> PastConversation:
        one = await self.open(id_)
        return await self._put(replace(one, stars=one.stars | {number} if is_on else one.stars - {number}))

    async def correct(self, id_: str, number: int, wording: Wording) -> PastConversation:
        one = await self.open(id_)
        said = tuple(
            replace(line, segments=corrected(line.segments, *wording)) if line.number == number else line
            for line in one.utterances
        )
        return await self._put(replace(one, utterances=said))

    async def export(self, id_: str, format_: ExportFormat, side: ExportSide, part: ExportPart) -> Path:
        await self.open(id_)
        self.exported.append((id_, format_, side, part))
        return Path(f"past.{format_.value}")

    async def go_on(self, id_: str) -> PastConversation:
        """For `AppServices.continue_past`."""
        one = await self.open(id_)
        self.continued.append(id_)
        return one

    async def delete(self, id_: str) -> None:
        await self.open(id_)
        self.kept = [one for one in self.kept if one.id != id_]
