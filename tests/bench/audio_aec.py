"""Echo cancellation on the virtual devices: the loudspeaker is looped into the microphone, what is left is measured.

    python -m tests.bench.audio_aec

Needs the extra ``aec`` and the rig. Speech-like noise is played for 8 s; the level of the captured frames is given for
each second, with and without cancellation, and with a microphone that is opened 2 s after the speech began.
"""

from __future__ import annotations

import asyncio
import importlib.util
import math
import os
import random
import sys
import time
from array import array

from pinch_tui.audio.adapters.sound import Sound
from pinch_tui.audio.dsp.loudness import dbfs, mean_square16
from pinch_tui.core.choices import Processing
from pinch_tui.core.events import OUT_RATE, Frame
from pinch_tui.engine.alarm import SystemClock
from tests.audio.rig import virtual_audio
from tests.audio.rig import why_not as no_rig

SECONDS = 8


def why_not() -> str | None:
    if importlib.util.find_spec("livekit") is None:
        return "the extra aec (livekit) is not installed"
    return no_rig()


def babble() -> bytes:
    """Noise through a low-pass, in syllables of 180 ms."""
    rng = random.Random(3)
    samples, low = array("f"), 0.0
    for i in range(OUT_RATE * SECONDS):
        low += 0.3 * (rng.uniform(-1, 1) - low)
        samples.append(0.6 * low * max(0.0, math.sin(math.pi * (i % 4320) / 4320)))
    return samples.tobytes()


async def measure(echo_cancel: bool, *, late_s: float = 0.0) -> list[float]:
    """dBFS of each second of what the microphone hears while the loudspeaker speaks; it opens ``late_s`` after it."""
    frames: list[Frame] = []
    async with Sound(clock=SystemClock(), processing=Processing(echo=echo_cancel, noise=echo_cancel)) as sound:

        async def hear() -> None:
            async for event in sound.microphone.events():
                frames.extend([event] if isinstance(event, Frame) else [])

        async with asyncio.TaskGroup() as group:
            group.create_task(hear())
            if not late_s:
                sound.microphone.request_open()
                await asyncio.sleep(1.0)
            began = time.monotonic()
            sound.speaker.begin(1)
            sound.speaker.play(1, babble())
            sound.speaker.end(1)
            await asyncio.sleep(late_s)
            sound.microphone.request_open()
            await asyncio.sleep(SECONDS + 0.5 - late_s)
            await sound.microphone.aclose()
            await sound.speaker.aclose()
    levels = []
    for second in range(SECONDS):
        part = [frame.pcm for frame in frames if second <= frame.t - began - 0.1 < second + 1]
        levels.append(dbfs(math.sqrt(mean_square16(b"".join(part)))) if part else math.nan)
    return levels


def main() -> int:
    if (reason := why_not()) is not None:
        print(f"skipped: {reason}")
        return 0
    with virtual_audio() as audio:
        os.environ.update(audio.env)
        audio.run("loop", "on")
        plain = asyncio.run(measure(False))
        cancelled = asyncio.run(measure(True))
        late = asyncio.run(measure(True, late_s=2.0))
    print("without: ", " ".join(f"{level:6.1f}" for level in plain), "dBFS a second")
    print("with:    ", " ".join(f"{level:6.1f}" for level in cancelled))
    print("late mic:", " ".join(f"{level:6.1f}" for level in late))
    return 0 if max(cancelled[-1], late[-1]) < plain[-1] - 20 else 1


if __name__ == "__main__":
    sys.exit(main())
