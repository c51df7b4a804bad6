from __future__ import annotations

import ctypes.util
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pinch_tui.audio.adapters import processing
from pinch_tui.audio.devices import missing
from pinch_tui.audio.host.errors import explain_code, loudspeaker_as_microphone, privacy_hint
from pinch_tui.audio.host.streams import NO_DEVICE, NO_PORTAUDIO
from pinch_tui.core.choices import Processing
from pinch_tui.core.events import FRAME_BYTES
from pinch_tui.errors import AudioError


@pytest.mark.parametrize(
    ("programs", "system", "command"),
    [
        ({"apt-get"}, "Linux", "sudo apt install libportaudio2 libasound2-plugins"),
        ({"dnf"}, "Linux", "sudo dnf install portaudio alsa-plugins-pulseaudio"),
        ({"pacman"}, "Linux", "sudo pacman -S portaudio alsa-plugins"),
        (set(), "Linux", "install PortAudio with your system's package manager"),
        ({"brew"}, "Darwin", "brew install portaudio"),
        (set(), "Windows", "python -m pip install --force-reinstall sounddevice"),
    ],
)
def test_the_one_command_of_each_system(programs: set[str], system: str, command: str) -> None:
    assert missing.install_command(system, lambda name: name if name in programs else None) == command


def test_what_is_missing_is_said_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: "libportaudio.so.2")
    assert missing.explain() is None
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    error = missing.explain()
    assert error is not None
    assert "PortAudio" in error.title
    assert error.hint.startswith("Run: ")
    assert not error.retryable
    monkeypatch.setattr(sys, "platform", "darwin")
    assert missing.explain() is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    error = missing.explain()
    assert error is not None
    assert "sounddevice" in error.title


@pytest.mark.parametrize(
    ("code", "text", "platform", "words"),
    [
        (NO_DEVICE, "", "linux", "no microphone"),
        (NO_PORTAUDIO, "", "linux", "PortAudio"),
        (-9985, "", "linux", "busy"),
        (-9985, "", "win32", "not available"),
        (-9993, "", "linux", "sound server"),
        (-9996, "", "win32", "cannot be used"),
        (-9997, "", "linux", "rate"),
        (-9998, "", "linux", "channels"),
        (-9999, "", "linux", "was disconnected"),
        (-9999, "host (-2147024891: Access is denied.)", "win32", "no permission"),
        (-9986, "Internal PortAudio error -66748", "darwin", "no permission"),
        (None, "ended", "linux", "was disconnected"),
        (None, "stalled", "linux", "stopped answering"),
        (None, "exited", "linux", "stopped"),
        (-1, "odd \x1b[31m\nthing", "linux", "cannot be opened"),
    ],
)
def test_every_code_has_its_sentence(code: int | None, text: str, platform: str, words: str) -> None:
    error = explain_code(code, text, "capture", platform)
    assert words in error.title
    assert error.code in (code, None)
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)
    other = explain_code(code, text, "playback", platform)
    assert "microphone" not in other.title


def test_permission_is_where_the_system_keeps_it() -> None:
    assert "System Settings" in privacy_hint("darwin")
    assert "desktop apps" in privacy_hint("win32")
    assert "Microphone" in explain_code(-9985, "", "capture", "win32").hint
    assert "\x1b" not in loudspeaker_as_microphone("bad\x1bname").hint


def test_the_echo_canceller_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    monkeypatch.setitem(sys.modules, "livekit.rtc", None)
    with pytest.raises(AudioError, match=r"pinch-tui\[aec\]"):
        processing.SoundProcessor(Processing(echo=True))


class FakeFrame:
    def __init__(self, data: bytearray, rate: int, channels: int, samples: int) -> None:
        assert (len(data), rate, channels, samples) == (320, 16_000, 1, 160)
        self.data = data


class FakeProcessor:
    """Takes the reference away from the microphone, sample by sample: an echo path without delay."""

    def __init__(self, **features: bool) -> None:
        self.features = features
        self.reference = bytes(320)

    def process_reverse_stream(self, frame: FakeFrame) -> None:
        assert self.features["echo_cancellation"]
        self.reference = bytes(frame.data)

    def process_stream(self, frame: FakeFrame) -> None:
        near = np.frombuffer(bytes(frame.data), dtype="<i2") - np.frombuffer(self.reference, dtype="<i2")
        frame.data[:] = near.astype("<i2").tobytes()


@pytest.fixture
def livekit(monkeypatch: pytest.MonkeyPatch) -> None:
    livekit, rtc, apm = ModuleType("livekit"), ModuleType("livekit.rtc"), ModuleType("livekit.rtc.apm")
    rtc.AudioFrame = FakeFrame  # type: ignore[attr-defined]
    apm.AudioProcessingModule = FakeProcessor  # type: ignore[attr-defined]
    for module in (livekit, rtc, apm):
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.fixture
def canceller(livekit: None) -> processing.SoundProcessor:
    return processing.SoundProcessor(Processing(echo=True))


@pytest.mark.parametrize(
    ("wanted", "on"),
    [
        (Processing(echo=True), {"echo_cancellation", "high_pass_filter"}),
        (Processing(noise=True), {"noise_suppression", "high_pass_filter"}),
        (Processing(gain=True), {"auto_gain_control"}),
    ],
)
def test_each_switch_is_one_of_its_own(livekit: None, wanted: Processing, on: set[str]) -> None:
    processor = processing.SoundProcessor(wanted)
    assert {name for name, is_on in processor._apm.features.items() if is_on} == on
    assert processor.has_echo is wanted.echo
    tone = (np.sin(np.arange(320) / 5) * 8000).astype("<i2").tobytes()
    assert processor.process(tone, 0.0) == tone


def test_only_a_microphone_without_sound_gives_exact_zeros(livekit: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def swallow(_self: FakeProcessor, frame: FakeFrame) -> None:
        frame.data[:] = bytes(320)

    monkeypatch.setattr(FakeProcessor, "process_stream", swallow)
    processor = processing.SoundProcessor(Processing(noise=True))
    assert any(processor.process(b"\3\0" * 320, 0.0))
    monkeypatch.setattr(FakeProcessor, "process_stream", lambda _self, frame: frame.data.__setitem__(0, 9))
    assert processor.process(bytes(640), 0.02) == bytes(640)


def test_the_reference_meets_the_microphone_in_steps_of_10_ms(canceller: processing.SoundProcessor) -> None:
    tone = np.sin(np.arange(320) / 5) * 8000
    near = tone.astype("<i2").tobytes()
    assert canceller.process(near, 0.0) == near  # nothing plays: zeros are the reference
    speech = (np.round(tone).astype(np.int16).astype(np.float32) / 32768).tobytes()
    canceller.add_reference(0.0, speech, 16_000)
    left = np.frombuffer(canceller.process(np.round(tone).astype("<i2").tobytes(), 0.02), dtype="<i2")
    assert left[0] == 1  # what is left of a microphone with sound is never exact zeros, as of a muted one
    assert not left[1:].any()
    for i in range(100):
        canceller.add_reference(0.02 * i, speech, 16_000)
    assert canceller.skipped > 0
    canceller.add_reference(10.0, speech, 24_000)
    assert len(canceller.process(bytes(FRAME_BYTES), 10.0)) == FRAME_BYTES


def stamp(t: float) -> bytes:
    """20 ms of reference that say when they were played: whole steps of 20 ms, as their value."""
    return (np.full(320, round(t / 0.02), dtype=np.float32) / 32_768).tobytes()


def age_ms(canceller: processing.SoundProcessor, t: float) -> float:
    """How much older than the frame's end the reference is that the frame is fed with."""
    left = np.frombuffer(canceller.process(b"\1\0" * (FRAME_BYTES // 2), t), dtype="<i2")
    return (t - (1 - int(left[-1])) * 0.02) * 1000


def test_what_was_played_while_the_microphone_was_closed_does_not_delay_the_reference(
    canceller: processing.SoundProcessor,
) -> None:
    for i in range(1, 101):  # two seconds without a microphone
        canceller.add_reference(i * 0.02, stamp(i * 0.02), 16_000)
    ages = []
    for i in range(101, 201):
        canceller.add_reference(i * 0.02, stamp(i * 0.02), 16_000)
        ages.append(age_ms(canceller, i * 0.02))
    assert max(ages) < 45
    for i in range(201, 301):  # it is closed again, and opened again
        canceller.add_reference(i * 0.02, stamp(i * 0.02), 16_000)
    assert age_ms(canceller, 300 * 0.02) < 45


def test_clocks_that_drift_apart_do_not_delay_the_reference(canceller: processing.SoundProcessor) -> None:
    played = 0
    for i in range(1, 3001):  # a minute, the loudspeaker's clock faster by a hundredth
        while played * 0.0198 <= i * 0.02:
            canceller.add_reference(i * 0.02, stamp(i * 0.02), 16_000)
            played += 1
        assert age_ms(canceller, i * 0.02) < 100


def test_a_late_reference_is_kept(canceller: processing.SoundProcessor) -> None:
    """Both pipes wait for a program that stood still: nothing of the reference is left out."""
    for i in range(1, 16):
        canceller.add_reference(i * 0.02, stamp(i * 0.02), 16_000)
    for i in range(1, 16):
        assert age_ms(canceller, i * 0.02) == pytest.approx(0, abs=1)
    assert canceller.skipped == 0


@pytest.mark.parametrize(
    ("program", "platform", "has_plugin", "command"),
    [
        ("apt-get", "linux", False, "sudo apt install libasound2-plugins"),
        ("dnf", "linux", False, "sudo dnf install alsa-plugins-pulseaudio"),
        ("guix", "linux", False, "pinch-tui doctor"),
        ("apt-get", "linux", True, "pinch-tui doctor"),
        ("brew", "darwin", False, "pinch-tui doctor"),
    ],
)
def test_the_one_command_where_no_device_is_seen(program: str, platform: str, has_plugin: bool, command: str) -> None:
    assert missing.device_cure(platform, lambda name: name if name == program else None, has_plugin) == command


@pytest.mark.parametrize("folder", ["lib", "lib64", "lib/x86_64-linux-gnu"])
def test_alsas_way_to_the_sound_server_is_found_where_systems_keep_it(tmp_path: Path, folder: str) -> None:
    assert not missing.has_server_plugin(tmp_path)
    plugins = tmp_path / folder / "alsa-lib"
    plugins.mkdir(parents=True)
    (plugins / "libasound_module_pcm_pipewire.so").touch()
    assert missing.has_server_plugin(tmp_path)


def test_no_microphone_names_the_one_command() -> None:
    assert f"run: {missing.device_cure('linux')}" in explain_code(NO_DEVICE, "", "capture", "linux").hint
