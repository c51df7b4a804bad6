"""How certain it is that an utterance has its own segments and all of them; settling waits for that. Pure."""

from __future__ import annotations

from pinch_tui.core.session.attribution.assignment import FIRST_TEXT_SLACK_S, UNANSWERED
from pinch_tui.core.session.attribution.estimate import SLOWER, Estimate
from pinch_tui.core.session.attribution.pace import LONGEST_ANSWER_S
from pinch_tui.core.session.attribution.sent import MAX_OVERTAKEN, SentUtterance, SentUtterances


class Certainty:
    """Judges the open utterances of a connection. ``is_in_order``: as in `Attribution`, which leaves no doubt."""

    def __init__(self, sent: SentUtterances, estimate: Estimate, *, is_in_order: bool) -> None:
        self._sent = sent
        self._estimate = estimate
        self._is_in_order = is_in_order

    def lag_s(self, number: int) -> float:
        """Seconds from the utterance's voice to its first interim; 0.0 if unknown."""
        utterance = self._sent.find(number)
        if utterance is None or not utterance.segments:
            return 0.0
        return utterance.first_text_s(utterance.segments) or 0.0

    def patience_s(self, number: int) -> float:
        """Seconds after `finalize` within which another final can follow one; 0.0 if the first final is the last.

        Only a service that sends early finals, or utterances whose texts could still be exchanged, need it. The lag of
        the interims says nothing about it: a service can show words at once and take seconds for the last final.
        """
        utterance = self._sent.find(number)
        pace = self._estimate.pace
        if utterance is None:
            return 0.0
        if not (pace.has_early_finals or utterance.has_early_finals or self.exchangeable_with(number)):
            return 0.0
        slowest_s = pace.slowest_final_s
        return LONGEST_ANSWER_S if slowest_s is None else SLOWER * slowest_s

    def is_contested(self, number: int) -> bool:
        """Whether a segment of the utterance could still turn out to belong to another one."""
        utterance = self._sent.find(number)
        if utterance is None or not utterance.segments or utterance.is_settled or self._is_in_order:
            return False
        utterances = self._sent.open()
        at = utterances.index(utterance)
        if any(
            not earlier.segments and not earlier.is_overdue and self._could_own(earlier, utterance)
            for earlier in utterances[:at]
        ):
            return True
        following = next((later for later in utterances[at + 1 :] if not later.is_cancelled), None)
        if following is None or (following.segments and not self.is_contested(following.number)):
            return False
        return self._could_own(following, utterance)

    def is_sure(self, number: int) -> bool:
        """Whether all segments of the utterance certainly belong to it, if the service keeps its pace.

        Before the pace is measured, that is so only if no other utterance was open.
        """
        if self.is_contested(number) or self.exchangeable_with(number) or self.held_until(number) > float("-inf"):
            return False
        utterance = self._sent.find(number)
        if utterance is None or not utterance.segments:
            return True
        others = [other for other in self._sent.open() if other is not utterance]
        if not self._estimate.expected().is_measured and not self._is_in_order:
            return all(other.began_at > utterance.segments[-1].first_at for other in others)
        return all(other.number > number for other in others) or not self._came_too_soon(utterance)

    def held_until(self, number: int) -> float:
        """When a segment of a later utterance can no longer turn out to be this one's; minus infinity if none can.

        If a text that came too soon for a later utterance belongs to this one, the later one's own texts are still to
        come. They show it.
        """
        until = float("-inf")
        first_text = self._estimate.expected().first_text
        for later in self._sent.open():
            if later.number <= number or later.is_cancelled or not later.segments:
                continue
            if first_text is None or not self._came_too_soon(later):
                break
            until = later.began_at + SLOWER * first_text.most
        return until

    def exchangeable_with(self, number: int) -> list[int]:
        """The open utterances whose texts could be exchanged with this one's, itself included; they settle together.

        This is so while a later utterance has nothing but a single final, which came after a final of a segment that
        could belong to that later utterance: then this segment would get another text.
        """
        utterances = [] if self._is_in_order else self._sent.open()
        found: list[int] = []
        for last, utterance in enumerate(utterances):
            if not utterance.segments or any(s.begins_with_interim or len(s.finals_at) > 1 for s in utterance.segments):
                continue
            final_at = utterance.segments[0].first_at
            doubtful = (
                first
                for first in range(max(0, last - MAX_OVERTAKEN), last)
                for s in utterances[first].segments
                if s.begins_with_interim and s.finals_at and utterances[first + 1].began_at <= s.first_at < final_at
            )
            if (first := next(doubtful, None)) is not None:
                numbers = [other.number for other in utterances[first : last + 1]]
                found += numbers if number in numbers else []
        return found

    def _could_own(self, other: SentUtterance, owner: SentUtterance) -> bool:
        """Whether the owner's segments might belong to the other utterance."""
        segments = owner.segments
        if segments[0].first_at < other.began_at:
            return False
        expected = self._estimate.expected()
        if not segments[0].begins_with_interim and other.finalized_at is None and not expected.has_early_finals:
            return expected.has_many_segments  # else it most likely answers the owner's `finalize`
        for delays, owner_s, other_s in (
            (expected.first_text, owner.first_text_s(segments), other.first_text_s(segments)),
            (expected.answer, owner.answer_s(segments), other.answer_s(segments)),
        ):
            if delays is not None and owner_s is not None and other_s is not None:
                return delays.distance_s(other_s) < delays.distance_s(owner_s) + UNANSWERED
        return True

    def _came_too_soon(self, utterance: SentUtterance) -> bool:
        """Whether its first text might be a further segment of an earlier utterance.

        Such a text from a service that was never seen to divide an utterance is given to the later one all the same.
        """
        expected = self._estimate.expected()
        first_text_s = utterance.first_text_s(utterance.segments) if utterance.segments else None
        if self._is_in_order or expected.has_many_segments or expected.first_text is None or first_text_s is None:
            return False
        return first_text_s < expected.first_text.least - FIRST_TEXT_SLACK_S
