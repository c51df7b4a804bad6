"""What attribution knows of one connection: the utterances that were sent, and the segments that came back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_OVERTAKEN = 4
"""Segments that one final can overtake."""
_MAX_FINALS = 12  # of one segment


@dataclass(slots=True, eq=False)
class Segment:
    """One correlation id. Times are those at which its original texts arrived."""

    id: str
    utterance: SentUtterance
    first_at: float
    begins_with_interim: bool
    final_text: str = ""  # the newest
    finals_at: list[float] = field(default_factory=list)  # of finals with a new text
    last_final_at: float = float("-inf")  # a repeated final included
    last_interim_at: float = float("-inf")  # of interims with words that no final had

    @property
    def lacks_final(self) -> bool:
        """Whether its last final is certainly still to come."""
        return not self.finals_at or self.last_interim_at > self.finals_at[-1]

    @property
    def updated_at(self) -> float:
        """When its newest text came."""
        return max(self.first_at, self.last_interim_at, *self.finals_at[-1:])

    def add_text(self, text: str, *, is_final: bool, now: float) -> bool:
        """Note an original text; returns whether it is a final with a new text."""
        if not is_final:
            if text not in self.final_text:
                self.last_interim_at = now
            return False
        self.last_final_at = now
        is_new = text != self.final_text and len(self.finals_at) < _MAX_FINALS
        if is_new:
            self.finals_at.append(now)
            self.final_text = text
        return is_new


@dataclass(slots=True, eq=False)
class SentUtterance:
    """One utterance on the connection, and the segments attributed to it in the order of their sound."""

    number: int
    sent_at: float
    segments: list[Segment] = field(default_factory=list)
    voice_sent_at: float | None = None  # when the first frame of its voice had left
    is_voiced: bool = True
    finalized_at: float | None = None
    is_settled: bool = False
    is_cancelled: bool = False
    is_overdue: bool = False  # it has no answer in the time that one takes

    @property
    def has_early_finals(self) -> bool:
        """Whether a final came before its end, or a segment got several."""
        ended_at = float("inf") if self.finalized_at is None else self.finalized_at
        return any(len(s.finals_at) > 1 or (s.finals_at and s.finals_at[0] < ended_at) for s in self.segments)

    @property
    def began_at(self) -> float:
        """When its voice began, as far as known."""
        return self.sent_at if self.voice_sent_at is None else self.voice_sent_at

    @property
    def last_final_s(self) -> float | None:
        """Seconds from `finalize` to the newest final after it, even one that only repeats the text before."""
        newest = max((segment.last_final_at for segment in self.segments), default=float("-inf"))
        return None if self.finalized_at is None or newest < self.finalized_at else newest - self.finalized_at

    def first_text_s(self, segments: Sequence[Segment]) -> float | None:
        """Seconds from its voice to the first text, were these its segments; None if that text was a final."""
        first = min(segments, key=lambda segment: segment.first_at)
        return max(0.0, first.first_at - self.began_at) if first.begins_with_interim else None

    def answer_s(self, segments: Sequence[Segment]) -> float | None:
        """Seconds from `finalize` to the final of the last segment, were these its segments; None before it."""
        finals_at = segments[-1].finals_at
        if self.finalized_at is None or not finals_at or finals_at[-1] < self.finalized_at:
            return None
        return finals_at[-1] - self.finalized_at

    def overrun_s(self, segments: Sequence[Segment]) -> float:
        """Seconds by which the interims of these segments go on longer than its sound; 0.0 if they are its own."""
        begun_at = next((segment.first_at for segment in segments if segment.begins_with_interim), None)
        if self.finalized_at is None or begun_at is None:
            return 0.0
        newest_at = max(segment.last_interim_at for segment in segments)
        return max(0.0, (newest_at - begun_at) - (self.finalized_at - self.began_at))


class SentUtterances:
    """The utterances that were sent on one connection, oldest first."""

    def __init__(self) -> None:
        self.utterances: list[SentUtterance] = []

    def find(self, number: int) -> SentUtterance | None:
        return next((utterance for utterance in reversed(self.utterances) if utterance.number == number), None)

    def open(self) -> list[SentUtterance]:
        """Those that are not settled."""
        return [utterance for utterance in self.utterances if not utterance.is_settled]
