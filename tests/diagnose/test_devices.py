from __future__ import annotations

import json

import pytest

from pinch_tui.audio.devices.choice import Device, DeviceList, choose, matching
from pinch_tui.cli.commands.devices import Meter, as_object, level_bar, listing
from pinch_tui.cli.doctor.sound import resolve
from pinch_tui.core.events import Frame
from pinch_tui.diagnose.sound import Capture
from pinch_tui.errors import UsageError

MICS = (
    Device("Built-in 2", "ALSA", 4, 2, 48_000),
    Device("USB Headset", "ALSA", 7, 1, 44_100),
    Device("default", "ALSA", 9, 32, 44_100, is_default=True),
)
OUTS = (Device("Speakers\x1b[31m", "ALSA", 1, 2, 48_000, is_default=True),)
FOUND = DeviceList(MICS, OUTS, None, "Headset of the server", "")


def test_the_list_marks_what_is_chosen() -> None:
    lines = listing(FOUND, ("usb", ""))
    assert lines[0] == "Microphones"
    assert lines[2] == " *  2  USB Headset, 44100 Hz, ALSA"
    assert lines[3] == "    3  default = Headset of the server (default), 44100 Hz, ALSA"
    assert lines[-1] == " *  1  Speakers (default), 48000 Hz, ALSA"
    assert all(line.isprintable() for line in lines)


def test_a_device_that_is_gone_falls_back_and_says_so() -> None:
    lines = listing(FOUND, ("Old Mic", ""))
    assert lines[3].startswith(" *  3  default")
    assert lines[4].strip() == "'Old Mic' is not connected: default is used until it returns."
    assert as_object(FOUND, ("Old Mic", ""))["microphones_substitute"] is True


def test_no_devices() -> None:
    assert listing(DeviceList(), ("", "")) == ["Microphones: none", "", "Loudspeakers: none"]


def test_the_list_for_programs() -> None:
    data = json.loads(json.dumps(as_object(FOUND, ("", ""))))
    assert [entry["number"] for entry in data["microphones"]] == [1, 2, 3]
    assert data["microphones"][2]["meant"] == "Headset of the server"
    assert [entry["chosen"] for entry in data["microphones"]] == [False, False, True]


def test_numbers_are_those_of_the_list_and_become_names() -> None:
    assert resolve(FOUND, "2", is_input=True) == "USB Headset / ALSA"
    assert resolve(FOUND, "head", is_input=True) == "head"
    assert resolve(FOUND, "", is_input=True) == ""
    for number in ("0", "4"):
        with pytest.raises(UsageError, match=f"no microphone number {number}"):
            resolve(FOUND, number, is_input=True)
    with pytest.raises(UsageError, match="no loudspeaker number 2"):
        resolve(FOUND, "2", is_input=False)


def test_a_number_means_the_place_in_the_list_unless_it_is_a_name() -> None:
    assert matching(list(MICS), "2") == MICS[1]
    assert matching(list(MICS), "9") is None
    odd = [Device("2", "ALSA", 0, 1, 48_000), *MICS]
    assert matching(odd, "2") == odd[0]
    choice = choose(list(MICS), "77")
    assert choice is not None
    assert choice.is_substitute


@pytest.mark.parametrize(
    ("peak", "shown"),
    [
        (0.0, "[........................................]   silence          "),
        (1.0, "[########################################]    0.0 dBFS CLIPPED"),
        (0.001, "[........................................]  -60.0 dBFS        "),
        (0.0316, "[####################....................]  -30.0 dBFS        "),
    ],
)
def test_the_meter_bar(peak: float, shown: str) -> None:
    assert level_bar(peak) == shown


def test_the_meter_draws_over_itself_in_a_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    captured = Capture()
    meter = Meter(is_live=False)
    for index in range(100):
        frame = Frame(b"\1\0" * 320, index, index * 0.02, peak=0.5)
        captured.frames.append(frame)
        meter.frame(frame, captured)
    meter.done()
    shown = capsys.readouterr().err
    assert "\r" not in shown
    assert shown.splitlines()[0].startswith(" 1.0 s  [####")
    assert len(shown.splitlines()) == 2
