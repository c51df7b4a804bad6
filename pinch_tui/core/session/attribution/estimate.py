"""What to expect of a connection's next answers: the service's measured pace, or a guess until there is one. Pure."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.session.attribution.pace import DelayRange, Expected, Pace
from pinch_tui.core.session.attribution.sent import SentUtterance, SentUtterances

SLOWER = 1.25
"""An answer may take this many times as long as the slowest one so far."""


class Estimate:
    """Learns from the utterances of a connection."""

    def __init__(self, pace: Pace, sent: SentUtterances) -> None:
        self.pace = pace
        self.has_sentences = False
        """Whether the service makes a segment of each sentence."""
        self._sent = sent
        self._guess = Expected()  # the delays of the newest settled utterance, used until the pace is measured

    def expected(self) -> Expected:
        pace, guess = self.pace, self._guess
        return Expected(
            pace.first_text or guess.first_text,
            pace.answer or guess.answer,
            self.has_sentences or pace.has_many_segments,
            pace.has_early_finals,
            is_measured=pace.first_text is not None or pace.answer is not None,
        )

    def note_habits(self, utterance: SentUtterance, now: float) -> None:
        """Learn how the service divides its texts, from an utterance that is open alone."""
        if any(other is not utterance and other.began_at <= now for other in self._sent.open()):
            return
        self.pace.has_many_segments |= len(utterance.segments) > 1
        self.pace.has_early_finals |= utterance.has_early_finals

    def learn(self, utterance: SentUtterance) -> None:
        """Learn the delays of an utterance that settles.

        They count as measured if no other utterance can own its segments, or if the pace is known already.
        """
        segments = utterance.segments
        if not segments:
            return
        pace, first_text_s, answer_s = self.pace, utterance.first_text_s(segments), utterance.answer_s(segments)
        utterances = self._sent.utterances
        earlier = utterances[: utterances.index(utterance)]
        later = [other for other in utterances if other.number > utterance.number]
        is_sure = all(other.is_settled for other in earlier) and all(
            other.began_at > segments[-1].first_at for other in later
        )
        if first_text_s is not None:
            if is_sure or pace.first_text is not None:
                pace.add_first_text(first_text_s)
            self._guess = replace(self._guess, first_text=DelayRange.of(first_text_s))
        if answer_s is not None:
            if is_sure or pace.answer is not None:
                pace.add_answer(answer_s)
            self._guess = replace(self._guess, answer=DelayRange.of(answer_s))
        if (last_final_s := utterance.last_final_s) is not None and (is_sure or pace.slowest_final_s is not None):
            pace.add_last_final(last_final_s)
