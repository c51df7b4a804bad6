"""Reads whether the system's default microphone is muted, on macOS (Core Audio) and Windows. Stdlib only.

It runs in the sound host, which keeps native code out of the program. On Linux the sound server reports muting
(`pinch_tui.audio.devices.server`). Sources: ``kAudioDevicePropertyMute`` and
``kAudioDevicePropertyVolumeScalar`` in Apple's AudioHardware.h, ``IAudioEndpointVolume::GetMute`` in Microsoft's
endpointvolume.h.
"""

from __future__ import annotations

import ctypes
import sys
import uuid
from collections.abc import Callable
from typing import Any, Final

EVERY_S: Final = 2.0
"""Interval of reading; a read takes some ten microseconds."""
_COREAUDIO: Final = "/System/Library/Frameworks/CoreAudio.framework/CoreAudio"
_SYSTEM: Final = 1  # kAudioObjectSystemObject


def reader(platform: str = sys.platform) -> Callable[[], bool | None] | None:
    """A function that returns True or False, or None if unknown; None if this system has no such function."""
    try:
        if platform == "darwin":
            return CoreAudioMute(ctypes.CDLL(_COREAUDIO)).read
        if platform == "win32":
            return WindowsMute(ctypes.OleDLL("ole32")).read  # type: ignore[attr-defined,unused-ignore]
    except (OSError, AttributeError):
        return None
    return None


# ---- macOS --------------------------------------------------------------------------------------------------------


class PropertyAddress(ctypes.Structure):
    """``AudioObjectPropertyAddress``."""

    _fields_ = (("selector", ctypes.c_uint32), ("scope", ctypes.c_uint32), ("element", ctypes.c_uint32))


def four(code: str) -> int:
    """A four-character code as a number."""
    return int.from_bytes(code.encode("ascii"), "big")


class CoreAudioMute:
    """``library`` is Core Audio, or a test's fake."""

    def __init__(self, library: Any) -> None:
        self._get = library.AudioObjectGetPropertyData
        self._get.restype = ctypes.c_int32
        number = ctypes.c_uint32
        pointer = ctypes.c_void_p
        self._get.argtypes = [number, ctypes.POINTER(PropertyAddress), number, pointer, ctypes.POINTER(number), pointer]

    def read(self) -> bool | None:
        """True if muted, or turned down to zero; None if the device reports neither."""
        device = self._property(_SYSTEM, "dIn ", "glob", ctypes.c_uint32())
        if not device:
            return None
        muted = self._property(device, "mute", "inpt", ctypes.c_uint32())
        if muted:
            return True
        volume = self._property(device, "volm", "inpt", ctypes.c_float())
        if volume is not None:
            return bool(volume == 0.0)
        return None if muted is None else False

    def _property(self, owner: int, selector: str, scope: str, value: Any) -> Any:
        address, size = PropertyAddress(four(selector), four(scope), 0), ctypes.c_uint32(ctypes.sizeof(value))
        status = self._get(owner, ctypes.byref(address), 0, None, ctypes.byref(size), ctypes.byref(value))
        return value.value if status == 0 else None


# ---- Windows ------------------------------------------------------------------------------------------------------

_ENUMERATOR: Final = uuid.UUID("bcde0395-e52f-467c-8e3d-c4579291692e")
_I_ENUMERATOR: Final = uuid.UUID("a95664d2-9614-4f35-a746-de8db63617e6")
_I_VOLUME: Final = uuid.UUID("5cdf2c82-841e-4546-9722-0cf74078229a")
_ALL: Final = 23  # CLSCTX_ALL
_CAPTURE, _CONSOLE = 1, 0
_RELEASE, _DEFAULT_ENDPOINT, _ACTIVATE, _GET_MUTE = 2, 4, 3, 15  # indices in the interfaces' method tables


class WindowsMute:
    """``ole32`` is the library, or a test's fake; ``call`` calls an interface's method. Use it on one thread."""

    def __init__(self, ole32: Any, call: Callable[..., int] | None = None) -> None:
        self._ole32 = ole32
        self._call = call or call_method
        ole32.CoInitializeEx(None, 0)

    def read(self) -> bool | None:
        """None if there is no microphone, or its state cannot be read."""
        opened: list[ctypes.c_void_p] = []

        def out() -> ctypes.c_void_p:
            opened.append(ctypes.c_void_p())
            return opened[-1]

        muted = ctypes.c_int32()
        try:
            kind, wanted = _guid(_ENUMERATOR), _guid(_I_ENUMERATOR)
            enumerator, device, volume = out(), out(), out()
            self._ole32.CoCreateInstance(kind, None, _ALL, wanted, ctypes.byref(enumerator))
            self._call(enumerator, _DEFAULT_ENDPOINT, _CAPTURE, _CONSOLE, ctypes.byref(device))
            self._call(device, _ACTIVATE, _guid(_I_VOLUME), _ALL, None, ctypes.byref(volume))
            self._call(volume, _GET_MUTE, ctypes.byref(muted))
        except OSError:
            return None
        finally:
            for interface in reversed(opened):
                if interface.value:
                    self._call(interface, _RELEASE)
        return bool(muted.value)


def _guid(value: uuid.UUID) -> Any:
    return ctypes.create_string_buffer(value.bytes_le, 16)


def call_method(interface: ctypes.c_void_p, place: int, *arguments: Any) -> int:
    """Call the method at an index of an interface's table. Raises `OSError` for a result below zero."""
    table = ctypes.cast(interface, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
    kinds = [ctypes.c_int32 if isinstance(argument, int) else ctypes.c_void_p for argument in arguments]
    method = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, *kinds)(table[place] or 0)
    result = int(method(interface, *arguments))
    if result < 0:
        raise OSError(result, "the interface refused")
    return result
