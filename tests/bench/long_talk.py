"""Twenty minutes of talk in the real program: ``python -m tests.bench.long_talk [--minutes 20] [--service own|other]``.

Every eight seconds space is held while a phrase is played into the virtual microphone. Each minute a row tells what the
program and its children hold: resident memory, open descriptors, threads, children, temporary files, and how many
utterances were settled. Exit code 1 when an utterance was lost, or when the last five minutes hold more than the five
after the first two by 10 % of memory or by anything countable.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path

from tests.audio.rig import VirtualAudio, virtual_audio
from tests.e2e.live import CTRL_Q, PRESS, RELEASE, LiveApp, practice, say, why_no_sound

PERIOD_S = 8.0
PHRASES = ("Where is the train station?", "Good morning.", "How much does it cost?", "Thank you very much.")


@dataclass(frozen=True)
class Held:
    memory_mb: float
    descriptors: int
    threads: int
    children: int
    temporary: int


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        try:
            for task in Path(f"/proc/{current}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def held(pid: int, folder: Path) -> Held:
    memory, descriptors, threads, children = 0.0, 0, 0, -1
    for each in descendants(pid):
        try:
            status = Path(f"/proc/{each}/status").read_text()
            # Anonymous memory: what is shared with every other Python is nobody's growth.
            memory += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")) / 1024
            threads += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("Threads:"))
            descriptors += len(os.listdir(f"/proc/{each}/fd"))
            children += 1
        except OSError:
            continue
    return Held(round(memory, 1), descriptors, threads, children, sum(len(files) for _, _, files in os.walk(folder)))


def talk(app: LiveApp, audio: VirtualAudio, sound: Path) -> None:
    """One utterance."""
    app.type(PRESS)
    with audio.start_player(sound) as player:
        while player.poll() is None:
            app.pump(0.05)
    app.pump(0.2)
    app.type(RELEASE)


def run(
    app: LiveApp, audio: VirtualAudio, folder: Path, minutes: float, temporary: Path
) -> tuple[list[Held], int, int]:
    sounds = []
    for number, phrase in enumerate(PHRASES):
        (folder / str(number)).mkdir()
        sounds.append(say(folder / str(number), phrase))
    rows: list[Held] = []
    said = 0
    began = time.monotonic()
    print(f"{'minute':>7}{'MB':>9}{'descriptors':>13}{'threads':>9}{'children':>10}{'temporary':>11}{'settled':>9}")
    while time.monotonic() - began < minutes * 60:
        due = began + said * PERIOD_S
        app.pump(max(0.0, due - time.monotonic()))
        talk(app, audio, sounds[said % len(sounds)])
        said += 1
        if time.monotonic() - began >= (len(rows) + 1) * 60:
            # Between two utterances, so that the counts of one row and of the next mean the same.
            app.pump(2.5)
            rows.append(held(app.pid, temporary))
            settled = len(app.events("settled"))
            row = rows[-1]
            print(
                f"{len(rows):>7}{row.memory_mb:>9.1f}{row.descriptors:>13}{row.threads:>9}{row.children:>10}"
                f"{row.temporary:>11}{settled:>6}/{said}",
                flush=True,
            )
    app.pump(5.0)
    return rows, said, len([event for event in app.events("settled") if not event.get("empty")])


def grown(rows: list[Held]) -> list[str]:
    """What the last five minutes hold more than the five after the first two."""
    if len(rows) < 12:
        return []
    early, late = rows[2:7], rows[-5:]
    found = []
    for index, name in enumerate(("memory", "descriptors", "threads", "children", "temporary files")):
        before = max(astuple(row)[index] for row in early)
        after = max(astuple(row)[index] for row in late)
        if after > (before * 1.1 if name == "memory" else before):
            found.append(f"{name}: {before} -> {after}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument(
        "--service", choices=("own", "other"), default="own", help="the app's own practice service, or another"
    )
    options = parser.parse_args()
    if (reason := why_no_sound()) is not None:
        print(f"skipped: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as name, virtual_audio() as audio, practice() as service:
        folder, temporary = Path(name), Path(name) / "tmp"
        temporary.mkdir()
        env = {"TMPDIR": str(temporary)}
        arguments = ["--practice"]
        if options.service == "other":
            env |= {"PINCH_API_KEY": "pk_any", "PINCH_BASE_URL": service.base_url}
            arguments = []
        with LiveApp(folder, *arguments, audio=audio, env=env) as app:
            rows, said, settled = run(app, audio, folder, options.minutes, temporary)
            pids = descendants(app.pid)[1:]
            app.type(CTRL_Q)
            code = app.leave(20)
        time.sleep(1.0)
        orphans = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        left = subprocess.run(("find", str(temporary), "-type", "f"), capture_output=True, text=True, check=True).stdout
    wrong = grown(rows)
    if settled < said:
        wrong.append(f"{said - settled} of {said} utterances without text")
    if orphans:
        wrong.append(f"processes that outlived the program: {orphans}")
    print(f"utterances {said}  settled {settled}  exit code {code}  temporary files left {len(left.splitlines())}")
    print("grown or lost: " + ("; ".join(wrong) or "nothing"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
