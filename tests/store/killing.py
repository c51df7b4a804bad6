"""A conversation that is killed with SIGKILL while it is being saved, and what is on disk afterwards.

The child writes finals as fast as it can, with growing revisions and resends, and says after each `record` what was
saved; the parent kills it at a random moment and reads both what was said and what is there.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pinch_tui.store.history.conversations import History

CHILD = """
import os, sys
from pathlib import Path
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.store.history.conversations import History
from pinch_tui.store.history.writer import HistoryWriter
from tests.fakes.conversation import segment, utterance

writer = HistoryWriter(Path(sys.argv[1]), 1_790_000_000.0)
number = 0
waiting = []
os.write(1, b"begun\\n")
while True:
    number += 1
    words = []
    for revision in range(1, 6):
        words.append(f"word{revision}")
        text = " ".join(words)
        for attempt in (1, 2) if number % 7 == 0 and revision == 5 else (1,):
            name = f"s{number}.{attempt}"
            waiting.append((number, attempt, revision))
            final = segment(name, text, text.upper() * 20, revision=revision)
            state = UtteranceState.SETTLED if revision == 5 else UtteranceState.WAITING
            saved = writer.record([utterance(number, final, attempt=attempt, state=state)])
            if saved:
                os.write(1, "".join(f"{n} {a} {r}\\n" for n, a, r in waiting if n in saved).encode())
                waiting = [item for item in waiting if item[0] not in saved]
"""


@dataclass(frozen=True, slots=True)
class Killed:
    """One killed conversation. ``said``: saves that were reported; ``lost``: those of them that are not on disk."""

    said: int
    lost: int
    torn: int
    is_readable: bool


def kill_once(folder: Path, rng: random.Random, most: int = 2_000) -> Killed:
    """Start a conversation, kill it after up to ``most`` random bytes of reports, and compare."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert child.stdout is not None
    said = b""
    wanted = rng.randrange(1, most)
    while len(said) < wanted:
        data = os.read(child.stdout.fileno(), min(4096, wanted - len(said)))
        if not data:
            break
        said += data
    child.send_signal(signal.SIGKILL)
    with child.stdout:
        said += child.stdout.read()
    assert child.wait() == -signal.SIGKILL
    whole = [line for line in said.splitlines(keepends=True) if line[:1].isdigit() and line.endswith(b"\n")]
    reported = [tuple(map(int, line.split())) for line in whole]
    return _compare(folder, reported)


def _compare(folder: Path, reported: list[tuple[int, ...]]) -> Killed:
    history = History(folder)
    names = history.ids()
    if not names:
        return Killed(len(reported), len(reported), 0, not reported)
    conversation = history.find(names[0])
    raw = conversation.path.read_bytes()
    on_disk = set()
    torn = 0
    for line in raw.splitlines():
        try:
            fields = json.loads(line)
        except ValueError:
            torn += 1
            continue
        if fields["kind"] == "final":
            on_disk.add((fields["utterance"], fields["attempt"], fields["revision"]))
    lost = sum(item not in on_disk for item in reported)
    newest = {number: attempt for number, attempt, _ in reported}
    is_readable = conversation.unreadable == torn and all(
        any(u.number == number and u.attempt >= attempt for u in conversation.utterances)
        for number, attempt in newest.items()
    )
    return Killed(len(reported), lost, torn, is_readable)
