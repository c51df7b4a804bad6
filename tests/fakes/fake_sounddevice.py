"""The sounddevice module as a table: devices, what they can do, and streams that a test drives by hand.

Stands in for PortAudio on systems that are not here (WASAPI, MME, Core Audio) and for faults that no rig makes (busy).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class PortAudioError(Exception):
    pass


class WasapiSettings:
    def __init__(self, auto_convert: bool = False) -> None:
        self.auto_convert = auto_convert


@dataclass
class FakeDevice:
    name: str
    api: int = 0
    inputs: int = 1
    outputs: int = 0
    default_rate: float = 48_000.0
    rates: tuple[int, ...] = (16_000, 24_000, 48_000)
    channels: tuple[int, ...] = (1, 2)
    open_error: tuple[Any, ...] | None = None  # args of the PortAudioError that opening raises
    needs_auto_convert: bool = False
    real_rate: float | None = None  # what a stream gives instead of the asked rate


@dataclass
class FakeStream:
    sd: FakeSoundDevice
    args: dict[str, Any]
    latency: float = 0.06
    log: list[str] = field(default_factory=list)
    real_rate: float | None = None  # None: the asked one

    @property
    def samplerate(self) -> float:
        return self.args["samplerate"] if self.real_rate is None else self.real_rate

    def start(self) -> None:
        self.log.append("start")
        for block in self.sd.early_blocks:
            self.deliver(block)

    def abort(self) -> None:
        self.log.append("abort")
        self.sd.control_threads.add(threading.get_ident())
        if self.sd.abort_fails:
            raise PortAudioError("Invalid stream pointer", -9988)
        self.args["finished_callback"]()

    def close(self) -> None:
        self.log.append("close")

    # ---- the test's side ----

    def deliver(self, data: bytes, *, age: float = 0.02, overflow: bool = False) -> None:
        """The device captured a block."""
        times = SimpleNamespace(currentTime=10.0, inputBufferAdcTime=10.0 - age)
        width = 2 * self.args["channels"]
        self.args["callback"](data, len(data) // width, times, SimpleNamespace(input_overflow=overflow))

    def pull(self, *, ahead: float = 0.03, underflow: bool = False) -> bytes:
        """The device wants a block."""
        times = SimpleNamespace(currentTime=10.0, outputBufferDacTime=10.0 + ahead)
        count = self.args["blocksize"]
        out = bytearray(4 * count * self.args["channels"])
        self.args["callback"](memoryview(out), count, times, SimpleNamespace(output_underflow=underflow))
        return bytes(out)

    def end(self) -> None:
        """The device is gone."""
        self.args["finished_callback"]()


class FakeSoundDevice:
    """Hand it to the host's classes as ``sd``."""

    PortAudioError = PortAudioError
    WasapiSettings = WasapiSettings

    def __init__(
        self,
        devices: list[FakeDevice],
        apis: tuple[str, ...] = ("ALSA",),
        defaults: dict[str, tuple[int, int]] | None = None,
    ) -> None:
        self.devices = devices
        self.apis = apis
        self.defaults = defaults or {}
        self.streams: list[FakeStream] = []
        self.rescans = 0
        self.early_blocks: list[bytes] = []  # what the device delivers before ``start`` returns
        self.abort_fails = False
        self.control_threads: set[int] = set()
        self.list_error: tuple[Any, ...] | None = None

    def query_devices(self) -> list[dict[str, Any]]:
        if self.list_error is not None:
            raise PortAudioError(*self.list_error)
        return [
            {
                "name": device.name,
                "hostapi": device.api,
                "max_input_channels": device.inputs,
                "max_output_channels": device.outputs,
                "default_samplerate": device.default_rate,
            }
            for device in self.devices
        ]

    def query_hostapis(self) -> tuple[dict[str, Any], ...]:
        return tuple(
            {
                "name": name,
                "default_input_device": self.defaults.get(name, (-1, -1))[0],
                "default_output_device": self.defaults.get(name, (-1, -1))[1],
            }
            for name in self.apis
        )

    def check_input_settings(self, **settings: Any) -> None:
        self._check(settings)

    def check_output_settings(self, **settings: Any) -> None:
        self._check(settings)

    def RawInputStream(self, **args: Any) -> FakeStream:
        return self._open(args)

    def RawOutputStream(self, **args: Any) -> FakeStream:
        return self._open(args)

    def _terminate(self) -> None:
        self.rescans += 1

    def _initialize(self) -> None:
        pass

    def _check(self, settings: dict[str, Any]) -> None:
        self.control_threads.add(threading.get_ident())
        device = self.devices[settings["device"]]
        if settings["channels"] not in device.channels:
            raise PortAudioError("Invalid number of channels", -9998)
        extra = settings["extra_settings"]
        converts = isinstance(extra, WasapiSettings) and extra.auto_convert
        if settings["samplerate"] not in device.rates and not (device.needs_auto_convert and converts):
            raise PortAudioError("Invalid sample rate", -9997)

    def _open(self, args: dict[str, Any]) -> FakeStream:
        device = self.devices[args["device"]]
        if device.open_error is not None:
            raise PortAudioError(*device.open_error)
        stream = FakeStream(self, args, latency=args["latency"], real_rate=device.real_rate)
        self.streams.append(stream)
        return stream
