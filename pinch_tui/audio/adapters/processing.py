"""Processing of the microphone's sound with WebRTC's module, from the LiveKit wheel (extra ``aec``).

Echo cancellation, noise suppression and gain control can each be switched on. The echo's reference is the sound that
the loudspeaker played. WebRTC takes 10 ms steps at one rate: for every step of microphone, first the next step of
reference, zeros if nothing plays, and none skipped. It finds the delay itself if the reference precedes its echo.
Sound played while the microphone was closed, and drift between two devices' clocks, would delay the reference; the
timestamps of both sides show by how much.

Measured: echo with noise suppression 64.5 -> 6.4 dB in the first 3 s, 0.9 dB later; 0.2 ms per frame. White noise of
-41 dBFS comes out at -53 dBFS, a voice of -52 dBFS at -22 dBFS; a voice of -21 dBFS stays as it is.
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
"""Bound of the waiting reference (0.5 s). More means that the microphone has stopped, so the oldest is dropped."""
GAP_S: Final = 0.1
"""A longer time between two frames is a gap, not jitter."""
LATE_S: Final = 0.04
"""How much older than its frame the reference may be: less than the latency of any pair of devices."""
WATCH: Final = 50
"""Late reference is dropped only after this many late frames (1 s), because single timestamps jitter by more."""


def missing_extra() -> AudioError:
    """The extra is not installed."""
    return AudioError(
        "Microphone processing is not installed.",
        "For echo, noise and level run: python -m pip install 'pinch-tui[aec]'.",
        retryable=False,
    )


def load_processor(processing: Processing) -> tuple[Any, Any]:
    """(the processing module, the frame class). Raises `AudioError` if the extra is missing."""
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
    """Processes frames against the reference of their echo. Raises `AudioError` if the extra is missing."""

    def __init__(self, processing: Processing) -> None:
        self._apm, self._frame = load_processor(processing)
        self.has_echo = processing.echo
        self._resampler: Resampler | None = None
        self._reference = bytearray()
        self._reference_t = float("-inf")
        self._frame_t = float("-inf")
        self._ages: list[float] = []
        self.skipped = 0

    def add_reference(self, t: float, samples: bytes, rate: int) -> None:
        """Add samples (float32 at ``rate``) that went to the loudspeaker at ``t``; a gap of over 1 s starts anew."""
        if self._resampler is None or self._resampler.rate_in != rate or t - self._reference_t > 1.0:
            self._resampler = Resampler(rate, IN_RATE, "float32")
            self._reference.clear()
        self._reference_t = t
        self._reference += to_pcm16(speech_samples(self._resampler.push(samples)))
        if len(self._reference) > BACKLOG:
            self._skip(len(self._reference) - BACKLOG)

    def _skip(self, n_bytes: int) -> None:
        """Drop the oldest reference, in whole steps."""
        extra = n_bytes // STEP * STEP
        del self._reference[:extra]
        self.skipped += extra // 2

    def _align(self, t: float) -> None:
        """Drop reference that is too old for the frame that ends at ``t``."""
        is_after_gap = abs(t - self._frame_t) > GAP_S
        self._frame_t = t
        if is_after_gap or not self._reference:
            self._ages.clear()
        if not self._reference:
            return
        # How much older the oldest waiting reference is than the start of the frame.
        self._ages.append(len(self._reference) / 2 / IN_RATE - (self._reference_t - t) - FRAME_S)
        age = self._ages[0] if is_after_gap else min(self._ages)
        if is_after_gap or len(self._ages) == WATCH:
            self._ages.clear()
            if age > LATE_S:
                self._skip(round(age * IN_RATE) * 2)

    def process(self, pcm: bytes, t: float) -> bytes:
        """Process a captured 20 ms frame whose last sample is at ``t``.

        Exact zeros mean a muted or blocked microphone: they stay zeros, and no other frame becomes all zeros.
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
