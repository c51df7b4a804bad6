"""Memory and time of a 2 GB upload: ``python -m tests.bench.dub_upload [BYTES]``.

The whole command runs in a process of its own against the scripted service in another; the file is sparse. The peak is
the resident memory of the command as the system counts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.dub.conftest import make_wav
from tests.fakes.dub_service import KEY

ROOT = Path(__file__).parents[2]
LIMIT_MB = 100

_MEASURED = """
import resource, sys
from pinch_tui.cli.main import run
code = run(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak * (1 if sys.platform == "darwin" else 1024), file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000_000
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_wav(folder / "film.wav", 2)
        with (folder / "film.wav").open("r+b") as file:
            file.truncate(size)
        service = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.dub_service"],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert service.stdout is not None
        url = service.stdout.readline().strip()
        began = time.monotonic()
        run = subprocess.run(
            [sys.executable, "-c", _MEASURED, "dub", "film.wav", "--to", "es", "--yes"],
            cwd=folder, capture_output=True, text=True, check=False,
            env={
                **env,
                "PINCH_TUI_HOME": str(folder / "home"),
                "PINCH_API_KEY": KEY,
                "PINCH_TUI_DUB__BASE_URL": url,
                "PINCH_TUI_DUB__POLL_S": "0.2",
                "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            },
        )  # fmt: skip
        seconds = time.monotonic() - began
        told, _ = service.communicate("")
        assert run.returncode == 0, run.stderr
        uploads = json.loads(told)["uploads"]
        assert len(uploads) == 1
    peak = int(run.stderr.splitlines()[-1]) / 1e6
    print(f"{size / 1e9:.2f} GB in {seconds:.1f} s, peak memory {peak:.0f} MB (limit {LIMIT_MB})")
    assert peak < LIMIT_MB


if __name__ == "__main__":
    main()
