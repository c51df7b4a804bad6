"""Probes of sound through the engine's ports: listen to the microphone for a moment, play a tone or a recording."""

from __future__ import annotations

import array
import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from math import pi, sin, sqrt

from pinch_tui.audio.dsp.loudness import mean_square16, peak16
from pinch_tui.core.events import FRAME_BYTES, FRAME_S, FRAME_SAMPLES, OUT_RATE, Frame
from pinch_tui.core.sound import (
    MicClosed,
    MicFailed,
    MicOpened,
    PlayoutEnded,
    SpeakerFailed,
    SpeakerOpened,
)
from pinch_tui.engine.ports import Microphone, Speaker
from pinch_tui.errors import AudioError

LISTEN_S = 1.0
OPEN_WITHIN_S = 5.0
TONE_S = 0.4
TONE_HZ = 660.0
TONE_LEVEL = 0.1
"""-20 dBFS: audible, but not startling."""
CLIP = 32_760 / 32_768
_RAMP_S = 0.02
_ZEROS = bytes(FRAME_BYTES)


@dataclass(slots=True)
class Listening:
    """The captured sound and its measures."""

    opened: MicOpened | None = None
    error: AudioError | None = None
    pcm: bytearray = field(default_factory=bytearray)
    frames: int = 0
    zeros: int = 0
    clipped: int = 0
    lost_samples: int = 0
    peak: float = 0.0
    squares: float = 0.0
    first_frame_t: float | None = None

    @property
    def name(self) -> str:
        return self.opened.name if self.opened else ""

    @property
    def first_frame_ms(self) -> int | None:
        """Milliseconds from the opening to the end of the first frame."""
        if self.opened is None or self.first_frame_t is None:
            return None
        return round((self.first_frame_t - self.opened.t) * 1000)

    @property
    def seconds(self) -> float:
        return self.frames * FRAME_S

    @property
    def rms(self) -> float:
        return sqrt(self.squares / (self.frames * FRAME_SAMPLES)) if self.frames else 0.0

    def take(self, frame: Frame) -> None:
        self.first_frame_t = frame.t if self.first_frame_t is None else self.first_frame_t
        self.frames += 1
        self.pcm += frame.pcm
        self.zeros += frame.pcm == _ZEROS
        self.lost_samples += frame.lost
        # The frame's own peak was taken before resampling and so sees clipping that the samples no longer show.
        peak = max(frame.peak, peak16(frame.pcm))
        self.peak = max(self.peak, peak)
        self.clipped += peak >= CLIP
        self.squares += mean_square16(frame.pcm) * FRAME_SAMPLES


async def listen(
    microphone: Microphone,
    seconds: float,
    *,
    open_within_s: float = OPEN_WITHIN_S,
    on_frame: Callable[[Frame, Listening], None] | None = None,
) -> Listening:
    """Open the microphone, take ``seconds`` of sound, close it. What went wrong is in the result."""
    got = Listening()
    microphone.request_open()
    try:
        with contextlib.suppress(TimeoutError):  # too few frames say it
            async with asyncio.timeout(open_within_s + seconds):
                async for event in microphone.events():
                    match event:
                        case Frame():
                            got.take(event)
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


def tone(seconds: float = TONE_S, level: float = TONE_LEVEL, hertz: float = TONE_HZ) -> bytes:
    """A tone with soft ends: float32 LE mono 24 kHz."""
    n, ramp = int(seconds * OUT_RATE), int(_RAMP_S * OUT_RATE)
    samples = array.array(
        "f", (level * min(1.0, i / ramp, (n - i) / ramp) * sin(2 * pi * hertz * i / OUT_RATE) for i in range(n))
    )
    return samples.tobytes()


def as_speech(pcm: bytes) -> bytes:
    """16 kHz PCM16 as float32 LE mono 24 kHz, with linear interpolation, which is good enough for listening."""
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
    """What became of a sound: ``samples`` of ``wanted`` reached the device; ``has_ended``: it said so in time."""

    wanted: int
    opened: SpeakerOpened | None = None
    error: AudioError | None = None
    samples: int = 0
    has_ended: bool = False


async def play(speaker: Speaker, sound: bytes, *, within_s: float, playout: int = 1) -> Played:
    """Play float32 LE mono 24 kHz and wait until the device has taken it. What went wrong is in the result."""
    got = Played(len(sound) // 4)
    speaker.begin(playout)
    chunk = OUT_RATE // 10 * 4
    for start in range(0, len(sound), chunk):
        speaker.play(playout, sound[start : start + chunk])
    speaker.end(playout)
    with contextlib.suppress(TimeoutError):  # a missing end says it
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
