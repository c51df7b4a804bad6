"""How long a service takes, measured on its answers. Pure."""

from __future__ import annotations

from collections import deque

_PACE_OF = 8  # utterances from which the pace is known


class Pace:
    """How long the service has taken lately: seconds from a voice to its first interim, from a `finalize` to its final.

    None while none was measured.
    """

    def __init__(self) -> None:
        self._first_texts: deque[float] = deque(maxlen=_PACE_OF)
        self._answers: deque[float] = deque(maxlen=_PACE_OF)

    @property
    def first_text(self) -> float | None:
        """The slowest of the last few first interims."""
        return max(self._first_texts, default=None)

    @property
    def quickest(self) -> float | None:
        """The quickest of them."""
        return min(self._first_texts, default=None)

    @property
    def answer(self) -> float | None:
        """The slowest of the last few answers to a `finalize`."""
        return max(self._answers, default=None)

    def took_first_text(self, seconds: float) -> None:
        self._first_texts.append(max(0.0, seconds))

    def took_answer(self, seconds: float) -> None:
        self._answers.append(max(0.0, seconds))
