"""A command's messages on stderr: sentences and, on a terminal, one progress line that is redrawn."""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
from typing import TextIO

from pinch_tui.core.transcript.clean import clean

_WIDTH = 78
"""Maximum width in cells, also used if the terminal's width is unknown."""


class LiveLine:
    """Prints sentences and, if ``is_live`` (on a terminal), one line below them that is redrawn."""

    def __init__(self, stream: TextIO | None = None, *, is_live: bool | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self.is_live = self._stream.isatty() if is_live is None else is_live
        self._drawn = ""
        self._said = ""

    def say(self, sentence: str) -> None:
        """Print a sentence on a line of its own, unless it is the same as the one before."""
        line = clean(sentence, 1_000)
        if line and line != self._said:
            self._said = line
            self.clear()
            self._write(f"pinch-tui: {line}\n")

    def draw(self, line: str) -> None:
        """Redraw the line, cut so that the terminal does not wrap it."""
        line = _fitted(line, self._width())
        if line != self._drawn:
            self._write("\r\x1b[K" + line)
            self._drawn = line

    def clear(self) -> None:
        """Remove the line."""
        if self._drawn:
            self.draw("")

    def _width(self) -> int:
        """Available cells. The last column stays free, since some terminals wrap after it."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return min(_WIDTH, columns - 1) if columns > 1 else _WIDTH  # some terminals report 0

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a closed stderr is no reason to stop
            self._stream.write(text)
            self._stream.flush()


def _fitted(line: str, width: int) -> str:
    """Cut a line to this many cells."""
    cells = 0
    for index, char in enumerate(line):
        cells += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if cells > width:
            return line[:index]
    return line
