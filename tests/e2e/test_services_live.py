"""A voice goes into the microphone while space is held, and a service that only hears writes it down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.audio.rig import VirtualAudio
from tests.e2e.live import CTRL_Q, PRESS, RELEASE, LiveApp, find, samples, say
from tests.fakes.recognition_service import RecognitionService

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

PIECES = [("Where is the train station, ", True), ("and when does the next train leave?", True)]
TEXT = "".join(text for text, _ in PIECES)
"""Wider than one of two columns would be."""
KEY = "sk_any_key_0123456789"


@contextmanager
def serving(service: RecognitionService) -> Iterator[RecognitionService]:
    """The service, in a thread of its own: the test waits for the terminal."""
    started = threading.Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with service.running():
            started.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert started.wait(5)
        yield service
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.mark.parametrize("name", ["cartesia", "smallest"])
def test_a_held_utterance_arrives_whole_and_is_written_in_one_column(
    tmp_path: Path, audio: VirtualAudio, name: str
) -> None:
    spoken = say(tmp_path, "Where is the train station?")
    env = {f"{name.upper()}_API_KEY": KEY}
    with serving(RecognitionService(hears=lambda _sound: PIECES)) as service:
        env[f"PINCH_TUI_{name.upper()}__BASE_URL"] = service.base_url
        with LiveApp(tmp_path, "--service", name, audio=audio, env=env) as app:
            app.wait("mic", 5, state="open")
            app.type(PRESS)
            app.wait("first-frame", 3)
            player = audio.start_player(spoken)
            while player.poll() is None:
                app.pump(0.05)
            app.type(RELEASE)
            app.wait_text(TEXT, 5)  # on one line
            screen = app.text()
            app.type(CTRL_Q)
            assert app.leave() == 0
            assert len(app.events("talk-start")) == len(app.events("talk-stop")) == 1
    header, *below = screen.splitlines()
    assert {"cartesia": "cartesia", "smallest": "smallest.ai"}[name] in header
    assert "English" in header
    assert "Spanish" not in screen
    assert sum(TEXT in line for line in below) == 1

    (taken,) = service.sockets
    assert taken.ended
    assert taken.headers["authorization"] == f"Bearer {KEY}"
    heard = np.frombuffer(bytes(taken.sound), dtype="<i2")
    played = np.trim_zeros(samples(spoken))
    assert played.size > 16_000
    assert find(heard, played) >= 0, "sample for sample"
