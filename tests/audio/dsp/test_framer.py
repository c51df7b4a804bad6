from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.audio.dsp.framer import Framer
from pinch_tui.audio.dsp.preroll import PreRoll
from pinch_tui.core.events import FRAME_BYTES, Frame


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=4000), st.lists(st.integers(0, 900), max_size=40))
def test_any_chopping_gives_the_same_frames(data: bytes, cuts: list[int]) -> None:
    whole, chopped = Framer(), Framer()
    expected = whole.push(data)
    got: list[bytes] = []
    rest = data
    for cut in cuts:
        got += chopped.push(rest[:cut])
        rest = rest[cut:]
    got += chopped.push(rest)
    assert got == expected
    assert chopped.pending == whole.pending
    assert all(len(frame) == FRAME_BYTES for frame in got)
    tail = chopped.flush()
    assert tail == whole.flush()
    joined = b"".join(got) + (tail or b"")
    even = data[: len(data) // 2 * 2]
    assert joined[: len(even)] == even
    assert not any(joined[len(even) :])


def test_flush_pads_the_last_frame_with_zeros_once() -> None:
    framer = Framer()
    assert framer.push(b"\x01\x02\x03") == []
    assert framer.flush() == b"\x01\x02" + bytes(FRAME_BYTES - 2)
    assert framer.flush() is None


def frame(index: int) -> Frame:
    return Frame(bytes(FRAME_BYTES), index, t=index * 0.02 + 0.02)


def test_preroll_gives_what_was_heard_since_and_not_sent_before() -> None:
    ring = PreRoll(0.3)
    for index in range(100):
        ring.push(frame(index))
    now = 100 * 0.02
    got = ring.since(now - 0.09, after_index=-1)
    assert [f.index for f in got] == [95, 96, 97, 98, 99]
    assert [f.index for f in ring.since(now - 0.09, after_index=97)] == [98, 99]
    assert ring.since(now + 0.01, after_index=-1) == []


def test_preroll_is_bounded_and_forgets() -> None:
    ring = PreRoll(0.3)
    for index in range(1000):
        ring.push(frame(index))
    assert len(ring) == 16
    ring.clear()
    assert ring.since(float("-inf"), -1) == []
    none = PreRoll(0.0)
    none.push(frame(1))
    assert none.since(1.0, -1) == []
