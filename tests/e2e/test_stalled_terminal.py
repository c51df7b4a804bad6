"""The real program in a terminal that stops reading, and against a service that answers at once."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.audio.rig import VirtualAudio
from tests.e2e.live import CTRL_Q, PRESS, PROGRAM, RELEASE, LiveApp
from tests.e2e.scripted_live import scripted
from tests.faults.scripted import Plan

pytestmark = pytest.mark.e2e
QUICK = Plan(ear_s=0.01, grace_s=0.0, finals_s=0.01, interim_from=1, interim_every=10, has_speech=False)
"""A service that answers within 20 ms of the first sound."""
STALL_S = float(os.environ.get("PINCH_STALL_S", "8"))
"""CI's is short; by hand: PINCH_STALL_S=25."""


def noise(folder: Path, seconds: float) -> Path:
    path = folder / "noise.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        samples = np.random.default_rng(1).normal(0, 1_500, round(seconds * 16_000))
        file.writeframes(samples.clip(-30_000, 30_000).astype("<i2").tobytes())
    return path


def key(base_url: str) -> dict[str, str]:
    return {"PINCH_API_KEY": "pk_any", "PINCH_BASE_URL": base_url}


def control(app: LiveApp, *words: str) -> float:
    """Seconds that outside control took to answer."""
    environment = {**os.environ, "PINCH_TUI_HOME": str(app.home)}
    began = time.monotonic()
    done = subprocess.run([str(PROGRAM), *words], env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def test_four_utterances_against_a_service_that_answers_at_once(tmp_path: Path, audio: VirtualAudio) -> None:
    with scripted(QUICK) as service, LiveApp(tmp_path, audio=audio, env=key(service.base_url)) as app:
        app.wait("session", 10)
        player = audio.start_player(noise(tmp_path, 30.0))
        for number in range(1, 5):
            app.type(PRESS)
            app.wait("first-frame", 3, n=number)
            app.pump(0.8)
            app.type(RELEASE)
            app.wait("settled", 8, utterance=number)
            app.pump(0.6)
        said = [part for session in service.sessions for part in session.utterances() if part]
        wanted = [f"for {len(part)}" for part in said]
        for number in range(1, 5):
            last = app.events("final")
            originals = [e["text"] for e in last if e["utterance"] == number and e["side"] == "original"]
            assert len(originals) == 1 and originals[0].endswith(wanted[number - 1]), (number, originals, wanted)
        assert app.events("moved") == []
        app.type(CTRL_Q)
        assert app.leave() == 0
        player.kill()
        player.wait()


@pytest.mark.timeout(180)
def test_a_latched_talk_goes_on_while_the_terminal_reads_nothing(tmp_path: Path, audio: VirtualAudio) -> None:
    slow = Plan(ear_s=0.1, interim_from=1, interim_every=5, has_speech=False)
    with scripted(slow) as service, LiveApp(tmp_path, audio=audio, env=key(service.base_url)) as app:
        app.wait("session", 10)
        player = audio.start_player(noise(tmp_path, STALL_S + 20))
        app.type(PRESS, settle=0.05)
        app.type(RELEASE)  # a tap: it latches
        app.wait("talk-latch", 3)
        app.pump(1.0)
        began = time.monotonic()
        time.sleep(STALL_S)  # nobody reads
        took_s = control(app, "talk", "stop")
        stopped = time.monotonic()
        times = [t for t, item in service.sessions[0].got if isinstance(item, bytes) and t > began - 0.5]
        gap_s = max(after - before for before, after in itertools.pairwise(times))
        app.wait("finalize", 5)
        print(f"stall {STALL_S:.0f} s: longest gap on the wire {gap_s:.3f} s, talk stop answered in {took_s:.2f} s")
        assert gap_s < 0.5
        assert times[-1] > stopped - 1.5 - took_s, "sound is sent to the end"
        assert took_s < 3.0
        app.wait("settled", 10, utterance=1)
        app.pump(1.0)
        assert "English" in app.text() and "for " in app.text(), app.text()
        # Once more, and the program is told to go.
        app.type(PRESS, settle=0.05)
        app.type(RELEASE)
        app.wait("talk-latch", 3, n=2)
        time.sleep(3.0)
        os.kill(app.pid, signal.SIGTERM)
        told = time.monotonic()
        while os.waitpid(app.pid, os.WNOHANG) == (0, 0):
            assert time.monotonic() - told < 8.0, "it does not leave"
            time.sleep(0.05)
        left_s = time.monotonic() - told
        app.status = 0
        print(f"SIGTERM in a stall: left after {left_s:.1f} s")
        assert app.events("finalize")[-1]["utterance"] == 2, "what was said is finalized"
        player.kill()
        player.wait()
