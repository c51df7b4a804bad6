"""The jitter buffer with arrival traces: underruns, silence and added delay, against fixed targets.

    python -m tests.bench.audio_jitter [--long]

First the recorded ones (`audio_arrivals`, 60 s of chunks of 80 ms through a real socket, cut into utterances of 10 s
that follow one another in one buffer), then seeded ones: chunk i is due at 80 i / pace and comes up to J ms later, in
order (one TCP stream), the mean over the seeds (short: 5, long: 50). Aims: no underrun up to 100 ms of jitter after the
first one, at most 100 ms added at none.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from array import array
from dataclasses import dataclass
from typing import Any

from pinch_tui.audio.dsp.jitter import Began, JitterBuffer
from pinch_tui.audio.dsp.resample import Resampler
from tests.bench.audio_arrivals import RECORDING

RATE = 24_000
BLOCK = 240
CHUNK_MS = 80.0
QUIET_MS = 400.0
"""The service announces no end of its speech: the engine's `QUIET_S`."""
CHUNK = round(RATE * CHUNK_MS / 1000)
JITTERS = (0, 40, 80, 100, 120, 200)


@dataclass(frozen=True)
class Figures:
    underruns: float
    after_first: float
    silence_ms: float
    delay_ms: float


def trace(seed: int, jitter_ms: float, pace: float, seconds: float = 10.0) -> list[float]:
    """Arrival times in ms, in order."""
    rng = random.Random(seed)
    newest, times = 0.0, []
    for i in range(round(seconds * 1000 / CHUNK_MS)):
        newest = max(newest, i * CHUNK_MS / pace + rng.uniform(0, jitter_ms))
        times.append(newest)
    return times


class At48k:
    """The buffer of a device that runs at 48 kHz, counted in samples at 24 kHz: speech is resampled before it."""

    def __init__(self) -> None:
        self._buffer = JitterBuffer(2 * RATE)
        self._resampler = Resampler(RATE, 2 * RATE, "float32", is_prompt=True)

    def push(self, playout: int, samples: array[float]) -> None:
        self._buffer.push(playout, array("f", self._resampler.push(samples.tobytes())))

    def end(self, playout: int) -> None:
        self._buffer.end(playout)

    def pull(self, count: int) -> None:
        self._buffer.pull(2 * count)

    @property
    def played(self) -> int:
        return self._buffer.played // 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self._buffer, name)


def play(buffer: JitterBuffer | At48k, arrivals: list[float]) -> Figures:
    """One utterance through a buffer, in the blocks of the device. Its end is known when nothing came for a while."""
    buffer.begin(1)
    chunk = array("f", [0.1]) * CHUNK
    now, at, began = 0.0, 0, None
    wholly_before, dry_before = buffer.played, buffer.underruns
    silence = gap = 0
    while buffer.position() is not None or at < len(arrivals):
        while at < len(arrivals) and arrivals[at] <= now:
            buffer.push(1, chunk)
            at += 1
        if at == len(arrivals) and now >= arrivals[-1] + QUIET_MS:
            buffer.end(1)
        before = buffer.played
        buffer.pull(BLOCK)
        if any(isinstance(event, Began) for event in buffer.take_events()):
            began = now
        gap += BLOCK - (buffer.played - before) if began is not None else 0
        if buffer.played > before:
            silence, gap = silence + gap, 0  # what follows the last sample is no gap
        now += BLOCK * 1000 / RATE
    assert buffer.played - wholly_before == len(arrivals) * CHUNK
    underruns = buffer.underruns - dry_before
    return Figures(underruns, max(0, underruns - 1), silence * 1000 / RATE, (began or 0.0) - arrivals[0])


STRATEGIES = ("adaptive", "at 48 kHz", "fixed 0", "fixed 200", "fixed 300")


def make(name: str) -> JitterBuffer | At48k:
    if name == "at 48 kHz":
        return At48k()
    buffer = JitterBuffer(RATE)
    if name.startswith("fixed"):
        target = RATE * int(name.removeprefix("fixed ")) // 1000
        buffer.target = buffer._initial = buffer._after_underrun = buffer._cap = target
    if name == "fixed 0":
        buffer._is_ready = lambda entry: entry.buffered > 0 or entry.is_ended  # type: ignore[method-assign]
    return buffer


def recorded() -> dict[int, list[list[float]]]:
    """The recorded utterances of each jitter: arrival times in ms, from when the first chunk was due."""
    chunks = round(10_000 / CHUNK_MS)
    found = {}
    for jitter, times in json.loads(RECORDING.read_text()).items():
        starts = range(0, len(times), chunks)
        found[int(jitter)] = [[t - start * CHUNK_MS for t in times[start : start + chunks]] for start in starts]
    return found


def replay(name: str, utterances: list[list[float]]) -> Figures:
    """A conversation: the utterances one after another through one buffer. Sums, and the mean of the delays."""
    buffer = make(name)
    runs = [play(buffer, arrivals) for arrivals in utterances]
    underruns = sum(run.underruns for run in runs)
    silence = sum(run.silence_ms for run in runs)
    return Figures(underruns, max(0.0, underruns - 1), silence, sum(run.delay_ms for run in runs) / len(runs))


def measure(name: str, jitter_ms: float, pace: float, seeds: int) -> Figures:
    runs = [play(make(name), trace(seed, jitter_ms, pace)) for seed in range(seeds)]
    count = len(runs)
    return Figures(
        sum(run.underruns for run in runs) / count,
        sum(run.after_first for run in runs) / count,
        sum(run.silence_ms for run in runs) / count,
        sum(run.delay_ms for run in runs) / count,
    )


def line(head: str, by_strategy: dict[str, Figures]) -> str:
    cells = [
        f"{name}: {figures.underruns:.2f}/{figures.after_first:.2f}/{figures.silence_ms:.0f}/{figures.delay_ms:.0f}"
        for name, figures in by_strategy.items()
    ]
    return f"{head:<22}" + "   ".join(cells)


def misses(jitter_ms: int, adaptive: Figures) -> bool:
    return (jitter_ms <= 100 and adaptive.after_first > 0) or (jitter_ms == 0 and adaptive.delay_ms > 100)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    seeds = 50 if options.long else 5
    bad = 0
    print("underruns / of them after the first / silence ms / start delay ms")
    for jitter, utterances in recorded().items():
        figures = {name: replay(name, utterances) for name in STRATEGIES}
        bad += any(misses(jitter, figures[name]) for name in ("adaptive", "at 48 kHz"))
        print(line(f"recorded, jitter {jitter:3}", figures), flush=True)
    print(f"seeded, means of {seeds} seeds")
    for pace in (1.0, 1.3):
        for jitter in JITTERS:
            figures = {name: measure(name, jitter, pace, seeds) for name in STRATEGIES}
            bad += any(misses(jitter, figures[name]) for name in ("adaptive", "at 48 kHz"))
            print(line(f"pace {pace} jitter {jitter:3}", figures), flush=True)
    print(f"{bad} beyond the aim")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
