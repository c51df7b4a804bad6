"""The jitter buffer against arrival traces: underruns, silence and added delay, beside fixed cushions.

    python -m tests.bench.audio_jitter [--long]

A trace is 10 s of speech in chunks of 80 ms; chunk i is due at 80 i / pace and comes up to J ms later, in order (one
TCP stream). Each figure is the mean over the seeds (short: 5, long: 50). Aims: no underrun up to 100 ms of jitter after
the first one, at most 100 ms added at none.
"""

from __future__ import annotations

import argparse
import random
import sys
from array import array
from dataclasses import dataclass

from pinch_tui.audio.jitter import Began, JitterBuffer, RanDry

RATE = 24_000
BLOCK = 240
CHUNK_MS = 80.0
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


def play(buffer: JitterBuffer, arrivals: list[float]) -> Figures:
    """One utterance through a buffer, in the blocks of the device."""
    buffer.begin(1)
    chunk = array("f", [0.1]) * CHUNK
    now, at, began, silence, underruns = 0.0, 0, None, 0, 0
    first_at = arrivals[0]
    while True:
        while at < len(arrivals) and arrivals[at] <= now:
            buffer.push(1, chunk)
            at += 1
            if at == len(arrivals):
                buffer.end(1)
        before = buffer.played
        buffer.pull(BLOCK)
        for event in buffer.take_events():
            if isinstance(event, Began):
                began = now
            elif isinstance(event, RanDry):
                underruns += 1
        if began is not None and not buffer.is_idle:
            silence += BLOCK - (buffer.played - before)
        if buffer.is_idle:
            break
        now += BLOCK * 1000 / RATE
    return Figures(underruns, max(0, underruns - 1), silence * 1000 / RATE, (began or 0.0) - first_at)


def strategies() -> dict[str, dict[str, object]]:
    return {
        "adaptive": {},
        "fixed 0": {"start_ms": 0, "adaptive": False},
        "fixed 200": {"start_ms": 200, "adaptive": False},
        "fixed 300": {"start_ms": 300, "adaptive": False},
    }


def measure(name: str, jitter_ms: float, pace: float, seeds: int) -> Figures:
    runs = []
    for seed in range(seeds):
        buffer = JitterBuffer(RATE, **strategies()[name])  # type: ignore[arg-type]
        if name == "fixed 0":
            buffer._is_ready = lambda entry: entry.buffered > 0 or entry.is_ended  # type: ignore[method-assign]
        runs.append(play(buffer, trace(seed, jitter_ms, pace)))
    count = len(runs)
    return Figures(
        sum(run.underruns for run in runs) / count,
        sum(run.after_first for run in runs) / count,
        sum(run.silence_ms for run in runs) / count,
        sum(run.delay_ms for run in runs) / count,
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    seeds = 50 if options.long else 5
    bad = 0
    print("underruns / of them after the first / silence ms / start delay ms, means of", seeds, "seeds")
    for pace in (1.0, 1.3):
        for jitter in JITTERS:
            cells = []
            for name in strategies():
                figures = measure(name, jitter, pace, seeds)
                cells.append(
                    f"{name}: {figures.underruns:.2f}/{figures.after_first:.2f}/"
                    f"{figures.silence_ms:.0f}/{figures.delay_ms:.0f}"
                )
                if name == "adaptive":
                    bad += jitter <= 100 and figures.after_first > 0
                    bad += jitter == 0 and figures.delay_ms > 100
            print(f"pace {pace} jitter {jitter:3}  " + "   ".join(cells), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
