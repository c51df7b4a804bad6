"""The front end's view of past conversations; the wiring reads and writes them."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.frontend.ports import Wording

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PastEntry:
    """A row of the list: a conversation, or one of its lines that matched a search (``line``)."""

    id: str
    started: float
    """Unix seconds."""
    pairs: Pairs = ()
    """The language pairs spoken in it, in order of appearance."""
    n_lines: int = 0
    n_stars: int = 0
    is_practice: bool = False
    words: str = ""
    """The first words, or the text of the matching line."""
    line: int | None = None
    """The number of the matching line."""
    problem: str = ""
    """Why the conversation cannot be read, "" if it can."""


def when(started: float) -> str:
    """The local time of a conversation's beginning."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(started))


def counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


class PastConversations(Protocol):
    """All conversations except the running one. Every method raises `PinchError` on failure."""

    def find(self, text: str) -> AsyncGenerator[Sequence[PastEntry]]:
        """All conversations, newest first, or the lines that contain ``text``, in either language. Yields parts as they
        are read; a part can be empty."""

    async def open(self, id_: str) -> PastConversation: ...

    async def star(self, id_: str, number: int, *, is_on: bool) -> PastConversation:
        """Star or unstar a line; returns the changed conversation."""

    async def correct(self, id_: str, number: int, wording: Wording) -> PastConversation:
        """Correct a line; returns the changed conversation."""

    async def export(self, id_: str, format_: ExportFormat, side: ExportSide, part: ExportPart) -> Path:
        """Export a conversation; returns the file."""

    async def delete(self, id_: str) -> None:
        """Delete a conversation for good."""
