"""How long one final takes to reach the disk: ``python -m tests.bench.history_sync [FOLDER] [count]``."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from pinch_tui.store.history.writer import HistoryWriter
from tests.fakes.conversation import segment, utterance


def main() -> None:
    """Print milliseconds for `HistoryWriter.record` of one utterance with one new final."""
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        writer = HistoryWriter(Path(folder), 1_790_000_000.0)
        took = []
        for number in range(1, count + 1):
            final = utterance(number, segment("a", "Where is the nearest station?", "¿Dónde está la estación?"))
            begun = time.perf_counter()
            writer.record([final])
            took.append((time.perf_counter() - begun) * 1e3)
        writer.close()
    took.sort()
    p50, p95, p99 = (took[int(count * part)] for part in (0.5, 0.95, 0.99))
    print(
        f"record + fsync, {count} finals: p50 {p50:.2f} ms  p95 {p95:.2f} ms  p99 {p99:.2f} ms  max {took[-1]:.2f} ms"
    )


if __name__ == "__main__":
    main()
