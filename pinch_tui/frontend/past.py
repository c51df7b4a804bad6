"""Past conversations, as the front end asks for them. The wiring reads and writes them."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.frontend.ports import Wording

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PastEntry:
    """A row of the list: a conversation, or with ``line`` a line of it that was found."""

    id: str
    started: float
    """Unix seconds."""
    pairs: Pairs = ()
    """The language pairs spoken in it, in order of appearance."""
    n_lines: int = 0
    n_stars: int = 0
    is_practice: bool = False
    words: str = ""
    """The first words, or the text of the line in which something was found."""
    line: int | None = None
    """The number of the line that was found."""
    problem: str = ""
    """Why it cannot be read: the end of a sentence."""


class PastConversation(Protocol):
    """A conversation as it stands on disk."""

    @property
    def id(self) -> str: ...

    @property
    def started(self) -> float:
        """Unix seconds."""

    @property
    def utterances(self) -> tuple[Utterance, ...]:
        """In press order; numbers of lines that were thrown away are missing."""

    @property
    def is_practice(self) -> bool: ...

    @property
    def stars(self) -> frozenset[int]:
        """Numbers of the starred utterances."""

    @property
    def unreadable(self) -> int:
        """Lines of its file that cannot be read."""

    @property
    def pairs(self) -> Pairs: ...


def when(started: float) -> str:
    """The local time of a conversation's beginning."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(started))


def counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


class PastConversations(Protocol):
    """All conversations but the running one. Every method raises `PinchError` when it cannot be done."""

    def find(self, text: str) -> AsyncGenerator[Sequence[PastEntry]]:
        """The conversations, newest first; with a text the lines that hold it, in either language. They come in parts,
        as they are read; a part may be empty."""

    async def open(self, id_: str) -> PastConversation: ...

    async def star(self, id_: str, number: int, *, is_on: bool) -> PastConversation:
        """Star a line, or take its star back; the conversation as it is now."""

    async def correct(self, id_: str, number: int, wording: Wording) -> PastConversation:
        """Correct a line; the conversation as it is now."""

    async def export(self, id_: str, format_: ExportFormat, side: ExportSide, part: ExportPart) -> Path:
        """Write it to a file of its own; returns that."""

    async def delete(self, id_: str) -> None:
        """Remove it for good."""
