"""The line mode on a terminal that stops reading."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from pinch_tui.plain.tty import MOST_PENDING, PosixTerminal


def test_lines_wait_for_no_terminal_and_those_left_out_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        terminal = PosixTerminal(fd=slave)
        line = "x" * 999
        for _ in range(300):  # far more than a terminal and the bound hold
            terminal.write(line)
        missed = terminal._n_missed
        assert 0 < missed < 300
        assert terminal._stream is not None
        assert terminal._stream.outlet.pending <= MOST_PENDING + 1_001
        got = b""
        while got.count(b"\n") < 300 - missed:
            got += os.read(master, 65536)
        assert terminal._stream.outlet.drain(10.0)
        terminal.write("back")
        while b"back" not in got:
            got += os.read(master, 65536)
        assert f"({missed} lines were not shown".encode() in got
        terminal._stream.outlet.close(1.0)
    os.close(master)
