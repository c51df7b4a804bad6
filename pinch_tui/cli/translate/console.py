"""What ``translate`` says beside the translation: sentences and, on a terminal, one line of progress. All on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from pinch_tui.cli.live_line import LiveLine
from pinch_tui.core.events import StateWord, Status
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.transcript import Utterance

_EVERY_S = 0.25


class Console(LiveLine):
    """What ``translate`` says. ``has_interim``: texts that may still change, too."""

    def __init__(self, stream: TextIO | None = None, *, is_live: bool | None = None, has_interim: bool = False) -> None:
        super().__init__(stream, is_live=is_live)
        self._has_interim = has_interim
        self._input = ""
        self._drawn_at = float("-inf")
        self._provisional = ""

    def begin_input(self, name: str) -> None:
        """The progress line names this input from now on."""
        self._input = clean(name, 40)
        self._provisional = ""

    def texts(self, utterances: Sequence[Utterance]) -> None:
        """With ``--interim``, show what may still change: in the progress line, or as lines where there is none."""
        if not self._has_interim or not utterances:
            return
        newest = next((segment for segment in reversed(utterances[-1].segments)), None)
        if newest is None:
            return
        text = newest.translation or newest.original
        rest = text[newest.translation_stable :] if newest.translation else text[newest.original_stable :]
        if not rest:
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
            seconds = max(0, int(now - status.talking_since))
            parts.append(f"{seconds // 60}:{seconds % 60:02d}")
        if status.behind_s >= 0.5:
            parts.append(f"{status.behind_s:.1f} s behind")
        line = " - ".join(parts)
        if self._provisional:
            line = f"{line} - {self._provisional}"
        self.draw(line)
