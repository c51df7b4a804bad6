"""The sound server's sources and sinks as devices, and the route to one of them.

Pure: no I/O, no clock. PortAudio sees a sound server as a single device. Environment variables of the sound host tell
the server's client library which source or sink to use, so the sound host opens a `Route` rather than a name.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.audio.devices.choice import SERVER_API, Device, Direction, ambiguity, matching, names_server
from pinch_tui.audio.devices.server import ServerState


@dataclass(frozen=True, slots=True)
class Route:
    """The sound server's part of opening a device."""

    endpoint: str = ""
    """The source or sink to open; "" for the server's default, or a device that is not the server's."""
    monitored: str = ""
    """The sink that this source monitors."""
    label: str = ""
    """Name of the source or sink for people; "" if unknown."""
    rate: int = 0
    """Its rate in Hz; 0 if unknown."""
    server_count: int = 0
    """Number of the server's devices, which precede PortAudio's in the list."""
    ambiguity: str = ""
    """A sentence for the user if the name fits several devices."""


def server_devices(state: ServerState | None, direction: Direction) -> list[Device]:
    """The server's sources or sinks, monitors last. Equal names are followed by the server's own."""
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
    """The devices to choose from: the server's, then PortAudio's that do not lead to the server.

    If PortAudio cannot reach the server, only its own devices can be opened.
    """
    if not server or not any(device.is_server for device in portaudio):
        return portaudio
    own = [device for device in portaudio if not device.is_server]
    if any(device.is_default for device in server):
        own = [Device(d.name, d.host_api, d.index, d.channels, d.rate) for d in own]
    return [*server, *own]


def route(state: ServerState | None, direction: Direction, wanted: str | None) -> Route:
    """The route to the device that ``wanted`` means in the server's current state."""
    devices = server_devices(state, direction)
    if state is None or not devices:
        return Route()
    found = matching(devices, wanted) if wanted and not names_server(wanted) else None
    if found is not None:
        endpoint = state.named(direction, found.endpoint)
        monitored = endpoint.other if endpoint is not None and found.monitors else ""
        ambiguous = ambiguity(devices, wanted)
        return Route(found.endpoint, monitored, found.name, found.rate, len(devices), ambiguous)
    default = next((device for device in devices if device.is_default), None)
    if default is None:
        return Route(server_count=len(devices))
    return Route(label=default.name, rate=default.rate, server_count=len(devices))
