"""The line to the helper: what a fresh helper is told, and that nothing is passed on twice."""

from __future__ import annotations

from pinch_tui.services.practice.helper.link import MAX_KEPT, PACKET_BYTES, HelperLink, Lost, Speech
from pinch_tui.services.practice.helper.pipe import Kind
from pinch_tui.services.practice.ports import Final, Interim, SessionPlan

FRAME = b"\1\0" * 320


class Wire:
    """A link whose packets are kept in a list."""

    def __init__(self) -> None:
        self.sent: list[tuple[Kind, bytes]] = []
        self.link = HelperLink(lambda kind, _, payload: self.sent.append((kind, payload)), 1, PLAN)

    def events(self) -> list[object]:
        found = []
        while not self.link.events.empty():
            found.append(self.link.events.get_nowait())
        return found

    def taken(self) -> list[tuple[Kind, bytes]]:
        sent, self.sent = self.sent, []
        return sent


PLAN = SessionPlan("en", "es")


def final(segment: int, text: str) -> Final:
    return Final(segment, text, text, "en", "es")


def test_frames_travel_in_packets_and_nothing_is_left_behind():
    wire = Wire()
    for _ in range(5):
        wire.link.audio(FRAME)
    assert wire.taken() == [(Kind.AUDIO, FRAME * 4)]
    assert len(FRAME * 4) == PACKET_BYTES
    wire.link.prepare()
    wire.link.finish()
    assert wire.taken() == [(Kind.AUDIO, FRAME), (Kind.PREPARE, b""), (Kind.FINISH, b"")]


def test_a_fresh_helper_is_told_what_is_not_answered():
    wire = Wire()
    wire.link.audio(FRAME * 4)
    wire.link.finish()
    wire.link.finished()
    wire.link.audio(FRAME * 8)
    wire.link.finish()
    wire.taken()
    wire.link.died(is_final=False)
    wire.link.repeat()
    assert wire.taken() == [(Kind.AUDIO, FRAME * 8), (Kind.FINISH, b"")]
    assert wire.events() == []


def test_what_came_already_is_not_passed_on_again():
    wire = Wire()
    wire.link.audio(FRAME * 4)
    wire.link.heard(Interim(1, "one"))
    wire.link.heard(final(1, "one"))
    wire.link.speech(b"a")
    wire.link.heard(Interim(2, "two"))
    assert [getattr(event, "segment", 0) for event in wire.events()] == [1, 1, 0, 2]
    wire.link.died(is_final=False)
    wire.link.repeat()
    for event in (Interim(1, "one"), final(1, "one")):
        wire.link.heard(event)
    wire.link.speech(b"a")
    wire.link.speech(b"b")
    wire.link.heard(final(2, "two"))
    assert wire.events() == [Speech(b"b"), final(2, "two")]


def test_segments_are_numbered_on_across_helpers():
    wire = Wire()
    wire.link.audio(FRAME * 4)
    wire.link.heard(final(1, "one"))
    wire.link.finish()
    wire.link.finished()
    wire.link.audio(FRAME * 4)
    wire.link.died(is_final=False)
    wire.link.repeat()
    wire.link.heard(final(1, "two"))
    assert wire.events() == [final(1, "one"), final(2, "two")]


def test_a_line_gives_up_after_three_helpers_or_without_the_sound_or_for_good():
    for case in ("thrice", "long", "for good"):
        wire = Wire()
        wire.link.audio(FRAME * 4)
        for _ in range(MAX_KEPT // 640_000 + 1 if case == "long" else 0):
            wire.link.audio(FRAME * 1_000)
        for _ in range(2 if case == "thrice" else 0):
            wire.link.died(is_final=False)
            assert wire.events() == []
        wire.link.died(is_final=case == "for good")
        assert wire.events() == [Lost(1)]
        wire.link.died(is_final=False)
        assert wire.events() == []
        wire.link.heard(final(1, "two"))
        assert wire.events() == [final(2, "two")]
