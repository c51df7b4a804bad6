"""``python -m tests.e2e.first_minute PROGRAM``: an installed program opens, practises and leaves a clean terminal."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.e2e import live


def main() -> int:
    live.PROGRAM = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, live.LiveApp(Path(folder), "--practice") as app:
        app.wait("session", 15)
        app.wait_text("PRACTICE", 5)
        app.type(live.CTRL_Q)
        code = app.leave()
    print(f"opened, practised and left with {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
