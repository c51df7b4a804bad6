"""The first paint waits for Textual and our own text alone: neither for a heavy library nor for a child process."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.test_architecture import HEAVY, ROOT, violations

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

import pty
import select
import signal

PAINTED = """
import gc, json, os, sys
from pathlib import Path
from textual.drivers.linux_driver import LinuxDriver
report, *sys.argv[1:] = sys.argv[1:]
write, sizes = LinuxDriver.write, [0]
def watched(self, data):
    write(self, data)
    sizes[0] += len(data)
    if sizes[0] >= 2000:  # a whole screen; what sets the terminal up is shorter
        mine = Path(f"/proc/self/task/{os.getpid()}/children")
        children = mine.read_text().split() if mine.exists() else []
        found = {"loaded": sorted(sys.modules), "children": children, "collects": gc.isenabled()}
        Path(report).write_text(json.dumps(found))
        os._exit(0)
LinuxDriver.write = watched
from pinch_tui.__main__ import main
main()
"""
LATE = f"{HEAVY} livekit pygments markdown_it truststore tomllib statistics email zipfile".replace("textual rich ", "")
"""What loads after the first paint, in a worker thread or in a child, or not at all."""
LATE_OF_OURS = """
    network.transport services.socket services.practice.service services.batch services.beta1.helper services.traced
    services.wirelog store.trace store.exports core.transcript.documents audio.dsp.pcm audio.host.child
""".split()


@pytest.mark.parametrize(
    "options",
    [
        ["--base-url", "http://127.0.0.1:9"],
        ["--practice"],
        ["--service", "pinch-beta1"],
        ["--service", "cartesia"],
        ["--service", "smallest", "--from", "en"],
    ],
    ids=["pinch", "practice", "pinch-beta1", "cartesia", "smallest"],
)
def test_the_first_paint_waits_for_no_heavy_library_and_no_child(options: list[str], tmp_path: Path) -> None:
    keys = {"PINCH_API_KEY": "a-key", "CARTESIA_API_KEY": "a-key", "SMALLEST_API_KEY": "a-key"}
    report = tmp_path / "report.json"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PINCH_TUI_HOME": str(tmp_path), "TERM": "xterm-256color"}
    pid, fd = pty.fork()
    if pid == 0:
        command = [sys.executable, "-c", PAINTED, str(report), *options]
        os.execve(sys.executable, command, env | keys)
    seen = b""
    try:
        while select.select([fd], [], [], 30)[0]:
            try:
                seen += (part := os.read(fd, 65_536))
            except OSError:  # it has left
                break
            if not part:
                break
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
    assert report.exists(), seen[-2_000:].decode("utf-8", "replace")
    found = json.loads(report.read_text())
    assert "pinch_tui.ui.screens.main" in found["loaded"]
    assert not violations(set(found["loaded"]), LATE, *LATE_OF_OURS)
    assert not found["children"]
    assert not found["collects"]  # what is made before it stays
