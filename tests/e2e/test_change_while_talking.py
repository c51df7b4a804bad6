"""The real program: other languages while the talk key is down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.audio.rig import VirtualAudio
from tests.e2e.live import CTRL_Q, PRESS, RELEASE, REPEAT, LiveApp, find, samples
from tests.e2e.scripted_live import scripted
from tests.e2e.test_stalled_terminal import key, noise, playing
from tests.faults.scripted import Plan

pytestmark = pytest.mark.e2e
ENTER = b"\x1b[13u"
SWAP = b"\x1b[115;;115u"


def test_swapping_in_mid_word_goes_on_in_the_other_direction(tmp_path: Path, audio: VirtualAudio) -> None:
    with (
        scripted(Plan(ear_s=0.1, has_speech=False)) as service,
        LiveApp(tmp_path, audio=audio, env=key(service.base_url)) as app,
    ):
        app.wait("session", 10)
        player = audio.start_player(noise(tmp_path, 10.0))
        app.type(PRESS)
        app.wait("first-frame", 3)
        app.pump(0.8)
        app.type(SWAP)
        app.wait("talk-start", 3, utterance=2)
        app.wait_text("From here on", 3)
        for _ in range(10):
            app.type(REPEAT, settle=0.08)
        app.type(RELEASE)
        app.wait("settled", 8, utterance=2)
        assert [e["source"] for e in app.events("talk-stop")] == ["change", "key"]
        assert [(s.params["sourceLanguage"], s.params["targetLanguage"]) for s in service.sessions] == [
            ("en", "es"),
            ("es", "en"),
        ]
        assert all(len(s.utterances()[0]) > 30 for s in service.sessions), "both halves were sent"
        app.type(CTRL_Q)
        assert app.leave() == 0
        player.kill()
        player.wait()


def typed(text: str) -> bytes:
    """A terminal's report of plain keys."""
    return b"".join(b"\x1b[%d;;%du" % (ord(letter), ord(letter)) for letter in text)


def test_other_languages_and_two_way_in_mid_word_lose_nothing(tmp_path: Path, audio: VirtualAudio) -> None:
    played = noise(tmp_path, 15.0)
    with (
        scripted(Plan(ear_s=0.1, has_speech=False)) as service,
        LiveApp(tmp_path, audio=audio, env=key(service.base_url)) as app,
        playing(audio, played),
    ):
        app.wait("session", 10)
        app.type(PRESS)
        app.wait("first-frame", 3)
        app.pump(0.8)
        app.type(typed("l"))
        for letter in "french":
            app.type(typed(letter), settle=0.05)
            app.type(REPEAT, settle=0.03)
        app.type(ENTER)
        app.wait("talk-start", 3, utterance=2)
        app.wait_text("From here on: English to French", 3)
        for _ in range(8):
            app.type(REPEAT, settle=0.08)
        app.type(typed("t"))
        app.wait("talk-start", 3, utterance=3)
        app.wait_text("From here on: English and French", 3)
        for _ in range(8):
            app.type(REPEAT, settle=0.08)
        app.type(RELEASE)
        app.wait("settled", 8, utterance=3)
        assert [e["source"] for e in app.events("talk-stop")] == ["change", "change", "key"]
        asked = [(s.params["targetLanguage"], s.params["twoWay"]) for s in service.sessions]
        assert asked == [("es", "false"), ("fr", "false"), ("fr", "true")]
        parts = [session.utterances()[0] for session in service.sessions]
        assert all(len(part) > 25 for part in parts), [len(part) for part in parts]
        sent = np.frombuffer(b"".join(frame for part in parts for frame in part), dtype="<i2")
        heard = np.trim_zeros(sent, "f")  # before the player began
        assert len(heard) > 2 * 16_000
        assert find(samples(played), heard) >= 0, "each sample is sent once, over three sessions"
        app.type(CTRL_Q)
        assert app.leave() == 0
