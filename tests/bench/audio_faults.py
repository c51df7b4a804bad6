"""The matrix of sound faults: each fault while idle, talking and speaking; recovery, losses, and what is said.

    python -m tests.bench.audio_faults [--long] [--fault NAME] [--activity NAME]

The short form keeps each fault for 1 s, the long form for 3 s and three times over. Needs the rig beside the checkout
(and jackd2 for a device that can do 48 kHz only). `audio_matrix` puts these figures beside what a person sees.
Aims: recovery within 2 s of the device's return, nothing on stdout or stderr, no stall of the loop above 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import signal
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.sound import Sound
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.dsp.meter import Meter
from pinch_tui.core.events import OUT_RATE, Frame
from pinch_tui.core.sound import MicFailed, MicOpened, PlayoutEnded, SpeakerFailed, SpeakerOpened
from pinch_tui.engine.alarm import SystemClock
from tests.audio.rig import VirtualAudio, virtual_audio, why_not
from tests.bench import audio_48k

FAULTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # name: (commands that break, commands that cure); those of `act` are done here, the rest by the rig
    "unplug-mic": (("unplug mic",), ("plug mic",)),
    "unplug-speaker": (("unplug speaker",), ("plug speaker",)),
    "no-device": (("unplug mic", "unplug speaker"), ("plug mic", "plug speaker")),
    "stall": (("stall",), ("unstall",)),
    "hang": (("hang",), ("cont",)),
    "crash": (("crash",), ("start",)),
    "restart": (("restart",), ()),
    "mute": (("mute",), ("unmute",)),
    "busy": (("busy", "kill-hosts"), ("free",)),
    "kill-capture": (("kill-capture",), ()),
    "kill-playback": (("kill-playback",), ()),
    "kill-hosts": (("kill-hosts",), ()),
    "only-48k": (("only-48k", "kill-hosts"), ()),
}
ACTIVITIES = ("idle", "talking", "speaking")
SPEECH_S = 14.0


@dataclass
class Outcome:
    fault: str
    activity: str
    mic_back_s: float | None = 0.0  # from the cure (or the fault, where none is needed) to the next frame; None: never
    speaker_back_s: float | None = 0.0
    mic_failed: bool = False
    speaker_failed: bool = False
    lost_ms: float = 0.0
    unplayed: int | None = None  # samples of the speech that were never played
    longest_freeze_ms: float = 0.0
    noise_bytes: int = 0
    zeros_s: float = 0.0
    said: list[str] = field(default_factory=list)


class Scene:
    """One program with sound, watched from outside."""

    def __init__(self, sound: Sound, outcome: Outcome) -> None:
        assert isinstance(sound.microphone, HostMicrophone)
        assert isinstance(sound.speaker, HostSpeaker)
        assert sound.host is not None
        self.sound, self.host = sound, sound.host
        self.mic, self.speaker = sound.microphone, sound.speaker
        self.outcome = outcome
        self.meter = Meter()
        self.frame_t = self.progress_t = float("-inf")  # newest signs of life
        self.ended: PlayoutEnded | None = None
        self.waiting_s = 0.0
        self.is_muted_seen = 0.0

    async def hear(self) -> None:
        async for event in self.mic.events():
            match event:
                case Frame():
                    self.frame_t = time.monotonic()
                    self.meter.feed(event)
                    self.is_muted_seen = max(self.is_muted_seen, self.meter.levels(event.t).zeros_s)
                    self.outcome.lost_ms += event.lost / 16
                case MicFailed(error):
                    self.outcome.mic_failed = True
                    self._say(f"mic: {error.title}")
                case MicOpened(name, is_substitute=is_substitute) if self.outcome.mic_failed:
                    self._say(f"mic back: {name}{' (substitute)' if is_substitute else ''}")

    async def speak(self) -> None:
        async for event in self.speaker.events():
            match event:
                case SpeakerFailed(error):
                    self.outcome.speaker_failed = True
                    self._say(f"speaker: {error.title}")
                case SpeakerOpened(name, is_substitute=is_substitute) if self.outcome.speaker_failed:
                    self._say(f"speaker back: {name}{' (substitute)' if is_substitute else ''}")
                case PlayoutEnded():
                    self.ended = event

    async def freeze_watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.outcome.longest_freeze_ms = max(
                self.outcome.longest_freeze_ms, (time.monotonic() - before - 0.01) * 1000
            )

    def is_playing(self) -> bool:
        before, self.waiting_s = self.waiting_s, self.speaker.buffered_s()
        return self.host.playback.supervision.is_running and self.waiting_s < before

    def _say(self, sentence: str) -> None:
        if sentence not in self.outcome.said:
            self.outcome.said.append(sentence)


async def act(command: str, audio: VirtualAudio, scene: Scene, flag: Path) -> None:
    match command:
        case "busy":
            flag.touch()
        case "free":
            flag.unlink()
        case "only-48k":
            make_48k_only(audio)
        case "kill-capture" | "kill-playback" | "kill-hosts":
            for runner in (scene.host.capture, scene.host.playback):
                if command in ("kill-hosts", f"kill-{runner.supervision.direction}") and runner.host_pid:
                    os.kill(runner.host_pid, signal.SIGKILL)
        case _:
            await audio.do(*command.split())


def make_48k_only(audio: VirtualAudio) -> None:
    """From its next opening on, the device is one that can do 48 kHz and nothing else."""
    Path(audio.env["ALSA_CONFIG_PATH"]).write_text(audio_48k.CONFIG)


@contextlib.contextmanager
def only_48k(fault: str) -> Iterator[dict[str, str]]:
    """The 48 kHz device, where the fault needs one; what its clients find in their environment."""
    if "48" not in fault:
        yield {}
        return
    with audio_48k.jack() as env:
        yield {name: value for name, value in env.items() if name.startswith("JACK")}


async def run_case(fault: str, activity: str, hold_s: float, speech_s: float = SPEECH_S) -> Outcome:
    """One fault during one activity on a server of its own."""
    outcome = Outcome(fault, activity)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, virtual_audio() as audio, only_48k(fault) as jack:
        flag = Path(folder) / "busy"
        environment = dict(os.environ)
        os.environ.update(audio.env | jack)
        os.environ["BUSY_FLAG"] = str(flag)
        if fault == "busy":
            os.environ["PYTHONPATH"] = str(Path(__file__).parents[1] / "fakes" / "busy_portaudio")
        player = audio.start_player(make_noise(Path(folder))) if activity == "talking" or fault == "mute" else None
        try:
            async with Sound(clock=SystemClock()) as sound:
                scene = Scene(sound, outcome)
                async with asyncio.TaskGroup() as group:
                    listeners = [group.create_task(scene.hear()), group.create_task(scene.speak())]
                    freezes = group.create_task(scene.freeze_watch())
                    await drive(scene, audio, flag, hold_s, speech_s)
                    freezes.cancel()
                    await scene.mic.aclose()
                    await scene.speaker.aclose()
                    for listener in listeners:
                        await listener
                outcome.zeros_s = scene.is_muted_seen
        finally:
            os.environ.clear()
            os.environ.update(environment)
            if player is not None:
                player.kill()
                player.wait()
    return outcome


async def drive(scene: Scene, audio: VirtualAudio, flag: Path, hold_s: float, speech_s: float) -> None:
    outcome = scene.outcome
    fault, activity = outcome.fault, outcome.activity
    scene.mic.request_open()
    samples = round(OUT_RATE * speech_s)
    if activity == "speaking":
        scene.speaker.begin(1)
        scene.speaker.play(1, array("f", [0.3 * math.sin(i / 20) for i in range(samples)]).tobytes())
        scene.speaker.end(1)
    else:
        scene.speaker.cue("go")  # the output stream is open as in a conversation
    await asyncio.sleep(1.0)
    breaks, cures = FAULTS[fault]
    outcome.longest_freeze_ms = 0.0
    for command in breaks:
        await act(command, audio, scene, flag)
    broken = time.monotonic()
    await asyncio.sleep(hold_s if cures else 0.05)
    for command in cures:
        await act(command, audio, scene, flag)
    cured = time.monotonic() if cures else broken
    outcome.mic_back_s = await until(cured, lambda: scene.frame_t > cured)
    if activity == "speaking":
        outcome.speaker_back_s = await until(cured, scene.is_playing)
        if not cures:
            await until(cured, lambda: scene.ended is not None, speech_s + 6)
            outcome.unplayed = samples - (scene.ended.played if scene.ended else 0)
    else:
        outcome.speaker_back_s = await until(cured, lambda: scene.host.playback.supervision.is_running)
    await asyncio.sleep(0.2)


async def until(since: float, condition: object, limit: float = 8.0) -> float | None:
    assert callable(condition)
    while time.monotonic() < since + limit:
        if condition():
            return time.monotonic() - since
        await asyncio.sleep(0.005)
    return None


def make_noise(folder: Path) -> Path:
    import wave

    path = folder / "talk.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(array("h", [(i * 7919) % 4001 - 2000 for i in range(16_000 * 40)]).tobytes())
    return path


def run_quietly(fault: str, activity: str, hold_s: float) -> Outcome:
    """Run a case with the terminal's descriptors watched: whatever native code prints is counted."""
    with tempfile.TemporaryFile() as sink:
        saved = [os.dup(1), os.dup(2)]
        sys.stdout.flush()
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            outcome = asyncio.run(run_case(fault, activity, hold_s))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for fd, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, fd)
                os.close(copy)
        outcome.noise_bytes = sink.seek(0, os.SEEK_END)
    return outcome


def show(outcome: Outcome) -> str:
    def seconds(value: float | None) -> str:
        return "never" if value is None else f"{value:5.2f}"

    unplayed = "" if outcome.unplayed is None else f" unplayed {outcome.unplayed}"
    zeros = f" zeros {outcome.zeros_s:.1f} s" if outcome.fault == "mute" else ""
    return (
        f"{outcome.fault:15} {outcome.activity:9} mic {seconds(outcome.mic_back_s)} s  speaker "
        f"{seconds(outcome.speaker_back_s)} s  lost {outcome.lost_ms:6.0f} ms"
        f"  freeze {outcome.longest_freeze_ms:4.0f} ms  noise {outcome.noise_bytes}{unplayed}{zeros}\n"
        f"    {' | '.join(outcome.said) or '(nothing said)'}"
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--fault", choices=[*FAULTS])
    parser.add_argument("--activity", choices=ACTIVITIES)
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"skipped: {reason}")
        return 0
    bad = 0
    for _ in range(3 if options.long else 1):
        for fault in [options.fault] if options.fault else FAULTS:
            for activity in [options.activity] if options.activity else ACTIVITIES:
                outcome = run_quietly(fault, activity, 3.0 if options.long else 1.0)
                backs = (outcome.mic_back_s, outcome.speaker_back_s)
                is_bad = any(back is None or back > 2.0 for back in backs) or outcome.noise_bytes > 0
                bad += is_bad
                print(show(outcome), "  <-- beyond the aim" if is_bad else "", flush=True)
    print(f"{bad} beyond the aim")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
