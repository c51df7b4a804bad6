"""Chooses the driver: ours if it fits this Textual, else the stock driver.

Our driver uses a few private names of the pinned Textual; all of them are checked here first.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import textual

from pinch_tui.keys.hold_input import HoldInput

if TYPE_CHECKING:
    from textual.driver import Driver

KNOWN_VERSION = "8.2."


def hooked(hold: HoldInput, stock: type[Driver]) -> type[Driver]:
    """The driver for ``App.get_driver_class``: ours in place of a known one, else ``stock``, and ``hold`` gets the
    reason."""
    driver, reason = _fitting(hold, stock)
    if reason:
        hold.findings.stock_reason = reason
    return driver


def _fitting(hold: HoldInput, stock: type[Driver]) -> tuple[type[Driver], str]:
    if reason := unfit_reason(_driver_module()):
        return stock, reason
    if sys.platform == "win32":
        from textual.drivers.windows_driver import WindowsDriver as Known

        from pinch_tui.keys.windows_driver import HoldWindowsDriver as Ours
    else:
        from textual.drivers.linux_driver import LinuxDriver as Known

        from pinch_tui.keys.driver import HoldDriver as Ours
    if stock is not Known:
        return stock, "another driver is in use"
    return type(Ours.__name__, (Ours,), {"hold": hold}), ""


def unfit_reason(driver_module: ModuleType | None) -> str:
    """Why our driver cannot be used with this Textual; "" if it can."""
    if driver_module is None:
        return "there is no driver of a known kind"
    if not (version := _textual_version()).startswith(KNOWN_VERSION):
        return f"Textual {version} is not known"
    try:
        from textual import _xterm_parser

        import pinch_tui.keys.driver_filter  # noqa: F401  # and all that it imports from Textual
    except (ImportError, AttributeError):
        return "Textual's parser has changed"
    names = ["XTermParser"] if sys.platform == "win32" else ["XTermParser", "getincrementaldecoder"]
    has_names = all(hasattr(driver_module, name) for name in names)
    parser = getattr(_xterm_parser, "XTermParser", None)
    has_method = callable(getattr(parser, "_sequence_to_key_events", None))
    has_threshold = isinstance(getattr(_xterm_parser, "_MAX_SEQUENCE_SEARCH_THRESHOLD", None), int)
    if not (has_names and has_method and has_threshold):
        return "Textual's driver has changed"
    return ""


def _textual_version() -> str:
    """From the name of the metadata's folder: reading the metadata costs 10 ms before the first screen."""
    if "__version__" not in vars(textual):
        folders = list(Path(textual.__file__).parents[1].glob("textual-*.dist-info"))
        if len(folders) == 1:
            return folders[0].stem.removeprefix("textual-")
    return textual.__version__


def _driver_module() -> ModuleType | None:
    try:
        if sys.platform == "win32":
            from textual.drivers import win32 as module
        else:
            from textual.drivers import linux_driver as module
    except (ImportError, AttributeError):
        return None
    return module
