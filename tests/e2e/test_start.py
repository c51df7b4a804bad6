"""Starting: in every kind of terminal, without sound, without a key."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.audio.rig import virtual_audio
from tests.e2e.live import CTRL_Q, PROGRAM, LiveApp, why_no_sound
from tests.keys.flavours import FLAVOURS, check_hold, holds_in_each_terminal

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def holds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    reason = why_no_sound() or (None if PROGRAM.exists() else "pinch-tui is not installed here")
    if reason:
        pytest.skip(reason)
    command = [str(PROGRAM), "--practice", "--events", "{log}"]
    with virtual_audio() as audio:
        env = {**os.environ, **audio.env, "PINCH_TUI_TALK__PROBE": "false"}
        return holds_in_each_terminal(command, env, tmp_path_factory.mktemp("flavours"))


@pytest.mark.xdist_group("the app's holds")  # one run serves them all
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_one_hold_in_each_kind_of_terminal(flavour: str, holds: dict[str, tuple[int, str]]) -> None:
    check_hold(flavour, *holds[flavour])


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
