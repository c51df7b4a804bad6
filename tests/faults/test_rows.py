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


@pytest.mark.parametrize("seed", [2473, 3100, 10267])
def test_a_first_divided_utterance_keeps_its_second_segment(seed: int) -> None:
    """The service divides an utterance for the first time while the next one is open, too."""
    scene(seed, Totals())


def test_a_last_final_corrects_the_split() -> None:
    """Only the delay of the last utterance's final tells whose the segment before it is."""
    scene(2025, Totals())


def test_utterances_that_were_open_together_are_sent_again_together_while_the_pace_is_unknown() -> None:
    """The first one holds the second one's words when the connection drops."""
    scene(11105, Totals())
