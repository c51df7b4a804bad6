"""Capture of a counter ramp under load: what is delivered, what is missing, how long the hand-off takes.

    python -m tests.bench.audio_capture [--seconds S] [--long]

Short: 20 s under 0 and 2 busy processes; long: 10 minutes under 0, 2 and 4. The event loop carries a screen's load of
8 ms in every 33 ms. A ramp counts samples, so that every missing, doubled or moved one shows. Aim: 0 discontinuities.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
import wave
from array import array
from pathlib import Path

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.core.events import Frame
from pinch_tui.engine.alarm import SystemClock
from tests.audio.rig import virtual_audio, why_not

PERIOD = 30_000
BUSY = "while True: sum(range(1000))"


def write_ramp(path: Path, seconds: float) -> None:
    one = array("h", range(1, PERIOD + 1)).tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        for _ in range(round(seconds * 16_000 / PERIOD) + 1):
            out.writeframes(one)


async def screen_load() -> None:
    """What a busy screen does to the loop."""
    while True:
        until = time.perf_counter() + 0.008
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0.025)


async def capture(seconds: float) -> tuple[list[Frame], list[float]]:
    """Frames from the first sound on, and the milliseconds each took from the device to here."""
    clock = SystemClock()
    frames: list[Frame] = []
    ages: list[float] = []
    async with SoundHost(clock=clock) as host, asyncio.TaskGroup() as group:
        load = group.create_task(screen_load())
        mic = HostMicrophone(host, clock=clock)
        mic.request_open()
        async for event in mic.events():
            if not isinstance(event, Frame) or (not frames and not event.peak):
                continue
            ages.append((time.monotonic() - event.t) * 1000)
            frames.append(event)
            if len(frames) >= seconds * 50:
                break
        await mic.aclose()
        load.cancel()
    return frames, ages


def discontinuities(frames: list[Frame]) -> tuple[int, int]:
    """(breaks of the ramp after its first full second, samples looked at)."""
    samples = array("h", b"".join(frame.pcm for frame in frames))[16_000:]
    breaks = sum(b - a != 1 and not (a == PERIOD and b == 1) for a, b in itertools.pairwise(samples))
    return breaks, len(samples)


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def measure(seconds: float, busy: int) -> tuple[str, int]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, virtual_audio(VA_LATENCY="1000") as audio:
        os.environ.update(audio.env)
        path = Path(folder) / "ramp.wav"
        write_ramp(path, seconds + 8)
        burners = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
        player = audio.start_player(path)
        try:
            frames, ages = asyncio.run(capture(seconds))
        finally:
            for process in (player, *burners):
                process.kill()
                process.wait()
    breaks, looked_at = discontinuities(frames)
    lost = sum(frame.lost for frame in frames)
    gaps = sum(b.index - a.index != 1 for a, b in itertools.pairwise(frames))
    line = (
        f"{busy} busy: {len(frames)} frames, {breaks} discontinuities in {looked_at} samples, {gaps} index gaps, "
        f"{lost} lost, hand-off p50 {percentile(ages, 0.5):.2f} p99 {percentile(ages, 0.99):.1f} max {max(ages):.1f} ms"
    )
    return line, breaks


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--busy", help="numbers of busy processes, such as 2,4")
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"skipped: {reason}")
        return 0
    total = 0
    loads = [int(part) for part in options.busy.split(",")] if options.busy else [0, 2, 4] if options.long else [0, 2]
    for busy in loads:
        line, breaks = measure(600.0 if options.long else options.seconds, busy)
        total += breaks
        print(line, flush=True)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
