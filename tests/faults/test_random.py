"""Random conversations under random faults; the short form of ``python -m tests.faults.randomized``."""

from __future__ import annotations

import pytest

from tests.faults.randomized import Totals, converse_randomly

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("block", range(5))
def test_nothing_is_lost(block: int) -> None:
    totals = Totals()
    seed = 10_000 + 1_000 * block
    while totals.faults < 20:
        converse_randomly(seed, totals)
        seed += 1
    assert totals.utterances > totals.conversations


def test_a_link_that_dies_while_two_texts_may_be_exchanged() -> None:
    """The second one's last final is still to come, and the first one's final stands in its row."""
    converse_randomly(123_204, Totals())
