"""A voice goes into the microphone while space is held; text and speech come out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.audio.rig import VirtualAudio
from tests.e2e.live import (
    CTRL_Q,
    PRESS,
    PROGRAM,
    RELEASE,
    RIG,
    LiveApp,
    find,
    practice,
    samples,
    say,
    why_no_terminal,
)

pytestmark = pytest.mark.e2e


@pytest.mark.skipif(why_no_terminal() is not None, reason=str(why_no_terminal()))
def test_the_first_conversation_in_a_real_terminal(tmp_path: Path, audio: VirtualAudio) -> None:
    """kitty, real key events, a separate practice service: what was played is what the service received."""
    spoken = say(tmp_path, "Where is the train station?")
    heard, shot, log = tmp_path / "heard.wav", tmp_path / "shot.png", tmp_path / "events.jsonl"
    with practice(record=tmp_path / "received") as service:
        recorder = audio.start_recorder(heard, 120.0)
        env = {
            **os.environ,
            **audio.env,
            "VA_DIR": str(audio.folder),
            "PINCH_TUI_HOME": str(tmp_path / "home"),
            "PINCH_API_KEY": "pk_any",
            "PINCH_BASE_URL": service.base_url,
        }
        script = (
            f"sleep 1.2; keydown space; expect first-frame 5; exec {RIG}/virtual-audio.sh play {spoken}; "
            f"keyup space; expect speech-end 8; sleep .3; shot {shot}; key ctrl+q; expect quit 4; sleep .6"
        )
        command = [sys.executable, str(RIG / "terminal.py"), "--terminal", "kitty", "--log", str(log)]
        command += ["--png", str(shot), "--do", script, "--", str(PROGRAM), "--events", str(log)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=90, check=False)
        recorder.send_signal(signal.SIGINT)
        recorder.wait(timeout=20)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = [event["kind"] for event in events]
    assert kinds.count("talk-start") == kinds.count("talk-stop") == kinds.count("finalize") == 1, done.stdout
    last = {event["side"]: event["text"] for event in events if event["kind"] == "final"}
    assert last == {"original": "Where is the train station?", "translated": "¿Dónde está la estación de tren?"}

    # The service's recording holds the played samples, bit for bit and whole.
    (recording,) = (tmp_path / "received").glob("*.wav")
    played = np.trim_zeros(samples(spoken))
    assert find(samples(recording), played) >= 0

    # And the loudspeaker said something as long as the translation.
    loud = np.abs(samples(heard).astype(np.float32)) > 300
    assert 0.8 < loud.nonzero()[0].size and (loud.nonzero()[0][-1] - loud.nonzero()[0][0]) / 48_000 > 0.8
    assert shot.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("source", "target", "phrase", "translation"),
    [
        # The ear is surest of this sentence in both languages.
        ("en", "es", "Where is the nearest pharmacy?", "¿Dónde está la farmacia más cercana?"),
        ("es", "en", "¿Dónde está la farmacia más cercana?", "Where is the nearest pharmacy?"),
    ],
)
def test_what_is_spoken_is_understood_again(
    tmp_path: Path, audio: VirtualAudio, source: str, target: str, phrase: str, translation: str
) -> None:
    """The loudspeaker's sound, recognised in the other direction, gives the first phrase back."""
    spoken, heard = say(tmp_path, phrase, source), tmp_path / "heard.wav"
    with LiveApp(tmp_path, "--practice", "--from", source, "--to", target, "--voice", "female", audio=audio) as app:
        app.wait("session", 10)
        recorder = audio.start_recorder(heard, 9.0)
        app.type(PRESS)
        app.wait("first-frame", 3)
        player = audio.start_player(spoken)
        while player.poll() is None:
            app.pump(0.05)
        app.type(RELEASE)
        app.wait_text(translation.split()[0], 5)
        app.wait("speech-end", 10)
        columns = app.text()
        app.type(CTRL_Q)
        assert app.leave() == 0
        recorder.wait(timeout=20)
    for word in (*phrase.split(), *translation.split()):
        assert word in columns
    clean = tmp_path / "again.wav"
    subprocess.run(["sox", str(heard), "-r", "16000", "-c", "1", "-b", "16", str(clean)], check=True)
    command = [str(PROGRAM), "translate", "--practice", "--from", target, "--to", source, "--both", str(clean)]
    env = {**os.environ, "PINCH_TUI_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == f"{translation}\t{phrase}", done.stderr


def test_every_press_out_of_silence_sends_what_was_heard_before_it(tmp_path: Path, audio: VirtualAudio) -> None:
    """A ramp counts the samples: the pre-roll and what was on its way at the press are there, nothing is missing."""
    ramp, holds = tmp_path / "ramp.wav", 4
    with wave.open(str(ramp), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((np.arange(16_000 * 30) % 60_000 - 30_000).astype("<i2").tobytes())
    with practice(record=tmp_path / "received") as service:
        env = {"PINCH_API_KEY": "pk_any", "PINCH_BASE_URL": service.base_url}
        with LiveApp(tmp_path, audio=audio, env=env) as app, audio.start_player(ramp) as player:
            app.wait("mic", 5, state="open")
            app.pump(2.0)
            for n in range(holds):
                app.type(PRESS)
                app.wait("first-frame", 2, n=n + 1)
                app.pump(0.4)
                app.type(RELEASE)
                app.wait("finalize", 5, n=n + 1)
                app.wait("settled", 10, n=n + 1)  # a press into the spoken answer leaves out what was heard before it
                app.pump(1.2 + 0.03 * n)  # nobody talks: frames come together, and the next press in between
            player.kill()
            held = [event["held_ms"] for event in app.events("talk-stop")]
            app.type(CTRL_Q)
            assert app.leave() == 0
    (recording,) = (tmp_path / "received").glob("*.wav")
    steps = np.diff(samples(recording).astype(np.int64)) % 60_000
    breaks = np.flatnonzero(steps != 1)
    assert breaks.size == holds - 1, "one between two utterances, none inside"
    lengths = np.diff([-1, *breaks, steps.size]) / 16
    for length, hold in zip(lengths, held, strict=True):
        assert hold + 300 + 150 - 40 <= length <= hold + 300 + 150 + 60
