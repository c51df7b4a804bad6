"""The microphone and the speaker against a lane that a test plays: what they tell, keep and send again."""

from __future__ import annotations

from array import array
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pinch_tui.audio.adapters import speaker as speaker_module
from pinch_tui.audio.adapters.microphone import BATCH_FRAMES, HostMicrophone
from pinch_tui.audio.adapters.sound import DeviceWatcher
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.devices.routes import Route
from pinch_tui.audio.devices.server import Endpoint, ServerState
from pinch_tui.audio.host.supervision import HostSupervision, LookForDevice, ReportClosed, ReportFailed, ReportOpened
from pinch_tui.audio.host.wire import Kind, pack_frame, read_note, read_speech
from pinch_tui.children import Splitter
from pinch_tui.core.events import FRAME_BYTES, Frame
from pinch_tui.core.sound import (
    MicClosed,
    MicFailed,
    MicMuted,
    MicOpened,
    PlayoutEnded,
    PlayoutStarted,
    SpeakerOpened,
    Underran,
)
from pinch_tui.errors import AudioError
from tests.fakes.manual_clock import ManualClock, settle


class FakeRunner:
    """A lane's runner without a child: remembers what was asked and written."""

    def __init__(self, role: str) -> None:
        self.supervision = HostSupervision(role)
        self.log: list[str] = []
        self.sent = bytearray()
        self.host_pid: int | None = None
        self.route = Route()
        self.on_message: Any = None
        self.on_note: Any = None
        self.on_command: Any = None

    def open(self) -> None:
        self.log.append("open")
        self.supervision.is_wanted = True

    def close(self) -> None:
        self.log.append("close")

    def select(self, device: str | None) -> None:
        self.log.append(f"select {device}")

    def reopen(self) -> None:
        self.log.append("reopen")

    def shut(self) -> None:
        self.log.append("shut")

    def retry_now(self) -> None:
        self.log.append("retry")

    def write(self, message: bytes) -> None:
        self.sent += message

    def take(self) -> list[Any]:
        """Notes as dicts, speech as (playout, samples)."""
        messages = Splitter(Kind).push(bytes(self.sent))
        self.sent.clear()
        return [
            read_note(payload) if kind == Kind.NOTE else (read_speech(payload)[0], len(read_speech(payload)[1]) // 4)
            for kind, payload in messages
            if kind in (Kind.NOTE, Kind.SPEECH)
        ]


def opened(**extra: object) -> ReportOpened:
    note = {"kind": "opened", "name": "dev", "rate": 24_000, "substitute": False, "is_server": False, **extra}
    return ReportOpened(note)


def a_speaker() -> tuple[HostSpeaker, FakeRunner, ManualClock]:
    runner, clock = FakeRunner("playback"), ManualClock()
    return HostSpeaker(SimpleNamespace(playback=runner), clock=clock), runner, clock  # type: ignore[arg-type]


def a_microphone() -> tuple[HostMicrophone, FakeRunner, ManualClock]:
    runner, clock = FakeRunner("capture"), ManualClock()
    return HostMicrophone(SimpleNamespace(capture=runner), clock=clock), runner, clock  # type: ignore[arg-type]


SPEECH_1000 = array("f", [0.1] * 1000).tobytes()


async def test_a_dead_host_s_successor_gets_what_was_not_played() -> None:
    speaker, runner, _ = a_speaker()
    speaker.begin(1)
    speaker.play(1, SPEECH_1000)
    assert runner.take() == []  # nothing before the stream is open
    runner.on_command(opened())
    assert runner.take() == [{"kind": "gain", "gain": 1.0}, {"kind": "begin", "playout": 1}, (1, 1000)]
    speaker.play(1, SPEECH_1000)
    speaker.end(1)
    assert runner.take() == [(1, 1000), {"kind": "end", "playout": 1}]
    runner.on_note({"kind": "began", "playout": 1, "t": 5.0})
    runner.on_note({"kind": "progress", "playout": 1, "played": 700, "underflows": 0})
    runner.on_command(ReportFailed(AudioError("gone"), is_retrying=True))
    runner.on_command(opened())
    again = runner.take()
    assert again[1:] == [{"kind": "begin", "playout": 1}, (1, 300), (1, 1000), {"kind": "end", "playout": 1}]
    runner.on_note({"kind": "began", "playout": 1, "t": 6.0})
    runner.on_note({"kind": "dry", "playout": 1, "t": 6.5})
    runner.on_note({"kind": "over", "playout": 1, "t": 7.0, "played": 1300, "cleared": False})
    await speaker.aclose()
    events = [event async for event in speaker.events()]
    assert [event for event in events if isinstance(event, PlayoutStarted)] == [PlayoutStarted(1, 5.0)]
    assert [event for event in events if isinstance(event, Underran)] == [Underran(1, 6.5)]
    assert events[-1] == PlayoutEnded(1, 7.0, 2000, was_cleared=False)
    assert speaker.dropped_s() == 0


async def test_a_clear_asks_the_host_how_much_was_heard() -> None:
    speaker, runner, _ = a_speaker()
    runner.on_command(opened())
    speaker.begin(1)
    speaker.play(1, SPEECH_1000)
    speaker.begin(2)
    runner.take()
    speaker.clear()
    assert [note["kind"] for note in runner.take()] == ["clear", "clear"]
    assert speaker.buffered_s() == 0.0
    runner.on_note({"kind": "over", "playout": 1, "t": 3.0, "played": 480, "cleared": True})
    runner.on_command(ReportFailed(AudioError("gone"), is_retrying=True))  # the second answer never comes
    await speaker.aclose()
    ends = [event async for event in speaker.events() if isinstance(event, PlayoutEnded)]
    assert [(end.playout, end.played, end.was_cleared) for end in ends] == [(1, 480, True), (2, 0, True)]
    assert speaker.dropped_s() == 1000 / 24_000


async def test_without_a_loudspeaker_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_module, "PATIENCE_S", 0.01)
    speaker, _, _ = a_speaker()
    speaker.begin(1)
    speaker.play(1, SPEECH_1000)
    speaker.end(1)
    async for event in speaker.events():
        assert isinstance(event, PlayoutEnded)
        assert (event.playout, event.played, event.was_cleared) == (1, 0, True)
        break
    speaker.begin(2)
    failed = ReportFailed(AudioError("No sound: the PortAudio library is missing."), is_retrying=False)
    speaker._runner.on_command(failed)
    await speaker.aclose()
    assert [event.playout async for event in speaker.events() if isinstance(event, PlayoutEnded)] == [2]


async def test_the_device_is_released_when_idle_and_starving_asks_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_module, "IDLE_S", 0.0)
    speaker, runner, _ = a_speaker()
    speaker.cue("go")
    speaker.cue("stop")
    runner.on_command(opened())
    assert runner.take()[-1] == {"kind": "cue", "name": "stop"}
    runner.on_note({"kind": "progress", "playout": None, "played": 0, "underflows": 4})
    assert runner.supervision.latency == speaker_module.SAFE_LATENCY_S
    speaker.cue("error")
    assert "reopen" in runner.log
    for _ in range(5):
        await settle()
    assert "close" in runner.log
    await speaker.aclose()
    assert runner.log[-1] == "shut"


async def test_moves_are_told_once_and_volume_is_bounded() -> None:
    speaker, runner, _ = a_speaker()
    looked: list[str] = []
    speaker.on_look = lambda: looked.append("look")
    runner.supervision.device = "usb"
    runner.on_command(opened(is_server=True, name="pulse"))
    speaker.use_endpoint("Headphones", False)
    speaker.use_endpoint("Headphones", False)
    speaker.use_endpoint("HDMI", True)
    runner.on_command(LookForDevice())
    speaker.set_gain(9.0)
    assert runner.take()[-1] == {"kind": "gain", "gain": 2.0}
    speaker.select("")
    assert runner.log[-1] == "select None"
    runner.on_command(ReportClosed())
    await speaker.aclose()
    names = [(event.name, event.is_substitute) async for event in speaker.events() if isinstance(event, SpeakerOpened)]
    assert names == [("pulse", False), ("Headphones", False), ("HDMI", True)]
    assert looked == ["look"]


async def test_headphones_that_are_plugged_into_the_same_device_are_told() -> None:
    speaker, runner, _ = a_speaker()
    has_headphones: list[bool | None] = [False]
    speaker.is_headphones = lambda: has_headphones[0]
    speaker.check_headphones()  # nothing is open, nothing is told
    runner.on_command(opened())
    has_headphones[0] = True
    speaker.check_headphones()
    speaker.check_headphones()
    await speaker.aclose()
    told = [event async for event in speaker.events()]
    assert [event.is_headphones for event in told if isinstance(event, SpeakerOpened)] == [False, True]


async def test_what_is_missing_between_two_hosts_is_counted_and_a_closing_is_no_loss() -> None:
    mic, runner, _ = a_microphone()

    def frame(t: float, lost: int = 0) -> None:
        ((kind, payload),) = Splitter(Kind).push(pack_frame(t, 0.5, lost, bytes(FRAME_BYTES)))
        assert kind == Kind.FRAME
        runner.on_message(kind, payload)

    runner.on_command(opened(rate=48_000))
    frame(1.00)
    frame(1.02, lost=320)
    runner.on_command(ReportFailed(AudioError("gone"), is_retrying=True))
    runner.on_command(opened(rate=48_000))
    frame(2.04)
    runner.on_command(ReportClosed())
    runner.on_command(opened(rate=48_000))
    frame(9.00)
    mic.use_endpoint("dev", False)
    mic.use_endpoint("Other", True)
    mic.use_endpoint("dev", False, "A sentence.")
    await mic.aclose()
    events = [event async for event in mic.events()]
    frames = [event for event in events if isinstance(event, Frame)]
    assert [f.lost for f in frames] == [0, 320, 16_000, 0]
    assert [f.index for f in frames] == [0, 1, 2, 3]
    kinds = [type(event) for event in events if not isinstance(event, Frame)]
    assert kinds == [MicOpened, MicFailed, MicOpened, MicClosed, MicOpened, MicOpened, MicOpened]
    assert isinstance(events[-1], MicOpened)
    assert events[-1].note == "A sentence."
    assert events[0] == MicOpened("dev", 48_000, 100.0)


async def test_a_new_host_is_told_that_nobody_talks() -> None:
    mic, runner, _ = a_microphone()
    few, one = ({"kind": "batch", "frames": n} for n in (BATCH_FRAMES, 1))
    runner.on_command(opened())
    assert runner.take() == []
    mic.attend(False)
    mic.attend(False)
    assert runner.take() == [few]
    runner.on_command(opened())
    assert runner.take() == [few]
    mic.attend(True)
    assert runner.take() == [one]
    runner.on_command(opened())
    assert runner.take() == []


async def test_a_late_consumer_loses_the_oldest_and_knows_how_much() -> None:
    from pinch_tui.audio.adapters.inbox import MicInbox

    inbox = MicInbox(keep_s=0.1)
    inbox.put(MicOpened("dev", 16_000, 0.0))
    for index in range(8):
        inbox.put(Frame(bytes(FRAME_BYTES), index, index * 0.02, lost=10 if index == 1 else 0))
    inbox.close()
    inbox.put(MicClosed(1.0))
    events = [event async for event in inbox]
    frames = [event for event in events if isinstance(event, Frame)]
    assert isinstance(events[0], MicOpened)
    assert [frame.index for frame in frames] == [3, 4, 5, 6, 7]
    assert frames[0].lost == 3 * 320 + 10


async def test_a_name_that_fits_two_devices_is_told_once() -> None:
    microphone, runner, _ = a_microphone()
    opened = {"kind": "opened", "name": "USB 1", "rate": 16_000, "substitute": False, "ambiguity": "two fit"}
    for _ in range(2):
        runner.on_command(ReportOpened(opened))
    events = microphone.events()
    told = [await anext(events) for _ in range(2)]
    assert [event.note for event in told if isinstance(event, MicOpened)] == ["two fit", ""]


async def test_what_the_system_mutes_is_told_when_it_changes() -> None:
    mic, _, _ = a_microphone()
    for is_muted in (False, True, True, False):
        mic.set_muted(is_muted, "Unmute it.")
    await mic.aclose()
    told = [event async for event in mic.events()]
    assert told == [MicMuted(True, "Unmute it."), MicMuted(False, "Unmute it.")]


async def test_the_watcher_tells_the_mute_of_the_source_that_an_opening_would_get() -> None:
    capture, playback = FakeRunner("capture"), FakeRunner("playback")
    host: Any = SimpleNamespace(capture=capture, playback=playback)
    clock = ManualClock()
    mic = HostMicrophone(host, clock=clock)
    watcher = DeviceWatcher(host, mic, HostSpeaker(host, clock=clock))
    usb = Endpoint(1, "usb", "USB Microphone", is_muted=True)
    state = ServerState("usb", "out", (usb,), ())
    for one in (state, replace(state, sources=(replace(usb, is_muted=False),)), state, None):
        watcher._on_state(one)
    await mic.aclose()
    told = [event.is_muted async for event in mic.events() if isinstance(event, MicMuted)]
    assert told == [True, False, True, False]


async def test_the_watcher_reopens_when_the_servers_device_that_was_chosen_is_back() -> None:
    capture, playback = FakeRunner("capture"), FakeRunner("playback")
    host: Any = SimpleNamespace(capture=capture, playback=playback)
    clock = ManualClock()
    mic = HostMicrophone(host, clock=clock, device="usb")
    watcher = DeviceWatcher(host, mic, HostSpeaker(host, clock=clock))
    builtin, usb = Endpoint(1, "pci", "Built-in"), Endpoint(2, "usb.1", "USB Microphone", is_muted=True)
    capture.supervision.is_substitute = True
    watcher._watch.state = ServerState("pci", "out", (builtin,), ())
    watcher._on_state(watcher._watch.state)
    assert "reopen" not in capture.log
    watcher._watch.state = ServerState("pci", "out", (builtin, usb), ())
    watcher._on_state(watcher._watch.state)
    assert "reopen" in capture.log
    assert "reopen" not in playback.log
    assert watcher._muting(watcher._watch.state)[0]  # of the chosen one, although nothing is open yet
    await mic.aclose()


async def test_the_meters_level_is_that_of_the_processed_sound() -> None:
    mic, runner, _ = a_microphone()
    for process in (None, lambda pcm, t: b"\0\10" * 320, None):
        mic.process = process
        runner.on_message(*Splitter(Kind).push(pack_frame(1.0, 0.5, 0, b"\0\40" * 320))[0])
    await mic.aclose()
    assert [event.peak async for event in mic.events() if isinstance(event, Frame)] == [0.5, 0.0625, 0.5]


async def test_the_echos_reference_is_asked_for_while_it_is_wanted() -> None:
    speaker, runner, _ = a_speaker()
    speaker.set_reference(lambda t, samples, rate: None)  # before there is a stream to ask
    assert runner.take() == []
    speaker._is_open = True
    speaker.set_reference(lambda t, samples, rate: None)
    speaker.set_reference(None)
    assert [note["on"] for note in runner.take() if note["kind"] == "reference"] == [True, False]
    await speaker.aclose()


async def test_the_hosts_word_on_mute_is_about_the_default_microphone() -> None:
    mic, runner, _ = a_microphone()
    runner.on_note({"kind": "muted", "on": True})
    runner.supervision.device = "USB"
    mic.select("USB")
    runner.on_note({"kind": "muted", "on": True})
    runner.supervision.device = None
    mic.select(None)
    runner.on_note({"kind": "muted", "on": False})
    await mic.aclose()
    assert [event.is_muted async for event in mic.events() if isinstance(event, MicMuted)] == [True, False, True, False]
