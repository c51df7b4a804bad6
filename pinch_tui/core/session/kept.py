"""The sound of lines that settled without a text, so that a person may send it again. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pinch_tui.core.events import FRAME_S, Frame

KEEP_S = 300.0
"""Seconds of such sound that are kept while the program runs; the oldest line goes first. 9.6 MB."""


class KeptSound:
    """By the number of the utterance, the oldest first."""

    def __init__(self, keep_s: float = KEEP_S) -> None:
        self._keep = round(keep_s / FRAME_S)
        self._frames: dict[int, tuple[Frame, ...]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._frames

    def put(self, number: int, frames: Sequence[Frame]) -> list[int]:
        """Keep the sound of an utterance; the numbers of those that had to go, itself included if it is too long."""
        self._frames.pop(number, None)
        self._frames[number] = tuple(frames)
        kept, gone = sum(map(len, self._frames.values())), []
        while kept > self._keep:
            oldest = next(iter(self._frames))
            kept -= len(self._frames.pop(oldest))
            gone.append(oldest)
        return gone

    def take(self, number: int) -> tuple[Frame, ...]:
        """The sound of an utterance, which is no longer kept; empty where none is."""
        return self._frames.pop(number, ())
