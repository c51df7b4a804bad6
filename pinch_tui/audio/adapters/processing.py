"""Processing of the microphone's sound: WebRTC's module, from the LiveKit wheel (extra ``aec``).

Echo cancellation, noise suppression and gain control, each by itself. The reference of an echo is what the loudspeaker
played. WebRTC takes 10 ms frames at one rate: for every 10 ms of microphone first the next 10 ms of reference, zeros
when nothing plays, none skipped. It finds the delay itself as long as the reference precedes its echo. Sound played
while the microphone was closed, and drift between two devices' clocks, must not pile up in the reference; the times of
both sides show how much has.
Measured: echo with noise suppression 64.5 -> 6.4 dB in the first 3 s, 0.9 dB later; 0.2 ms a frame. White noise of
-41 dBFS comes out at -53, a voice of -52 dBFS at -22, one of -21 as it is.
"""

from __future__ import annotations

from typing import Any, Final

from pinch_tui.audio.dsp.pcm import speech_samples, to_pcm16
from pinch_tui.audio.dsp.resample import Resampler
from pinch_tui.core.choices import Processing
from pinch_tui.core.events import FRAME_S, IN_RATE
from pinch_tui.errors import AudioError

STEP: Final = IN_RATE // 100 * 2
"""Bytes of 10 ms."""
BACKLOG: Final = STEP * 50
"""Most reference that may wait (0.5 s). More means that the microphone stood still, so the oldest is dropped."""
GAP_S: Final = 0.1
"""A longer time between two frames is a gap, not jitter."""
LATE_S: Final = 0.04
"""How much older than its frame the reference may be: less than the latency of any pair of devices."""
WATCH: Final = 50
"""The reference is dropped only when it was too old for this many frames (1 s), since single times jitter by more."""


def missing_extra() -> AudioError:
    """The extra is not installed."""
    return AudioError(
        "Microphone processing is not installed.",
        "For echo, noise and level run: python -m pip install 'pinch-tui[aec]'.",
        retryable=False,
    )


def load_processor(processing: Processing) -> tuple[Any, Any]:
    """(the processing module, the frame class). Raises `AudioError` when the extra is missing."""
    try:
        from livekit.rtc import AudioFrame
        from livekit.rtc.apm import AudioProcessingModule
    except (ImportError, OSError) as exc:
        raise missing_extra() from exc
    module = AudioProcessingModule(
        echo_cancellation=processing.echo,
        noise_suppression=processing.noise,
        high_pass_filter=processing.echo or processing.noise,
        auto_gain_control=processing.gain,
    )
    return module, AudioFrame


class SoundProcessor:
    """`heard` takes the reference of an echo, `process` gives a frame back. Raises `AudioError` without the extra."""

    def __init__(self, processing: Processing) -> None:
        self._apm, self._frame = load_processor(processing)
        self.has_echo = processing.echo
        self._resampler: Resampler | None = None
        self._reference = bytearray()
        self._heard_t = float("-inf")
        self._frame_t = float("-inf")
        self._ages: list[float] = []
        self.skipped = 0

    def heard(self, t: float, samples: bytes, rate: int) -> None:
        """Samples (float32, ``rate``) that went to the loudspeaker at ``t``; a gap of over 1 s starts over."""
        if self._resampler is None or self._resampler.rate_in != rate or t - self._heard_t > 1.0:
            self._resampler = Resampler(rate, IN_RATE, "float32")
            self._reference.clear()
        self._heard_t = t
        self._reference += to_pcm16(speech_samples(self._resampler.push(samples)))
        if len(self._reference) > BACKLOG:
            self._skip(len(self._reference) - BACKLOG)

    def _skip(self, n_bytes: int) -> None:
        """Leave out the oldest reference, in whole steps."""
        extra = n_bytes // STEP * STEP
        del self._reference[:extra]
        self.skipped += extra // 2

    def _align(self, t: float) -> None:
        """Leave out reference that is older than what a frame that ends at ``t`` can hold."""
        is_after_gap = abs(t - self._frame_t) > GAP_S
        self._frame_t = t
        if is_after_gap or not self._reference:
            self._ages.clear()
        if not self._reference:
            return
        # Time from the oldest waiting reference to the end of the frame; a frame's length of it is due now.
        self._ages.append(len(self._reference) / 2 / IN_RATE - (self._heard_t - t) - FRAME_S)
        age = self._ages[0] if is_after_gap else min(self._ages)
        if is_after_gap or len(self._ages) == WATCH:
            self._ages.clear()
            if age > LATE_S:
                self._skip(round(age * IN_RATE) * 2)

    def process(self, pcm: bytes, t: float) -> bytes:
        """A captured frame (20 ms; ``t``: its last sample) -> the same, processed.

        Exact zeros mean a microphone that is muted or blocked, so they stay zeros, and nothing else becomes them.
        """
        if self.has_echo:
            self._align(t)
        out = b""
        for start in range(0, len(pcm), STEP):
            if self.has_echo:
                reference = bytes(self._reference[:STEP]).ljust(STEP, b"\0")
                del self._reference[:STEP]
                self._apm.process_reverse_stream(self._frame(bytearray(reference), IN_RATE, 1, STEP // 2))
            near = self._frame(bytearray(pcm[start : start + STEP]), IN_RATE, 1, STEP // 2)
            self._apm.process_stream(near)
            out += bytes(near.data)
        if not any(pcm):
            return bytes(len(pcm))
        return out if any(out) else b"\1" + out[1:]
