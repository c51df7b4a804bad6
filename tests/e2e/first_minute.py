"""``python -m tests.e2e.first_minute PROGRAM``: an installed program plays its demo without sound, then opens,
practises and leaves a clean terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e import live


def main() -> int:
    live.PROGRAM = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        empty = {"PATH": os.environ["PATH"], "PINCH_TUI_HOME": folder, "PULSE_SERVER": "unix:/nonexistent"}
        demo = subprocess.run(
            [live.PROGRAM, "--demo"], env=empty, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120
        )
    said = demo.stdout.decode("utf-8", "replace")
    assert demo.returncode == 0 and "Have a nice day." in said, said + demo.stderr.decode("utf-8", "replace")
    print("played the demo and left with 0")
    with tempfile.TemporaryDirectory() as folder, live.LiveApp(Path(folder), "--practice") as app:
        app.wait("session", 15)
        app.wait_text("PRACTICE", 5)
        app.type(live.CTRL_Q)
        code = app.leave()
    print(f"opened, practised and left with {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
