"""``kill -9`` pays nothing twice and loses nothing. The long form: ``python -m tests.dub.killing 100``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.dub.killing import kill_often

pytestmark = pytest.mark.slow


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_kills_pay_nothing_twice_and_lose_nothing(tmp_path: Path) -> None:
    report = kill_often(tmp_path, 6, seed=3)
    assert report.kills == 6
    assert report.fetched + report.unknown >= 1
