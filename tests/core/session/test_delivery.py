"""Delivery: checkpoints of an utterance without end, attribution, and what a lost connection leaves behind."""

from __future__ import annotations

from pinch_tui.core.events import FRAME_S, Frame
from pinch_tui.core.session.attribution.attribution import MAX_SEGMENTS, MAX_SEGMENTS_PER_S
from pinch_tui.core.session.delivery import Delivery
from pinch_tui.core.session.events import (
    MessageIgnored,
    Restarted,
    SendAudio,
    SendFinalize,
    Settled,
    SpeechReceived,
    Step,
    TextMoved,
    TextReceived,
)
from pinch_tui.core.wire import SpeechChunk, TranscriptKind, TranscriptMessage
from pinch_tui.services.pinch.traits import PINCH

CHUNK = SpeechChunk(bytes(4 * 1920))


class Scene:
    def __init__(self, *, has_checkpoints: bool = False) -> None:
        self.delivery = Delivery(PINCH, has_checkpoints=has_checkpoints)
        self.now = 100.0
        self.index = 0
        self.delivery.connect(1, expects_speech=True, now=self.now)

    def start(self, number: int) -> None:
        self.delivery.start(number)

    def talk(self, number: int, seconds: float, *, peak: float = 0.5) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.now += FRAME_S
            self._leave(self.delivery.frame(number, Frame(bytes(640), self.index, self.now, peak), self.now))
            self.index += 1
            self._leave(self.delivery.due(self.now))

    def end(self, number: int) -> None:
        self._leave(self.delivery.end(number, self.now))

    def connect(self, generation: int) -> None:
        self._leave(self.delivery.connect(generation, expects_speech=True, now=self.now))

    def _leave(self, steps: list[Step]) -> None:
        """The socket takes at once what it is handed."""
        for step in steps:
            if isinstance(step, SendAudio | SendFinalize):
                self._leave(self.delivery.taken(self.now))

    def text(self, id_: str, *, is_final: bool = True, kind: TranscriptKind = TranscriptKind.ORIGINAL) -> int | None:
        steps = self.delivery.text(TranscriptMessage(kind, id_, "text", is_final), self.now)
        return steps[0].number if steps and isinstance(steps[0], TextReceived) else None

    def both(self, id_: str) -> int | None:
        self.text(id_)
        return self.text(id_, kind=TranscriptKind.TRANSLATED)

    def finals(self, id_: str, words: str) -> list[Step]:
        said = TranscriptMessage(TranscriptKind.ORIGINAL, id_, words, is_final=True)
        meant = TranscriptMessage(TranscriptKind.TRANSLATED, id_, words, is_final=True, original_text=words)
        return [*self.delivery.text(said, self.now), *self.delivery.text(meant, self.now)]

    def speech(self) -> int | None:
        steps = self.delivery.speech(CHUNK, self.now)
        return steps[0].number if steps and isinstance(steps[0], SpeechReceived) else None

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.now += 0.1
            self.pong()
            self._leave(self.delivery.due(self.now))

    def pong(self) -> None:
        self.delivery.pinged(self.now)
        self.delivery.ponged(self.now)

    def moves(self, steps: list[Step]) -> list[tuple[str, int, int]]:
        return [(step.id, step.source, step.target) for step in steps if isinstance(step, TextMoved)]

    def drop(self) -> Restarted:
        step = self.delivery.disconnect(self.now)[0]
        assert isinstance(step, Restarted)
        return step


def test_a_checkpoint_lets_go_of_what_is_settled_with_its_speech() -> None:
    s = Scene(has_checkpoints=True)
    s.start(1)
    s.talk(1, 2.0)
    s.both("a")
    s.speech()
    s.speech()
    s.talk(1, 2.0, peak=0.0)
    told = s.drop()
    assert told.kept_segments == 1
    assert told.kept_speech == 2 * 1920
    item = s.delivery.outbox.get(1)
    assert item is not None and item.waiting <= 15 + 70
    s.connect(2)
    s.talk(1, 1.0)
    s.both("b")
    s.speech()
    s.talk(1, 2.0, peak=0.0)
    assert s.drop().kept_speech == 3 * 1920


def test_a_checkpoint_keeps_words_that_nothing_has_been_said_about_yet() -> None:
    s = Scene(has_checkpoints=True)
    s.start(1)
    s.talk(1, 1.0)
    s.both("a")
    voiced_from = s.delivery.outbox.get(1).next  # type: ignore[union-attr]
    s.talk(1, 0.8)  # a second sentence, which the service has not recognized yet
    s.talk(1, 1.2, peak=0.0)
    told = s.drop()
    item = s.delivery.outbox.get(1)
    assert item is not None
    assert item.base <= voiced_from, "its sound would be lost with the connection"
    assert told.kept_segments in (0, 1)


def test_ids_of_a_lost_connection_mean_nothing_to_the_next() -> None:
    s = Scene()
    s.start(1)
    s.talk(1, 1.0)
    s.end(1)
    assert s.both("seg_1") == 1
    s.wait(3.0)
    s.delivery.disconnect(s.now)
    assert s.text("seg_1") is None
    assert s.speech() is None


def test_speech_that_never_came_does_not_stand_in_the_way_of_the_next() -> None:
    s = Scene()
    for number in (1, 2):
        s.start(number)
        s.talk(number, 1.0)
        s.end(number)
        s.wait(0.4)  # the service's grace
        assert s.both(f"seg_{number}") == number
        if number == 2:
            assert s.speech() == 2, "the first was settled without speech"
        s.wait(3.0)


def test_a_late_final_belongs_to_the_utterance_that_still_waits() -> None:
    s = Scene()
    s.start(1)
    s.talk(1, 0.4)
    s.end(1)
    s.wait(1.0)
    s.start(2)
    s.talk(2, 2.2)
    assert s.both("seg_1") == 1, "3.2 s after its finalize, as long as it is not settled"
    assert s.both("seg_2") == 2


def answered(s: Scene, number: int, *, after: float = 0.4) -> None:
    """An utterance with an interim as it goes on and both finals after its finalize."""
    s.start(number)
    s.talk(number, 0.6)
    assert s.text(f"seg_{number}", is_final=False) == number
    s.end(number)
    s.wait(after)
    assert s.both(f"seg_{number}") == number


def test_the_first_interim_of_a_quick_service_stands_in_its_own_row() -> None:
    s = Scene()
    answered(s, 1)
    s.wait(4.0)
    s.start(2)
    s.talk(2, 0.02)
    assert s.text("seg_2", is_final=False) == 2, "the first is settled, however soon the text comes"


def test_an_interim_while_an_answer_is_missing_is_that_answer() -> None:
    """As far as is known: how long this service takes was never seen."""
    s = Scene()
    s.start(1)
    s.talk(1, 0.4)
    s.end(1)
    s.wait(0.4)
    s.start(2)
    s.talk(2, 1.0)
    assert s.text("seg_1", is_final=False) == 1
    assert s.text("seg_2", is_final=False) == 2


def test_an_interim_later_than_the_service_ever_was_belongs_to_who_talks_now() -> None:
    s = Scene()
    answered(s, 1)
    s.wait(4.0)
    s.start(2)
    s.talk(2, 0.4)
    s.end(2)
    s.wait(2.0)
    s.start(3)
    s.talk(3, 1.0)
    assert s.text("seg_3", is_final=False) == 3


def test_a_final_shows_that_an_unfinished_segment_is_the_next_ones() -> None:
    s = Scene()
    s.start(1)
    s.talk(1, 0.4)
    s.end(1)
    s.wait(0.4)
    s.start(2)
    s.talk(2, 0.5)
    assert s.text("seg_2", is_final=False) == 1
    steps = s.delivery.text(TranscriptMessage(TranscriptKind.ORIGINAL, "seg_1", "text", is_final=True), s.now)
    assert [type(step) for step in steps] == [TextMoved, TextReceived]
    assert s.moves(steps) == [("seg_2", 1, 2)]
    assert s.text("seg_2") == 2


def test_the_only_answer_of_two_utterances_goes_to_the_later_one() -> None:
    """Nothing was recognised in the first: a cough, or a tap."""
    s = Scene()
    s.start(1)
    s.talk(1, 0.4)
    s.end(1)
    s.wait(0.4)
    s.start(2)
    s.talk(2, 0.5)
    assert s.text("seg_2", is_final=False) == 1
    s.end(2)
    s.wait(0.4)
    assert s.both("seg_2") == 1
    steps: list[Step] = []
    for _ in range(80):
        s.now += 0.1
        s.pong()
        steps += s.delivery.due(s.now)
        s._leave(steps[-1:])
    assert s.moves(steps) == [("seg_2", 1, 2)]
    settled = [step.number for step in steps if isinstance(step, Settled)]
    assert sorted(settled) == [1, 2]
    assert not s.delivery.is_active


def test_what_is_thrown_away_does_not_take_the_words_of_the_next() -> None:
    s = Scene()
    answered(s, 1)
    s.wait(4.0)
    s.start(2)
    s.talk(2, 0.4)
    s.delivery.cancel(2, s.now)
    s._leave(s.delivery.pump(s.now))
    s.delivery.taken(s.now)
    s.start(3)
    s.wait(0.4)
    s.talk(3, 0.2)
    shown = [s.text("seg_3", is_final=False)]
    s.talk(3, 1.0)
    s.end(3)
    steps: list[Step] = []
    for _ in range(10):
        s.now += 0.1
        steps += s.delivery.text(TranscriptMessage(TranscriptKind.ORIGINAL, "seg_3", "text", is_final=True), s.now)
        steps += s.delivery.due(s.now)
    shown += [step.number for step in steps if isinstance(step, TextReceived)]
    assert 3 in shown
    assert 2 not in shown


def test_an_answered_utterance_is_not_sent_again() -> None:
    s = Scene()
    answered(s, 1)
    assert s.delivery.is_active, "its speech is awaited"
    assert s.delivery.disconnect(s.now) == [Settled(1)]
    assert not s.delivery.is_active


def test_silence_of_a_service_that_may_not_have_got_the_finalize_is_not_emptiness() -> None:
    """Something that it had sent before arrives late; then the connection is dead."""
    s = Scene()
    s.start(1)
    s.talk(1, 1.0)
    s.end(1)
    s.now += 1.0
    s.pong()
    s.now += 10.0
    assert s.delivery.due(s.now) == [], "it lived at first, and may have died before it could say a word"
    s.pong()
    assert s.delivery.due(s.now) == [Settled(1)]


def test_the_grace_begins_when_the_finalize_has_left() -> None:
    """Behind a slow network it stands in a queue for a while."""
    s = Scene()
    s.start(1)
    s.talk(1, 1.0)
    s.delivery.end(1, s.now)
    s.start(2)
    for _ in range(40):
        s.now += FRAME_S
        assert s.delivery.frame(2, Frame(bytes(640), s.index, s.now, 0.5), s.now) == []
        s.index += 1
    s.delivery.taken(s.now)
    left = s.now
    assert s.delivery.wake_at(s.now) == left + PINCH.grace_s
    assert s.delivery.due(left + PINCH.grace_s - 0.01) == []
    assert any(isinstance(step, SendAudio) for step in s.delivery.due(left + PINCH.grace_s))


def test_a_flood_of_segments_is_cut_off_and_counted() -> None:
    s = Scene()
    s.start(1)
    s.talk(1, 1.0)
    taken = sum(s.text(f"id {n}") == 1 for n in range(5_000))
    assert MAX_SEGMENTS <= taken <= MAX_SEGMENTS + 2 * MAX_SEGMENTS_PER_S
    flood = TranscriptMessage(TranscriptKind.ORIGINAL, "one more", "text", is_final=True)
    assert s.delivery.text(flood, s.now) == [MessageIgnored(is_unknown=False)]
    assert s.text("id 0") == 1  # what is known goes on
    s.talk(1, 2.0)
    assert s.text("later") == 1


def test_what_comes_before_anything_was_said_is_no_flood() -> None:
    assert Scene().delivery.text(TranscriptMessage(TranscriptKind.ORIGINAL, "a", "text", is_final=True), 100.0) == []


def test_words_that_a_slow_socket_took_after_the_last_text_are_waited_for() -> None:
    """What was handed to the socket has not left: a text that came meanwhile does not tell of it."""
    s = Scene()
    s.start(1)
    s.talk(1, 1.0)
    for _ in range(20):  # the end of the utterance waits in the socket's queue
        s.now += FRAME_S
        s.delivery.frame(1, Frame(bytes(640), s.index, s.now, 0.5), s.now)
        s.index += 1
    s.delivery.end(1, s.now)
    s.now += 0.4
    s.both("a")  # of the first second
    while s.delivery._queued:
        s.delivery.taken(s.now)
    s.wait(3.0)
    assert s.delivery.is_active, "the last words may still come"
    s.delivery.text(TranscriptMessage(TranscriptKind.ORIGINAL, "a", "text and more", is_final=True), s.now)
    s.delivery.text(TranscriptMessage(TranscriptKind.TRANSLATED, "a", "text and more", is_final=True), s.now)
    s.wait(3.0)
    assert not s.delivery.is_active


def test_a_late_first_segment_goes_to_its_place_once_its_text_is_there() -> None:
    scene = Scene()
    scene.start(1)
    scene.talk(1, 1.0)
    assert scene.text("second", is_final=False) == 1
    scene.end(1)
    message = TranscriptMessage(TranscriptKind.ORIGINAL, "first", "text", True)
    steps = scene.delivery.text(message, scene.now)
    assert steps == [TextReceived(1, 1, message), TextMoved("first", 1, 1, 1, "second")]


def exchanged() -> Scene:
    """A press too short for an interim, and a next one whose first final came before the answer to it."""
    s = Scene()
    s.start(1)
    s.talk(1, 0.1)
    s.end(1)
    s.wait(0.3)
    s.start(2)
    s.talk(2, 0.4)
    assert s.text("b", is_final=False) == 1  # it answers the second one in truth
    s.talk(2, 0.2)
    s.end(2)
    s.finals("b", "one")
    s.wait(0.3)
    s.finals("a", "zero")
    return s


def unsettled(s: Scene) -> list[int]:
    return [item.number for item in s.delivery.outbox]


def test_two_whose_texts_may_be_exchanged_are_both_sent_again_after_a_drop() -> None:
    for seconds in (0.0, 1.0, 3.0):
        s = exchanged()
        s.wait(seconds)
        steps = s.delivery.disconnect(s.now)
        assert [step.number for step in steps if isinstance(step, Restarted)] == [1, 2]
        assert not any(isinstance(step, Settled) for step in steps)


def test_two_whose_texts_may_be_exchanged_are_right_once_the_last_final_comes() -> None:
    s = exchanged()
    s.wait(1.0)
    assert s.moves(s.finals("b", "one two")) == [("b", 1, 2), ("a", 2, 1)]
    s.wait(4.0)
    assert unsettled(s) == []


def test_two_whose_texts_may_be_exchanged_settle_together_once_no_final_is_to_come() -> None:
    s = exchanged()
    s.wait(3.5)
    assert unsettled(s) == [1, 2]
    s.wait(0.5)
    assert unsettled(s) == []


def test_two_whose_texts_may_be_exchanged_do_not_settle_on_a_link_that_is_dead() -> None:
    s = exchanged()
    s.delivery.due(s.now + 6.0)
    assert unsettled(s) == [1, 2]
