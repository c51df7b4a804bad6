from __future__ import annotations

import itertools
import math

import pytest

from pinch_tui.audio.devices.choice import Device, Direction, choose, from_portaudio, matching, offered
from pinch_tui.audio.dsp.cues import render


def entry(name: str, api: int = 0, inputs: int = 1, outputs: int = 1) -> dict[str, object]:
    return {
        "name": name,
        "hostapi": api,
        "max_input_channels": inputs,
        "max_output_channels": outputs,
        "default_samplerate": 44100.0,
    }


def api(name: str, default: int = -1) -> dict[str, object]:
    return {"name": name, "default_input_device": default, "default_output_device": default}


def test_pulse_is_preferred_over_default_and_pipewire_on_linux() -> None:
    devices = [entry("pipewire"), entry("pulse"), entry("default")]
    found = from_portaudio(devices, [api("ALSA", 2)], Direction.INPUT, "linux")
    assert [device.name for device in found if device.is_default] == ["pulse"]
    only = from_portaudio(devices[::2], [api("ALSA", 1)], Direction.INPUT, "linux")
    assert [device.name for device in only if device.is_default] == ["default"]


def test_a_real_default_is_left_alone() -> None:
    devices = [entry("HDA Intel"), entry("pulse")]
    found = from_portaudio(devices, [api("ALSA", 0)], Direction.OUTPUT, "linux")
    assert [device.name for device in found if device.is_default] == ["HDA Intel"]


def test_only_devices_of_the_direction_are_listed() -> None:
    devices = [entry("mic", outputs=0), entry("out", inputs=0)]
    assert [d.name for d in from_portaudio(devices, [api("ALSA", -1)], Direction.INPUT, "linux")] == ["mic"]
    assert [d.index for d in from_portaudio(devices, [api("ALSA", -1)], Direction.OUTPUT, "linux")] == [1]
    assert from_portaudio([entry("\x1b[31mevil\nname")], [api("ALSA")], Direction.INPUT, "linux")[0].name == "evil name"


DEVICES = [
    Device("USB Headset: Audio (hw:1,0)", "ALSA", 0, 1, 48000),
    Device("USB Headset", "MME", 1, 1, 44100),
    Device("USB Headset", "Windows WASAPI", 2, 1, 48000),
    Device("Built-in", "ALSA", 3, 2, 48000, is_default=True),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ("USB Headset / MME", 1),
        ("usb headset", 2),
        ("headset: audio", 0),
        ("usb / mme", 1),
        ("BUILT", 3),
        ("USB Headset: Audio (hw:1,0) / ALSA", 0),
        ("USB Headset: Audio (hw:4,0) / ALSA", 0),
    ],
)
def test_chosen_by_a_part_of_the_name_and_host_api(wanted: str, index: int) -> None:
    choice = choose(DEVICES, wanted)
    assert choice is not None
    assert (choice.device.index, choice.is_substitute) == (index, False)


def test_what_is_gone_is_replaced_by_the_default() -> None:
    choice = choose(DEVICES, "bluetooth")
    assert choice is not None
    assert (choice.device.name, choice.is_substitute) == ("Built-in", True)
    for nothing in (None, ""):
        choice = choose(DEVICES, nothing)
        assert choice is not None
        assert (choice.device.name, choice.is_substitute) == ("Built-in", False)
    assert choose([], "x") is None
    assert matching(DEVICES, "nothing") is None


def test_what_is_offered_names_the_host_api_only_where_names_are_alike() -> None:
    offers, chosen = offered(DEVICES, "headset / mme")
    assert offers == [
        ("USB Headset: Audio (hw:1,0) / ALSA", "USB Headset: Audio (hw:1,0)"),
        ("USB Headset / MME", "USB Headset (MME)"),
        ("USB Headset / Windows WASAPI", "USB Headset (Windows WASAPI)"),
        ("Built-in / ALSA", "Built-in (default)"),
    ]
    assert chosen == "USB Headset / MME"
    for key, _ in offers:
        found = matching(DEVICES, key)
        assert found is not None
        assert found.key == key
    assert offered(DEVICES, None) == (offers, None)


def test_a_chosen_device_that_is_away_is_still_offered() -> None:
    offers, chosen = offered(DEVICES, "Bluetooth / ALSA")
    assert (offers[-1], chosen) == (("Bluetooth / ALSA", "Bluetooth (away)"), "Bluetooth / ALSA")


def test_a_monitor_is_never_a_substitute() -> None:
    monitor = Device("Monitor of Speaker", "ALSA", 0, 1, 48000)
    assert choose([monitor], None) is None
    chosen = choose([monitor], "monitor")
    assert chosen is not None
    assert chosen.device == monitor
    assert monitor.is_monitor


@pytest.mark.parametrize("name", ("go", "stop", "error"))
@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
def test_cues_are_short_soft_and_end_in_silence(name: str, rate: int) -> None:
    samples = render(name, rate)
    assert 0.08 < len(samples) / rate < 0.3
    assert 0.1 < max(samples) < 0.25
    steps = [abs(b - a) for a, b in itertools.pairwise(samples)]
    assert max(steps) < 0.2 * 2 * math.pi * 1000 / rate
    assert abs(samples[0]) < 0.01
    assert abs(samples[-1]) < 0.01
    assert not render("unknown", rate)
