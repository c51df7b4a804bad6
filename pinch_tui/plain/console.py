"""Reads typed characters from the Windows console without waiting.

The C runtime's ``getwch`` returns an arrow key as two characters, the first of which is also the letter ``à``, and its
``kbhit`` does not report the second. So this reads the input records (``ReadConsoleInputW``). Keys without a character
(arrows, function keys, modifiers) are ignored.
"""

from __future__ import annotations

import ctypes
from typing import Any

_STD_INPUT_HANDLE = -10
_KEY_EVENT = 0x0001
_MENU = 0x12
"""The virtual key of Alt, whose release delivers a character entered by its number on the keypad."""
_AT_ONCE = 128


class KeyEventRecord(ctypes.Structure):
    _fields_ = (
        ("key_down", ctypes.c_int32),
        ("repeat_count", ctypes.c_uint16),
        ("virtual_key_code", ctypes.c_uint16),
        ("virtual_scan_code", ctypes.c_uint16),
        ("unicode_char", ctypes.c_uint16),
        ("control_key_state", ctypes.c_uint32),
    )


class _Event(ctypes.Union):
    _fields_ = (("key", KeyEventRecord), ("other", ctypes.c_uint32 * 4))


class InputRecord(ctypes.Structure):
    """``INPUT_RECORD``, 20 bytes."""

    _fields_ = (("event_type", ctypes.c_uint16), ("event", _Event))


class ConsoleInput:
    """The console of this process. ``kernel`` replaces kernel32 in tests. Raises `OSError` without a console."""

    def __init__(self, kernel: Any = None) -> None:
        self._kernel = kernel if kernel is not None else ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
        self._kernel.GetStdHandle.restype = ctypes.c_void_p
        self._kernel.GetStdHandle.argtypes = [ctypes.c_uint32]
        self._kernel.GetNumberOfConsoleInputEvents.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self._kernel.ReadConsoleInputW.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
        self._handle = self._kernel.GetStdHandle(_STD_INPUT_HANDLE & 0xFFFFFFFF)
        self._half = b""  # first half of a surrogate pair

    def typed(self) -> str:
        """The characters typed since the last call, "" for none."""
        units = self._half
        waiting, got = ctypes.c_uint32(), ctypes.c_uint32()
        records = (InputRecord * _AT_ONCE)()
        while self._kernel.GetNumberOfConsoleInputEvents(self._handle, ctypes.byref(waiting)) and waiting.value:
            if not self._kernel.ReadConsoleInputW(self._handle, records, _AT_ONCE, ctypes.byref(got)):
                break
            units += b"".join(_units(record) for record in records[: got.value])
        last = units[-1] if units else 0
        self._half, units = (units[-2:], units[:-2]) if 0xD8 <= last <= 0xDB else (b"", units)
        return units.decode("utf-16-le", "replace")


def _units(record: InputRecord) -> bytes:
    key = record.event.key
    if record.event_type != _KEY_EVENT or not key.unicode_char:
        return b""
    if not key.key_down and key.virtual_key_code != _MENU:
        return b""
    return int(key.unicode_char).to_bytes(2, "little") * max(1, int(key.repeat_count))
