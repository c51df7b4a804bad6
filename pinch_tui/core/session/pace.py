"""How a service answers, measured on its answers. Pure."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

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

    @property
    def first_text(self) -> Span | None:
        return Span(min(self._first_texts), max(self._first_texts)) if self._first_texts else None

    @property
    def answer(self) -> Span | None:
        return Span(min(self._answers), max(self._answers)) if self._answers else None

    def took_first_text(self, seconds: float) -> None:
        self._first_texts.append(max(0.0, seconds))

    def took_answer(self, seconds: float) -> None:
        self._answers.append(max(0.0, seconds))
