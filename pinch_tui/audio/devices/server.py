"""The state of a PulseAudio or PipeWire server, and which of its sources capture a loudspeaker.

Pure: no I/O, no clock. When a device vanishes, the server silently moves its streams: the microphone stream may then
capture a loudspeaker's monitor, and the app would hear its own speech. Virtual microphones are monitors, too, so only
the monitor of the default sink, or of the sink that plays our speech, is wrong.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import Any

from pinch_tui.audio.devices.choice import Direction
from pinch_tui.core.transcript.clean import clean

_HEADPHONES = ("headphone", "headset", "earbud", "hands-free", "handsfree")
_MOST_HZ = 768_000
_SPEAKERS = ("speaker", "hdmi", "tv", "hifi", "lineout", "line-out")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A source or a sink. ``other``: a sink's monitor, or the sink that a source monitors ("" for a real source)."""

    index: int
    name: str
    description: str
    other: str = ""
    is_headphones: bool | None = None
    bluetooth: str = ""  # address of the Bluetooth device, "" if it is none
    is_muted: bool = False
    rate: int = 0  # in Hz, 0 if unknown
    channels: int = 1


@dataclass(frozen=True, slots=True)
class ServerState:
    default_source: str = ""
    default_sink: str = ""
    sources: tuple[Endpoint, ...] = ()
    sinks: tuple[Endpoint, ...] = ()
    capturing: dict[int, int] = field(default_factory=dict)  # process id -> index of its source
    playing: dict[int, int] = field(default_factory=dict)  # process id -> index of its sink

    def endpoints(self, direction: Direction) -> tuple[Endpoint, ...]:
        return self.sources if direction is Direction.INPUT else self.sinks

    def default(self, direction: Direction) -> Endpoint | None:
        name = self.default_source if direction is Direction.INPUT else self.default_sink
        return self.named(direction, name)

    def named(self, direction: Direction, name: str | None) -> Endpoint | None:
        return next((endpoint for endpoint in self.endpoints(direction) if endpoint.name == name), None)

    def used(self, direction: Direction, pid: int | None) -> Endpoint | None:
        """The source or sink that a process uses; None if the server does not know the process."""
        streams = self.capturing if direction is Direction.INPUT else self.playing
        index = streams.get(pid or -1)
        return next((endpoint for endpoint in self.endpoints(direction) if endpoint.index == index), None)


def parse(listing: str, info: str) -> ServerState | None:
    """Parse the output of ``pactl -f json list`` and ``pactl -f json info``; None if it is malformed."""
    try:
        everything, server = json.loads(listing), json.loads(info)
        return ServerState(
            default_source=str(server.get("default_source_name", "")),
            default_sink=str(server.get("default_sink_name", "")),
            sources=tuple(_endpoint(entry, "device.class") for entry in everything.get("sources", [])),
            sinks=tuple(_endpoint(entry, "") for entry in everything.get("sinks", [])),
            capturing=_streams(everything.get("source_outputs", []), "source"),
            playing=_streams(everything.get("sink_inputs", []), "sink"),
        )
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError):
        return None


def captures_loudspeaker(source: Endpoint, state: ServerState, playback_pid: int | None) -> bool:
    """True for the monitor of the default sink, or of the sink that plays our speech."""
    if not source.other:
        return False
    ours = state.used(Direction.OUTPUT, playback_pid)
    return source.other == state.default_sink or (ours is not None and source.other == ours.name)


def same_bluetooth(source: Endpoint | None, sink: Endpoint | None) -> bool:
    """True if both are one Bluetooth device, whose sound drops to telephone quality while its microphone is open."""
    return source is not None and sink is not None and bool(source.bluetooth) and source.bluetooth == sink.bluetooth


def unmute(source: Endpoint) -> str:
    """How to unmute a source, as a sentence."""
    return f"To unmute it: pactl set-source-mute {shlex.quote(clean(source.name, 200))} 0"


BLUETOOTH_NOTE = (
    "Microphone and headphones are the same Bluetooth device: sound drops to telephone quality while it listens. "
    "Another microphone keeps it good."
)


def _endpoint(entry: dict[str, Any], class_key: str) -> Endpoint:
    properties = entry.get("properties") or {}
    other = str(entry.get("monitor_source") or "")
    if class_key and properties.get(class_key) != "monitor":
        other = ""  # some servers give "n/a" or the source's own name for real sources
    address = ""
    if properties.get("device.bus") == "bluetooth" or "bluez" in str(properties.get("device.api", "")):
        address = str(properties.get("device.string") or properties.get("api.bluez5.address") or "bluetooth")
    return Endpoint(
        index=int(entry["index"]),
        name=str(entry["name"]),
        description=clean(str(entry.get("description") or entry["name"]), 120),
        other=other,
        is_headphones=_headphones(entry, properties),
        bluetooth=address,
        is_muted=bool(entry.get("mute")),
        rate=_number(entry, r"(\d+) ?Hz"),
        channels=max(1, _number(entry, r"(\d+) ?ch")),
    )


def _number(entry: dict[str, Any], pattern: str) -> int:
    """A number in ``s16le 2ch 48000Hz``; 0 if it is missing or implausible."""
    found = re.search(pattern, str(entry.get("sample_specification") or ""))
    number = int(found[1]) if found is not None and len(found[1]) < 7 else 0
    return number if number <= _MOST_HZ else 0


def _headphones(entry: dict[str, Any], properties: dict[str, Any]) -> bool | None:
    active = entry.get("active_port")
    words = [str(properties.get("device.form_factor") or ""), str(active or "")]
    ports = [port for port in entry.get("ports") or [] if isinstance(port, dict) and port.get("name") == active]
    text = " ".join([*words, *(str(port.get("type") or "") for port in ports)]).casefold()
    if any(word in text for word in _HEADPHONES):
        return True
    if any(word in text for word in _SPEAKERS):
        return False
    return None


def _streams(entries: list[dict[str, Any]], key: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for entry in entries:
        pid = str((entry.get("properties") or {}).get("application.process.id", ""))
        if pid.isdigit():
            found[int(pid)] = int(entry[key])
    return found
