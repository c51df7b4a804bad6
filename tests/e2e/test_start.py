"""Starting: in every kind of terminal, without sound, without a key."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audio.rig import VirtualAudio
from tests.e2e.live import CTRL_Q, PROGRAM, RIG, LiveApp

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("flavour", ["kitty", "xtermjs", "konsole", "warp", "zellij", "legacy"])
def test_one_hold_in_each_kind_of_terminal(flavour: str, tmp_path: Path, audio: VirtualAudio) -> None:
    """The rig's terminals press, repeat and release: exactly one start and one stop, and balanced key flags."""
    log = tmp_path / "events.jsonl"
    env = {**os.environ, **audio.env, "PINCH_TUI_HOME": str(tmp_path / "home"), "PINCH_TUI_TALK__PROBE": "false"}
    command = [sys.executable, str(RIG / "pty_terminal.py"), str(log), flavour]
    command += [str(PROGRAM), "--practice", "--events", str(log)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    method = "key" if flavour in ("kitty", "xtermjs", "konsole") else "gap"
    assert f"('talk-stop', '{method}'" in done.stdout
    assert "pushed: 2 popped: 2" in done.stdout


def test_without_a_sound_device_it_starts_and_says_so(tmp_path: Path) -> None:
    if not PROGRAM.exists():
        pytest.skip("pinch-tui is not installed here")
    env = {"PULSE_SERVER": "unix:/nonexistent", "ALSA_CONFIG_PATH": "/nonexistent"}
    with LiveApp(tmp_path, "--practice", env=env) as app:
        app.wait("session", 10)
        app.wait("error", 8, topic="mic")
        app.type(CTRL_Q)
        assert app.leave() == 0


def test_without_a_key_it_welcomes_and_practises(tmp_path: Path) -> None:
    if not PROGRAM.exists():
        pytest.skip("pinch-tui is not installed here")
    env = {"PINCH_API_KEY": "", "PULSE_SERVER": "unix:/nonexistent", "ALSA_CONFIG_PATH": "/nonexistent"}
    with LiveApp(tmp_path, env=env) as app:
        app.wait_text("Welcome to pinch-tui", 5)
        app.wait_text("Have a Pinch key? F3", 1)
        assert "PRACTICE" in app.text()
        app.type(CTRL_Q)
        assert app.leave() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_a_clean_terminal(tmp_path: Path, number: signal.Signals) -> None:
    if not PROGRAM.exists():
        pytest.skip("pinch-tui is not installed here")
    env = {"PULSE_SERVER": "unix:/nonexistent", "ALSA_CONFIG_PATH": "/nonexistent"}
    with LiveApp(tmp_path, "--practice", env=env) as app:
        app.wait("session", 10)
        os.kill(app.pid, number)
        assert app.leave() == 130
        assert b"\x1b[?1049l" in app.output
        assert app.output.count(b"\x1b[<u") == app.output.count(b"\x1b[>27u") + app.output.count(b"\x1b[>25u")
