"""The sound server's devices by their names, and the way to each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinch_tui.audio.devices.choice import Device, Direction, ambiguity, choose, matching, offered
from pinch_tui.audio.devices.routes import Route, combined, route, server_devices
from pinch_tui.audio.devices.server import Endpoint, ServerState
from pinch_tui.audio.host.streams import plan, route_of, set_route
from tests.fakes.fake_sounddevice import FakeDevice, FakeSoundDevice

USB = Endpoint(4, "alsa_input.usb", "USB Microphone", rate=44_100)
HEADSET_MIC = Endpoint(5, "bluez_input.00_11", "Headset", bluetooth="00:11", rate=16_000)
MONITOR = Endpoint(3, "bluez_output.00_11.monitor", "Monitor of Headset", other="bluez_output.00_11", rate=48_000)
SPEAKERS = Endpoint(7, "alsa_output.pci", "Speakers", other="alsa_output.pci.monitor", rate=48_000, channels=2)
HEADSET = Endpoint(8, "bluez_output.00_11", "Headset", bluetooth="00:11", rate=44_100, channels=2)
STATE = ServerState("alsa_input.usb", "alsa_output.pci", (MONITOR, USB, HEADSET_MIC), (SPEAKERS, HEADSET))

PULSE = Device("pulse", "ALSA", 9, 32, 44_100, is_default=True)
CARD = Device("HDA Intel: ALC (hw:0,0)", "ALSA", 0, 2, 44_100)


def test_the_servers_devices_are_listed_by_their_names_with_their_marks() -> None:
    inputs = server_devices(STATE, Direction.INPUT)
    assert [(device.name, device.marks) for device in inputs] == [
        ("USB Microphone", ("default",)),
        ("Headset", ("Bluetooth",)),
        ("Monitor of Headset", ()),  # its name says so
    ]
    assert [device.is_monitor for device in inputs] == [False, False, True]
    assert [device.rate for device in server_devices(STATE, Direction.OUTPUT)] == [48_000, 44_100]
    odd = replace(MONITOR, description="Überwachung von Headset")
    (device,) = server_devices(replace(STATE, sources=(odd,)), Direction.INPUT)
    assert device.marks == ("monitor",)
    assert server_devices(None, Direction.INPUT) == []


def test_two_devices_of_one_name_are_told_apart_by_the_servers_names() -> None:
    twin = replace(USB, index=6, name="alsa_input.usb.2")
    names = [device.name for device in server_devices(replace(STATE, sources=(USB, twin)), Direction.INPUT)]
    assert names == ["USB Microphone (alsa_input.usb)", "USB Microphone (alsa_input.usb.2)"]


def test_what_leads_to_the_server_is_not_offered_beside_its_devices() -> None:
    server = server_devices(STATE, Direction.INPUT)
    both = combined(server, [CARD, PULSE])
    assert [device.name for device in both] == ["USB Microphone", "Headset", "Monitor of Headset", CARD.name]
    assert [device.name for device in both if device.is_default] == ["USB Microphone"]
    assert combined([], [CARD, PULSE]) == [CARD, PULSE]
    assert combined(server, [CARD]) == [CARD]  # PortAudio has no way to the server


@pytest.mark.parametrize(
    ("wanted", "endpoint"),
    [
        ("usb", "alsa_input.usb"),
        ("Headset / sound server", "bluez_input.00_11"),
        ("headset", "bluez_input.00_11"),
        ("head", "bluez_input.00_11"),  # and not its loudspeaker's monitor
        ("monitor of", "bluez_output.00_11.monitor"),
        ("alsa_input.usb", "alsa_input.usb"),
        ("2", "bluez_input.00_11"),
        ("4", ""),  # PortAudio's first
        ("HDA Intel: ALC (hw:0,0) / ALSA", ""),
        ("pulse / ALSA", ""),  # remembered from a time without this list: it follows the server
        ("default", ""),
        (None, ""),
        ("gone", ""),
    ],
)
def test_a_name_a_part_of_it_or_a_number_leads_to_the_device(wanted: str | None, endpoint: str) -> None:
    assert route(STATE, Direction.INPUT, wanted).endpoint == endpoint


def test_the_way_tells_the_name_the_rate_and_what_a_monitor_hears() -> None:
    assert route(STATE, Direction.OUTPUT, "headset") == Route("bluez_output.00_11", "", "Headset", 44_100, 2)
    assert route(STATE, Direction.OUTPUT, None) == Route("", "", "Speakers", 48_000, 2)
    assert route(STATE, Direction.INPUT, "monitor").monitored == "bluez_output.00_11"
    assert route(None, Direction.INPUT, "headset") == Route()
    assert route(ServerState(), Direction.INPUT, "headset") == Route()


def test_what_is_offered_has_the_marks_and_a_chosen_one_that_is_away() -> None:
    both = combined(server_devices(STATE, Direction.INPUT), [CARD, PULSE])
    offers, chosen = offered(both, "headset / sound server")
    assert offers[:2] == [
        ("USB Microphone / sound server", "USB Microphone (default)"),
        ("Headset / sound server", "Headset (Bluetooth)"),
    ]
    assert chosen == "Headset / sound server"
    away, chosen = offered(both[:1], "Headset / sound server")
    assert (away[-1], chosen) == (("Headset / sound server", "Headset (away)"), "Headset / sound server")
    for older in ("default / ALSA", "pulse"):
        assert offered(both, older)[1] == "USB Microphone / sound server"


def test_a_part_that_fits_two_devices_is_a_guess_and_a_monitor_does_not_count() -> None:
    both = server_devices(STATE, Direction.INPUT)
    assert not ambiguity(both, "headset")
    two = [*both, replace(both[0], name="USB Camera", index=9)]
    assert ambiguity(two, "usb") == "'usb' fits USB Microphone and USB Camera; USB Microphone is used."
    assert not ambiguity([replace(device, name=f"{device.name} 1") for device in two], "1")
    assert not ambiguity(two, "usb camera")
    found = matching(two, "usb")
    assert found is not None
    assert found.name == "USB Microphone"


def test_a_monitor_is_chosen_only_by_its_name() -> None:
    both = server_devices(replace(STATE, default_source=""), Direction.INPUT)
    choice = choose(both, None)
    assert choice is not None
    assert choice.device.name == "USB Microphone"
    assert choose([device for device in both if device.is_monitor], "gone") is None


# ---- inside the sound host ----


def linux() -> FakeSoundDevice:
    devices = [FakeDevice(CARD.name, outputs=2), FakeDevice("default", outputs=2), FakeDevice("pulse", outputs=2)]
    return FakeSoundDevice(devices, defaults={"ALSA": (1, 1)})


def picked(wanted: str | None, way: Route, direction: Direction = Direction.INPUT) -> tuple[str, str, bool]:
    found = plan(linux(), direction, wanted, 16_000, "int16", platform="linux", route=way)
    return found.device.name, found.route.endpoint, found.is_substitute


def test_the_host_opens_the_server_and_is_led_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PULSE_SOURCE", "PULSE_SINK", "PIPEWIRE_NODE", "PIPEWIRE_ALSA"):
        monkeypatch.delenv(name, raising=False)
    way = route(STATE, Direction.INPUT, "headset")
    assert picked("headset", way) == ("pulse", "bluez_input.00_11", False)
    assert picked(None, route(STATE, Direction.INPUT, None)) == ("pulse", "", False)
    assert picked("hda", route(STATE, Direction.INPUT, "hda")) == (CARD.name, "", False)
    assert picked("gone", route(STATE, Direction.INPUT, "gone")) == ("pulse", "", True)
    assert picked("4", route(STATE, Direction.INPUT, "4")) == (CARD.name, "", False)
    assert picked("9", route(STATE, Direction.INPUT, "9")) == ("pulse", "", True)
    assert picked("1", Route()) == (CARD.name, "", False)  # without a server PortAudio's list is the list


def test_the_environment_leads_and_gives_the_users_own_values_back() -> None:
    own = {"PULSE_SOURCE": "mine"}
    environ = dict(own)
    set_route(Direction.INPUT, Route("bluez_input.00_11"), environ, own)
    assert environ == {"PULSE_SOURCE": "bluez_input.00_11", "PIPEWIRE_NODE": "bluez_input.00_11"}
    set_route(Direction.INPUT, Route("out.monitor", "out"), environ, own)
    assert environ["PULSE_SOURCE"] == "out.monitor"
    assert (environ["PIPEWIRE_NODE"], environ["PIPEWIRE_ALSA"]) == ("out", "{ stream.capture.sink = true }")
    set_route(Direction.INPUT, Route(), environ, own)
    assert environ == own


def test_a_note_without_a_route_leads_nowhere() -> None:
    assert route_of({"kind": "open", "device": None}) == Route()
    assert route_of({"kind": "open", "route": {"endpoint": "a", "rate": 48_000}}) == Route("a", rate=48_000)
