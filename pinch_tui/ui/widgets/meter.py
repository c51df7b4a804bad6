"""The level meter: dBFS as cells, with the held peak and the clipping zone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from pinch_tui.core.events import Levels
from pinch_tui.frontend.status_text import METER_FLOOR_DBFS, meter_position
from pinch_tui.ui.app.theme import Marks
from pinch_tui.ui.widgets.strip import Piece

CLIP_ZONE_DBFS = -3.0


def meter(levels: Levels, width: int, marks: Marks, *, is_live: bool) -> list[Piece]:
    """The meter in exactly ``width`` cells; in the accent colour if ``is_live``."""
    if width <= 0:
        return []
    filled = meter_position(levels.peak_dbfs, width)
    held = meter_position(levels.hold_dbfs, width)
    peak_cell = min(width - 1, int(held)) if levels.hold_dbfs > METER_FLOOR_DBFS else -1
    clip_cell = int(meter_position(CLIP_ZONE_DBFS, width))
    colour = "$accent" if is_live else "$text-muted"
    drawn = groupby(_cells(filled, peak_cell, clip_cell, width, marks, colour), key=attrgetter("style"))
    return [Piece("".join(piece.text for piece in pieces), style) for style, pieces in drawn]


def _cells(filled: float, peak: int, clip: int, width: int, marks: Marks, colour: str) -> Iterator[Piece]:
    whole = int(filled)
    for cell in range(width):
        style = "$error" if cell >= clip else colour
        if cell < whole:
            yield Piece(marks.bar_full, style)
        elif cell == peak:
            yield Piece(marks.peak, style if cell >= clip else "$foreground")
        elif cell == whole and marks.bar_steps and filled - whole >= 1 / (len(marks.bar_steps) + 1):
            yield Piece(marks.bar_steps[int((filled - whole) * (len(marks.bar_steps) + 1)) - 1], style)
        else:
            yield Piece(marks.bar_empty, "$text-disabled")
