"""What goes wrong in the middle of a sentence, in the real program: nothing that was said is lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.audio.rig import VirtualAudio
from tests.e2e.live import (
    CTRL_C,
    CTRL_Q,
    PRESS,
    RELEASE,
    LiveApp,
    Practice,
    find,
    free_port,
    practice,
    samples,
    say,
)

pytestmark = pytest.mark.e2e
PHRASE, TRANSLATION = "How do I get to the city center?", "¿Cómo llego al centro de la ciudad?"
KEY = {"PINCH_API_KEY": "pk_any"}


def speak(app: LiveApp, audio: VirtualAudio, spoken: Path) -> None:
    player = audio.start_player(spoken)
    while player.poll() is None:
        app.pump(0.02)


def received(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.wav"), key=lambda path: path.stat().st_mtime)


def test_the_service_is_killed_in_mid_sentence_and_comes_back(tmp_path: Path, audio: VirtualAudio) -> None:
    spoken, port = say(tmp_path, PHRASE), free_port()
    first = Practice(port=port)
    second: Practice | None = None
    try:
        with LiveApp(tmp_path, audio=audio, env={**KEY, "PINCH_BASE_URL": first.base_url}) as app:
            app.wait("session", 10)
            app.type(PRESS)
            app.wait("first-frame", 3)
            player = audio.start_player(spoken)
            app.pump(0.9)
            first.kill()
            app.wait("reconnecting", 6)
            while player.poll() is None:
                app.pump(0.02)
            app.type(RELEASE)
            app.pump(1.5)
            second = Practice(port=port, record=tmp_path / "received")
            app.wait("final", 20, side="translated", text=TRANSLATION)
            app.wait_text("center?", 3)
            assert app.text().count("¿Cómo llego") == 1, "one row, nothing doubled"
            app.type(CTRL_Q)
            assert app.leave() == 0
        played = samples(spoken)
        voiced = played[played.nonzero()[0][0] : played.nonzero()[0][-1] + 1]
        assert any(find(samples(path), voiced) >= 0 for path in received(tmp_path / "received"))
    finally:
        first.kill()
        if second is not None:
            second.kill()


def test_a_service_that_is_never_ready(tmp_path: Path, audio: VirtualAudio) -> None:
    spoken = say(tmp_path, PHRASE)
    port = free_port()
    with practice("--fault", "never-ready", port=port) as broken:
        app = LiveApp(tmp_path, audio=audio, env={**KEY, "PINCH_BASE_URL": broken.base_url})
        with app:
            app.type(PRESS)
            app.wait("first-frame", 3)
            speak(app, audio, spoken)
            app.type(RELEASE)
            app.wait("reconnecting", 12)
            assert "kept" in app.text() or "ready" in app.text()
            broken.kill()
            with practice(port=port, record=tmp_path / "received"):
                app.wait("final", 25, side="translated", text=TRANSLATION)
            app.type(CTRL_Q)
            assert app.leave() == 0
    played = samples(spoken)
    voiced = played[played.nonzero()[0][0] : played.nonzero()[0][-1] + 1]
    assert any(find(samples(path), voiced) >= 0 for path in received(tmp_path / "received"))


def test_a_swap_in_mid_sentence_cuts_nothing(tmp_path: Path, audio: VirtualAudio) -> None:
    spoken = say(tmp_path, PHRASE)
    with practice(record=tmp_path / "received") as service:
        with LiveApp(tmp_path, audio=audio, env={**KEY, "PINCH_BASE_URL": service.base_url}) as app:
            app.wait("session", 10)
            app.type(PRESS)
            app.wait("first-frame", 3)
            speak(app, audio, spoken)
            app.type(b"\x1b[115;;115u\x1b[115;1:3u")  # s, with space still down
            app.type(RELEASE)
            app.wait("final", 8, side="translated", text=TRANSLATION)
            app.wait("session", 8, source="es", target="en")
            app.wait_text("¿Cómo llego", 3)
            app.type(PRESS)
            app.wait("first-frame", 3, n=2)
            app.pump(0.6)  # longer than a tap
            app.type(RELEASE)
            app.wait("settled", 8, utterance=2)
            app.type(CTRL_Q)
            assert app.leave() == 0
    final = [e for e in app.events("final") if e["utterance"] == 1]
    assert {(e["source_language"], e["target_language"]) for e in final} == {("en", "es")}


def test_words_for_a_refused_key_are_sent_with_the_next_one(tmp_path: Path, audio: VirtualAudio) -> None:
    spoken = say(tmp_path, PHRASE)
    with practice("--fault", "401:1", record=tmp_path / "received") as service:
        env = {**KEY, "PINCH_BASE_URL": service.base_url, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        with LiveApp(tmp_path, audio=audio, env=env) as app:
            app.wait("error", 10, code=401)
            app.type(PRESS)
            app.wait("first-frame", 3)
            speak(app, audio, spoken)
            app.type(RELEASE)
            app.wait("talk-stop", 3)
            app.wait_text("F3", 3)
            app.type(b"\x1bOR")
            app.wait_text("back to practice", 3)
            app.type(b"pk_another\r")
            app.wait_text("The Pinch key is kept in the key file, and in use.", 5)
            assert "unset it" in app.text()
            assert "pk_a" not in app.text()
            app.wait("final", 20, side="translated", text=TRANSLATION)
            app.type(CTRL_Q)
            assert app.leave() == 0
    played = samples(spoken)
    voiced = played[played.nonzero()[0][0] : played.nonzero()[0][-1] + 1]
    assert any(find(samples(path), voiced) >= 0 for path in received(tmp_path / "received"))


@pytest.mark.parametrize(("keys", "code"), [(CTRL_Q, 0), (CTRL_C, 130)], ids=["ctrl+q", "ctrl+c"])
def test_a_quit_in_mid_sentence_waits_for_the_last_words(
    tmp_path: Path, audio: VirtualAudio, keys: bytes, code: int
) -> None:
    spoken = say(tmp_path, "Thank you very much.")
    with practice(record=tmp_path / "received") as service:
        with LiveApp(tmp_path, audio=audio, env={**KEY, "PINCH_BASE_URL": service.base_url}) as app:
            app.wait("session", 10)
            app.type(PRESS)
            app.wait("first-frame", 3)
            speak(app, audio, spoken)
            t = app.type(keys)
            assert app.leave() == code
            assert time.monotonic() - t < 4.5
            assert b"\x1b[?1049l" in app.output, "the terminal is given back"
        assert app.events("final")[-1]["text"] == "Muchas gracias."
    history = list((app.home).rglob("history/*.jsonl"))
    assert len(history) == 1 and "Muchas gracias." in history[0].read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, None], ids=["sigterm", "sighup", "closed"])
def test_an_end_from_outside_in_mid_sentence_waits_for_the_last_words(
    tmp_path: Path, audio: VirtualAudio, how: signal.Signals | None
) -> None:
    spoken = say(tmp_path, "Thank you very much.")
    with practice(record=tmp_path / "received") as service:
        with LiveApp(tmp_path, audio=audio, env={**KEY, "PINCH_BASE_URL": service.base_url}) as app:
            app.wait("session", 10)
            app.type(PRESS)
            app.wait("first-frame", 3)
            speak(app, audio, spoken)
            t = time.monotonic()
            if how is None:
                app.close_terminal()
            else:
                os.kill(app.pid, how)
            app.leave()
            assert time.monotonic() - t < 4.5
        assert app.events("final")[-1]["text"] == "Muchas gracias."
    history = list((app.home).rglob("history/*.jsonl"))
    assert len(history) == 1 and "Muchas gracias." in history[0].read_text()


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path, audio: VirtualAudio) -> None:
    with practice("--fault", "stall:0.2") as service:
        with LiveApp(tmp_path, audio=audio, env={**KEY, "PINCH_BASE_URL": service.base_url}) as app:
            app.wait("session", 10)
            app.type(PRESS)
            app.wait("first-frame", 3)
            app.pump(0.6)
            app.type(CTRL_C, 0.3)
            t = app.type(CTRL_C)
            assert app.leave() == 130
            assert time.monotonic() - t < 1.5
