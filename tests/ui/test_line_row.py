"""The lines of a row fill their cells exactly, whatever the service sends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from pinch_tui.core.transcript.transcript import Segment
from pinch_tui.ui.transcript.row import RowStyle, build
from tests.fakes.fake_engine import line


@pytest.mark.parametrize("width", [60, 80])
def test_a_longer_code_than_was_asked_for_tears_no_column(width: int) -> None:
    segment = Segment("a", original="Hello", translation="Buenos días", target_language="es-419")
    utterance = replace(line(1, "Hello", "Hola"), segments=(segment,))
    for row in build(utterance, RowStyle(width)):
        # The edge, which the view draws, is the first cell.
        assert 1 + sum(cell_len(piece.text) for piece in row.pieces) == row.cells <= width
        assert "es-419Buenos" not in "".join(piece.text for piece in row.pieces)
