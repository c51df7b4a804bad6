"""Which utterance a message of the wire belongs to. Pure.

The service names segments (correlation ids), not utterances, and speech carries no id at all. Within one connection the
service works in order, so a new id belongs to the oldest utterance that may still bring one, and speech follows the
order of the translations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

EXPECT_S = 4.0
"""How long after its finalize a voiced utterance without any text claims the final of a new id: until it settles.
An interim is no answer to a finalize, so it belongs to whoever talks now."""
ECHO_S = 0.12
"""No text of an utterance comes earlier than this after its first frame."""
SPEECH_GAP_S = 0.35
"""A pause between chunks that lets speech move on to the next segment."""
FULL_CHUNK = 1_900
"""Samples; the service's chunks are about 1,920, and a shorter one ends a segment's speech."""

IDS, IDS_A_SECOND = 200, 8
"""Segments that one connection may bring: so many, and so many more a second of its use. Nobody speaks in more."""

_REMEMBERED = 64  # utterances whose first text may still come


@dataclass(slots=True)
class _Turn:
    number: int
    first_sent_at: float
    is_voiced: bool = False
    finalized_at: float | None = None
    ids: set[str] = field(default_factory=set)

    def is_awaited(self, now: float) -> bool:
        """Whether the final that answers its finalize is still to come."""
        is_due = self.finalized_at is not None and now - self.finalized_at < EXPECT_S
        return not self.ids and self.is_voiced and is_due


class Attribution:
    """Maps ids and speech chunks of one connection to utterance numbers.

    ``is_in_order``: the service acknowledges the end of each utterance and says nothing of the next one before that, so
    that a new id belongs to the oldest utterance that has not ended.
    """

    def __init__(self, *, is_in_order: bool = False) -> None:
        self._is_in_order = is_in_order
        self._ended = 0  # how many of the turns are over
        self._turns: list[_Turn] = []
        self._by_id: dict[str, int] = {}
        self._to_speak: list[str] = []  # ids with a translation, in order
        self._speaking = 0
        self._speech_at = float("-inf")
        self._was_short = False
        self._settled: set[int] = set()
        self._began_at: float | None = None

    def first_sent(self, number: int, now: float) -> None:
        """The utterance's first frame left."""
        self._turns.append(_Turn(number, now))
        if self._began_at is None:
            self._began_at = now
        excess = max(0, len(self._turns) - _REMEMBERED)
        del self._turns[:excess]
        self._ended = max(0, self._ended - excess)

    def ended(self) -> int | None:
        """The service has acknowledged the end of the oldest utterance that has not ended; its number."""
        if self._ended >= len(self._turns):
            return None
        self._ended += 1
        return self._turns[self._ended - 1].number

    def finalized(self, number: int, now: float, *, is_voiced: bool) -> None:
        """Its finalize left."""
        for turn in self._turns:
            if turn.number == number:
                turn.finalized_at = now
                turn.is_voiced = is_voiced

    def finalize_left(self, number: int, now: float) -> None:
        """It took until now to leave."""
        for turn in self._turns:
            if turn.number == number:
                turn.finalized_at = now

    def settled(self, number: int) -> None:
        """Nothing more is expected for the utterance: speech that it never had is not waited for."""
        self._settled.add(number)

    def of_text(self, segment: str, now: float, *, is_final: bool = True) -> int | None:
        """The utterance of a segment; None when nothing was sent yet, or when there are too many segments."""
        known = self._by_id.get(segment)
        if known is not None:
            return known
        if not self._turns or self.is_full(now):
            return None
        turn = self._unended() if self._is_in_order else self._expecting(now, is_final=is_final)
        turn.ids.add(segment)
        self._by_id[segment] = turn.number
        return turn.number

    def is_full(self, now: float) -> bool:
        """Whether more segments came than anybody can speak: new ones are not taken for now."""
        used_s = 0.0 if self._began_at is None else now - self._began_at
        return len(self._by_id) >= IDS + IDS_A_SECOND * used_s

    def translated(self, segment: str) -> None:
        """A translation of the segment came: its speech may follow."""
        if segment not in self._to_speak[-64:]:
            self._to_speak.append(segment)

    def of_speech(self, n_samples: int, now: float) -> int | None:
        """The utterance of a chunk of speech."""
        if not self._to_speak:
            return next(
                (t.number for t in reversed(self._turns) if t.ids), self._turns[-1].number if self._turns else None
            )
        has_spoken = self._speech_at > float("-inf")
        if not has_spoken or now - self._speech_at > SPEECH_GAP_S or self._was_short:
            following = range(self._speaking + (1 if has_spoken else 0), len(self._to_speak))
            awaited = (i for i in following if self._by_id.get(self._to_speak[i]) not in self._settled)
            self._speaking = next(awaited, following.start if following else self._speaking)
        self._speech_at = now
        self._was_short = n_samples < FULL_CHUNK
        return self._by_id.get(self._to_speak[self._speaking])

    def _unended(self) -> _Turn:
        return self._turns[min(self._ended, len(self._turns) - 1)]

    def _expecting(self, now: float, *, is_final: bool) -> _Turn:
        last = self._turns[-1]
        if is_final:  # a final may be late, behind the first interim texts of the next one
            for turn in self._turns[:-1]:
                if turn.is_awaited(now):
                    return turn
        if last.ids or len(self._turns) == 1 or now - last.first_sent_at >= ECHO_S:
            return last
        before = self._turns[-2]
        return before if not before.ids else next(turn for turn in reversed(self._turns) if turn.ids)
