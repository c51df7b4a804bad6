"""``kill -9`` loses nothing that was shown as saved. The long form is ``tests/bench/history_kill.py``."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.store.killing import kill_once

pytestmark = pytest.mark.slow

KILLS = 20


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_twenty_kills_lose_nothing(tmp_path: Path) -> None:
    rng = random.Random(9)
    said = 0
    for number in range(KILLS):
        killed = kill_once(tmp_path / str(number), rng)
        assert killed.lost == 0
        assert killed.is_readable
        assert killed.torn <= 1
        said += killed.said
    assert said > KILLS
