"""The joined machines; the short form of ``python -m tests.faults.joined``."""

from __future__ import annotations

import pytest

from tests.faults.joined import Totals, scene

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("block", range(3))
def test_nothing_is_lost_or_misplaced_between_the_machines(block: int) -> None:
    totals = Totals()
    for seed in range(30_000 + 100 * block, 30_000 + 100 * block + 8):
        scene(seed, totals)
    assert totals.utterances > totals.scenes
