"""A service that means harm, and the real program: nothing falls over, nothing evil reaches the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.audio.rig import VirtualAudio
from tests.e2e.hostile import EVIL, FORBIDDEN, MALFORMED, UNKNOWN, HostileService
from tests.e2e.live import CTRL_Q, ESCAPE, PRESS, PROGRAM, RELEASE, LiveApp

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not PROGRAM.exists(), reason="pinch-tui is not installed here")]
NO_SOUND = {"PULSE_SERVER": "unix:/nonexistent", "ALSA_CONFIG_PATH": "/nonexistent"}
SIZE = (110, 50)


def key(letter: str) -> bytes:
    code = ord(letter)
    return f"\x1b[{code};;{code}u\x1b[{code};1:3u".encode()


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def check(app: LiveApp, *files: Path) -> None:
    """No forbidden byte was written to the terminal, and none stands in a file, not even escaped."""
    for evil in FORBIDDEN:
        assert evil not in app.output, evil
    for file in files:
        for line in file.read_text().splitlines():
            for text in strings(json.loads(line)):
                assert all(char.isprintable() or char in "\u200c\u200d" for char in text), (file.name, text[:200])


def test_messages_of_a_hostile_service(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    with HostileService() as service:
        env = {"PINCH_API_KEY": "pk_any", "PINCH_BASE_URL": service.base_url, **NO_SOUND}
        with LiveApp(tmp_path, "--log-file", str(log), env=env, size=SIZE) as app:
            app.wait("session", 15)
            app.pump(1.0)
            assert service.flooded.is_set()
            app.type(key("d"), 1.0)
            app.wait_text(f"{len(MALFORMED)} messages, and {len(UNKNOWN)} of an unknown kind", 5)
            app.type(ESCAPE)
            app.wait("session", 20, n=3)  # after what is no UTF-8, and after a message beyond the limit
            assert len(app.events("error")) >= len(EVIL)
            app.type(CTRL_Q)
            assert app.leave() == 0
            assert b"\x1b[?1049l" in app.output
        check(app, app.log)
        assert "pk_any" not in log.read_text() and "token=" not in log.read_text()


def test_texts_of_a_hostile_service(tmp_path: Path, audio: VirtualAudio) -> None:
    with HostileService() as service:
        service.sessions = 2  # only the texts are hostile
        env = {"PINCH_API_KEY": "pk_any", "PINCH_BASE_URL": service.base_url}
        with LiveApp(tmp_path, audio=audio, env=env, size=SIZE) as app:
            app.wait("session", 15)
            app.type(PRESS)
            app.wait("first-frame", 5)
            app.pump(0.7)
            app.type(RELEASE)
            app.wait("settled", 20)
            app.wait_text("the end of 3", 5)
            app.type(key("v"), 1.0)
            app.type(ESCAPE, 0.3)
            for _ in range(8):
                app.type(b"\x1b[5~", 0.1)  # page up, through all of it
            app.type(b"\x1b[H", 0.5)
            assert "[/nothing][red]red[/]" in app.text() or "[/nothing]" in app.output.decode(errors="replace")
            app.type(key("d"), 1.0)
            app.wait_text("m_", 3)
            app.type(ESCAPE)
            app.type(CTRL_Q)
            assert app.leave() == 0
        finals = app.events("final")
        assert len(finals) >= 2 * len(EVIL) - 4  # some texts are nothing once they are harmless
        check(app, app.log, *app.home.rglob("history/*.jsonl"))
