"""The line that is printed when the program has been left."""

from __future__ import annotations

import pytest

from pinch_tui.core.transcript.unheard import Unheard
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState
from pinch_tui.frontend.leaving import farewell


@pytest.mark.parametrize(
    ("n_said", "n_kept", "line"),
    [
        (3, 3, "3 lines were kept. To show: pinch-tui history show"),
        (1, 1, "1 line was kept. To show: pinch-tui history show"),
        (3, 0, "0 lines were kept, though something was said."),
        (2, None, "2 lines were not kept: the history is off."),
        (0, 0, "Nothing was said."),
        (0, None, "Nothing was said."),
    ],
)
def test_the_farewell(n_said: int, n_kept: int | None, line: str) -> None:
    assert farewell(n_said, n_kept) == line


def wordless(state: UtteranceState, *, note: str = "", unheard: Unheard | None = None) -> Utterance:
    segments = (Segment("a", note=note),) if note else ()
    return Utterance(1, 0.0, 0, "en", "es", state=state, segments=segments, unheard=unheard)


THROWN = wordless(UtteranceState.CANCELLED)
REFUSED = wordless(UtteranceState.EMPTY, note="one phrase at a time")
UNCLEAR = wordless(UtteranceState.EMPTY, unheard=Unheard.NO_TEXT)
SILENT = wordless(UtteranceState.EMPTY, unheard=Unheard.QUIET)
WAITING = wordless(UtteranceState.WAITING)


@pytest.mark.parametrize(
    ("utterances", "line"),
    [
        ([THROWN], "Nothing was kept: 1 utterance was thrown away."),
        ([REFUSED, UNCLEAR], "Nothing was kept: 2 utterances were not understood."),
        ([SILENT], "Nothing was kept: 1 utterance was silent."),
        (
            [WAITING, REFUSED, THROWN, THROWN],
            "Nothing was kept: 2 utterances were thrown away, 1 was not understood, 1 was not answered.",
        ),
    ],
)
@pytest.mark.parametrize("n_kept", [0, None])
def test_what_has_no_words_is_not_called_nothing(utterances: list[Utterance], line: str, n_kept: int | None) -> None:
    assert farewell(0, n_kept, "", utterances) == line
