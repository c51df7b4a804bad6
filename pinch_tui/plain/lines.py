"""Writes whole lines to the terminal, and asks questions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from pinch_tui.core.drawing import line_in_ascii
from pinch_tui.core.transcript.clean import clean
from pinch_tui.plain.terminal import Terminal
from pinch_tui.ui.text.breaks import wrap
from pinch_tui.ui.text.cells import clusters

_LEAST_COLUMNS = 20
"""Lines are not broken for terminals narrower than this."""


def terminal_columns() -> int:
    """Width of the terminal on stdout; 0 if unknown, as with a pipe."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 0


class Lines:
    """Breaks long lines between words. ``columns``: the terminal's width, 0 if unknown."""

    def __init__(self, terminal: Terminal, columns: Callable[[], int], *, is_ascii: bool) -> None:
        self._terminal, self._columns, self._is_ascii = terminal, columns, is_ascii

    def tell(self, *lines: str) -> None:
        for line in lines:
            for part in self._wrapped(line_in_ascii(line) if self._is_ascii else line):
                self._terminal.write(part)

    async def ask(self, question: str) -> str:
        """The answer, "" for none."""
        return clean(await self._terminal.ask("\n".join(self._wrapped(question))))

    def _wrapped(self, line: str) -> list[str]:
        room = self._columns() - 1  # a full line would leave an empty one behind in some terminals
        if room < _LEAST_COLUMNS or not line.strip():
            return [line]
        parts = clusters(line)
        return ["".join(part.text for part in parts[start:end]) for start, end in wrap(parts, room)]
