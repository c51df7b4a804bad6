"""Drops at random moments, for each service: ``python -m tests.faults.services [RUNS [SEED]]``."""

from __future__ import annotations

import sys

from tests.services.beta1.test_beta1 import HOWS, check_break
from tests.services.recognition_rig import MAKERS, check_drops


def main(runs: int, first: int) -> None:
    for name, make in MAKERS.items():
        for seed in range(first, first + runs):
            check_drops(make, seed)
        print(f"{name}: {runs} runs, nothing lost, nothing doubled", flush=True)
    for seed in range(first, first + runs):
        check_break(HOWS[seed % len(HOWS)], seed)
    print(f"pinch-beta1: {runs} runs, nothing lost, nothing doubled", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
