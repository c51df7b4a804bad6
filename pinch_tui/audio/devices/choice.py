"""Which device a name means. Devices are chosen by a part of their name, never by a stored index: indices shift.

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

API_ORDER = ("Core Audio", "Windows WASAPI", "MME", "Windows DirectSound", "ALSA", "JACK Audio Connection Kit", "OSS")


class Direction(StrEnum):
    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Device:
    """One device for one direction. ``channels`` and ``rate`` are what PortAudio says (fictions for sound servers)."""

    name: str
    host_api: str
    index: int
    channels: int
    rate: int
    is_default: bool = False

    @property
    def key(self) -> str:
        """What is stored for it."""
        return f"{self.name}{SEPARATOR}{self.host_api}"

    @property
    def is_monitor(self) -> bool:
        """It captures what a loudspeaker plays."""
        return "monitor" in self.name.casefold()

    @property
    def is_server(self) -> bool:
        """It follows the sound server's own choice."""
        return self.name.casefold() in SERVER_NAMES


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


def matching(devices: list[Device], wanted: str) -> Device | None:
    """The best match: key, name, number in the list (from 1), part of a name; then the better host API, then the order.

    A remembered ALSA device is also known by its name without the card's number, which another start may change.
    Numbers are for typing: they mean what ``pinch-tui devices`` shows now, and are never remembered.
    """
    want = wanted.casefold().strip()
    number = int(want) if want.isascii() and want.isdigit() and len(want) < 4 else 0
    if 1 <= number <= len(devices) and all(want != device.name.casefold() for device in devices):
        return devices[number - 1]
    name, _, api = want.rpartition(SEPARATOR)
    grades = (
        lambda device: device.key.casefold() == want,
        lambda device: device.name.casefold() == want,
        lambda device: want in device.name.casefold(),
        lambda device: bool(name) and name in device.name.casefold() and api in device.host_api.casefold(),
        lambda device: bool(name) and _without_card(name) == _without_card(device.name.casefold()),
    )
    for grade in grades:
        found = sorted(filter(grade, devices), key=lambda device: (_api_rank(device.host_api), device.index))
        if found:
            return found[0]
    return None


def offered(devices: list[Device], wanted: str | None) -> tuple[list[tuple[str, str]], str | None]:
    """(key, name for a person) of each device to choose from, and the key of the one that ``wanted`` means.

    The host API is named where two devices are called alike. A wanted device that is away stands at the end.
    """
    names = [device.name for device in devices]
    offers = [
        (device.key, device.name if names.count(device.name) == 1 else f"{device.name} ({device.host_api})")
        for device in devices
    ]
    if not wanted:
        return offers, None
    found = matching(devices, wanted)
    if found is None:
        offers.append((wanted, f"{wanted.rpartition(SEPARATOR)[0] or wanted} (away)"))
        return offers, wanted
    return offers, found.key


def _without_card(name: str) -> str:
    return re.sub(r" \(hw:\d+,\d+\)$", "", name)


def _api_rank(name: str) -> int:
    return API_ORDER.index(name) if name in API_ORDER else len(API_ORDER)
