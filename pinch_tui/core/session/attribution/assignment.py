"""Splits the segments that came back among the utterances that they may answer, by order and by delay. Pure.

Utterances and segments are both in the order of the sound, so a solution cuts the sequence of segments into one run per
utterance; a run may be empty. Every cut has a cost, and `assign` returns the cheapest one. The unit of cost is a second
of delay:

- A delay outside the range that the service has kept so far costs its distance from that range, up to a maximum.
- Unlikely events cost a fixed penalty: an utterance without any segment, the first one with several segments from a
  service that never sent more than one, and so on. The constants below list them.
- While no delay has been measured, the answered utterances are compared with each other: each adds its delays to the
  range that the following ones are measured against.

The search tries each end of an utterance's run and solves the rest recursively. It remembers the solution for each
combination of utterance, segment, delays of the last answered utterance, and whether one had several segments.
"""

from __future__ import annotations

from collections.abc import Sequence

from pinch_tui.core.session.attribution.pace import LONGEST_ANSWER_S, Expected
from pinch_tui.core.session.attribution.sent import Segment, SentUtterance

UNANSWERED = 0.25
"""Cost of an utterance without any segment. Less than the grace between two utterances, so that a wrong delay costs
more."""
_UNANSWERED_UNMEASURED = 1.0
"""The same while no delay has been measured."""
_CANCELLED_UNMEASURED = 0.1
"""The same for a cancelled utterance. Low: a text that may answer another utterance is to be shown."""
_NOT_YET_ANSWERED = 0.1
"""Cost of an utterance without any segment yet, although a later one has some."""
_FIRST_SPLIT = 1.2
"""Cost of the first utterance with several segments, from a service that never sent more than one."""
_EXTRA_SEGMENT = 0.02
"""Cost of each segment of an utterance after its first."""
_FIRST_EARLY_FINAL = 0.7
"""Cost of a final before `finalize`, from a service that never sent one."""
OVERTAKING = 0.25
"""Cost of a final that came before the last final of an earlier segment."""
_NO_VOICE = 0.5
"""Cost of segments for an utterance without voice."""
_MAX_DEVIATION = 1.1
"""Most that one delay costs: a service can become slow."""
_MAX_ANSWER_DEVIATION = 0.5
"""Most that the delay of the answer costs if the delay of the first text is known, too."""
_MAX_ANSWER_DEVIATION_MANY = 0.1
"""The same from a service that sends many segments: the newest final may not be the last one."""
_UNMEASURED_DELAY = 0.01
"""Cost of each second of delay while nothing is known about it: the shorter delay wins."""
FIRST_TEXT_SLACK_S = 0.15
"""A first text may come this much sooner than the soonest so far."""
_MAX_UTTERANCES, _MAX_SEGMENTS = 5, 12
"""Only the newest are reassigned; older segments stay where they are. One search then takes at most 10 ms."""

_Delays = tuple[float | None, float | None]
"""Of one utterance's first text and of its answer."""
_IMPOSSIBLE = float("inf")


def assign(
    utterances: Sequence[SentUtterance], segments: Sequence[Segment], expected: Expected, now: float
) -> tuple[float, list[SentUtterance]]:
    """The cost of the cheapest cut, and the utterance that it gives to each segment.

    ``utterances``: the open ones, oldest first; ``segments``: theirs, in the order of the sound.
    """
    n_fixed = max(0, len(segments) - _MAX_SEGMENTS)
    first = max(0, len(utterances) - _MAX_UTTERANCES)
    while n_fixed < len(segments) and utterances.index(segments[n_fixed].utterance) < first:
        n_fixed += 1
    if n_fixed:
        first = max(first, utterances.index(segments[n_fixed - 1].utterance))
    has_fixed = n_fixed > 0 and segments[n_fixed - 1].utterance is utterances[first]
    if has_fixed:
        begun = [segment for segment in segments if segment.utterance is utterances[first]]
        expected = expected.including(utterances[first].first_text_s(begun), None)
    search = _Search(utterances[first:], segments[n_fixed:], expected, now, has_fixed=has_fixed)
    cost, ends = search.cheapest(0, 0, (None, None), expected.has_many_segments)
    owners = [segment.utterance for segment in segments[:n_fixed]]
    begin = 0
    for utterance, end in zip(utterances[first:], ends, strict=True):
        owners += [utterance] * (end - begin)
        begin = end
    return cost, owners


class _Search:
    """``has_fixed``: the first utterance has older segments, which are not reassigned."""

    def __init__(
        self,
        utterances: Sequence[SentUtterance],
        segments: Sequence[Segment],
        expected: Expected,
        now: float,
        *,
        has_fixed: bool,
    ) -> None:
        self._utterances, self._segments, self._now = utterances, segments, now
        self._measured = expected
        self._has_fixed = has_fixed
        self._expected: dict[_Delays, Expected] = {}
        self._solved: dict[tuple[int, int, _Delays, bool], tuple[float, tuple[int, ...]]] = {}
        has_final = [bool(segment.finals_at) for segment in segments]
        self._has_later_final = [any(has_final[i:]) for i in range(len(segments) + 1)]

    def cheapest(self, k: int, i: int, before: _Delays, has_many: bool) -> tuple[float, tuple[int, ...]]:
        """The cost of giving the segments from ``i`` on to the utterances from ``k`` on, and the end of each run.

        ``before``: the delays of the last answered utterance before ``k``. ``has_many``: an earlier utterance has
        several segments.
        """
        n = len(self._segments)
        if k == len(self._utterances):
            return (0.0 if i == n else _IMPOSSIBLE), ()
        best = self._solved.get((k, i, before, has_many))
        if best is None:
            best = _IMPOSSIBLE, (n,) * (len(self._utterances) - k)
            for j in range(n, i - 1, -1):
                cost, delays = self._cost(k, i, j, before)
                is_divided = j - i + (k == 0 and self._has_fixed) > 1
                if is_divided and not has_many:
                    cost += _FIRST_SPLIT
                if cost < best[0]:
                    rest, ends = self.cheapest(k + 1, j, delays, has_many or is_divided)
                    if cost + rest < best[0] - 1e-9:
                        best = cost + rest, (j, *ends)
            self._solved[k, i, before, has_many] = best
        return best

    def _cost(self, k: int, i: int, j: int, before: _Delays) -> tuple[float, _Delays]:
        """The cost of giving the segments from ``i`` to ``j`` to the utterance ``k``, and the newest known delays."""
        utterance, run = self._utterances[k], self._segments[i:j]
        expected = self._expected.get(before)
        if expected is None:
            expected = self._expected[before] = self._measured.including(*before)
        has_fixed = k == 0 and self._has_fixed
        if not run:
            return (0.0 if has_fixed else self._cost_unanswered(utterance, i, expected)), before
        if run[0].first_at < utterance.began_at - 1e-6:  # nothing of it had been sent
            return _IMPOSSIBLE, before
        cost = 0.0 if utterance.is_voiced else _NO_VOICE
        if (n_extra := len(run) - 1 + has_fixed) > 0:
            cost += _EXTRA_SEGMENT * n_extra
        first_text_s = None if has_fixed else utterance.first_text_s(run)
        if first_text_s is not None:
            if expected.first_text is None:
                cost += _UNMEASURED_DELAY * first_text_s
            else:
                cost += min(_MAX_DEVIATION, expected.first_text.distance_s(first_text_s))
        cost += min(_MAX_DEVIATION, utterance.overrun_s(run))
        answer_s = utterance.answer_s(run)
        has_early_finals = expected.has_early_finals or len(run[-1].finals_at) > 1
        if answer_s is None:
            is_usual = not run[-1].finals_at or expected.has_many_segments or has_early_finals
            cost += 0.0 if is_usual else _FIRST_EARLY_FINAL
        elif expected.answer is None:
            cost += _UNMEASURED_DELAY * answer_s
        elif not has_early_finals or answer_s > expected.answer.most:  # else the last final may still follow
            most = _MAX_ANSWER_DEVIATION_MANY if expected.has_many_segments else _MAX_ANSWER_DEVIATION
            cost += min(_MAX_DEVIATION if first_text_s is None else most, expected.answer.distance_s(answer_s))
        delays = (
            before[0] if first_text_s is None else first_text_s,
            before[1] if answer_s is None else answer_s,
        )
        return cost, delays

    def _cost_unanswered(self, utterance: SentUtterance, i: int, expected: Expected) -> float:
        """The cost of an utterance without any segment, whose successors get those from ``i`` on.

        It grows with the time by which the answer is late, up to the full cost.
        """
        if utterance.finalized_at is not None and not utterance.is_voiced:
            return 0.0
        full = UNANSWERED + self._measured.swing_s
        if not expected.is_measured:
            full = _CANCELLED_UNMEASURED if utterance.is_cancelled else _UNANSWERED_UNMEASURED
        if utterance.is_overdue or self._has_later_final[i]:
            return full
        cost = _NOT_YET_ANSWERED if i < len(self._segments) else 0.0
        if utterance.finalized_at is not None:
            most = LONGEST_ANSWER_S if expected.answer is None else expected.answer.most
            cost = max(cost, self._now - (utterance.finalized_at + most))
        if expected.first_text is not None:
            cost = max(cost, self._now - (utterance.began_at + expected.first_text.least - FIRST_TEXT_SLACK_S))
        return min(full, cost)
