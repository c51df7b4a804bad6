"""Which device a name means. Devices are chosen by a part of their name, never by a stored index, since indices change.

Pure: works on the plain tables that PortAudio gives (also inside the sound host, so stdlib only).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import AudioError

SEPARATOR = " / "
"""Joins a device's name and its host API where both are needed: ``Headset / ALSA``."""

SERVER_NAMES = ("pulse", "default", "pipewire", "sysdefault")
"""PCMs that follow the sound server. ``pulse`` is first: when a server dies, PortAudio loops for ever in ALSA's
``pipewire`` plugin (PortAudio #1037), but under ``pulse`` the stream ends."""

SERVER_API = "sound server"
"""Takes the place of a host API for the sources and sinks of PulseAudio and PipeWire."""

_LOCAL_APIS = ("Windows WASAPI", "MME", "Windows DirectSound", "ALSA", "JACK Audio Connection Kit", "OSS")
API_ORDER = (SERVER_API, "Core Audio", *_LOCAL_APIS)


_TELL_RATE = ("Core Audio", "Windows WASAPI", "JACK Audio Connection Kit")
"""Host APIs whose default rate is that of the mixer. MME and DirectSound always say 44,100 Hz, as ALSA's plugins do."""
_CARD = re.compile(r" ?\(hw:\d+,\d+\)$")


class Direction(StrEnum):
    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Device:
    """One device for one direction. ``channels`` and ``rate`` are what PortAudio says (fictions for `is_server`)."""

    name: str
    host_api: str
    index: int
    channels: int
    rate: int
    is_default: bool = False
    endpoint: str = ""
    """Of a source or sink of the sound server, the server's own name for it."""
    is_bluetooth: bool = False
    monitors: bool = False
    """A source that the server made for what one of its sinks plays."""

    @property
    def key(self) -> str:
        """What is stored for it."""
        return f"{self.name}{SEPARATOR}{self.host_api}"

    @property
    def is_monitor(self) -> bool:
        """It captures what a loudspeaker plays."""
        return self.monitors or "monitor" in self.name.casefold()

    @property
    def is_server(self) -> bool:
        """It follows the sound server's own choice."""
        return not self.endpoint and self.name.casefold() in SERVER_NAMES

    @property
    def marks(self) -> tuple[str, ...]:
        """What to know before choosing it, in words, without what its name tells already."""
        name = self.name.casefold()
        marks = (
            ("default", self.is_default),
            ("Bluetooth", self.is_bluetooth and "bluetooth" not in name),
            ("monitor", self.is_monitor and "monitor" not in name),
        )
        return tuple(word for word, holds in marks if holds)

    @property
    def native_rate(self) -> int:
        """The hardware's own rate, in samples a second; 0 where PortAudio's figure says nothing about it."""
        is_told = self.host_api in _TELL_RATE or _CARD.search(self.name) is not None
        return self.rate if is_told and not self.is_server else 0


@dataclass(frozen=True, slots=True)
class DeviceList:
    """What can be chosen now. ``error``: why there is no list. The server's own names where it tells them."""

    inputs: tuple[Device, ...] = ()
    outputs: tuple[Device, ...] = ()
    error: AudioError | None = None
    default_input: str = ""
    default_output: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The device to open; ``is_substitute``: not what was asked for."""

    device: Device
    is_substitute: bool = False


def of_tables(
    devices: list[dict[str, object]],
    apis: list[dict[str, object]],
    direction: Direction,
    platform: str,
) -> list[Device]:
    """PortAudio's tables -> the devices of one direction, the default marked."""
    default = _default_index(devices, apis, direction, platform)
    channels_key = f"max_{direction}_channels"
    found = []
    for index, entry in enumerate(devices):
        channels = int(str(entry.get(channels_key, 0)))
        if channels < 1:
            continue
        api = int(str(entry.get("hostapi", 0)))
        api_name = str(apis[api].get("name", "")) if 0 <= api < len(apis) else ""
        rate = round(float(str(entry.get("default_samplerate", 0))))
        found.append(Device(clean(str(entry.get("name", "")), 500), api_name, index, channels, rate, index == default))
    return found


def _default_index(
    devices: list[dict[str, object]], apis: list[dict[str, object]], direction: Direction, platform: str
) -> int:
    key = f"default_{direction}_device"
    wanted = "Windows WASAPI" if platform == "win32" else ""  # PortAudio's own default there is MME
    for api in sorted(apis, key=lambda api: _api_rank(str(api.get("name", "")))):
        index = int(str(api.get(key, -1)))
        if index >= 0 and (not wanted or api.get("name") == wanted):
            if platform.startswith("linux"):
                return _server_index(devices, index, direction)
            return index
    if wanted:
        return _default_index(devices, apis, direction, "")
    return -1


def _server_index(devices: list[dict[str, object]], default: int, direction: Direction) -> int:
    """On Linux ``pulse`` is preferred when the default only means "the sound server" as well."""
    if str(devices[default].get("name", "")).casefold() not in SERVER_NAMES:
        return default
    for index, entry in enumerate(devices):
        if entry.get("name") == "pulse" and int(str(entry.get(f"max_{direction}_channels", 0))) > 0:
            return index
    return default


def choose(devices: list[Device], wanted: str | None) -> Choice | None:
    """The device that ``wanted`` means: its key, its whole name, or a part of it (case does not count).

    None or "" is the default. What cannot be found is replaced by the default, else by the first device that is no
    monitor; None when there is no device at all.
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


def the_server(devices: list[Device]) -> Device | None:
    """PortAudio's device that leads to the sound server."""
    found = [device for device in devices if device.is_server]
    return min(found, key=lambda d: (not d.is_default, SERVER_NAMES.index(d.name.casefold())), default=None)


def matching(devices: list[Device], wanted: str) -> Device | None:
    """The best of `fitting`; None when there is none. A number is a place in the list, from 1, unless it is a name.

    Numbers are for typing: they mean what ``pinch-tui devices`` shows now, and are never remembered.
    """
    number = number_of(wanted)
    if 1 <= number <= len(devices) and all(wanted.strip() != device.name for device in devices):
        return devices[number - 1]
    found = fitting(devices, wanted)
    return found[0] if found else None


def number_of(wanted: str) -> int:
    """The place in a list that was typed, 0 for a name."""
    want = wanted.strip()
    return int(want) if want.isascii() and want.isdigit() and len(want) < 4 else 0


def fitting(devices: list[Device], wanted: str) -> list[Device]:
    """The devices with this name, the best match first: by key, whole name, the server's name, or part of the name.

    Of those that fit equally well a monitor is the last, then the better host API comes first, then the order in the
    list. A remembered ALSA device is also known by its name without the card's number, which another start may change.
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
    if means_the_server(wanted):  # chosen where the server's own devices were not listed
        return [device for device in devices if device.endpoint and device.is_default]
    return []


def means_the_server(wanted: str) -> bool:
    """Whether it names a device that follows the sound server's own choice."""
    want = wanted.casefold().strip()
    return (want.rpartition(SEPARATOR)[0] or want) in SERVER_NAMES


def ambiguity(devices: list[Device], wanted: str | None) -> str:
    """A sentence where a name fits several devices of one host API that are no monitors, so that the first of them is
    only a guess; "" where it is plain."""
    if not wanted or number_of(wanted):
        return ""
    fits = [device for device in fitting(devices, wanted) if not device.is_monitor]
    alike = [device.name for device in fits if device.host_api == fits[0].host_api]
    if len(alike) < 2:
        return ""
    return f"{wanted!r} fits {', '.join(alike[:-1])} and {alike[-1]}; {alike[0]} is used."


def offered(devices: list[Device], wanted: str | None) -> tuple[list[tuple[str, str]], str | None]:
    """(key, name for a person) of each device to choose from, and the key of the one that ``wanted`` means.

    The host API is named where two devices are called alike. A wanted device that is away stands at the end.
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
