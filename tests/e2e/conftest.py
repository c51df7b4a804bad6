"""Fixtures of the end-to-end tests: one virtual sound server a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.audio.rig import VirtualAudio, virtual_audio
from tests.e2e.live import PROGRAM, why_no_sound


@pytest.fixture
def audio() -> Iterator[VirtualAudio]:
    """A virtual microphone and speaker."""
    reason = why_no_sound() or (None if PROGRAM.exists() else "pinch-tui is not installed here")
    if reason:
        pytest.skip(reason)
    with virtual_audio() as server:
        yield server
