"""Which utterance a text answers, over services that keep their pace: the order and the delays tell."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.session.attribution.attribution import Attribution, Move
from pinch_tui.core.session.attribution.pace import Pace
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

GRACE_S, PAUSE_S = 0.25, 0.3


@dataclass(frozen=True)
class Spoken:
    """One utterance: seconds of pause before it and of its sound, and how many segments it is recognised in."""

    pause: float
    length: float
    n: int = 1


class Service:
    """Says of each segment an interim ``lag`` seconds after its beginning, and its final ``lag`` after its end."""

    def __init__(self, lag: float, *, has_interims: bool = True, has_sentences: bool = False) -> None:
        self.lag, self._has_interims = lag, has_interims
        self.attribution = Attribution(Pace(), grace_s=PAUSE_S)
        self.attribution.estimate.has_sentences = has_sentences
        self._now = 100.0
        self._number = 0
        self.credited: dict[str, int] = {}

    def converse(self, talks: list[Spoken]) -> dict[str, int]:
        """All the utterances, sent one after another; returns whose each segment is in the end."""
        facts: list[tuple[float, int, str, int, int]] = []  # when, in what order, what, utterance, segment
        t = self._now
        for talk in talks:
            self._number += 1
            t += talk.pause
            facts += [(t, 0, "sent", self._number, 0), (t + talk.length, 0, "finalize", self._number, 0)]
            for k in range(talk.n):
                begin, end = (t + talk.length * (k + i) / talk.n for i in (0, 1))
                if self._has_interims:
                    facts.append((begin + self.lag, 2, "interim", self._number, k))
                facts.append((end + self.lag + GRACE_S, 1, "final", self._number, k))
            t += talk.length
        for at, _, what, number, k in sorted(facts):
            self._until(at)
            self._tell(what, number, k, at)
        self._until(t + self.lag + 10.0)
        for number in range(self._number - len(talks) + 1, self._number + 1):  # the silent ones end first
            if number not in self.credited.values():
                self._take(self.attribution.settled(number, self._now))
        for number in range(self._number - len(talks) + 1, self._number + 1):
            self._take(self.attribution.settled(number, self._now))
        return self.credited

    def _until(self, at: float) -> None:
        while (due := self.attribution.wake_at()) is not None and due <= at:
            self._take(self.attribution.due(due))
        self._now = at

    def _tell(self, what: str, number: int, k: int, at: float) -> None:
        if what == "sent":
            self.attribution.first_sent(number, at)
            self.attribution.voiced(number, at)
        elif what == "finalize":
            self.attribution.finalized(number, at, is_voiced=True)
        else:
            id_ = f"{number}.{k}"
            self._hear(id_, f"{what} {id_}", is_final=what == "final", at=at)

    def _hear(self, id_: str, text: str, *, is_final: bool, at: float) -> None:
        credited, moved = self.attribution.of_text(TranscriptMessage(TranscriptKind.ORIGINAL, id_, text, is_final), at)
        assert credited is not None
        own = [move for move in moved if move.source == move.target]
        self._take([move for move in moved if move not in own])
        self.credited[id_] = credited
        self._take(own)

    def _take(self, moved: list) -> None:  # type: ignore[type-arg]
        for move in moved:
            assert self.credited[move.id] == move.source
            self.credited[move.id] = move.target


def own(credited: dict[str, int]) -> bool:
    return all(int(id_.split(".")[0]) == number for id_, number in credited.items())


seconds = st.floats(0.0, 3.0)
any_talk = st.builds(Spoken, st.floats(PAUSE_S + 0.05, 5.0), st.floats(0.3, 3.0), st.integers(0, 4))


@given(seconds, st.lists(any_talk, min_size=1, max_size=6))
def test_once_the_pace_is_known_each_text_stands_in_its_row(lag: float, talks: list[Spoken]) -> None:
    service = Service(lag, has_sentences=True)
    assert service.converse([Spoken(1.0, 1.0)]) == {"1.0": 1}
    credited = service.converse(talks)
    assert own(credited), credited


@given(seconds, st.booleans(), st.lists(any_talk, min_size=1, max_size=6))
def test_where_each_utterance_is_one_segment_no_pace_is_needed(
    lag: float, has_interims: bool, talks: list[Spoken]
) -> None:
    service = Service(lag, has_interims=has_interims)
    credited = service.converse([Spoken(talk.pause, talk.length) for talk in talks])
    assert own(credited), credited


def test_a_slow_service_owes_segments_of_the_first_press_while_the_second_is_sent() -> None:
    """Nothing is known of its pace, and the first text comes when both were sent."""
    credited = Service(2.3, has_sentences=True).converse([Spoken(0.2, 2.0, 4), Spoken(0.3, 1.0, 2)])
    assert own(credited), credited


@pytest.mark.parametrize("lag", [0.0, 0.2, 1.0, 2.9])
def test_quick_taps_in_which_nothing_is_recognised_take_no_words(lag: float) -> None:
    service = Service(lag, has_interims=False)
    service.converse([Spoken(1.0, 1.0)])
    credited = service.converse([Spoken(3.0, 0.3, 0), Spoken(0.4, 0.8), Spoken(0.4, 0.3, 0), Spoken(0.35, 0.4)])
    assert own(credited), credited


def test_of_two_with_one_answer_the_later_one_was_answered_as_far_as_is_known() -> None:
    credited = Service(0.5).converse([Spoken(0.2, 0.5, 0), Spoken(0.4, 0.5)])
    assert credited == {"2.0": 2}
    credited = Service(1.5).converse([Spoken(0.2, 0.5), Spoken(0.4, 0.5, 0)])
    assert credited == {"1.0": 2}, "the smaller delay: the pace is unknown"


class Overtaking(Service):
    """Sends an interim and a final twice a second while somebody talks, ``ear`` seconds after the sound; the last final
    ``lag`` seconds after the end, which a final of the next utterance may overtake. No interim of less than 0.24 s."""

    def __init__(self, ear: float, lag: float) -> None:
        super().__init__(lag)
        self._ear = ear

    def overtake(self, tap: float, pause: float, talk: float) -> dict[str, int]:
        """A tap and a talk; returns whose each segment is in the end."""
        t = self._now + 1.0
        begun = t + tap + pause
        ended = begun + talk
        facts: list[tuple[float, int, str, int, str]] = [
            (t, 0, "sent", 1, ""),
            (t + tap, 0, "finalize", 1, ""),
            (begun, 0, "sent", 2, ""),
            (ended, 0, "finalize", 2, ""),
            (t + tap + self.lag + GRACE_S, 1, "final", 1, "a tap"),
            (ended + self.lag + GRACE_S + 0.01, 1, "final", 2, "the talk, whole"),
        ]
        for n in range(int(talk / 0.5) + 1):
            for kind, at in (("interim", 0.5 * n + 0.24), ("final", 0.5 * n + 0.5)):
                if at <= talk:
                    facts.append((begun + at + self._ear, 2, kind, 2, f"the talk, {n} {kind}"))
        for at, _, what, number, text in sorted(facts):
            self._until(at)
            if text:
                self._hear(str(number), text, is_final=what == "final", at=at)
            else:
                self._tell(what, number, 0, at)
        return self.credited


@given(st.floats(0.0, 0.3), seconds, st.floats(0.02, 0.23), st.floats(PAUSE_S, 2.0), st.floats(1.3, 3.0))
def test_finals_of_a_talk_that_overtake_the_final_of_a_tap_stay_with_the_talk(
    ear: float, lag: float, tap: float, pause: float, talk: float
) -> None:
    """Its interims went on for longer than the whole tap."""
    assert Overtaking(ear, lag).overtake(tap, pause, talk) == {"1": 1, "2": 2}


def test_a_service_that_became_quick_is_measured_by_what_it_does_now() -> None:
    """Each is answered once; the pace of long ago would give the first one two answers."""
    service = Service(2.5, has_interims=False)
    service.converse([Spoken(1.0, 1.0)])
    service.lag = 0.2
    credited = service.converse([Spoken(3.0, 0.6), Spoken(0.35, 0.3), Spoken(0.35, 0.3)])
    assert own(credited), credited


def test_a_late_first_segment_stands_before_the_one_that_was_told_of_first() -> None:
    """Both answer one utterance; the second has interims, the first was too short for one."""
    attribution = Attribution(Pace(), grace_s=PAUSE_S)
    attribution.first_sent(1, 0.0)
    attribution.finalized(1, 2.0, is_voiced=True)

    def say(id_: str, *, is_final: bool, at: float) -> list[Move]:
        number, moved = attribution.of_text(TranscriptMessage(TranscriptKind.ORIGINAL, id_, id_, is_final), at)
        assert number == 1
        return moved

    assert say("second", is_final=False, at=1.0) == []
    assert say("first", is_final=True, at=2.5) == [Move("first", 1, 1, "second")]


def test_sentences_after_an_unheard_utterance_stay_in_one_row() -> None:
    """The service had never split an utterance before."""
    service = Service(0.15)
    service.converse([Spoken(1.0, 1.0), Spoken(3.0, 1.0), Spoken(3.0, 1.0)])
    credited = service.converse([Spoken(3.0, 2.4, 0), Spoken(1.0, 1.3, 4)])
    assert own(credited), credited
