"""The twin of `pinch_tui.keys.driver` for Windows: same question, same parser, same filter, same way out.

Windows Terminal answers the question from 1.25 on; an older one, and the console, answer the device attributes alone.
"""

from __future__ import annotations

import contextlib
from typing import IO, ClassVar

from textual import constants
from textual.drivers import win32, windows_driver
from textual.drivers.windows_driver import WindowsDriver
from textual.message import Message

from pinch_tui.keys.driver_filter import ASK, CALM, TalkKeyFilter, reading, replaced_names
from pinch_tui.keys.ports import KeyListener
from pinch_tui.keys.screen_output import ScreenOutput, repainting


class HoldWindowsDriver(WindowsDriver):
    """``hold`` is set by a subclass made for one `HoldInput`."""

    hold: ClassVar[KeyListener]
    _filter: TalkKeyFilter | None = None

    def start_application_mode(self) -> None:
        if self._filter is None:
            self._names = contextlib.ExitStack()
            self._filter = TalkKeyFilter(self.hold, self._loop)
        # The console's reader makes its parser on its own thread, so the name stays replaced until the stop.
        self._names.enter_context(reading(win32, XTermParser=self._filter.make_parser))
        is_disabled = constants.DISABLE_KITTY_KEY
        self.hold.attach(None)
        self.hold.asked(self.hold.clock(), is_disabled=is_disabled)
        with replaced_names(windows_driver, WriterThread=self._output):
            super().start_application_mode()
        if self.hold.wants_exact and not is_disabled:
            self.write(ASK)
            self.flush()

    def _output(self, file: IO[str]) -> ScreenOutput:
        return ScreenOutput(file, repainting(self._loop, self._app))

    def stop_application_mode(self) -> None:
        self.hold.detach(self.hold.clock())
        if self.hold.is_exact and self._writer_thread is not None:
            self.write(CALM)
        super().stop_application_mode()
        self.hold.detach(self.hold.clock())  # of a press that came before the console's reader had ended
        self._names.close()

    def process_message(self, message: Message) -> None:
        if self._filter is not None and self._filter.takes(message):
            return
        super().process_message(message)
