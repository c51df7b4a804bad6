"""The messages of ``translate`` on stderr: sentences and, on a terminal, one line of progress.

Results for the same terminal pass through `Console.beside`, so that they never share a line with the progress.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from pinch_tui.cli.live_line import LiveLine
from pinch_tui.core.events import StateWord, Status
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import Utterance, final_part
from pinch_tui.frontend.status_text import clock_text

if TYPE_CHECKING:
    from pinch_tui.audio.adapters.files import FileMicrophone


class Console(LiveLine):
    """The console. ``has_interim``: also show texts that can still change."""

    def __init__(self, stream: TextIO | None = None, *, is_live: bool | None = None, has_interim: bool = False) -> None:
        super().__init__(stream, is_live=is_live)
        self._has_interim = has_interim
        self._input = ""
        self._recording: FileMicrophone | None = None
        self._drawn_at = float("-inf")
        self._provisional = ""

    def begin_input(self, name: str, recording: FileMicrophone | None = None) -> None:
        """Show the progress of this input from now on; ``recording`` is None for a live one."""
        self._input = clean(name, 40)
        self._recording = recording
        self._provisional = ""

    def beside(self, write: Callable[[str], None]) -> Callable[[str], None]:
        """A ``write`` that first removes the progress line; the next `progress` draws it again."""

        def written(text: str) -> None:
            self.clear()
            write(text)

        return written

    def texts(self, utterances: Sequence[Utterance]) -> None:
        """With ``--interim``, show the newest unfinished text: in the progress line, or on lines of its own."""
        if not self._has_interim or not utterances or not utterances[-1].segments:
            return
        newest = utterances[-1].segments[-1]
        final = final_part(newest)
        text = newest.translation or newest.original
        if final is not None and text == (final.translation or final.original):
            self._provisional = ""
        elif clean(text) != self._provisional:
            self._provisional = clean(text)
            if not self.is_live:
                self._write(f"~ {self._provisional}\n")

    def progress(self, status: Status, now: float) -> None:
        """Draw the progress line, at most four times per second."""
        if not self.is_live or now - self._drawn_at < 0.25:
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
        self.draw(" - ".join([*parts, *filter(None, [self._provisional])]))

    def _elapsed(self, talked_s: float) -> str:
        """``0:42 / 3:10, 2:28 left``; the elapsed time alone if the length is unknown."""
        if self._recording is None:
            return clock_text(talked_s)
        heard, length = self._recording.heard_s, self._recording.length_s
        if length is None:
            return clock_text(heard)
        return f"{clock_text(heard)} / {clock_text(length)}, {clock_text(length - heard)} left"
