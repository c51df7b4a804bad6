"""Barge-in: from the decision to silence at the device, and whether it clicks.

    python -m tests.bench.audio_bargein [--long]

A tone is played through the real speaker and cleared (short: 10 times, long: 100); the loudspeaker's monitor is
captured by the real microphone. What the capture adds is measured too (when the first sound was heard against when it
reached the device) and taken off; the fade of 5 ms is part of the figures. Aims: p50 <= 50 ms, and no sample step above
the tone's own.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import os
import random
import sys
import time
from array import array

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.host.supervisor import SoundHost
from pinch_tui.core.events import OUT_RATE, Frame
from pinch_tui.core.sound import PlayoutStarted
from pinch_tui.engine.alarm import SystemClock
from tests.audio.rig import virtual_audio, why_not

HERTZ = 220.0
LOUD = 0.5


async def measure(times: int) -> tuple[list[float], float, int, int]:
    """(ms to silence of each, ms that the capture adds, largest step around a clear, that of the undisturbed tone)."""
    clock = SystemClock()
    rng = random.Random(1)
    tone = array("f", [LOUD * math.sin(2 * math.pi * HERTZ * i / OUT_RATE) for i in range(OUT_RATE * 2)]).tobytes()
    took: list[float] = []
    step_cleared = step_own = 0
    async with SoundHost(clock=clock) as host:
        mic = HostMicrophone(host, clock=clock, device="vspeaker_monitor")
        speaker = HostSpeaker(host, clock=clock)
        frames: list[Frame] = []
        adds: list[float] = []
        started: list[float] = []

        async def speak() -> None:
            async for event in speaker.events():
                started.extend([event.t] if isinstance(event, PlayoutStarted) else [])

        async def hear() -> None:
            async for event in mic.events():
                frames.extend([event] if isinstance(event, Frame) else [])

        async with asyncio.TaskGroup() as group:
            group.create_task(hear())
            group.create_task(speak())
            mic.request_open()
            for number in range(times):
                speaker.begin(number)
                speaker.play(number, tone)
                speaker.end(number)
                async with asyncio.timeout(10):
                    while len(started) <= number:  # a busy machine takes its time to open the devices
                        await asyncio.sleep(0.02)
                await asyncio.sleep(0.6 + rng.uniform(0, 0.02))
                decided = time.monotonic()
                speaker.clear()
                await asyncio.sleep(0.4)
                took.append((last_sound(frames) - decided) * 1000)
                sound = array("h", b"".join(frame.pcm for frame in frames[-35:]))
                own = array("h", b"".join(frame.pcm for frame in frames[-45:-30]))
                step_cleared = max(step_cleared, largest_step(sound))
                step_own = max(step_own, largest_step(own))
                adds.append((first_sound(frames) - started[-1]) * 1000)
                frames.clear()
            await mic.aclose()
            await speaker.aclose()
    return took, sorted(adds)[len(adds) // 2], step_cleared, step_own


def first_sound(frames: list[Frame]) -> float:
    """When the first sample that is not silence was at the device."""
    for frame in frames:
        samples = array("h", frame.pcm)
        for i, value in enumerate(samples):
            if abs(value) > 8:
                return frame.t - (len(samples) - 1 - i) / 16_000
    return float("nan")


def last_sound(frames: list[Frame]) -> float:
    """When the last sample that is not silence was at the device."""
    for frame in reversed(frames):
        samples = array("h", frame.pcm)
        for i in range(len(samples) - 1, -1, -1):
            if abs(samples[i]) > 8:
                return frame.t - (len(samples) - 1 - i) / 16_000
    return float("nan")


def largest_step(samples: array[int]) -> int:
    return max((abs(b - a) for a, b in itertools.pairwise(samples)), default=0)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"skipped: {reason}")
        return 0
    with virtual_audio(VA_SPEAKER_RATE="48000") as audio:
        os.environ.update(audio.env)
        raw, added, cleared, own = asyncio.run(measure(100 if options.long else 10))
    took = sorted(value - added for value in raw)
    middle = took[len(took) // 2]
    print(
        f"{len(took)} barge-ins: silent after p50 {middle:.1f} p95 {took[int(len(took) * 0.95)]:.1f} "
        f"max {took[-1]:.1f} ms (the capture's {added:.1f} ms taken off); "
        f"largest sample step {cleared} around a clear, {own} in the tone itself"
    )
    return 1 if middle > 50 or cleared > own * 1.01 else 0


if __name__ == "__main__":
    sys.exit(main())
