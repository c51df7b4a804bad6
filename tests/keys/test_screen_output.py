"""The screen's way to a terminal that reads, stops and reads again."""

from __future__ import annotations

import io
from typing import cast

from pinch_tui.keys.screen_output import MOST_PENDING, STALLED_S, ScreenOutput
from pinch_tui.outlet import Outlet

FRAME, SYNC, MOUSE_OFF = "\x1b[1;1Hhello\x1b[0m", "\x1b[?2026h", "\x1b[?1000l"


class FakeOutlet:
    def __init__(self) -> None:
        self.written: list[str] = []
        self.pending = 0
        self.waiting_s = 0.0
        self.closed: float | None = None

    def write(self, data: bytes) -> None:
        if data:
            self.written.append(data.decode())

    def close(self, limit_s: float) -> bool:
        self.closed = limit_s
        return True


def make() -> tuple[ScreenOutput, FakeOutlet, list[str]]:
    outlet, painted = FakeOutlet(), []
    output = ScreenOutput(io.StringIO(), lambda: painted.append("whole"), cast(Outlet, outlet))
    return output, outlet, painted


def test_a_terminal_that_reads_gets_every_frame() -> None:
    output, outlet, painted = make()
    for text in (SYNC, FRAME, MOUSE_OFF):
        output.write(text)
    output._idle()
    assert outlet.written == [SYNC, FRAME, MOUSE_OFF]
    assert (output.dropped, painted) == (0, [])


def test_a_stopped_terminal_loses_frames_and_is_painted_whole_once() -> None:
    output, outlet, painted = make()
    outlet.waiting_s = STALLED_S + 0.1
    for text in (SYNC, FRAME, MOUSE_OFF, FRAME):
        output.write(text)
    assert outlet.written == []
    assert output.dropped == 3
    outlet.waiting_s = 0.0
    output.write(FRAME)
    assert outlet.written == [], "a frame drawn over a gap would be wrong"
    output._idle()
    assert outlet.written == [MOUSE_OFF], "modes are kept"
    output._idle()
    assert painted == ["whole"]
    output.write(FRAME)
    assert outlet.written[-1] == FRAME


def test_what_waits_for_a_slow_terminal_is_bounded() -> None:
    output, outlet, _ = make()
    outlet.pending = MOST_PENDING + 1
    output.write(FRAME)
    assert (outlet.written, output.dropped) == ([], 1)


def test_leaving_keeps_the_modes_and_waits_only_for_a_moment() -> None:
    output, outlet, _ = make()
    outlet.waiting_s = STALLED_S + 0.1
    output.write(MOUSE_OFF)
    output.stop()
    assert outlet.written == [MOUSE_OFF]
    assert outlet.closed is not None and outlet.closed <= 1.0


def test_a_terminal_of_another_encoding_gets_its_own_bytes_and_no_fewer_cells() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="iso-8859-1")
    outlet = FakeOutlet()
    written: list[bytes] = []
    outlet.write = written.append  # type: ignore[method-assign]
    ScreenOutput(file, lambda: None, cast(Outlet, outlet)).write("\x1b[1mBuenos días 日本 \ud800")
    assert written == [b"\x1b[1mBuenos d\xedas ???? ?"]
