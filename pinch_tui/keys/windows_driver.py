"""`pinch_tui.keys.driver` for Windows: the same query, parser and filter.

Windows Terminal reports its flags from 1.25 on; older versions and the console answer only with device attributes.
"""

from __future__ import annotations

import contextlib

from textual import constants
from textual.drivers import win32, windows_driver
from textual.drivers.windows_driver import WindowsDriver

from pinch_tui.keys.driver_filter import ASK, TalkKeyDriver, TalkKeyFilter, reading, replaced_names


class HoldWindowsDriver(TalkKeyDriver, WindowsDriver):
    """See the module."""

    def start_application_mode(self) -> None:
        if self._filter is None:
            self._names = contextlib.ExitStack()
            self._filter = TalkKeyFilter(self.hold, self._loop)
        # The console's reader makes its parser on its own thread, at any time until the stop.
        self._names.enter_context(reading(win32, XTermParser=self._filter.make_parser))
        is_disabled = constants.DISABLE_KITTY_KEY
        self.hold.attach(None)
        self.hold.asked(self.hold.clock(), is_disabled=is_disabled)
        with replaced_names(windows_driver, WriterThread=self._output):
            super().start_application_mode()
        if self.hold.settings.exact and not is_disabled:
            self.write(ASK)
            self.flush()

    def stop_application_mode(self) -> None:
        super().stop_application_mode()
        self._names.close()
