"""Kills conversations at random and counts what is missing: ``python -m tests.bench.history_kill [500] [seed]``."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from tests.store.killing import kill_once


def main() -> int:
    """Print one line; exit code 1 when anything that was reported as saved is missing."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    said = lost = torn = unreadable = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(kills):
            killed = kill_once(Path(folder) / str(number), rng, most=4_000)
            said += killed.said
            lost += killed.lost
            torn += killed.torn
            unreadable += not killed.is_readable
    print(
        f"kills {kills}  finals reported as saved {said}  lost {lost}  torn last lines {torn}  unreadable {unreadable}"
    )
    return 1 if lost or unreadable else 0


if __name__ == "__main__":
    sys.exit(main())
