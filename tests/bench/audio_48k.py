"""A device that can do 48 kHz and nothing else: JACK's dummy behind an ALSA PCM, its output wired to its input.

    python -m tests.bench.audio_48k

Speech goes out at 24 kHz, is resampled to the device's 48 kHz, comes back through the wire, and is captured as 16 kHz
frames: the declared rate is the captured one, whatever the device does.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.core.events import OUT_RATE, Frame
from pinch_tui.core.sound import MicFailed, MicOpened, PlayoutEnded, SpeakerFailed, SpeakerOpened
from pinch_tui.engine.alarm import SystemClock

HERTZ = 440.0
CONFIG = """
pcm.!default { type jack playback_ports { 0 system:playback_1 } capture_ports { 0 system:capture_1 } }
"""


def why_not() -> str | None:
    for program in ("jackd", "jack_connect", "jack_lsp"):
        if shutil.which(program) is None:
            return f"{program} is not installed (jackd2)"
    if not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_jack.so")):
        return "ALSA's JACK plugin is not installed (libasound2-plugins)"
    return None


@contextmanager
def jack() -> Iterator[dict[str, str]]:
    """A private JACK server without hardware; the environment that its clients need."""
    name = f"pinch-test-{os.getpid()}"
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        config = Path(folder) / "asound.conf"
        config.write_text(CONFIG)
        env = {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1", "ALSA_CONFIG_PATH": str(config)}
        server = subprocess.Popen(
            ["jackd", "-r", "-n", name, "-d", "dummy", "-r", "48000", "-p", "960"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + 10
            while not ports(env) and time.monotonic() < until:
                time.sleep(0.1)
            yield env
        finally:
            server.terminate()
            server.wait(10)
            # Clients that were killed leave their segments behind, and a full registry refuses the next server.
            if subprocess.run(["pgrep", "-x", "jackd"], capture_output=True, check=False).returncode:
                # Not the folder with the database: a sound host of another test may be opening it.
                for left in filter(Path.is_file, Path("/dev/shm").glob("jack*")):
                    left.unlink(missing_ok=True)


def ports(env: dict[str, str]) -> list[str]:
    done = subprocess.run(["jack_lsp"], env={**os.environ, **env}, capture_output=True, text=True, check=False)
    return [line.strip() for line in done.stdout.splitlines() if ":" in line]


def wire_up(env: dict[str, str]) -> bool:
    """Connect our output's port with our input's, as a cable would."""
    mine = [port for port in ports(env) if not port.startswith("system:")]
    out = [port for port in mine if "out" in port.rpartition(":")[2]]
    into = [port for port in mine if "in" in port.rpartition(":")[2]]
    if not out or not into:
        return False
    words = ["jack_connect", out[0], into[0]]
    return subprocess.run(words, env={**os.environ, **env}, capture_output=True, check=False).returncode == 0


async def measure(env: dict[str, str]) -> dict[str, object]:
    """What came back of a tone of 2 s."""
    clock = SystemClock()
    result: dict[str, object] = {"failures": []}
    frames: list[Frame] = []
    async with SoundHost(clock=clock) as host:
        mic, speaker = HostMicrophone(host, clock=clock), HostSpeaker(host, clock=clock)
        mic_open, speaker_open, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        failures: list[str] = []

        async def hear() -> None:
            async for event in mic.events():
                match event:
                    case Frame():
                        frames.append(event)
                    case MicOpened(rate=rate):
                        result["mic_rate"] = rate
                        mic_open.set()
                    case MicFailed(error):
                        failures.append(str(error))

        async def speak() -> None:
            async for event in speaker.events():
                match event:
                    case SpeakerOpened(rate=rate):
                        result["speaker_rate"] = rate
                        speaker_open.set()
                    case SpeakerFailed(error):
                        failures.append(str(error))
                    case PlayoutEnded(played=played):
                        result["played"] = played
                        ended.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(hear())
            group.create_task(speak())
            mic.request_open()
            speaker.begin(1)
            async with asyncio.timeout(15):
                await mic_open.wait()
                await speaker_open.wait()
            await asyncio.sleep(0.3)
            result["wired"] = await asyncio.to_thread(wire_up, env)
            first = len(frames)
            began = time.monotonic()
            samples = array("f", [0.5 * math.sin(2 * math.pi * HERTZ * i / OUT_RATE) for i in range(2 * OUT_RATE)])
            speaker.play(1, samples.tobytes())
            speaker.end(1)
            async with asyncio.timeout(15):
                await ended.wait()
            result["frames_a_second"] = (len(frames) - first) / (time.monotonic() - began)
            await asyncio.sleep(0.3)
            await mic.aclose()
            await speaker.aclose()
        result["failures"] = failures
    pcm = array("h", b"".join(frame.pcm for frame in frames))
    loud = [i for i, value in enumerate(pcm) if abs(value) > 200]
    if loud:
        middle = pcm[loud[0] + 4000 : loud[0] + 20_000]
        result["hertz"] = sum(a < 0 <= b for a, b in itertools.pairwise(middle)) * 16_000 / len(middle)
        result["peak"] = max(middle) / 32_768
    return result


def main() -> int:
    if (reason := why_not()) is not None:
        print(f"skipped: {reason}")
        return 0
    with jack() as env:
        os.environ.update(env)
        result = asyncio.run(measure(env))
    print(result)
    return 0 if result.get("mic_rate") == 48_000 else 1


if __name__ == "__main__":
    sys.exit(main())
