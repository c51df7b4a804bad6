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
import json, os, sys
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
        Path(report).write_text(json.dumps({"loaded": sorted(sys.modules), "children": children}))
        os._exit(0)
LinuxDriver.write = watched
from pinch_tui.__main__ import main
main()
"""
LATE = f"{HEAVY} livekit pygments markdown_it truststore".replace("textual rich ", "")
"""What loads after the first paint, in a worker thread or in a child."""


@pytest.mark.parametrize("options", [["--base-url", "http://127.0.0.1:9"], ["--practice"]], ids=["pinch", "practice"])
def test_the_first_paint_waits_for_no_heavy_library_and_no_child(options: list[str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PINCH_TUI_HOME": str(tmp_path), "TERM": "xterm-256color"}
    pid, fd = pty.fork()
    if pid == 0:
        command = [sys.executable, "-c", PAINTED, str(report), *options]
        os.execve(sys.executable, command, {**env, "PINCH_API_KEY": "a-key"})
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
    own = ("network.transport", "services.socket", "services.practice.service", "audio.dsp.pcm", "audio.host.child")
    assert not violations(set(found["loaded"]), LATE, *own)
    assert not found["children"]
