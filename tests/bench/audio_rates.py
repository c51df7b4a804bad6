"""The resampler's figures: signal to noise, aliases and images, delay, cost.

    python -m tests.bench.audio_rates

Fed in 20 ms pieces as live sound is. SNR: a tone at -6 dBFS against everything that is not it. Alias: a tone above the
new Nyquist frequency, its level in the output. Image: for rising rates, the level above the old Nyquist frequency.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from pinch_tui.audio.dsp.resample import Resampler

PATHS = ((48_000, 16_000, "int16"), (44_100, 16_000, "int16"), (24_000, 48_000, "float32"), (24_000, 44_100, "float32"))


def through(rate_in: int, rate_out: int, dtype: str, hertz: float, seconds: float = 2.0) -> np.ndarray:
    t = np.arange(round(rate_in * seconds)) / rate_in
    tone = 0.5 * np.sin(2 * np.pi * hertz * t)
    samples = np.round(tone * 32_767).astype(np.int16) if dtype == "int16" else tone.astype(np.float32)
    resampler = Resampler(rate_in, rate_out, dtype)
    step = rate_in // 50
    out = b"".join(resampler.push(samples[i : i + step].tobytes()) for i in range(0, samples.size, step))
    got = np.frombuffer(out, dtype=dtype).astype(np.float64)
    return got / 32_767 if dtype == "int16" else got


def snr(out: np.ndarray, rate: int, hertz: float) -> float:
    middle = out[rate // 4 : rate // 4 + rate]
    phase = 2 * np.pi * hertz * np.arange(middle.size) / rate
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, middle, rcond=None)
    rest = middle - basis @ fit
    return float(10 * np.log10(np.mean((basis @ fit) ** 2) / np.mean(rest**2)))


def level(out: np.ndarray, rate: int) -> float:
    middle = out[rate // 4 : rate // 4 + rate]
    return float(10 * np.log10(np.mean(middle**2) / (0.5**2 / 2) + 1e-20))


def above(out: np.ndarray, rate: int, hertz: float) -> float:
    middle = out[rate // 4 : rate // 4 + rate] * np.hanning(rate)
    power = np.abs(np.fft.rfft(middle)) ** 2
    return float(10 * np.log10(power[int(hertz) :].sum() / power.sum() + 1e-20))


def main() -> int:
    bad = 0
    for rate_in, rate_out, dtype in PATHS:
        clean = {hertz: snr(through(rate_in, rate_out, dtype, hertz), rate_out, hertz) for hertz in (1000, 3000, 7000)}
        text = "  ".join(f"{hertz} Hz {value:.1f} dB" for hertz, value in clean.items())
        if rate_out < rate_in:
            stray = {f: level(through(rate_in, rate_out, dtype, f), rate_out) for f in (8500, 10_000, 15_000)}
            text += "  alias " + "  ".join(f"{f} Hz {value:.1f} dB" for f, value in stray.items())
        else:
            stray = {f: above(through(rate_in, rate_out, dtype, f), rate_out, 12_300) for f in (1000, 7000, 11_000)}
            text += "  image of " + "  ".join(f"{f} Hz {value:.1f} dB" for f, value in stray.items())
        resampler = Resampler(rate_in, rate_out, dtype)
        block = bytes(rate_in // 50 * (2 if dtype == "int16" else 4))
        first = len(resampler.push(block)) // (2 if dtype == "int16" else 4)
        begin = time.perf_counter()
        for _ in range(200):
            resampler.push(block)
        cost = (time.perf_counter() - begin) / 200 * 1e6
        delay = (rate_out / 50 - first) / rate_out * 1000
        print(f"{rate_in} -> {rate_out} ({dtype}): SNR {text}  delay {delay:.1f} ms  {cost:.0f} us per 20 ms")
        bad += min(clean.values()) < 60 or max(stray.values()) > -60
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
