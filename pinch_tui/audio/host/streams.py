"""Opens streams inside the sound host: chooses the device, the rate and the channels. Stdlib only.

``sd`` is the sounddevice module, passed in by `pinch_tui.audio.host.child` (which alone imports it), or a test's fake.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pinch_tui.audio.devices.choice import (
    Choice,
    Device,
    Direction,
    ambiguity,
    choose,
    from_portaudio,
    number_of,
    server_device,
)
from pinch_tui.audio.devices.routes import Route
from pinch_tui.audio.host.wire import Note, pack_note

INVALID_RATE = -9997
NOT_SUPPORTED = (INVALID_RATE, -9998, -9996)
"""PortAudio's codes for a rate, a number of channels or other settings that the device does not support."""
NO_DEVICE = -20_000
"""Our own code: there is no device."""
NO_PORTAUDIO = -20_001
"""Our own code: the library cannot be loaded."""

FALLBACK_RATES = (48_000, 44_100, 32_000, 24_000, 16_000)
_NOWHERE = Route()


class OpenError(Exception):
    """A stream could not be opened. ``code`` and ``text`` are PortAudio's, or our own."""

    def __init__(self, code: int | None, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Plan:
    """How a stream is opened."""

    device: Device
    rate: int
    channels: int
    is_substitute: bool
    extra: Any = None
    route: Route = _NOWHERE
    ambiguity: str = ""


def devices_of(sd: Any, direction: Direction, platform: str = sys.platform) -> list[Device]:
    """The devices that PortAudio found when it started. Raises `OpenError`."""
    try:
        return from_portaudio(list(sd.query_devices()), sd.query_hostapis(), direction, platform)
    except sd.PortAudioError as exc:
        raise translate(sd, exc) from exc


def translate(sd: Any, exc: BaseException) -> OpenError:
    """PortAudio's exception -> code and text, including the host API's own."""
    args = exc.args
    code = args[1] if len(args) > 1 and isinstance(args[1], int) else None
    text = str(args[0]) if args else type(exc).__name__
    if len(args) > 2 and isinstance(args[2], tuple) and len(args[2]) > 2:
        text = f"{text} ({args[2][1]}: {args[2][2]})"
    if code is None and "querying device -1" in text:
        code = NO_DEVICE
    return OpenError(code, text)


def route_of(note: Note) -> Route:
    """The route in an ``open`` note; an empty one without it."""
    return Route(**note.get("route") or {})


_OWN = {name: os.environ.get(name, "") for name in ("PULSE_SOURCE", "PULSE_SINK", "PIPEWIRE_NODE", "PIPEWIRE_ALSA")}
"""The user's own values of the variables that `set_route` sets."""


def set_route(
    direction: Direction,
    route: Route,
    environ: MutableMapping[str, str] = os.environ,
    own: Mapping[str, str] = _OWN,
) -> None:
    """Tell the server's client libraries in this process which device to open; without one, the user's variables apply.

    libpulse reads ``PULSE_SOURCE`` and ``PULSE_SINK`` when ALSA's ``pulse`` plugin connects. The ``pipewire`` plugin
    reads ``PIPEWIRE_NODE``, and ``PIPEWIRE_ALSA`` to capture from a sink.
    """
    variables = {"PULSE_SOURCE" if direction is Direction.INPUT else "PULSE_SINK": route.endpoint}
    variables["PIPEWIRE_NODE"] = route.monitored or route.endpoint
    variables["PIPEWIRE_ALSA"] = "{ stream.capture.sink = true }" if route.monitored else ""
    for name, wanted in variables.items():
        if value := wanted or own.get(name, ""):
            environ[name] = value
        else:
            environ.pop(name, None)


def _chosen(devices: list[Device], wanted: str | None, route: Route) -> tuple[Choice | None, Route]:
    """The PortAudio device to open, and the route on from the sound server."""
    server = server_device(devices)
    if server is not None and route.endpoint:
        return Choice(server), route
    number = number_of(wanted or "") - route.server_count
    if server is not None and route.server_count and number > 0:  # a typed number counts the server's devices, too
        own = [device for device in devices if not device.is_server]
        choice = Choice(own[number - 1]) if number <= len(own) else choose(devices, "nothing")
    else:
        choice = choose(devices, wanted)
    leads_on = choice is not None and choice.device.is_server and not route.endpoint
    return choice, Route(label=route.label, rate=route.rate) if leads_on else _NOWHERE


def plan(
    sd: Any,
    direction: Direction,
    wanted: str | None,
    rate: int,
    dtype: str,
    platform: str = sys.platform,
    route: Route = _NOWHERE,
) -> Plan:
    """The first supported combination of rate and channels, starting with ``rate`` and mono.

    An output's own rate, if known, comes before ``rate``, because some devices accept other rates and play noise.
    The combination is checked before opening, because a failed opening prints to stderr. Raises `OpenError`.
    """
    devices = devices_of(sd, direction, platform)
    choice, route = _chosen(devices, wanted, route)
    if choice is None:
        raise OpenError(NO_DEVICE, f"no {direction} device")
    set_route(direction, route)
    device, ambiguous = choice.device, route.ambiguity if route.endpoint else ambiguity(devices, wanted)
    check: Callable[..., None] = sd.check_input_settings if direction == Direction.INPUT else sd.check_output_settings
    extra = _extra(sd, device)
    refused: OpenError | None = None
    native = (route.rate or device.native_rate) if direction is Direction.OUTPUT else 0
    for try_rate, channels in _combinations(device, native or rate, rate):
        try:
            check(device=device.index, channels=channels, dtype=dtype, samplerate=try_rate, extra_settings=extra)
        except sd.PortAudioError as exc:
            refused = translate(sd, exc)
            if refused.code not in NOT_SUPPORTED:
                raise refused from exc
        except ValueError as exc:
            raise translate(sd, exc) from exc
        else:
            return Plan(device, try_rate, channels, choice.is_substitute, extra, route, ambiguous)
    raise refused or OpenError(INVALID_RATE, "no rate fits")


def _combinations(device: Device, first: int, wanted: int) -> Iterator[tuple[int, int]]:
    others = [rate for rate in (device.rate, *FALLBACK_RATES) if rate != wanted]
    rates = list(dict.fromkeys((first, wanted, *others) if first == wanted else (first, *others, wanted)))
    channels = [count for count in dict.fromkeys((1, 2, 8, device.channels)) if count <= device.channels]
    for try_rate in rates:
        if try_rate > 0:
            for count in channels:
                yield try_rate, count


def _extra(sd: Any, device: Device) -> Any:
    """WASAPI's shared mode refuses every rate but the mixer's unless told to convert (sounddevice #492)."""
    return sd.WasapiSettings(auto_convert=True) if "WASAPI" in device.host_api else None


def keeps_unread_blocks(device: Device, maps: Path = Path("/proc/self/maps")) -> bool:
    """True if unread blocks are kept for seconds, so that reading them in batches saves wake-ups: ALSA's ``pulse``
    plugin does. Call it while a stream is open, which loads the plugin."""
    if not device.is_server or device.name.casefold() == "pipewire":
        return False
    try:
        return "libasound_module_pcm_pulse" in maps.read_text()
    except OSError:
        return False


def opened_note(picked: Plan) -> Note:
    return {
        "kind": "opened",
        "name": picked.route.label or picked.device.name,
        "is_server": picked.device.is_server and not picked.route.endpoint,
        "endpoint": picked.route.endpoint,
        "rate": picked.rate,
        "channels": picked.channels,
        "substitute": picked.is_substitute,
        "ambiguity": picked.ambiguity,
    }


def failed_note(error: OpenError) -> Note:
    return {"kind": "failed", "code": error.code, "text": error.text}


class Outbox(Protocol):
    """The writer: ``put(render, *args)`` calls ``render(*args)`` on the writer's thread and sends the result."""

    def put(self, *item: Any) -> None: ...


class HostRole:
    """One direction's stream in this process. All methods except the device's callbacks run on the control thread."""

    tick_s: float | None = None

    def __init__(self, sd: Any, outbox: Outbox) -> None:
        self._sd = sd
        self._outbox = outbox
        self._stream: Any = None
        self._is_expected_end = False

    @property
    def is_open(self) -> bool:
        return self._stream is not None

    def tick(self) -> None:
        """Called every ``tick_s`` seconds while a stream is open, unless that is None."""

    def close(self) -> None:
        """Close the stream and report ``closed``."""
        self._shut()
        self._outbox.put(pack_note, {"kind": "closed"})

    def _make_stream(self, make: Any, picked: Plan, dtype: str, block: int, latency: float, callback: Any) -> Any:
        """A stream that is not started yet. Raises `OpenError`."""
        self._is_expected_end = False

        def finished() -> None:
            if not self._is_expected_end:
                self._outbox.put(pack_note, {"kind": "ended"})

        try:
            return make(
                samplerate=picked.rate,
                channels=picked.channels,
                dtype=dtype,
                blocksize=block,
                latency=latency,
                device=picked.device.index,
                extra_settings=picked.extra,
                callback=callback,
                finished_callback=finished,
            )
        except (self._sd.PortAudioError, ValueError) as exc:
            raise translate(self._sd, exc) from exc

    def _start(self, stream: Any) -> None:
        """Raises `OpenError` after closing the stream."""
        try:
            stream.start()
        except self._sd.PortAudioError as exc:
            _close_stream(self._sd, stream)
            raise translate(self._sd, exc) from exc

    def _shut(self) -> None:
        if self._stream is not None:
            self._is_expected_end = True
            stream, self._stream = self._stream, None
            _close_stream(self._sd, stream)


def _close_stream(sd: Any, stream: Any) -> None:
    """Abort, then close: `stop` can hang for ever on a suspended server. Errors of a dead stream are ignored."""
    for step in (stream.abort, stream.close):
        try:
            step()
        except sd.PortAudioError:
            continue
