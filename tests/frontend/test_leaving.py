"""The line that is printed when the program has been left."""

from __future__ import annotations

import pytest

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
