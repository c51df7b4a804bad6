"""Finds devices by name. An index is never stored, because indices change.

Pure, and stdlib only because the sound host uses it, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import AudioError

SEPARATOR = " / "
"""Joins a device's name and its host API: ``Headset / ALSA``."""
SERVER_NAMES = ("pulse", "default", "pipewire", "sysdefault")
"""PCMs that follow the sound server. ``pulse`` is first: when a server dies, PortAudio loops for ever in ALSA's
``pipewire`` plugin (PortAudio #1037), while in ``pulse`` the stream ends."""
SERVER_API = "sound server"
"""Stands in for the host API of PulseAudio's and PipeWire's sources and sinks."""

_LOCAL_APIS = ("Windows WASAPI", "MME", "Windows DirectSound", "ALSA", "JACK Audio Connection Kit", "OSS")
API_ORDER = (SERVER_API, "Core Audio", *_LOCAL_APIS)
_TRUE_RATE_APIS = ("Core Audio", "Windows WASAPI", "JACK Audio Connection Kit")
"""Host APIs whose default rate is the mixer's. MME, DirectSound and ALSA's plugins always report 44,100 Hz."""
_CARD = re.compile(r" ?\(hw:\d+,\d+\)$")


class Direction(StrEnum):
    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Device:
    """One device for one direction. ``channels`` and ``rate`` are PortAudio's figures, fictional for `is_server`."""

    name: str
    host_api: str
    index: int
    channels: int
    rate: int
    is_default: bool = False
    endpoint: str = ""
    """The sound server's own name for its source or sink; "" for other devices."""
    is_bluetooth: bool = False
    monitors: bool = False
    """True for a source through which the server exposes the sound of one of its sinks."""

    @property
    def key(self) -> str:
        """The text stored in settings."""
        return f"{self.name}{SEPARATOR}{self.host_api}"

    @property
    def is_monitor(self) -> bool:
        """True if it captures what a loudspeaker plays."""
        return self.monitors or "monitor" in self.name.casefold()

    @property
    def is_server(self) -> bool:
        """True if it follows the sound server's own choice of device."""
        return not self.endpoint and self.name.casefold() in SERVER_NAMES

    @property
    def marks(self) -> tuple[str, ...]:
        """Properties to show beside its name, except those that the name contains."""
        name = self.name.casefold()
        marks = (
            ("default", self.is_default),
            ("Bluetooth", self.is_bluetooth and "bluetooth" not in name),
            ("monitor", self.is_monitor and "monitor" not in name),
        )
        return tuple(word for word, holds in marks if holds)

    @property
    def native_rate(self) -> int:
        """The hardware's own rate in Hz; 0 if PortAudio does not know it."""
        is_known = self.host_api in _TRUE_RATE_APIS or _CARD.search(self.name) is not None
        return self.rate if is_known and not self.is_server else 0


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The devices to choose from. ``error``: why they could not be listed. ``default_...``: names for people."""

    inputs: tuple[Device, ...] = ()
    outputs: tuple[Device, ...] = ()
    error: AudioError | None = None
    default_input: str = ""
    default_output: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The device to open. ``is_substitute``: the wanted one was not found."""

    device: Device
    is_substitute: bool = False


def from_portaudio(
    devices: Sequence[Mapping[str, Any]], apis: Sequence[Mapping[str, Any]], direction: Direction, platform: str
) -> list[Device]:
    """The devices of one direction in PortAudio's tables, the default marked."""
    default = _default_index(devices, apis, direction, platform)
    channels = f"max_{direction}_channels"
    return [
        Device(
            name=clean(entry["name"], 500),
            host_api=apis[entry["hostapi"]]["name"],
            index=index,
            channels=entry[channels],
            rate=round(entry["default_samplerate"]),
            is_default=index == default,
        )
        for index, entry in enumerate(devices)
        if entry[channels] > 0
    ]


def _default_index(
    devices: Sequence[Mapping[str, Any]], apis: Sequence[Mapping[str, Any]], direction: Direction, platform: str
) -> int:
    """The default of the best host API; PortAudio's own would be MME on Windows. -1 without one.

    On Linux ``pulse`` is preferred to another device that only leads to the sound server, too.
    """
    ranked = sorted(apis, key=lambda api: _api_rank(api["name"]))
    defaults = [api[f"default_{direction}_device"] for api in ranked]
    default: int = next((index for index in defaults if index >= 0), -1)
    if default < 0 or not platform.startswith("linux") or devices[default]["name"].casefold() not in SERVER_NAMES:
        return default
    channels = f"max_{direction}_channels"
    pulse = (index for index, entry in enumerate(devices) if entry["name"] == "pulse" and entry[channels] > 0)
    return next(pulse, default)


def choose(devices: list[Device], wanted: str | None) -> Choice | None:
    """The device that ``wanted`` means: its key, name or a part of the name, in any case; None or "" for the default.

    A device that is not found is replaced by the default, or else by the first one that is not a monitor. Returns None
    if there is no device at all.
    """
    if wanted:
        found = matching(devices, wanted)
        if found is not None:
            return Choice(found)
    fallback = next((device for device in devices if device.is_default), None)
    if fallback is None:
        fallback = next((device for device in devices if not device.is_monitor), None)
    if fallback is None:
        return None
    return Choice(fallback, is_substitute=bool(wanted))


def server_device(devices: list[Device]) -> Device | None:
    """PortAudio's device that leads to the sound server."""
    found = [device for device in devices if device.is_server]
    return min(found, key=lambda d: (not d.is_default, SERVER_NAMES.index(d.name.casefold())), default=None)


def matching(devices: list[Device], wanted: str) -> Device | None:
    """The best of `all_matching`, or None. A number that is not a name is a position in the list, from 1.

    Positions are only for typing: they refer to the current output of ``pinch-tui devices`` and are never stored.
    """
    number = number_of(wanted)
    if 1 <= number <= len(devices) and all(wanted.strip() != device.name for device in devices):
        return devices[number - 1]
    found = all_matching(devices, wanted)
    return found[0] if found else None


def number_of(wanted: str) -> int:
    """The list position that was typed; 0 for a name."""
    want = wanted.strip()
    return int(want) if want.isascii() and want.isdigit() and len(want) < 4 else 0


def all_matching(devices: list[Device], wanted: str) -> list[Device]:
    """The devices that match by key, else by name, else by the server's name, else by a part of the name.

    Monitors come last; then better host APIs come first, then the order of the list counts. A stored ALSA device also
    matches without its card number, which can change at a restart.
    """
    want = wanted.casefold().strip()
    name, _, api = want.rpartition(SEPARATOR)
    grades = (
        lambda device: device.key.casefold() == want,
        lambda device: device.name.casefold() == want,
        lambda device: device.endpoint.casefold() == want,
        lambda device: want in device.name.casefold(),
        lambda device: bool(name) and name in device.name.casefold() and api in device.host_api.casefold(),
        lambda device: bool(name) and _CARD.sub("", name) == _CARD.sub("", device.name.casefold()),
    )
    for grade in grades if want else ():
        found = [device for device in devices if grade(device)]
        if found:
            return sorted(found, key=lambda device: (device.is_monitor, _api_rank(device.host_api), device.index))
    if names_server(wanted):  # stored when the server's own devices were not listed
        return [device for device in devices if device.endpoint and device.is_default]
    return []


def names_server(wanted: str) -> bool:
    """True for the name of a device that follows the sound server's own choice."""
    want = wanted.casefold().strip()
    return (want.rpartition(SEPARATOR)[0] or want) in SERVER_NAMES


def ambiguity(devices: list[Device], wanted: str | None) -> str:
    """A sentence for the user if the name fits several devices of one host API (monitors aside); "" if not."""
    if not wanted or number_of(wanted):
        return ""
    fits = [device for device in all_matching(devices, wanted) if not device.is_monitor]
    alike = [device.name for device in fits if device.host_api == fits[0].host_api]
    if len(alike) < 2:
        return ""
    return f"{wanted!r} fits {', '.join(alike[:-1])} and {alike[-1]}; {alike[0]} is used."


def offered(devices: list[Device], wanted: str | None) -> tuple[list[tuple[str, str]], str | None]:
    """(key, label) of each device to choose from, and the key of the one that ``wanted`` means.

    Labels include the host API if two devices have the same name. A wanted device that is away is listed last.
    """
    names = [device.name for device in devices]
    offers = [
        (device.key, _with_marks(device, device.host_api if names.count(device.name) > 1 else "")) for device in devices
    ]
    if not wanted:
        return offers, None
    found = matching(devices, wanted)
    if found is None:
        offers.append((wanted, f"{wanted.rpartition(SEPARATOR)[0] or wanted} (away)"))
        return offers, wanted
    return offers, found.key


def _with_marks(device: Device, host_api: str) -> str:
    marks = ", ".join(filter(None, (host_api, *device.marks)))
    return f"{device.name} ({marks})" if marks else device.name


def _api_rank(name: str) -> int:
    return API_ORDER.index(name) if name in API_ORDER else len(API_ORDER)
