"""How long the service takes to answer: what was measured, and what to expect next. Pure. All times are in seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

LONGEST_ANSWER_S = 4.0
"""Longest wait for an answer while no answer has been measured."""
_MEASURED = 8  # newest utterances that count


class DelayRange(NamedTuple):
    """The shortest and the longest of some delays."""

    least: float
    most: float

    def distance_s(self, seconds: float) -> float:
        """Distance of a delay from the range (0 inside)."""
        return max(0.0, self.least - seconds, seconds - self.most)

    @classmethod
    def of(cls, *delays: float) -> DelayRange | None:
        """The range of these delays; None if there are none."""
        return cls(min(delays), max(delays)) if delays else None


class Pace:
    """The service's latest delays and habits. The sessions of one service share it."""

    def __init__(self) -> None:
        self.has_many_segments = False
        """Whether an utterance got more than one segment."""
        self.has_early_finals = False
        """Whether a final came before the end of its utterance, or a segment got several."""
        self._first_texts: deque[float] = deque(maxlen=_MEASURED)
        self._answers: deque[float] = deque(maxlen=_MEASURED)
        self._last_finals: deque[float] = deque(maxlen=_MEASURED)

    @property
    def first_text(self) -> DelayRange | None:
        """From the start of a voice to the first interim; None until one has been measured."""
        return DelayRange.of(*self._first_texts)

    @property
    def answer(self) -> DelayRange | None:
        """From `finalize` to the last new final; None until one has been measured."""
        return DelayRange.of(*self._answers)

    @property
    def slowest_final_s(self) -> float | None:
        """The longest time from `finalize` to a last final, even one that only repeated the text; None if unknown."""
        return max(self._last_finals, default=None)

    def add_first_text(self, seconds: float) -> None:
        self._first_texts.append(seconds)

    def add_answer(self, seconds: float) -> None:
        self._answers.append(seconds)

    def add_last_final(self, seconds: float) -> None:
        self._last_finals.append(seconds)


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect of the next answer; a delay is None if nothing is known about it."""

    first_text: DelayRange | None = None
    answer: DelayRange | None = None
    has_many_segments: bool = False
    has_early_finals: bool = False
    is_measured: bool = False  # at least one delay was measured, not guessed

    @property
    def swing_s(self) -> float:
        """How much the delays vary."""
        ranges = [delays for delays in (self.first_text, self.answer) if delays is not None]
        return max((delays.most - delays.least for delays in ranges), default=0.0)

    def including(self, first_text_s: float | None, answer_s: float | None) -> Expected:
        """The same with the delays of one more utterance; None adds nothing."""
        return replace(
            self, first_text=_including(self.first_text, first_text_s), answer=_including(self.answer, answer_s)
        )


def _including(delays: DelayRange | None, seconds: float | None) -> DelayRange | None:
    return delays if seconds is None else DelayRange.of(*(delays or ()), seconds)
