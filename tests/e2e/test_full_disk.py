"""A disk that fills up under a conversation, and a history folder that is removed under it, in the real program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinch_tui.store.history.conversations import History
from tests.audio.rig import VirtualAudio
from tests.e2e.live import CTRL_Q, PRESS, RELEASE, LiveApp, say

# Not marked e2e: where nothing may be mounted, as in most containers, it is skipped without failing the run.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("mount") is None,
        reason="a small disk of its own needs root on Linux",
    ),
]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """256 kB where the app keeps its data."""
    folder = tmp_path / "home" / "data"
    folder.mkdir(parents=True)
    mounted = subprocess.run(("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)), check=False)
    if mounted.returncode:
        pytest.skip("nothing may be mounted here")
    yield folder
    subprocess.run(("umount", "-l", str(folder)), check=True)


def fill(path: Path, block: bytes) -> None:
    """Append until the disk is full."""
    with path.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(block)
        except OSError:
            return


def talk(app: LiveApp, audio: VirtualAudio, sound: Path, n: int) -> None:
    app.type(PRESS)
    with audio.start_player(sound) as player:
        while player.poll() is None:
            app.pump(0.05)
    app.pump(0.2)
    app.type(RELEASE)
    app.wait("settled", 12, n=n)
    app.pump(0.5)


def saved(app: LiveApp) -> set[int]:
    return {event["utterance"] for event in app.events("saved")}


def test_what_a_full_disk_refused_is_saved_when_there_is_room(
    tmp_path: Path, audio: VirtualAudio, small_disk: Path
) -> None:
    sound = say(tmp_path, "Good morning.")
    history = small_disk / "history"
    with LiveApp(tmp_path, "--practice", audio=audio, size=(110, 30)) as app:
        talk(app, audio, sound, 1)
        assert saved(app) == {1}
        fill(small_disk / "filler", bytes(4096))
        fill(next(history.glob("*.jsonl")), b"\n")  # the rest of its page, too
        talk(app, audio, sound, 2)
        talk(app, audio, sound, 3)
        assert saved(app) == {1} and "2 lines" in " ".join(app.text().split())
        (small_disk / "filler").unlink()
        talk(app, audio, sound, 4)
        assert saved(app) == {1, 2, 3, 4} and "no line is missing" in " ".join(app.text().split())
        shutil.rmtree(history)
        talk(app, audio, sound, 5)
        assert saved(app) == {1, 2, 3, 4, 5}
        app.type(CTRL_Q)
        assert app.leave(15) == 0
    assert [utterance.number for utterance in History(history).find("last").utterances] == [1, 2, 3, 4, 5]
