"""Which of several open utterances the segments that came answer, as their order and their delays tell. Pure.

Segments come in the order of the sound, so an answer is a way to cut their row into one part for each utterance, empty
ones among them. Of all the ways the cheapest is taken: the one whose delays are most like the service's pace, or, while
that is unknown, most like each other. The unit of cost is a second of delay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

UNHEARD = 0.25
"""Cost of an utterance without any segment, while the pace is known. Less than the grace between two utterances, so
that a wrong delay costs more."""
UNHEARD_UNPACED = 1.0
"""Cost of an utterance without any segment, while the pace is unknown."""
PASSED_OVER = 0.1
"""Cost of an unanswered utterance, not overdue yet, before an answered one."""
THROWN_AWAY = 0.1
"""Cost of a cancelled utterance without any segment, while the pace is unknown. Low: a text that may answer another
utterance is shown."""
SPLIT = 1.2
"""Cost of an utterance with several segments, from a service that never sent more than one."""
FURTHER = 0.02
"""Cost of each segment after an utterance's first."""
UNASKED = 0.7
"""Cost of a final before `finalize`, from a service that never sent one."""
MOST_OFF = 1.1
"""Most that a delay costs, however far off: a service may become slow."""
WEAKER = 0.5
"""Most that an answer's delay costs where the first text's delay is known."""
WEAK = 0.1
"""The same where several segments are usual: the answer may not be the last one."""
OVERTAKEN = 0.25
"""Cost of a final that came before an earlier segment's last final."""
SILENT = 0.5
"""Cost of an answer to an utterance without voice."""
LATE = 0.01
"""Cost of a second of delay, while the pace is unknown."""
FIRST_TEXT_SLACK_S = 0.15
"""A first text may come this much sooner than the soonest so far."""
LONGEST_ANSWER_S = 4.0
"""An answer that takes longer is not expected any more, while the pace is unknown."""
MOST_TURNS, MOST_SEGMENTS = 5, 12
"""How many of the newest turns and segments are weighed; older ones stay where they are. It takes 10 ms at most."""
_PACE_OF = 8  # utterances from which the pace is known


class Span(NamedTuple):
    """Seconds."""

    least: float
    most: float

    def off(self, seconds: float) -> float:
        """By how many seconds this is outside."""
        return max(0.0, self.least - seconds, seconds - self.most)


class Pace:
    """How long the service has taken lately: from a voice to its first interim, from a `finalize` to its final.

    None while none was measured.
    """

    def __init__(self) -> None:
        self.has_many = False
        """Whether it gave an utterance more than one segment."""
        self.has_early_finals = False
        """Whether a final came before the utterance was over, or several for one segment."""
        self._first_texts: deque[float] = deque(maxlen=_PACE_OF)
        self._answers: deque[float] = deque(maxlen=_PACE_OF)
        self._last_finals: deque[float] = deque(maxlen=_PACE_OF)

    @property
    def first_text(self) -> Span | None:
        return Span(min(self._first_texts), max(self._first_texts)) if self._first_texts else None

    @property
    def answer(self) -> Span | None:
        return Span(min(self._answers), max(self._answers)) if self._answers else None

    def took_first_text(self, seconds: float) -> None:
        self._first_texts.append(max(0.0, seconds))

    @property
    def slowest_final_s(self) -> float | None:
        """The longest time from a `finalize` to the last final, including one that only repeated the text before."""
        return max(self._last_finals, default=None)

    def took_last_final(self, seconds: float) -> None:
        self._last_finals.append(seconds)

    def took_answer(self, seconds: float) -> None:
        self._answers.append(max(0.0, seconds))


@dataclass(slots=True, eq=False)
class Segment:
    """One correlation id."""

    id: str
    turn: Turn
    first_at: float
    has_interim: bool  # its first text was one
    text: str = ""  # its newest final original
    finals: list[float] = field(default_factory=list)  # when its final original was new
    interim_at: float = float("-inf")  # its newest interim
    final_at: float = float("-inf")  # its newest final original, a repeated one included

    @property
    def is_unfinished(self) -> bool:
        """Whether its last final is still to come for sure."""
        return not self.finals or self.interim_at > self.finals[-1]

    @property
    def told_at(self) -> float:
        """When its newest text came."""
        return max(self.first_at, self.interim_at, *self.finals[-1:])

    def hear(self, text: str, *, is_final: bool, now: float) -> bool:
        """Its original came; True for a final that is new."""
        if not is_final and text not in self.text:
            self.interim_at = now
        if is_final:
            self.final_at = now
        is_new = is_final and text != self.text and len(self.finals) < MOST_SEGMENTS
        if is_new:
            self.finals.append(now)
            self.text = text
        return is_new


@dataclass(slots=True, eq=False)
class Turn:
    """One utterance on a connection."""

    number: int
    sent_at: float
    segments: list[Segment] = field(default_factory=list)
    voiced_from: float | None = None  # when the first of its voice had left
    is_voiced: bool = True
    finalized_at: float | None = None
    is_settled: bool = False
    is_cancelled: bool = False
    is_overdue: bool = False  # its answer would have come

    @property
    def has_early_finals(self) -> bool:
        """Whether a final came before the utterance was over, or several for one segment."""
        over_at = float("inf") if self.finalized_at is None else self.finalized_at
        return any(len(s.finals) > 1 or (s.finals and s.finals[0] < over_at) for s in self.segments)

    @property
    def began_at(self) -> float:
        return self.sent_at if self.voiced_from is None else self.voiced_from

    def first_text_s(self, segments: Sequence[Segment]) -> float | None:
        """Seconds from its voice to the first text of these segments, if that was an interim."""
        first = min(segments, key=lambda segment: segment.first_at)
        return max(0.0, first.first_at - self.began_at) if first.has_interim else None

    @property
    def last_final_s(self) -> float | None:
        """From its `finalize` to the newest final after it, one that repeats the text before included."""
        newest = max((segment.final_at for segment in self.segments), default=float("-inf"))
        return None if self.finalized_at is None or newest < self.finalized_at else newest - self.finalized_at

    def answer_s(self, last: Segment) -> float | None:
        """From its `finalize` to the final of its last segment."""
        if self.finalized_at is None or not last.finals or last.finals[-1] < self.finalized_at:
            return None
        return last.finals[-1] - self.finalized_at


def overrun_s(turn: Turn, segments: Sequence[Segment]) -> float:
    """How much longer after the utterance's sound the interims of these segments go on than they began after it."""
    if turn.finalized_at is None:
        return 0.0
    begun_at = next((segment.first_at for segment in segments if segment.has_interim), None)
    if begun_at is None:
        return 0.0
    told_at = max(segment.interim_at for segment in segments)
    return max(0.0, (told_at - begun_at) - (turn.finalized_at - turn.began_at))


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of the service's delays; of each kind None while nothing is."""

    first_text: Span | None = None
    answer: Span | None = None
    has_many: bool = False  # an utterance may have several segments
    has_early_finals: bool = False  # a final may come before the utterance is over
    is_known: bool = False  # the delays were measured, not guessed

    @property
    def swing_s(self) -> float:
        """By how much the delays differ."""
        return max((span.most - span.least for span in (self.first_text, self.answer) if span is not None), default=0.0)

    def learned(self, first_text: float | None, answer: float | None) -> Expected:
        """With the delays of the utterance before as a measure, too."""
        return replace(self, first_text=_with(self.first_text, first_text), answer=_with(self.answer, answer))


def _with(span: Span | None, seconds: float | None) -> Span | None:
    if seconds is None:
        return span
    return Span(seconds, seconds) if span is None else Span(min(span.least, seconds), max(span.most, seconds))


def credit(
    turns: Sequence[Turn], segments: Sequence[Segment], expected: Expected, now: float
) -> tuple[float, list[Turn]]:
    """What it costs, and the turn of each segment.

    ``turns``: the open ones, oldest first; ``segments``: theirs, in order of the sound.
    """
    kept = max(0, len(segments) - MOST_SEGMENTS)
    first = max(0, len(turns) - MOST_TURNS)
    while kept < len(segments) and turns.index(segments[kept].turn) < first:
        kept += 1
    if kept:
        first = max(first, turns.index(segments[kept - 1].turn))
    has_earlier = kept > 0 and segments[kept - 1].turn is turns[first]
    if has_earlier:
        begun = [segment for segment in segments if segment.turn is turns[first]]
        expected = expected.learned(turns[first].first_text_s(begun), None)
    weighed = _Weighing(turns[first:], segments[kept:], expected, now, has_earlier=has_earlier)
    cost, ends = weighed.cheapest(0, 0, (None, None))
    credited = [segment.turn for segment in segments[:kept]]
    at = 0
    for turn, end in zip(turns[first:], ends, strict=True):
        credited += [turn] * (end - at)
        at = end
    return cost, credited


_Delays = tuple[float | None, float | None]
"""Of one utterance's first text and of its answer."""


class _Weighing:
    def __init__(
        self, turns: Sequence[Turn], segments: Sequence[Segment], expected: Expected, now: float, *, has_earlier: bool
    ) -> None:
        self._turns, self._segments, self._now = turns, segments, now
        self._measured = expected
        self._has_earlier = has_earlier  # the first turn has segments that are not weighed
        self._expected: dict[_Delays, Expected] = {}
        self._known: dict[tuple[int, int, _Delays], tuple[float, tuple[int, ...]]] = {}
        finals = [bool(segment.finals) for segment in segments]
        self._has_later_final = [any(finals[i:]) for i in range(len(segments) + 1)]

    def cheapest(self, k: int, i: int, before: _Delays) -> tuple[float, tuple[int, ...]]:
        """The cost of crediting the segments from ``i`` on to the turns from ``k`` on, and where each turn's end.

        ``before``: the delays of the last utterance before these that was answered.
        """
        n = len(self._segments)
        if k == len(self._turns):
            return (0.0 if i == n else float("inf")), ()
        found = self._known.get((k, i, before))
        if found is None:
            found = float("inf"), (n,) * (len(self._turns) - k)
            for j in range(n, i - 1, -1):
                cost, then = self._cost(k, i, j, before)
                if cost == float("inf"):  # nothing of it was sent when the first of them came
                    continue
                if cost < found[0]:
                    rest, ends = self.cheapest(k + 1, j, then)
                    if cost + rest < found[0] - 1e-9:
                        found = cost + rest, (j, *ends)
            self._known[k, i, before] = found
        return found

    def _cost(self, k: int, i: int, j: int, before: _Delays) -> tuple[float, _Delays]:
        turn = self._turns[k]
        expected = self._expected.get(before)
        if expected is None:
            expected = self._expected[before] = self._measured.learned(*before)
        has_earlier = k == 0 and self._has_earlier
        if i == j:
            return (0.0 if has_earlier else self._unanswered(turn, i, expected)), before
        first, last = self._segments[i], self._segments[j - 1]
        if first.first_at < turn.began_at - 1e-6:
            return float("inf"), before
        cost = 0.0 if turn.is_voiced else SILENT
        if (further := j - i - 1 + has_earlier) > 0:
            cost += FURTHER * further + (0.0 if expected.has_many else SPLIT)
        first_text = None if has_earlier else turn.first_text_s(self._segments[i:j])
        if first_text is not None:
            span = expected.first_text
            cost += LATE * first_text if span is None else min(MOST_OFF, span.off(first_text))
        cost += min(MOST_OFF, overrun_s(turn, self._segments[i:j]))
        answer = turn.answer_s(last)
        is_early = expected.has_early_finals or len(last.finals) > 1
        if answer is None:
            cost += 0.0 if not last.finals or expected.has_many or is_early else UNASKED
        elif expected.answer is None:
            cost += LATE * answer
        elif not is_early or answer > expected.answer.most:  # else the answer itself may follow
            most = MOST_OFF if first_text is None else WEAK if expected.has_many else WEAKER
            cost += min(most, expected.answer.off(answer))
        return cost, (before[0] if first_text is None else first_text, before[1] if answer is None else answer)

    def _unanswered(self, turn: Turn, i: int, expected: Expected) -> float:
        """Of a turn before the segments from ``i`` on."""
        if turn.finalized_at is not None and not turn.is_voiced:
            return 0.0
        whole = UNHEARD + self._measured.swing_s
        if not expected.is_known:
            whole = THROWN_AWAY if turn.is_cancelled else UNHEARD_UNPACED
        if turn.is_overdue or self._has_later_final[i]:
            return whole
        late = PASSED_OVER if i < len(self._segments) else 0.0
        if turn.finalized_at is not None:
            most = LONGEST_ANSWER_S if expected.answer is None else expected.answer.most
            late = max(late, self._now - (turn.finalized_at + most))
        if expected.first_text is not None:
            late = max(late, self._now - (turn.began_at + expected.first_text.least - FIRST_TEXT_SLACK_S))
        return min(whole, max(0.0, late))
