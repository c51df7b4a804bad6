"""The property tests with other examples than CI's: ``python -m tests.faults.properties --runs 20``.

Each run takes its own seed; what fails is printed with it. ``--only`` is pytest's ``-k``.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time

TESTS = ["tests/core", "tests/keys", "tests/audio", "tests/store", "tests/settings"]
TESTS += ["tests/control", "tests/dub", "tests/engine/test_fuzz.py", "tests/services"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes beside this one")
    parser.add_argument("--only", default="propert or stateful or Any or Traces or out_of_order or machine or TestCon")
    parser.add_argument("tests", nargs="*", default=None)
    options = parser.parse_args()
    tests = options.tests or [path for path in TESTS if os.path.isdir(path)]
    failed, n, began = 0, 0, time.monotonic()
    for seed in range(options.seed, options.seed + options.runs):
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(options.workers), "-m", "", "--timeout=900"]
        command += ["--hypothesis-profile=random", f"--hypothesis-seed={seed}", "-k", options.only, *tests]
        done = subprocess.run(command, capture_output=True, text=True)
        found = re.search(r"(\d+) passed", done.stdout)
        n += int(found.group(1)) if found else 0
        if done.returncode:
            failed += 1
            print(f"seed {seed}:\n{done.stdout[-3000:]}")
    print(f"{options.runs} seeds, {n} test runs passed, {failed} seeds failed; {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
