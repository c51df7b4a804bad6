"""Writes the screen to the terminal. A terminal that stops reading stops only the screen.

It replaces Textual's writer, whose full queue blocks the event loop. While the terminal takes nothing, frames are
dropped and mode switches are kept; when it reads again, the whole screen is painted once.
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
"""A terminal that has taken nothing for this long is not reading."""
MOST_PENDING = 1024 * 1024
"""Bytes on their way to a terminal that is slower than the screen changes."""
_MODES = re.compile(r"(?:\x1b\[[?<>=](?!2026[hl])[0-9;:]*[a-zA-Z]|\x1b\[[?<>=][0-9;]*\$[a-z])+")


def _question_marks(error: UnicodeError) -> tuple[str, int]:
    """For what a terminal's own encoding lacks: as many cells as it would have taken."""
    assert isinstance(error, UnicodeEncodeError)
    return "?" * cell_len(error.object[error.start : error.end]), error.end


_LACKING = "pinch-question-marks"
codecs.register_error(_LACKING, _question_marks)


class ScreenOutput:
    """Fulfils Textual's ``WriterThread``: called on the event loop. ``on_readable`` is called, in another thread, when
    the terminal reads again after frames were dropped.

    ``file``: its encoding is the terminal's; anything but UTF-8 is rare."""

    def __init__(self, file: IO[str], on_readable: Callable[[], None], outlet: Outlet | None = None) -> None:
        self._file = file
        encoding = getattr(file, "encoding", None) or "utf-8"
        self._encoding = "utf-8" if encoding.lower().startswith("utf") else encoding
        self._on_readable = on_readable
        self._outlet = outlet or Outlet(file.fileno(), "pinch-screen", self._idle)
        self._is_behind = False
        self._modes: deque[str] = deque(maxlen=64)
        self.dropped = 0
        """Frames that the terminal did not get."""

    def start(self) -> None:
        """The outlet starts with its first byte."""

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
        """Everything leaves as soon as it can."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def stop(self) -> None:
        """Give the terminal what is left, for a moment: one that reads nothing cannot be given back either."""
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
    """What a `ScreenOutput` calls: the terminal lacks frames, so the whole screen is painted. Made on the loop."""
    context = contextvars.copy_context()

    def paint() -> None:
        app.refresh(layout=True)

    def readable() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed
            loop.call_soon_threadsafe(paint, context=context)

    return readable
