"""`pinch_tui.keys.driver` for Windows: the same query, parser and filter.

Windows Terminal reports its flags from 1.25 on; older versions and the console answer only with device attributes.
"""

from __future__ import annotations

import contextlib
from types import ModuleType
from typing import ClassVar

from textual.drivers import win32, windows_driver
from textual.drivers.windows_driver import WindowsDriver

from pinch_tui.keys.driver_filter import TalkKeyDriver, reading


class HoldWindowsDriver(TalkKeyDriver, WindowsDriver):
    """See the module."""

    module: ClassVar[ModuleType] = windows_driver

    def start_application_mode(self) -> None:
        # The console's reader makes its parser on its own thread, at any time until the stop.
        self._names = contextlib.ExitStack()
        self._names.enter_context(reading(win32, XTermParser=self._filter.make_parser))
        super().start_application_mode()

    def stop_application_mode(self) -> None:
        super().stop_application_mode()
        self._names.close()
