"""The lines of a row fill their cells exactly, whatever the service sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from rich.cells import cell_len

from pinch_tui.core.transcript.utterance import Segment
from pinch_tui.ui.transcript.row import SPOKEN, Piece, Role, RowStyle, build
from tests.fakes.fake_engine import line


@pytest.mark.parametrize("width", [60, 80])
def test_a_longer_code_than_was_asked_for_tears_no_column(width: int) -> None:
    segment = Segment("a", original="Hello", translation="Buenos días", target_language="es-419")
    utterance = replace(line(1, "Hello", "Hola"), segments=(segment,))
    for row in build(utterance, RowStyle(width)):
        # The edge, which the view draws, is the first cell.
        assert 1 + sum(cell_len(piece.text) for piece in row.pieces) == row.cells <= width
        assert "es-419Buenos" not in "".join(piece.text for piece in row.pieces)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_what_was_not_recognised_is_one_dim_line_over_the_whole_row(width: int) -> None:
    note = "Not a practice phrase. Closest: Where is the emergency exit?"
    utterance = replace(line(1, "", ""), segments=(Segment("a", note=note),))
    (row,) = build(utterance, RowStyle(width))
    assert 1 + sum(cell_len(piece.text) for piece in row.pieces) == row.cells <= width
    (said,) = (piece for piece in row.pieces if piece.role is Role.NOTE)
    assert said.text == note if width >= 80 else note.startswith(said.text.rstrip("…"))


@pytest.mark.parametrize("width", [100, 160, 300])
def test_columns_of_text_are_never_wider_than_can_be_read(width: int) -> None:
    words = "Where is the nearest pharmacy and when does it open? " * 10
    for row in build(line(1, words, words), RowStyle(width)):
        assert all(cell_len(piece.text.rstrip()) <= 72 for piece in row.pieces if piece.role is not Role.BLANK)
        assert 1 + sum(cell_len(piece.text) for piece in row.pieces) == row.cells <= width


@pytest.mark.parametrize(("code", "column"), [("en", 0), ("es", 1), (None, None)])
def test_the_speakers_column_is_marked_over_its_whole_width(code: str | None, column: int | None) -> None:
    segment = Segment("a", original="Hello, how are you today?" * 3, translation="Hola.", detected_language=code)
    rows = build(replace(line(1, "", ""), is_two_way=True, segments=(segment,)), RowStyle(80))
    for row in rows:
        spoken = [(at, piece) for at, piece in _placed(row.pieces) if piece.marks & SPOKEN]
        assert bool(spoken) is (column is not None)
        if column is not None:
            width = RowStyle(80).column
            first = RowStyle(80).gutter - 1 + column * (width + 2)
            assert spoken[0][0] == first
            assert sum(cell_len(piece.text) for _, piece in spoken) == width


def _placed(pieces: Iterable[Piece]) -> Iterator[tuple[int, Piece]]:
    at = 0
    for piece in pieces:
        yield at, piece
        at += cell_len(piece.text)
