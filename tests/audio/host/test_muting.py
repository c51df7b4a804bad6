"""Whether the system has the microphone muted: Core Audio and Windows, by what stands for their libraries."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import pytest

from pinch_tui.audio.host import child, muting
from pinch_tui.audio.host.muting import CoreAudioMute, PropertyAddress, WindowsMute, call_method, four, reader

DEVICE = 42


class CoreAudio:
    """Properties by (owner, selector); one that is missing gives an error."""

    def __init__(self, **properties: float) -> None:
        self.properties: dict[tuple[int, int], float] = {
            (1 if name == "dIn_" else DEVICE, four(name.replace("_", " "))): value for name, value in properties.items()
        }
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int32,
            ctypes.c_uint32,
            ctypes.POINTER(PropertyAddress),
            ctypes.c_uint32,
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.c_void_p,
        )
        self.AudioObjectGetPropertyData = kind(self._get)

    def _get(self, owner: int, address: Any, _n: int, _qualifier: Any, size: Any, data: int) -> int:
        value = self.properties.get((owner, address.contents.selector))
        if value is None:
            return four("who?")
        assert size.contents.value == 4
        kind = ctypes.c_float if address.contents.selector == four("volm") else ctypes.c_uint32
        kind.from_address(data).value = value  # type: ignore[assignment]
        return 0


@pytest.mark.parametrize(
    ("properties", "is_muted"),
    [
        ({"dIn_": DEVICE, "mute": 1}, True),
        ({"dIn_": DEVICE, "mute": 0}, False),
        ({"dIn_": DEVICE, "mute": 0, "volm": 0.0}, True),
        ({"dIn_": DEVICE, "volm": 0.0}, True),
        ({"dIn_": DEVICE, "volm": 0.4}, False),
        ({"dIn_": DEVICE}, None),
        ({"dIn_": 0, "mute": 1}, None),
        ({}, None),
    ],
)
def test_core_audio_tells_by_mute_or_by_volume(properties: dict[str, float], is_muted: bool | None) -> None:
    assert CoreAudioMute(CoreAudio(**properties)).read() is is_muted


class Ole:
    def __init__(self, refuses: int | None = None) -> None:
        self.called: list[int] = []
        self.refuses = refuses

    def CoInitializeEx(self, _reserved: object, _kind: int) -> int:
        return 0

    def CoCreateInstance(self, kind: Any, _outer: object, _context: int, wanted: Any, out: Any) -> int:
        assert kind.raw[:4] == bytes.fromhex("9503debc") and len(wanted.raw) == 16
        out._obj.value = 1
        return 0

    def call(self, interface: ctypes.c_void_p, place: int, *arguments: Any) -> int:
        self.called.append(place)
        if place == self.refuses:
            raise OSError(-1, "refused")
        if place in (4, 3):
            arguments[-1]._obj.value = (interface.value or 0) + 1
        elif place == 15:
            arguments[-1]._obj.value = 1
        return 0


def test_windows_is_asked_through_its_interfaces_and_they_are_released() -> None:
    ole = Ole()
    assert WindowsMute(ole, ole.call).read() is True
    assert ole.called == [4, 3, 15, 2, 2, 2]
    for refuses, released in ((4, 1), (3, 2), (15, 3)):
        ole = Ole(refuses)
        assert WindowsMute(ole, ole.call).read() is None
        assert ole.called[-released:] == [2] * released


def test_a_method_is_called_by_its_place() -> None:
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p)

    def method(this: int, number: int, out: int) -> int:
        ctypes.c_int32.from_address(out).value = number + 1
        return number

    kept = kind(method)
    table = (ctypes.c_void_p * 2)(None, ctypes.cast(kept, ctypes.c_void_p).value)
    instance = ctypes.c_void_p(ctypes.addressof(table))
    out = ctypes.c_int32()
    interface = ctypes.c_void_p(ctypes.addressof(instance))
    assert call_method(interface, 1, 7, ctypes.byref(out)) == 7
    assert out.value == 8
    with pytest.raises(OSError):
        call_method(interface, 1, -5, ctypes.byref(out))


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_there_is_no_reader_without_the_library(platform: str) -> None:
    assert reader(platform) is None  # these tests run where neither is


def test_the_host_tells_at_first_and_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    answers, end = [None, True, True, False], threading.Event()

    def read() -> bool | None:
        if len(answers) == 1:
            end.set()
        return answers.pop(0)

    class Writer:
        def put(self, _render: object, note: dict[str, Any]) -> None:
            told.append(note["on"])

    monkeypatch.setattr(muting, "reader", lambda: read)
    monkeypatch.setattr(muting, "EVERY_S", 0.0)
    child.watch_mute(Writer(), end)  # type: ignore[arg-type]
    assert told == [True, False]
