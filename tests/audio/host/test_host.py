"""What runs inside the sound host, driven by a sounddevice of our own."""

from __future__ import annotations

import itertools
import math
from array import array
from pathlib import Path
from typing import Any

import pytest

from pinch_tui.audio.devices.choice import Direction
from pinch_tui.audio.devices.routes import Route
from pinch_tui.audio.host import capture as capture_module
from pinch_tui.audio.host.capture import BACKLOG, Capture
from pinch_tui.audio.host.playback import Playback
from pinch_tui.audio.host.streams import NO_DEVICE, OpenError, keeps_unread_blocks, plan
from pinch_tui.audio.host.wire import Kind, pack_speech, read_frame, read_note, read_played
from pinch_tui.children import Splitter
from tests.fakes.fake_sounddevice import FakeDevice, FakeSoundDevice, WasapiSettings


class Outbox:
    """Renders at once, or when the program, which ``is_stuck``, goes on."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.is_stuck = False
        self._items: list[tuple[Any, ...]] = []

    def put(self, *item: Any) -> None:
        self._items.append(item)
        if not self.is_stuck:
            self.go_on()

    def go_on(self) -> None:
        self.is_stuck = False
        while self._items:
            render, *args = self._items.pop(0)
            self.sent += render(*args)

    def take(self) -> list[tuple[int, bytes]]:
        messages = Splitter(Kind).push(bytes(self.sent))
        self.sent.clear()
        return messages

    def notes(self) -> list[dict[str, Any]]:
        return [read_note(payload) for kind, payload in self.take() if kind == Kind.NOTE]


def one_mic(**device: Any) -> tuple[FakeSoundDevice, Outbox, Capture]:
    sd = FakeSoundDevice([FakeDevice("mic", **device)], defaults={"ALSA": (0, -1)})
    outbox = Outbox()
    return sd, outbox, Capture(sd, outbox)


def one_speaker(**device: Any) -> tuple[FakeSoundDevice, Outbox, Playback]:
    sd = FakeSoundDevice([FakeDevice("out", inputs=0, outputs=2, **device)], defaults={"ALSA": (-1, 0)})
    outbox = Outbox()
    return sd, outbox, Playback(sd, outbox)


def ramp(count: int, start: int = 0) -> bytes:
    return array("h", [(start + i) % 30_000 for i in range(count)]).tobytes()


# ---- capture ----


def test_capture_opens_as_measured_and_passes_samples_untouched() -> None:
    sd, outbox, capture = one_mic()
    capture.open({"device": None})
    (note,) = outbox.notes()
    assert (note["kind"], note["rate"], note["channels"], note["substitute"]) == ("opened", 16_000, 1, False)
    args = sd.streams[0].args
    assert (args["blocksize"], args["latency"], args["dtype"]) == (320, 0.06, "int16")
    for i in range(5):
        sd.streams[0].deliver(ramp(320, i * 320))
    frames = [read_frame(payload) for kind, payload in outbox.take() if kind == Kind.FRAME]
    assert b"".join(frame[3] for frame in frames) == ramp(1600)
    assert all(frame[2] == 0 for frame in frames)
    assert frames[0][1] == pytest.approx(319 / 32768)


def test_blocks_that_come_before_opened_is_said_follow_it() -> None:
    sd, outbox, capture = one_mic()
    sd.early_blocks = [ramp(320), ramp(320, 320)]
    capture.open({"device": None})
    sd.streams[0].deliver(ramp(320, 640))
    messages = outbox.take()
    assert [kind for kind, _ in messages] == [Kind.NOTE, Kind.FRAME, Kind.FRAME, Kind.FRAME]
    assert b"".join(read_frame(payload)[3] for _, payload in messages[1:]) == ramp(960)


def test_a_48_khz_stereo_device_becomes_16_khz_mono() -> None:
    sd, outbox, capture = one_mic(rates=(48_000,), channels=(2,), inputs=2)
    capture.open({"device": None})
    (note,) = outbox.notes()
    assert (note["rate"], note["channels"]) == (48_000, 2)
    assert sd.streams[0].args["blocksize"] == 960
    tone = array("h")
    for i in range(48_000):
        value = round(8000 * math.sin(2 * math.pi * 440 * i / 48_000))
        tone.extend((value, value))
    for start in range(0, len(tone), 1920):
        sd.streams[0].deliver(tone[start : start + 1920].tobytes())
    frames = [read_frame(payload) for kind, payload in outbox.take() if kind == Kind.FRAME]
    assert len(frames) == 49  # the constant delay holds back less than one
    pcm = array("h", b"".join(frame[3] for frame in frames))
    assert max(pcm) == pytest.approx(8000, rel=0.01)
    crossings = sum(a < 0 <= b for a, b in itertools.pairwise(pcm))
    assert crossings == pytest.approx(440 * 0.98, abs=2)


def test_an_interface_of_eighteen_channels_is_heard_through_its_first_two() -> None:
    sd, outbox, capture = one_mic(channels=(18,), inputs=18)
    capture.open({"device": None})
    assert outbox.notes()[0]["channels"] == 18
    block = array("h", bytes(2 * 18 * 320))
    block[0::18] = array("h", [6000] * 320)
    sd.streams[0].deliver(block.tobytes())
    ((_, payload),) = outbox.take()
    assert set(array("h", read_frame(payload)[3])) == {3000}


def test_a_stream_that_runs_at_another_rate_than_asked_is_resampled_from_that_rate() -> None:
    sd, outbox, capture = one_mic(real_rate=44_100.0)
    capture.open({"device": None})
    assert outbox.notes()[0]["rate"] == 44_100
    for start in range(0, 44_100, 300):
        tone = [round(8000 * math.sin(2 * math.pi * 440 * i / 44_100)) for i in range(start, start + 300)]
        sd.streams[0].deliver(array("h", tone).tobytes())
    pcm = array("h", b"".join(read_frame(payload)[3] for kind, payload in outbox.take() if kind == Kind.FRAME))
    assert len(pcm) == 49 * 320
    crossings = sum(a < 0 <= b for a, b in itertools.pairwise(pcm))
    assert crossings == pytest.approx(440 * 0.98, abs=2)


def test_overflow_and_backlog_count_what_is_missing() -> None:
    sd, outbox, capture = one_mic()
    capture.open({"device": None})
    stream = sd.streams[0]
    stream.deliver(ramp(320))
    stream.deliver(ramp(320), overflow=True)
    outbox.is_stuck = True
    for _ in range(BACKLOG + 2):
        stream.deliver(ramp(320))
    outbox.go_on()
    stream.deliver(ramp(320))
    stream.deliver(ramp(320))
    lost = [read_frame(payload)[2] for kind, payload in outbox.take() if kind == Kind.FRAME]
    assert lost == [0, 320] + [0] * BACKLOG + [2 * 320, 0]


def test_frames_come_together_when_asked_and_at_once_again() -> None:
    sd, outbox, capture = one_mic()
    capture.handle({"kind": "batch", "frames": 5})
    capture.open({"device": None})
    outbox.take()

    def deliver(first: int, last: int) -> list[int]:
        """How many frames have come after each block."""
        came = []
        for i in range(first, last):
            sd.streams[0].deliver(ramp(320, i * 320))
            came.append(len(whole := outbox.take()))
            pcm.extend(read_frame(payload)[3] for _, payload in whole)
        return came

    pcm: list[bytes] = []
    assert deliver(0, 8) == [0, 0, 0, 0, 5, 0, 0, 0]
    capture.handle({"kind": "batch", "frames": 1})
    pcm.extend(read_frame(payload)[3] for _, payload in outbox.take())
    assert len(pcm) == 8
    assert deliver(8, 10) == [1, 1]
    assert b"".join(pcm) == ramp(3200)


class Urgent:
    """Stands in for the event that ends a rest: notes how long the device's thread would have rested."""

    def __init__(self) -> None:
        self.rests: list[float] = []
        self.is_set = False

    def wait(self, timeout: float) -> bool:
        self.rests.append(timeout)
        return self.is_set

    def set(self) -> None:
        self.is_set = True

    def clear(self) -> None:
        self.is_set = False


@pytest.mark.parametrize(("name", "plugin", "rests"), [("pulse", "pulse", 1), ("pulse", "", 0), ("mic", "pulse", 0)])
def test_the_devices_thread_rests_between_deliveries_where_the_server_keeps_the_sound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, plugin: str, rests: int
) -> None:
    maps = tmp_path / "maps"
    maps.write_text(f"7f00 r-xp /usr/lib/alsa-lib/libasound_module_pcm_{plugin}.so\n")
    monkeypatch.setattr(capture_module, "keeps_unread_blocks", lambda device: keeps_unread_blocks(device, maps))
    sd = FakeSoundDevice([FakeDevice(name)], defaults={"ALSA": (0, -1)})
    outbox = Outbox()
    capture = Capture(sd, outbox)
    urgent = capture.urgent = Urgent()  # type: ignore[assignment]
    capture.handle({"kind": "batch", "frames": 5})
    capture.open({"device": None})
    for i in range(5):
        sd.streams[0].deliver(ramp(320, i * 320), age=0.005)
    assert urgent.rests == [pytest.approx(0.1)] * rests
    for i in range(5, 10):
        sd.streams[0].deliver(ramp(320, i * 320), age=0.1)  # there are newer ones
    assert len(urgent.rests) == rests
    assert not urgent.is_set
    capture.handle({"kind": "batch", "frames": 1})
    assert urgent.is_set
    sd.streams[0].deliver(ramp(320, 3200), age=0.005)
    assert len(urgent.rests) == rests
    frames = [read_frame(payload)[3] for kind, payload in outbox.take() if kind == Kind.FRAME]
    assert b"".join(frames) == ramp(11 * 320)


def test_a_device_that_lost_sound_is_not_left_alone_again_and_a_close_ends_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(capture_module, "keeps_unread_blocks", lambda device: True)
    sd, _, capture = one_mic()
    urgent = capture.urgent = Urgent()  # type: ignore[assignment]
    capture.handle({"kind": "batch", "frames": 2})
    capture.open({"device": None})
    sd.streams[0].deliver(ramp(640), age=0.005)
    for _ in range(4):
        sd.streams[0].deliver(ramp(320), age=0.005, overflow=True)
    assert urgent.rests == []
    was_set: list[bool] = []
    monkeypatch.setattr(sd.streams[0], "abort", lambda: was_set.append(urgent.is_set))
    capture.close()
    assert was_set == [True]
    assert not urgent.is_set


def test_capture_time_is_that_of_the_last_sample_and_never_in_the_future() -> None:
    import time

    sd, outbox, capture = one_mic()
    capture.open({"device": None})
    sd.streams[0].deliver(ramp(320), age=0.05)
    sd.streams[0].deliver(ramp(320), age=0.0)
    sd.streams[0].deliver(ramp(320), age=-3.0)
    now = time.monotonic()
    times = [read_frame(payload)[0] for kind, payload in outbox.take() if kind == Kind.FRAME]
    assert times[0] == pytest.approx(now - 0.03, abs=0.02)
    assert all(now - 0.02 < t <= now for t in times[1:])


def test_close_is_abort_then_close_and_a_lost_device_says_ended() -> None:
    sd, outbox, capture = one_mic()
    capture.open({"device": None})
    capture.close()
    assert [note["kind"] for note in outbox.notes()] == ["opened", "closed"]
    assert sd.streams[0].log == ["start", "abort", "close"]
    capture.open({"device": None})
    sd.streams[1].end()
    assert [note["kind"] for note in outbox.notes()] == ["opened", "ended"]
    sd.abort_fails = True
    capture.close()
    assert len(sd.control_threads) == 1
    assert outbox.notes()[0]["kind"] == "closed"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (("Device unavailable", -9985), -9985),
        (("Unanticipated host error", -9999, (0, -5, "Input/output error")), -9999),
        (("Error querying device -1",), NO_DEVICE),
    ],
)
def test_a_device_that_cannot_be_opened_is_said(error: tuple[Any, ...], code: int) -> None:
    _, outbox, capture = one_mic(open_error=error)
    capture.open({"device": None})
    (note,) = outbox.notes()
    assert (note["kind"], note["code"]) == ("failed", code)
    assert not capture.is_open


def test_no_device_no_rate_and_a_broken_list() -> None:
    outbox = Outbox()
    sd = FakeSoundDevice([])
    Capture(sd, outbox).open({"device": None})
    assert outbox.notes()[0]["code"] == NO_DEVICE
    sd = FakeSoundDevice([FakeDevice("odd", rates=(11_025,))], defaults={"ALSA": (0, -1)})
    Capture(sd, outbox).open({"device": None})
    assert outbox.notes()[0]["code"] == -9997
    sd.list_error = ("PortAudio not initialized", -10000)
    Capture(sd, outbox).open({"device": None})
    assert outbox.notes()[0]["kind"] == "failed"


def test_a_name_that_is_gone_is_replaced_and_said() -> None:
    _, outbox, capture = one_mic()
    capture.open({"device": "usb headset"})
    (note,) = outbox.notes()
    assert (note["name"], note["substitute"]) == ("mic", True)


# ---- Windows and macOS, by table ----

WINDOWS_APIS = ("MME", "Windows DirectSound", "Windows WASAPI")


def windows() -> FakeSoundDevice:
    return FakeSoundDevice(
        [
            FakeDevice("Microphone (USB)", api=0),
            FakeDevice("Microphone (USB)", api=2, rates=(48_000,), needs_auto_convert=True),
        ],
        apis=WINDOWS_APIS,
        defaults={"MME": (0, -1), "Windows WASAPI": (1, -1)},
    )


def test_wasapi_is_the_default_and_is_asked_to_convert() -> None:
    picked = plan(windows(), Direction.INPUT, None, 16_000, "int16", platform="win32")
    assert (picked.device.host_api, picked.rate) == ("Windows WASAPI", 16_000)
    assert isinstance(picked.extra, WasapiSettings)
    assert picked.extra.auto_convert


def test_mme_can_be_chosen_and_serves_without_wasapi() -> None:
    picked = plan(windows(), Direction.INPUT, "Microphone / MME", 16_000, "int16", platform="win32")
    assert (picked.device.host_api, picked.extra) == ("MME", None)
    only_mme = FakeSoundDevice([FakeDevice("Mic")], apis=("MME",), defaults={"MME": (0, -1)})
    assert plan(only_mme, Direction.INPUT, None, 16_000, "int16", platform="win32").device.name == "Mic"


def test_core_audio_takes_its_own_default() -> None:
    sd = FakeSoundDevice(
        [FakeDevice("MacBook Pro Microphone"), FakeDevice("AirPods")],
        apis=("Core Audio",),
        defaults={"Core Audio": (1, -1)},
    )
    assert plan(sd, Direction.INPUT, None, 16_000, "int16", platform="darwin").device.name == "AirPods"


def test_a_refusal_that_is_no_matter_of_rates_ends_the_search() -> None:
    sd = windows()

    def denied(**settings: Any) -> None:
        raise sd.PortAudioError("Unanticipated host error", -9999, (13, -2147024891, "Access is denied."))

    sd.check_input_settings = denied  # type: ignore[method-assign]
    with pytest.raises(OpenError) as info:
        plan(sd, Direction.INPUT, None, 16_000, "int16", platform="win32")
    assert info.value.code == -9999
    assert "Access is denied" in info.value.text


# ---- playback ----


def tone(count: int) -> bytes:
    return array("f", [0.4 * math.sin(i / 20) for i in range(count)]).tobytes()


def test_playback_plays_speech_and_tells_begin_progress_and_end() -> None:
    sd, outbox, playback = one_speaker()
    playback.open({"device": None})
    stream = sd.streams[0]
    assert (stream.args["samplerate"], stream.args["blocksize"], stream.args["latency"]) == (24_000, 240, 0.02)
    playback.handle({"kind": "begin", "playout": 4})
    playback.speech(pack_speech(4, tone(4800))[5:])
    playback.handle({"kind": "end", "playout": 4})
    out = b"".join(stream.pull() for _ in range(10))
    playback.tick()
    out += b"".join(stream.pull() for _ in range(12))
    assert out[480:19_200] == tone(4800)[480:]  # after the 5 ms fade-in
    notes = outbox.notes()
    assert [note["kind"] for note in notes] == ["opened", "began", "progress", "over"]
    assert notes[1]["playout"] == 4
    assert (notes[2]["playout"], notes[2]["played"]) == (4, 2400)
    assert (notes[3]["played"], notes[3]["cleared"]) == (4800, False)


def test_progress_is_silent_when_the_device_stands_still() -> None:
    sd, outbox, playback = one_speaker()
    playback.tick()
    playback.open({"device": None})
    playback.tick()
    assert [note["kind"] for note in outbox.notes()] == ["opened"]
    sd.streams[0].pull(underflow=True)
    playback.tick()
    playback.tick()
    (note,) = outbox.notes()
    assert note["underflows"] == 1


def test_clear_is_silent_after_the_fade_and_tells_what_was_played() -> None:
    sd, outbox, playback = one_speaker()
    playback.open({"device": None})
    playback.handle({"kind": "begin", "playout": 1})
    playback.speech(pack_speech(1, tone(24_000))[5:])
    playback.handle({"kind": "end", "playout": 1})
    for _ in range(10):
        sd.streams[0].pull()
    playback.handle({"kind": "clear", "playout": None})
    assert not any(array("f", sd.streams[0].pull())[120:])
    over = outbox.notes()[-1]
    assert (over["kind"], over["played"], over["cleared"]) == ("over", 2400, True)


@pytest.mark.parametrize(("rates", "rate"), [((48_000,), 48_000), ((44_100,), 44_100)])
def test_other_rates_are_resampled_before_the_buffer(rates: tuple[int, ...], rate: int) -> None:
    sd, outbox, playback = one_speaker(rates=rates, channels=(2,), default_rate=float(rate))
    playback.open({"device": None})
    stream = sd.streams[0]
    assert (stream.args["samplerate"], stream.args["channels"], stream.args["blocksize"]) == (rate, 2, rate // 100)
    playback.handle({"kind": "begin", "playout": 1})
    for start in range(0, 24_000 * 4, 7680):
        playback.speech(pack_speech(1, tone(24_000)[start : start + 7680])[5:])
    playback.handle({"kind": "end", "playout": 1})
    wide = array("f", b"".join(stream.pull() for _ in range(110)))
    assert wide[0::2] == wide[1::2]
    assert max(wide) == pytest.approx(0.4, rel=0.02)
    over = outbox.notes()[-1]
    assert (over["kind"], over["played"]) == ("over", 24_000)
    playback.speech(pack_speech(9, tone(10))[5:])  # nobody began it
    playback.handle({"kind": "begin", "playout": 2})
    playback.handle({"kind": "clear", "playout": 2})
    playback.handle({"kind": "clear", "playout": None})
    stream.pull()


def output_rates(sd: FakeSoundDevice, platform: str, rate: int = 0) -> tuple[int, list[int]]:
    """The rate that an output gets, and those that were asked for."""
    asked: list[int] = []
    check = sd.check_output_settings

    def noted(**settings: Any) -> None:
        asked.append(settings["samplerate"])
        check(**settings)

    sd.check_output_settings = noted  # type: ignore[method-assign]
    route = Route(label="Speakers", rate=rate)
    picked = plan(sd, Direction.OUTPUT, None, 24_000, "float32", platform=platform, route=route)
    return picked.rate, list(dict.fromkeys(asked))


@pytest.mark.parametrize(
    ("name", "api", "platform", "rate", "asked"),
    [
        ("HDA Intel: ALC (hw:0,0)", "ALSA", "linux", 0, [48_000]),
        ("pulse", "ALSA", "linux", 44_100, [44_100]),  # the sink that the server leads to
        ("pulse", "ALSA", "linux", 0, [24_000]),  # PortAudio's figure for a server says nothing
        ("surround", "ALSA", "linux", 44_100, [24_000]),  # nor does it for a plugin, and the server is not asked
        ("MacBook Speakers", "Core Audio", "darwin", 0, [48_000]),
        ("Speakers", "Windows WASAPI", "win32", 0, [48_000]),
        ("Speakers", "MME", "win32", 0, [24_000]),
    ],
)
def test_an_output_runs_at_the_devices_own_rate_where_it_is_known(
    name: str, api: str, platform: str, rate: int, asked: list[int]
) -> None:
    device = FakeDevice(name, inputs=0, outputs=2, rates=(24_000, 44_100, 48_000))
    sd = FakeSoundDevice([device], apis=(api,), defaults={api: (-1, 0)})
    assert output_rates(sd, platform, rate) == (asked[0], asked)


def test_where_the_own_rate_is_refused_24_khz_comes_last() -> None:
    odd = FakeDevice("USB (hw:1,0)", inputs=0, outputs=2, default_rate=96_000, rates=(24_000,))
    rate, asked = output_rates(FakeSoundDevice([odd], defaults={"ALSA": (-1, 0)}), "linux")
    assert (rate, asked[0], asked[-1]) == (24_000, 96_000, 24_000)


def test_volume_cues_and_reference() -> None:
    sd, outbox, playback = one_speaker()
    playback.handle({"kind": "gain", "gain": 0.0})
    playback.handle({"kind": "reference", "on": True})
    playback.open({"device": None})
    playback.handle({"kind": "cue", "name": "go"})
    out = b"".join(sd.streams[0].pull() for _ in range(20))
    samples = array("f", out)
    assert 0.1 < max(samples) < 0.3  # cues do not follow the speech's volume
    heard = [read_played(payload) for kind, payload in outbox.take() if kind == Kind.PLAYED]
    assert b"".join(samples for _, samples in heard) == out
    playback.handle({"kind": "gain", "gain": 1.0})
    playback.handle({"kind": "reference", "on": False})
    sd.streams[0].pull()
    assert outbox.take() == []


def test_commands_without_a_stream_are_harmless_and_a_lost_device_says_ended() -> None:
    sd, outbox, playback = one_speaker()
    playback.speech(pack_speech(1, tone(10))[5:])
    playback.handle({"kind": "begin", "playout": 1})
    playback.close()
    playback.open({"device": None, "latency": 0.06})
    assert sd.streams[0].args["blocksize"] == 480
    sd.streams[0].end()
    assert [note["kind"] for note in outbox.notes()] == ["closed", "opened", "ended"]
    sd.devices[0].open_error = ("Device unavailable", -9985)
    playback.open({"device": None})
    assert outbox.notes()[-1]["code"] == -9985
