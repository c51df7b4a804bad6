"""Faults of sound in the real program; the short form of ``python -m tests.bench.audio_screen --long``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audio.rig import VirtualAudio
from tests.bench.audio_screen import PHRASE, run
from tests.e2e.live import say

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("fault", "state", "word"),
    [
        ("unplug mic", "talking", "microphone"),
        ("server killed", "speaking", "microphone"),
        ("hang", "idle", "microphone"),
    ],
)
def test_it_is_said_and_cured_and_the_screen_stays_clean(
    fault: str, state: str, word: str, tmp_path: Path, audio: VirtualAudio
) -> None:
    seen = run(fault, state, tmp_path, audio, say(tmp_path, PHRASE))
    assert seen.is_clean
    assert any(word in sentence for sentence in seen.says), seen.says
    assert seen.recovery_s <= 4.0  # 2 s is the aim; a loaded machine adds its own
    assert seen.code == 0
