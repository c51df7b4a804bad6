"""The key state of macOS and Windows: one call of a system library.

Both read as up where they see nothing: macOS without Input Monitoring, Windows while another desktop or a window of
higher privilege has the focus. The check at the press rejects the probe then. Nothing here asks for Input Monitoring,
because asking opens a dialog.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_FRAMEWORK = "/System/Library/Frameworks/ApplicationServices.framework/ApplicationServices"
_COMBINED_SESSION = 0
MAC_KEYCODES = {
    "space": 49,
    "enter": 36,
    "tab": 48,
    "left_shift": 56,
    "right_shift": 60,
    "left_control": 59,
    "right_control": 62,
    "left_alt": 58,
    "right_alt": 61,
    "left_super": 55,
    "right_super": 54,
    **{f"f{n}": code for n, code in enumerate((122, 120, 99, 118, 96, 97, 98, 100, 101, 109, 103, 111), 1)},
}
VIRTUAL_KEYS = {
    "space": 0x20,
    "enter": 0x0D,
    "tab": 0x09,
    "left_shift": 0xA0,
    "right_shift": 0xA1,
    "left_control": 0xA2,
    "right_control": 0xA3,
    "left_alt": 0xA4,
    "right_alt": 0xA5,
    "left_super": 0x5B,
    "right_super": 0x5C,
    **{f"f{n}": 0x6F + n for n in range(1, 25)},
    **{letter: ord(letter.upper()) for letter in "abcdefghijklmnopqrstuvwxyz0123456789"},
}
_DOWN = 0x8000


class SystemProbe:
    """One key, read by a function of the system."""

    def __init__(self, name: str, read: Callable[[], bool]) -> None:
        self.name, self._read = name, read

    def is_down(self) -> bool:
        return self._read()

    def close(self) -> None:
        """Nothing is kept open."""


def mac_probe(key: str) -> SystemProbe | None:
    """``CGEventSourceKeyState`` reads the session's key table; it is no event tap."""
    try:
        keycode = MAC_KEYCODES[key.rpartition("+")[2]]
        read = ctypes.CDLL(_FRAMEWORK).CGEventSourceKeyState
    except (KeyError, OSError, AttributeError):
        return None
    read.argtypes = [ctypes.c_int32, ctypes.c_uint16]
    read.restype = ctypes.c_bool
    return SystemProbe("macOS", lambda: bool(read(_COMBINED_SESSION, keycode)))


def windows_probe(key: str) -> SystemProbe | None:
    """``GetAsyncKeyState``, whose high bit says that the key is down."""
    try:
        code = VIRTUAL_KEYS[key.rpartition("+")[2].lower()]
        read = ctypes.WinDLL("user32").GetAsyncKeyState  # type: ignore[attr-defined,unused-ignore]
    except (KeyError, OSError, AttributeError):
        return None
    read.argtypes = [ctypes.c_int]
    read.restype = ctypes.c_short
    return SystemProbe("Windows", lambda: bool(read(code) & _DOWN))
