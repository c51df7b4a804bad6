"""The key state of macOS: ``CGEventSourceKeyState``, a plain read of the session's table (no event tap).

The terminal may need Input Monitoring for it; without, every key reads as up and the test at the press rejects the
probe. Nothing here asks for that permission, because asking opens a dialog.
"""

from __future__ import annotations

import ctypes

_FRAMEWORK = "/System/Library/Frameworks/ApplicationServices.framework/ApplicationServices"
_COMBINED_SESSION = 0
KEYCODES = {
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
    "f1": 122,
    "f2": 120,
    "f3": 99,
    "f4": 118,
    "f5": 96,
    "f6": 97,
    "f7": 98,
    "f8": 100,
    "f9": 101,
    "f10": 109,
    "f11": 103,
    "f12": 111,
}


class MacProbe:
    name = "macOS"

    def __init__(self, library: ctypes.CDLL, keycode: int) -> None:
        self._state = library.CGEventSourceKeyState
        self._state.argtypes = [ctypes.c_int32, ctypes.c_uint16]
        self._state.restype = ctypes.c_bool
        self._keycode = keycode

    @classmethod
    def open(cls, key: str) -> MacProbe | None:
        keycode = KEYCODES.get(key.rpartition("+")[2])
        if keycode is None:
            return None
        try:
            return cls(ctypes.CDLL(_FRAMEWORK), keycode)
        except (OSError, AttributeError):
            return None

    def is_down(self) -> bool | None:
        return bool(self._state(_COMBINED_SESSION, self._keycode))

    def close(self) -> None:
        """Nothing is kept open."""
