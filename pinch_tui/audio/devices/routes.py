"""The sound server's sources and sinks as devices, and the way to one of them.

Pure: no I/O, no clock. PortAudio sees a sound server as one device. Which of the server's devices that leads to is told
to the server's client library in the sound host's environment, so the sound host opens a `Route`, not a name.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.audio.devices.choice import SERVER_API, Device, Direction, ambiguity, matching, means_the_server
from pinch_tui.audio.devices.server import ServerState


@dataclass(frozen=True, slots=True)
class Route:
    """What a sound host is told besides the device that is wanted.

    ``endpoint``: the source or sink to open, "" for the server's default or a device that is not the server's;
    ``monitored``: the sink that this source monitors; ``label`` and ``rate``: of the device that the server leads to,
    "" and 0 where it is not known; ``listed``: how many of the server's devices stand before PortAudio's in the list;
    ``ambiguity``: a sentence where the name fits several devices.
    """

    endpoint: str = ""
    monitored: str = ""
    label: str = ""
    rate: int = 0
    listed: int = 0
    ambiguity: str = ""


def server_devices(state: ServerState | None, direction: Direction) -> list[Device]:
    """The sources or sinks of the server, those that are no monitors first. Two of one name get the server's too."""
    if state is None:
        return []
    is_input = direction is Direction.INPUT
    endpoints = sorted(state.endpoints(direction), key=lambda each: is_input and bool(each.other))
    default = state.default(direction)
    names = [endpoint.description for endpoint in endpoints]
    return [
        Device(
            name=each.description if names.count(each.description) == 1 else f"{each.description} ({each.name})",
            host_api=SERVER_API,
            index=index,
            channels=each.channels,
            rate=each.rate,
            is_default=each == default,
            endpoint=each.name,
            is_bluetooth=bool(each.bluetooth),
            monitors=is_input and bool(each.other),
        )
        for index, each in enumerate(endpoints)
    ]


def combined(server: list[Device], portaudio: list[Device]) -> list[Device]:
    """What can be chosen: the server's devices, then PortAudio's that do not lead to the server.

    Where PortAudio has no way to the server, the server's devices cannot be opened, so its own list stays.
    """
    if not server or not any(device.is_server for device in portaudio):
        return portaudio
    own = [device for device in portaudio if not device.is_server]
    if any(device.is_default for device in server):
        own = [Device(d.name, d.host_api, d.index, d.channels, d.rate) for d in own]
    return [*server, *own]


def route(state: ServerState | None, direction: Direction, wanted: str | None) -> Route:
    """The way to the device that ``wanted`` means, of the server as it is now."""
    devices = server_devices(state, direction)
    if state is None or not devices:
        return Route()
    found = matching(devices, wanted) if wanted and not means_the_server(wanted) else None
    if found is not None:
        endpoint = state.named(direction, found.endpoint)
        monitored = endpoint.other if endpoint is not None and found.monitors else ""
        ambiguous = ambiguity(devices, wanted)
        return Route(found.endpoint, monitored, found.name, found.rate, len(devices), ambiguous)
    default = next((device for device in devices if device.is_default), None)
    if default is None:
        return Route(listed=len(devices))
    return Route(label=default.name, rate=default.rate, listed=len(devices))
