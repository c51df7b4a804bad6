"""Pinch beta1 with LiveKit's real wheel in its helper process, against a room on this machine.

libwebrtc ignores loopback interfaces, so each test runs in a network namespace of its own, through the rig's
``own-network.sh``; skipped where that, the rig or the packages are missing.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.audio import rig

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
RIG = ROOT.parent / "shared" / "rig"


@functools.cache
def why_not() -> str:
    if not (RIG / "own-network.sh").is_file():
        return "the rig (../shared/rig) is not beside the checkout"
    missing = [name for name in ("livekit", "aiortc") if importlib.util.find_spec(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run([str(RIG / "own-network.sh"), "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "network namespaces are not permitted"


@pytest.fixture(autouse=True)
def _can_run() -> None:
    if why_not():
        pytest.skip(why_not())


def scene(name: str, within_s: float = 50.0) -> dict[str, Any]:
    """Run a scene of `tests.services.beta1.scenes` in a network of its own; what it tells."""
    command = [str(RIG / "own-network.sh"), sys.executable, "-m", "tests.services.beta1.scenes", str(RIG), name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=within_s, check=False)
    assert done.returncode == 0, done.stdout[-1_000:] + done.stderr[-3_000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_sound_arrives_whole_by_duration_and_pitch_and_speech_comes_back() -> None:
    told = scene("talk")
    assert told["heard_s"] == pytest.approx(2.0, abs=0.15)
    assert told["heard_hz"] == pytest.approx(440, abs=5)
    assert told["speech_s"] == pytest.approx(1.5, abs=0.45)
    assert told["speech_hz"] == pytest.approx(1000, abs=8)
    assert told["texts"] == [["original", "beta_1", "How are you?"], ["translated", "beta_1", "¿Cómo estás?"]]


def test_translate_with_ones_own_voice() -> None:
    told = scene("translated")
    assert (told["code"], told["out"], told["err"]) == (0, "How are you?\t¿Cómo estás?\n", "")
    assert told["asked"] == [
        {"source_language": "en", "target_language": "es", "voice_type": "clone", "path": "/api/beta1/session"}
    ]
    assert told["heard_s"] == pytest.approx(2.0, abs=0.15)
    assert told["speech_hz"] == pytest.approx(1000, abs=8)


@pytest.mark.e2e
@pytest.mark.skipif(rig.why_not() is not None, reason=str(rig.why_not()))
def test_a_key_held_in_a_terminal_is_heard_whole_and_answered_in_its_row() -> None:
    told = scene("held", within_s=90.0)
    assert told["code"] == 0
    assert told["asked"] == [
        {"source_language": "en", "target_language": "es", "voice_type": "clone", "path": "/api/beta1/session"}
    ]
    assert told["heard_s"] == pytest.approx(2.0, abs=0.15)
    assert told["heard_hz"] == pytest.approx(440, abs=5)
    (line,) = told["lines"]
    assert "¿Cómo estás?" in line
    assert "beta1" in told["header"]
    assert not told["is_leaked"]


def test_the_doctor_joins_a_room_and_shows_no_key() -> None:
    told = scene("examined")
    assert {name: verdict for name, (verdict, _) in told["findings"].items()} == {
        "address": "ok",
        "key": "ok",
        "session": "ok",
        "socket": "ok",
        "ready": "ok",
        "round trip": "ok",
    }
    assert told["findings"]["ready"][1].startswith("Pinch beta1 was ready after")
    assert told["findings"]["round trip"][1].endswith("Pinch beta1 accepts sound.")
    assert told["asked"] == 1 and not told["is_leaked"]


def test_nothing_is_ready_before_the_agent_is_there() -> None:
    told = scene("late")
    assert told["ready_s"] >= 2.0
    assert told["heard_s"] == pytest.approx(2.0, abs=0.15)


def test_a_refused_token_is_told() -> None:
    assert scene("refused")["code"] == 4401


def test_a_room_that_ends_is_told() -> None:
    assert scene("ended")["code"] == 4503


def test_a_helper_that_is_killed_while_it_connects_leaves_nothing_behind() -> None:
    told = scene("killed")
    assert told["ended_s"] < 1.0
    assert told["is_gone"]


def test_what_the_helper_costs() -> None:
    told = scene("cost")
    assert told["rss_mb"] < 150
    assert told["cpu"] < 0.6
