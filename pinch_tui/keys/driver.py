"""Textual's terminal driver with key releases: it asks the terminal for them and feeds the talk key to `HoldInput`.

Textual pushes one entry of keyboard-protocol flags at its start and pops one at its stop. Ours replaces that entry, so
pushes and pops stay balanced on every way out (quit, suspend, crash). Everything but the start and the stop runs on
Textual's input thread; events of the talk key never reach the event loop.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
from collections.abc import Callable
from typing import IO, ClassVar

from textual import constants
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from pinch_tui.keys.driver_filter import ASK, CALM, TalkKeyFilter, reading, replaced_names
from pinch_tui.keys.ports import KeyListener
from pinch_tui.keys.screen_output import ScreenOutput, repainting
from pinch_tui.outlet import key_decoder


class LenientFile:
    """A terminal's output that ignores write errors, so that a hang-up blocks no thread."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._file.flush()

    @property
    def encoding(self) -> str:
        return getattr(self._file, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return self._file.isatty()

    def fileno(self) -> int:
        return self._file.fileno()


class HoldDriver(LinuxDriver):
    """See the module. ``hold`` is set by a subclass made for one `HoldInput`."""

    hold: ClassVar[KeyListener]
    _filter: TalkKeyFilter | None = None

    def start_application_mode(self) -> None:
        if not isinstance(self._file, LenientFile):
            self._file = LenientFile(self._file)  # type: ignore[assignment,arg-type]
        writer_before = self._writer_thread
        if self._filter is None:
            self._filter = TalkKeyFilter(self.hold, self._loop)
        is_disabled = constants.DISABLE_KITTY_KEY
        self.hold.attach(self.fileno if self.input_tty else None)
        if self.input_tty:  # before the input thread starts: this would undo what it learns
            self.hold.asked(self.hold.clock(), is_disabled=is_disabled)
        with replaced_names(linux_driver, WriterThread=self._output):
            super().start_application_mode()  # type: ignore[no-untyped-call]
        is_stopped_again = self._writer_thread is writer_before  # as a background job
        if self.input_tty and self.hold.wants_exact and not is_disabled and not is_stopped_again:
            self.write(ASK)
            self.flush()

    def _output(self, file: IO[str]) -> ScreenOutput:
        return ScreenOutput(file, repainting(self._loop, self._app))

    def stop_application_mode(self) -> None:
        self.hold.detach(self.hold.clock())
        if self.hold.is_exact and self._writer_thread is not None:
            self.write(CALM)
        super().stop_application_mode()
        self.hold.detach(self.hold.clock())  # for a press that came before the input thread had ended

    def run_input_thread(self) -> None:
        assert self._filter is not None
        ours = {"XTermParser": self._filter.make_parser, "getincrementaldecoder": _tolerant_decoder}
        with reading(linux_driver, **ours):
            try:
                super().run_input_thread()
            except OSError:  # the terminal is gone
                self.hold.detach(self.hold.clock())
                with contextlib.suppress(RuntimeError):  # so may be the loop
                    self._loop.call_soon_threadsafe(self.hold.on_hang_up or self._app.exit)

    def process_message(self, message: Message) -> None:
        if self._filter is not None and self._filter.takes(message):
            return
        super().process_message(message)


class _Reading:
    """Decodes any bytes. On a terminal in raw mode an empty read means that it hung up."""

    def __init__(self, decoder: codecs.IncrementalDecoder) -> None:
        self._decoder = decoder

    def decode(self, data: bytes, final: bool = False) -> str:
        """Raises `OSError` for the empty read; Textual's loop would spin on it for ever."""
        if not data and not final:
            raise OSError(errno.EIO, "the terminal hung up")
        return self._decoder.decode(data, final)


def _tolerant_decoder(_encoding: str) -> Callable[[], _Reading]:
    return lambda: _Reading(key_decoder())
