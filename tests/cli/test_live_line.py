"""The line that is drawn over: it never wraps, and what is said stands above it."""

from __future__ import annotations

import io
import os

import pytest

from pinch_tui.cli.live_line import LiveLine


def test_a_sentence_takes_the_line_away_and_is_not_said_twice() -> None:
    stream = io.StringIO()
    line = LiveLine(stream, is_live=True)
    line.draw("half")
    line.draw("half")
    line.say("One\x1b[31m thing.")
    line.say("One thing.")
    line.clear()
    assert stream.getvalue() == "\r\x1b[Khalf\r\x1b[Kpinch-tui: One thing.\n"


def test_the_line_is_cut_at_78_cells_where_the_width_is_not_known() -> None:
    stream = io.StringIO()
    LiveLine(stream, is_live=True).draw("\u5b57" * 60)
    assert stream.getvalue() == "\r\x1b[K" + "\u5b57" * 39


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
@pytest.mark.parametrize(("columns", "cells"), [(40, 39), (0, 78), (200, 78)])
def test_the_line_fits_the_terminal(columns: int, cells: int) -> None:
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with open(theirs, "w", encoding="utf-8") as stream:
        line = LiveLine(stream)
        assert line.is_live
        line.draw("x" * 300)
        drawn = os.read(ours, 1_000)
    os.close(ours)
    assert drawn.count(b"x") == cells
