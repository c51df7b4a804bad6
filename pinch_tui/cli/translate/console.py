"""The messages of ``translate`` on stderr: sentences and, on a terminal, one line of progress.

Results that go to the same terminal pass through `Console.beside`, so that they never share a line with the progress.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TextIO

from pinch_tui.cli.live_line import LiveLine
from pinch_tui.core.events import StateWord, Status
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import Utterance, final_part
from pinch_tui.frontend.status_text import clock_text

_EVERY_S = 0.25


class Progress(Protocol):
    """How far a recording is."""

    @property
    def heard_s(self) -> float: ...

    @property
    def length_s(self) -> float | None:
        """None where it is not known."""


class Console(LiveLine):
    """The console. ``has_interim``: also shows texts that may still change."""

    def __init__(self, stream: TextIO | None = None, *, is_live: bool | None = None, has_interim: bool = False) -> None:
        super().__init__(stream, is_live=is_live)
        self._has_interim = has_interim
        self._input = ""
        self._progress: Progress | None = None
        self._drawn_at = float("-inf")
        self._provisional = ""

    def begin_input(self, name: str, progress: Progress | None = None) -> None:
        """Show the progress of this input from now on; None for a live one."""
        self._input = clean(name, 40)
        self._progress = progress
        self._provisional = ""

    def beside(self, write: Callable[[str], None]) -> Callable[[str], None]:
        """``write``, but removing the progress line before each text; the next `progress` draws it again."""

        def written(text: str) -> None:
            self.clear()
            write(text)

        return written

    def texts(self, utterances: Sequence[Utterance]) -> None:
        """With ``--interim``, show the newest unfinished text: in the progress line, or without one as lines."""
        if not self._has_interim or not utterances:
            return
        newest = next((segment for segment in reversed(utterances[-1].segments)), None)
        if newest is None:
            return
        final = final_part(newest)
        text = newest.translation or newest.original
        if final is not None and text == (final.translation or final.original):
            self._provisional = ""
        elif clean(text) != self._provisional:
            self._provisional = clean(text)
            if not self.is_live:
                self._write(f"~ {self._provisional}\n")

    def progress(self, status: Status, now: float) -> None:
        """Draw the progress line, at most four times a second."""
        if not self.is_live or now - self._drawn_at < _EVERY_S:
            return
        self._drawn_at = now
        parts = [self._input] if self._input else []
        word = str(status.word)
        if status.word is StateWord.RECONNECTING and status.retry_at is not None:
            word = f"reconnecting in {max(0.0, status.retry_at - now):.0f} s"
        parts.append(word)
        if status.talking_since is not None:
            parts.append(self._elapsed(now - status.talking_since))
        if status.behind_s >= 0.5:
            parts.append(f"{status.behind_s:.1f} s behind")
        line = " - ".join(parts)
        if self._provisional:
            line = f"{line} - {self._provisional}"
        self.draw(line)

    def _elapsed(self, talked_s: float) -> str:
        """``0:42 / 3:10, 2:28 left``; the time alone where the length is not known."""
        if self._progress is None:
            return clock_text(talked_s)
        heard, length = self._progress.heard_s, self._progress.length_s
        if length is None:
            return clock_text(heard)
        return f"{clock_text(heard)} / {clock_text(length)}, {clock_text(length - heard)} left"
