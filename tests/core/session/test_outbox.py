"""The outbox keeps a bound, whatever happens."""

from __future__ import annotations

from pinch_tui.core.events import FRAME_S, Frame
from pinch_tui.core.session.outbox import Outbox


def frame(index: int) -> Frame:
    return Frame(bytes(640), index, index * FRAME_S)


def kept(outbox: Outbox) -> int:
    return sum(len(item.frames) for item in outbox)


def test_what_was_sent_goes_before_what_waits() -> None:
    outbox = Outbox(keep_s=1.0)
    for number in (1, 2):
        outbox.start(number)
    for i in range(30):
        outbox.add(1, frame(i))
    for i in range(20):
        outbox.add(2, frame(100 + i))
    second = outbox.get(2)
    assert second is not None
    for _ in range(5):
        second.take(0.0)
    for i in range(5):
        outbox.add(2, frame(200 + i))
    first = outbox.get(1)
    assert first is not None
    assert (first.waiting, second.base, outbox.forgotten) == (30, 5, 5)


def test_hours_without_a_service_are_bounded_too() -> None:
    outbox = Outbox(keep_s=1.0)
    for number in range(1, 11):
        outbox.start(number)
        for i in range(20):
            outbox.add(number, frame(100 * number + i))
        assert kept(outbox) <= 50
    assert outbox.forgotten == 150
    newest = outbox.get(10)
    assert newest is not None and newest.waiting == 20
    item = outbox.get(8)
    assert item is not None and item.waiting == 10
    assert [item.take(0.0).index for _ in range(10)] == [810 + i for i in range(10)]
    assert item.restart()
    assert item.waiting == 10


def test_the_count_follows_every_way_out() -> None:
    outbox = Outbox(keep_s=1.0)
    for round_ in range(50):
        outbox.start(round_)
        for i in range(40):
            outbox.add(round_, frame(100 * round_ + i))
        if round_ % 2:
            outbox.cancel(round_)
        outbox.remove(round_)
    assert kept(outbox) == 0 and outbox.forgotten == 0
    assert len(outbox) == 0
