"""The rig's kinds of terminal: each presses, repeats and releases the talk key of a program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

RIG = Path(__file__).resolve().parents[3] / "shared" / "rig" / "pty_terminal.py"
FLAVOURS = ["kitty", "xtermjs", "konsole", "warp", "zellij", "legacy"]


def holds_in_each_terminal(command: Sequence[str], env: Mapping[str, str], folder: Path) -> dict[str, tuple[int, str]]:
    """Exit code and output of the rig's run in each kind of terminal, three at a time, since they mostly wait.

    ``{log}`` in the command stands for the program's event log.
    """

    def run(flavour: str) -> tuple[int, str]:
        log = str(folder / f"{flavour}.jsonl")
        done = subprocess.run(
            [sys.executable, str(RIG), log, flavour, *(part.format(log=log) for part in command)],
            env={**env, "PINCH_TUI_HOME": str(folder / flavour)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(FLAVOURS, pool.map(run, FLAVOURS), strict=True))


def check_hold(flavour: str, code: int, output: str) -> None:
    """Exactly one start and one stop, each seen as this terminal allows, and balanced key flags."""
    assert code == 0, output
    method = "key" if flavour in ("kitty", "xtermjs", "konsole") else "gap"
    assert f"('talk-stop', '{method}'" in output
    assert "pushed: 2 popped: 2" in output
