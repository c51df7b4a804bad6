"""Sound probes through the engine's ports: listen to the microphone for a moment, play a tone or a recording."""

from __future__ import annotations

import array
import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from math import pi, sin

from pinch_tui.core.events import FRAME_S, OUT_RATE, Frame
from pinch_tui.core.sound import MicClosed, MicFailed, MicOpened, PlayoutEnded, SpeakerFailed, SpeakerOpened
from pinch_tui.engine.ports import Microphone, Speaker
from pinch_tui.errors import AudioError

LISTEN_S = 1.0
OPEN_WITHIN_S = 5.0
TONE_S = 0.4


@dataclass(slots=True)
class Capture:
    """Captured sound."""

    opened: MicOpened | None = None
    error: AudioError | None = None
    frames: list[Frame] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return len(self.frames) * FRAME_S


async def listen(
    microphone: Microphone,
    seconds: float,
    *,
    open_within_s: float = OPEN_WITHIN_S,
    on_frame: Callable[[Frame, Capture], None] | None = None,
) -> Capture:
    """Open the microphone, record ``seconds``, close it. The result holds any error."""
    got = Capture()
    microphone.request_open()
    try:
        with contextlib.suppress(TimeoutError):  # the check sees that frames are missing
            async with asyncio.timeout(open_within_s + seconds):
                async for event in microphone.events():
                    match event:
                        case Frame():
                            got.frames.append(event)
                            if on_frame is not None:
                                on_frame(event, got)
                            if got.seconds >= seconds:
                                break
                        case MicOpened():
                            got.opened = event
                        case MicFailed(error):
                            got.error = error
                            break
                        case MicClosed():
                            break
    finally:
        microphone.request_close()
    return got


def tone() -> bytes:
    """A tone of 660 Hz with 20 ms ramps, audible but not startling (-20 dBFS): float32 LE mono 24 kHz."""
    n, ramp = int(TONE_S * OUT_RATE), int(0.02 * OUT_RATE)
    samples = (0.1 * min(1.0, i / ramp, (n - i) / ramp) * sin(2 * pi * 660 * i / OUT_RATE) for i in range(n))
    return array.array("f", samples).tobytes()


def as_speech(pcm: bytes) -> bytes:
    """Convert 16 kHz PCM16 to float32 LE mono 24 kHz. Linear interpolation is good enough to listen to."""
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    if not samples:
        return b""
    last = len(samples) - 1
    out = array.array("f")
    for i in range(len(samples) * 3 // 2):
        at, rest = divmod(i * 2, 3)
        left = samples[min(at, last)]
        right = samples[min(at + 1, last)]
        out.append((left + (right - left) * rest / 3) / 32_768)
    return out.tobytes()


@dataclass(slots=True)
class Played:
    """The outcome of playing a sound: ``samples`` of ``wanted`` reached the device, and it reported the end in time
    (``has_ended``)."""

    wanted: int
    opened: SpeakerOpened | None = None
    error: AudioError | None = None
    samples: int = 0
    has_ended: bool = False


async def play(speaker: Speaker, sound: bytes, *, within_s: float) -> Played:
    """Play float32 LE mono 24 kHz and wait until the device has taken it. The result holds any error."""
    got, playout = Played(len(sound) // 4), 1
    speaker.begin(playout)
    chunk = OUT_RATE // 10 * 4
    for start in range(0, len(sound), chunk):
        speaker.play(playout, sound[start : start + chunk])
    speaker.end(playout)
    with contextlib.suppress(TimeoutError):  # the check sees that the end is missing
        async with asyncio.timeout(within_s):
            async for event in speaker.events():
                match event:
                    case SpeakerOpened():
                        got.opened = event
                    case SpeakerFailed(error):
                        got.error = error
                        break
                    case PlayoutEnded() if event.playout == playout:
                        got.samples, got.has_ended = event.played, True
                        break
                    case _:
                        pass
    return got
