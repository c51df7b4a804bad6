"""The key state of Windows: ``GetAsyncKeyState``, which needs no permission.

It reads as up where another desktop or a window of higher privilege has the focus; the test at the press rejects it
then.
"""

from __future__ import annotations

import ctypes

_DOWN = 0x8000
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
}


class WindowsProbe:
    name = "Windows"

    def __init__(self, library: ctypes.CDLL, virtual_key: int) -> None:
        self._state = library.GetAsyncKeyState
        self._state.argtypes = [ctypes.c_int]
        self._state.restype = ctypes.c_short
        self._virtual_key = virtual_key

    @classmethod
    def open(cls, key: str) -> WindowsProbe | None:
        base = key.rpartition("+")[2]
        virtual_key = VIRTUAL_KEYS.get(base)
        if virtual_key is None and len(base) == 1 and base.isascii() and base.isalnum():
            virtual_key = ord(base.upper())
        if virtual_key is None:
            return None
        try:
            return cls(ctypes.WinDLL("user32"), virtual_key)  # type: ignore[attr-defined,unused-ignore]
        except (OSError, AttributeError):
            return None

    def is_down(self) -> bool | None:
        return bool(self._state(self._virtual_key) & _DOWN)

    def close(self) -> None:
        """Nothing is kept open."""
