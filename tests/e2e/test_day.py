"""The working day in a real terminal: a line is handed over, and the conversation goes on at the next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.live import CTRL_Q, PRESS, PROGRAM, RELEASE, LiveApp

pytestmark = pytest.mark.e2e
ENTER, F4 = b"\r", b"\x1bOS"
MOUSE_DOWN, MOUSE_UP = b"\x1b[<0;40;5M", b"\x1b[<0;40;5m"


def typed(letter: str) -> bytes:
    return f"\x1b[{ord(letter)};;{ord(letter)}u\x1b[{ord(letter)};1:3u".encode()


@pytest.mark.skipif(not PROGRAM.exists(), reason="pinch-tui is not installed here")
def test_a_line_is_handed_over_and_the_conversation_goes_on_at_the_next_start(tmp_path: Path) -> None:
    """Without sound devices: a press is refused for want of a microphone, which shows that it was taken."""
    with LiveApp(tmp_path, "--practice", size=(80, 24)) as app:
        app.wait("session", 15)
        app.type(ENTER)
        app.wait("settled", 15)
        app.type(typed("v"), 0.3)
        app.wait_text("B one language", 5)
        app.type(PRESS, 0.3)
        app.type(RELEASE)
        app.wait("talk-start", 5, source="key", refused=True)
        app.type(MOUSE_DOWN, 0.3)
        app.type(MOUSE_UP)
        app.wait("talk-start", 5, source="mouse", refused=True)
        app.type(typed("v"), 0.3)
        app.wait_text("say this", 5)
        app.type(CTRL_Q)
        assert app.leave() == 0
        assert b"1 line was kept. To show: pinch-tui history show\r\n" in app.output
    app.log.unlink()
    (file,) = app.home.rglob("history/*.jsonl")
    before = file.read_bytes()
    with LiveApp(tmp_path, "--practice", "--continue", size=(80, 24)) as app:
        app.wait_text("Continuing", 5)
        app.wait("session", 15)
        app.type(F4, 0.3)
        app.wait_text("Practice phrases", 5)
        app.type(b"pharmacy", 0.3)
        app.type(ENTER)
        app.wait("settled", 15, utterance=2)
        app.type(CTRL_Q)
        assert app.leave() == 0
        assert f"1 line was kept. To show: pinch-tui history show {file.stem}\r\n".encode() in app.output
    assert file.read_bytes().startswith(before) and b'"utterance":2' in file.read_bytes()
    assert [file] == list(app.home.rglob("history/*.jsonl"))
