"""Every text in its row; the short form of ``python -m tests.faults.rows``."""

from __future__ import annotations

import pytest

from tests.faults.rows import Totals, scene

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("block", range(4))
def test_every_text_is_in_its_row(block: int) -> None:
    totals = Totals()
    for seed in range(20_000 + 100 * block, 20_000 + 100 * block + 8):
        scene(seed, totals)
    assert totals.utterances > totals.scenes
