"""Writes the screen to the terminal; a terminal that stops reading stops nothing but the screen.

Replaces Textual's writer, whose full queue blocks the event loop. While the terminal does not read, frames are dropped
and mode switches are kept; when it reads again, the whole screen is painted once.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import contextvars
import re
from collections import deque
from collections.abc import Callable
from typing import IO, Any

from rich.cells import cell_len
from textual.app import App

from pinch_tui.outlet import LAST_WORDS_S, Outlet

STALLED_S = 0.4
"""A terminal that has not read for this time, in seconds, counts as stalled."""
MOST_PENDING = 1024 * 1024
"""Largest backlog in bytes, for a terminal that is slower than the screen changes."""
_MODES = re.compile(r"(?:\x1b\[[?<>=](?!2026[hl])[0-9;:]*[a-zA-Z]|\x1b\[[?<>=][0-9;]*\$[a-z])+")


def _question_marks(error: UnicodeError) -> tuple[str, int]:
    """Question marks for characters that the terminal's encoding lacks, over the same number of cells."""
    assert isinstance(error, UnicodeEncodeError)
    return "?" * cell_len(error.object[error.start : error.end]), error.end


_LACKING = "pinch-question-marks"
codecs.register_error(_LACKING, _question_marks)


class ScreenOutput:
    """Has the interface of Textual's ``WriterThread``; called on the event loop.

    ``file`` has the terminal's encoding. ``on_readable`` is called on another thread when the terminal reads again
    after frames were dropped.
    """

    def __init__(self, file: IO[str], on_readable: Callable[[], None], outlet: Outlet | None = None) -> None:
        self._file = file
        encoding = getattr(file, "encoding", None) or "utf-8"
        self._encoding = "utf-8" if encoding.lower().startswith("utf") else encoding
        self._on_readable = on_readable
        self._outlet = outlet or Outlet(file.fileno(), "pinch-screen", self._idle)
        self._is_behind = False
        self._modes: deque[str] = deque(maxlen=64)
        self.dropped = 0
        """Count of dropped frames."""

    def start(self) -> None:
        """Nothing to do: the outlet starts with its first byte."""

    def write(self, text: str) -> None:
        outlet = self._outlet
        if not self._is_behind:
            self._is_behind = outlet.waiting_s > STALLED_S or outlet.pending > MOST_PENDING
        if not self._is_behind:
            outlet.write(text.encode(self._encoding, _LACKING))
        elif _MODES.fullmatch(text):
            self._modes.append(text)
        else:
            self.dropped += 1

    def flush(self) -> None:
        """Nothing to do: the outlet writes as soon as it can."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def stop(self) -> None:
        """Write the rest, for a moment at most: a terminal that does not read cannot be restored."""
        self._catch_up()
        self._outlet.close(LAST_WORDS_S)

    def _idle(self) -> None:
        if self._is_behind:
            self._catch_up()
            self._on_readable()

    def _catch_up(self) -> None:
        self._is_behind = False
        modes, self._modes = "".join(self._modes), deque(maxlen=64)
        self._outlet.write(modes.encode())


def repainting(loop: asyncio.AbstractEventLoop, app: App[Any]) -> Callable[[], None]:
    """A callback for `ScreenOutput` that paints the whole screen. Call this on the loop."""
    context = contextvars.copy_context()

    def paint() -> None:
        app.refresh(layout=True)

    def readable() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed
            loop.call_soon_threadsafe(paint, context=context)

    return readable
