"""Which utterance a message of the wire belongs to. Pure.

The service names segments (correlation ids), not utterances, and speech carries no id at all. Within one connection it
works in order, so the answer is found from the order in which utterances were sent and from what is settled already:

- a text never answers an utterance of which nothing was sent yet, and a settled utterance takes no new id, unless
  nothing was sent after it: then the text came too late, but can answer nothing else;
- of several open utterances, the first one whose segment is still missing takes a new id;
- final texts come in the order of the sound, so a final of a new id stands before every segment that has none yet.

The first text of a quick press may come while the one before it is still unanswered. It is then credited to the earlier
one and *contested*: when later messages show that it answers the next utterance, it moves there. How long this service
takes for a first text and for the answer to a `finalize` is measured, so that an utterance in which nothing was
recognised does not take the words of the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.core.session.pace import Pace
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

SPEECH_GAP_S = 0.35
"""A pause between chunks that lets speech move on to the next segment."""
FULL_CHUNK = 1_900
"""Samples; the service's chunks are about 1,920, and a shorter one ends a segment's speech."""

IDS, IDS_A_SECOND = 200, 8
"""Limit of segments for one connection: a base, and more for each second of use. Speech never needs more."""
QUICKER = 0.8
"""A first text that comes in less than this part of the least time so far is about earlier sound."""
_REMEMBERED = 64  # utterances whose first text may still come


@dataclass(frozen=True, slots=True)
class Moved:
    """A segment answers another utterance than it was credited to at first."""

    id: str
    source: int
    target: int


@dataclass(slots=True, eq=False)
class _Segment:
    id: str
    turn: _Turn
    first_at: float
    is_final: bool  # its newest original is
    is_contested: bool = False  # it may answer the next utterance
    claimed_from: _Turn | None = None  # the utterance it was credited to before


@dataclass(slots=True, eq=False)
class _Turn:
    """One utterance on this connection."""

    number: int
    segments: list[_Segment] = field(default_factory=list)
    voiced_from: float | None = None  # when the first of its voice had left, and
    voiced_at: float = float("-inf")  # the last of it
    is_voiced: bool = False
    finalized_at: float | None = None
    is_settled: bool = False
    is_cancelled: bool = False
    is_told: bool = False  # a text came
    first_text_s: float | None = None  # from its voice to its first text, if that was an interim
    told_at: float = float("-inf")  # its last original text
    closed_at: float = float("-inf")  # its last final original

    def is_overdue(self, pace: Pace, now: float, *, is_final: bool, grace_s: float) -> bool:
        """Whether its first message would have come by now, as far as the service's pace is known."""
        if is_final:
            return pace.answer is not None and now > (self.finalized_at or now) + pace.answer + grace_s
        return pace.first_text is not None and now > self.voiced_at + pace.first_text

    def misses_more(self, following: _Turn, pace: Pace, now: float, *, grace_s: float) -> bool:
        """Whether a further segment of it is more likely than the first one of the utterance sent after it.

        Only a service that lags by more than the pause between two utterances may still owe segments by then. It does
        where the next utterance's voice left too short a time ago, and nothing says that the last segment was closed.
        """
        lag = pace.quickest
        if lag is None or lag <= grace_s or self.finalized_at is None:
            return False
        soon = QUICKER * lag
        is_closed = all(s.is_final for s in self.segments) and self.closed_at >= self.finalized_at + soon
        is_too_soon = following.voiced_from is None or now < following.voiced_from + soon
        return is_too_soon and not is_closed


class Attribution:
    """Maps ids and speech chunks of one connection to utterance numbers.

    ``is_in_order``: the service acknowledges the end of each utterance and says nothing of the next one before that, so
    that a new id belongs to the oldest utterance that has not ended. ``grace_s``: the pause between two utterances that
    the service needs.
    """

    def __init__(self, pace: Pace | None = None, *, is_in_order: bool = False, grace_s: float = 0.3) -> None:
        self.pace = pace or Pace()
        self.has_sentences = False
        """Whether an utterance has a segment for each sentence."""
        self._has_many = False  # an utterance had more than one segment
        self._is_in_order = is_in_order
        self._grace_s = grace_s
        self._ended = 0  # how many of the turns are over
        self._turns: list[_Turn] = []
        self._segments: dict[str, _Segment] = {}
        self._to_speak: list[str] = []  # ids with a translation, in order
        self._speaking = 0
        self._speech_at = float("-inf")
        self._was_short = False
        self._began_at: float | None = None

    # ---- what is sent ----

    def first_sent(self, number: int, now: float) -> None:
        """The utterance's first frame left."""
        self._turns.append(_Turn(number))
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

    def voiced(self, number: int, now: float) -> None:
        """A frame of its voice left."""
        if (turn := self._turn(number)) is not None:
            if turn.voiced_from is None:
                turn.voiced_from = now
            turn.voiced_at = now

    def finalized(self, number: int, now: float, *, is_voiced: bool) -> None:
        """Its finalize left."""
        if (turn := self._turn(number)) is not None:
            turn.finalized_at, turn.is_voiced = now, is_voiced

    def finalize_left(self, number: int, now: float) -> None:
        """It took until now to leave."""
        if (turn := self._turn(number)) is not None:
            turn.finalized_at = now

    def cancelled(self, number: int) -> None:
        """Its answer is dropped. It claims none that may be another's."""
        if (turn := self._turn(number)) is not None:
            turn.is_cancelled = True
            if (before := self._before(turn)) is not None:
                self._keep(before)

    def settled(self, number: int) -> list[Moved]:
        """Nothing more is expected for the utterance. Unanswered, it is given what it contests with the one before."""
        turn = self._turn(number)
        if turn is None:
            return []
        moved = self._claim(turn)
        turn.is_settled = True
        if turn.finalized_at is not None and turn.closed_at >= turn.finalized_at and not self.is_contested(number):
            self.pace.took_answer(turn.closed_at - turn.finalized_at)
        self._keep(turn)
        return moved

    # ---- what comes back ----

    def of_text(self, message: TranscriptMessage, now: float) -> tuple[int | None, list[Moved]]:
        """The utterance of a text, and segments that it shows to answer another one.

        None for a text that answers nothing: nothing was sent yet, or there are too many segments.
        """
        segment = self._segments.get(message.id)
        moved: list[Moved] = []
        if segment is None:
            if self.is_full(now):
                return None, []
            segment, moved = self._new(message, now)
            if segment is None:
                return None, []
            self._segments[message.id] = segment
        self._hear(segment, message, now)
        return segment.turn.number, moved

    def is_full(self, now: float) -> bool:
        """Whether more segments came than anybody can speak: new ones are not taken for now."""
        used_s = 0.0 if self._began_at is None else now - self._began_at
        return len(self._segments) >= IDS + IDS_A_SECOND * used_s

    def translated(self, segment: str) -> None:
        """A translation of the segment came: its speech may follow."""
        if segment not in self._to_speak[-64:]:
            self._to_speak.append(segment)

    def lag(self, number: int) -> float:
        """Seconds from the utterance's voice to its first interim; 0.0 while not known."""
        turn = self._turn(number)
        return 0.0 if turn is None else turn.first_text_s or 0.0

    def of_speech(self, n_samples: int, now: float) -> int | None:
        """The utterance of a chunk of speech."""
        if not self._to_speak:
            answered = next((t.number for t in reversed(self._turns) if t.segments), None)
            return answered if answered is not None or not self._turns else self._turns[-1].number
        has_spoken = self._speech_at > float("-inf")
        if not has_spoken or now - self._speech_at > SPEECH_GAP_S or self._was_short:
            following = range(self._speaking + (1 if has_spoken else 0), len(self._to_speak))
            awaited = (i for i in following if not self._segments[self._to_speak[i]].turn.is_settled)
            self._speaking = next(awaited, following.start if following else self._speaking)
        self._speech_at = now
        self._was_short = n_samples < FULL_CHUNK
        return self._segments[self._to_speak[self._speaking]].turn.number

    # ---- time ----

    def is_contested(self, number: int) -> bool:
        """Whether all that was credited to the utterance may still move to the next one."""
        turn = self._turn(number)
        return turn is not None and bool(turn.segments) and all(s.is_contested for s in turn.segments)

    def due(self, now: float) -> list[Moved]:
        """Utterances whose answer is overdue are given what they contest with the one before."""
        moved: list[Moved] = []
        for turn in self._open():
            at = self._claims_at(turn)
            if at is not None and at <= now:
                moved += self._claim(turn)
        return moved

    def wake_at(self) -> float | None:
        """When `due` is to be asked next."""
        return min((at for turn in self._open() if (at := self._claims_at(turn)) is not None), default=None)

    # ---- inside ----

    def _turn(self, number: int) -> _Turn | None:
        return next((turn for turn in reversed(self._turns) if turn.number == number), None)

    def _open(self) -> list[_Turn]:
        return [turn for turn in self._turns if not turn.is_settled]

    def _following(self, turn: _Turn) -> _Turn | None:
        """The next one that was not thrown away."""
        later = self._turns[self._turns.index(turn) + 1 :]
        return next((other for other in later if not other.is_cancelled), None)

    def _before(self, turn: _Turn) -> _Turn | None:
        """The one before; one that was thrown away only if it was credited with something."""
        earlier = reversed(self._turns[: self._turns.index(turn)])
        return next((other for other in earlier if other.segments or not other.is_cancelled), None)

    def _new(self, message: TranscriptMessage, now: float) -> tuple[_Segment | None, list[Moved]]:
        """The segment of a new id, credited to an utterance."""
        if not self._turns:
            return None, []
        if self._is_in_order:
            turn = self._turns[min(self._ended, len(self._turns) - 1)]
            turn.segments.append(_Segment(message.id, turn, now, message.is_final))
            return turn.segments[-1], []
        candidates = self._open() or self._turns[-1:]  # nothing else was sent since: a text is about nothing else
        moved: list[Moved] = []
        turn, skipped = self._missing(candidates, now, is_final=message.is_final)
        if message.is_final:
            unfinished = next((s for t in candidates for s in t.segments if not s.is_final), None)
            if unfinished is not None:
                turn, moved = self._ahead_of(unfinished, candidates)
        segment = _Segment(message.id, turn, now, message.is_final, claimed_from=skipped)
        following = self._following(turn)
        segment.is_contested = not moved and following is not None and self._may_answer(following, segment)
        moved += self._give_back(turn)
        turn.segments.append(segment)
        self._has_many |= len(turn.segments) > 1
        if not segment.is_contested and (before := self._before(turn)) is not None:  # each has its own now
            self._keep(before)
        return segment, moved

    def _keep(self, turn: _Turn) -> None:
        """What it was credited with is its own, and so is what those before it were credited with."""
        before: _Turn | None = turn
        while before is not None and any(segment.is_contested for segment in before.segments):
            for segment in before.segments:
                segment.is_contested = False
            before = self._before(before)

    def _missing(self, candidates: list[_Turn], now: float, *, is_final: bool) -> tuple[_Turn, _Turn | None]:
        """The first utterance whose segment is missing, or the one sent last; and one passed over as overdue."""
        # A final may come behind texts about later sound, since only the answer to a `finalize` takes time.
        latest = 0 if is_final else max((i for i, turn in enumerate(candidates) if turn.segments), default=0)
        skipped: _Turn | None = None
        for turn, following in zip(candidates[latest:-1], candidates[latest + 1 :], strict=True):
            if turn.segments:
                if (
                    (self.has_sentences or self._has_many)
                    and not following.segments
                    and turn.misses_more(following, self.pace, now, grace_s=self._grace_s)
                ):
                    return turn, None
                skipped = None
            elif turn.is_voiced:
                if not turn.is_overdue(self.pace, now, is_final=is_final, grace_s=self._grace_s):
                    return turn, None
                skipped = turn
        return candidates[-1], skipped

    def _may_answer(self, turn: _Turn, segment: _Segment) -> bool:
        """Whether a segment that was credited to the utterance before may answer this one."""
        if turn.segments:
            return False
        if segment.is_final and turn.finalized_at is None:  # most likely the answer to the finalize of the one before
            return False
        return turn.voiced_from is None or segment.first_at >= turn.voiced_from + (self.pace.quickest or 0.0) / 2

    def _ahead_of(self, unfinished: _Segment, candidates: list[_Turn]) -> tuple[_Turn, list[Moved]]:
        """Where a new id belongs whose final comes before that of a segment known already."""
        earlier = candidates[: candidates.index(unfinished.turn)]
        if earlier:
            return next((turn for turn in earlier if not turn.segments), earlier[-1]), []
        turn = unfinished.turn
        if unfinished.is_contested and (following := self._following(turn)) is not None:
            return turn, self._move(turn, following)
        return turn, []

    def _claims_at(self, turn: _Turn) -> float | None:
        """When an unanswered utterance takes what it contests; None where it contests nothing."""
        if turn.segments or turn.is_cancelled or turn.finalized_at is None or self.pace.answer is None:
            return None
        before = self._before(turn)
        if not turn.is_voiced or before is None or not any(s.is_contested for s in before.segments):
            return None
        return turn.finalized_at + self.pace.answer + self._grace_s

    def _claim(self, turn: _Turn) -> list[Moved]:
        """Of two utterances with one answer, the later one was answered: that needs the smaller delay."""
        before = self._before(turn)
        if turn.segments or turn.is_cancelled or not turn.is_voiced or before is None:
            return []
        return [*self._move(before, turn), *self._claim(before)]

    def _give_back(self, turn: _Turn) -> list[Moved]:
        """It has an answer of its own after all: what it claimed answers the one before."""
        before = self._before(turn)
        claimed = [segment for segment in turn.segments if segment.claimed_from is before]
        if (
            self.has_sentences
            or before is None
            or before.is_settled
            or before.segments
            or len(claimed) < len(turn.segments)
        ):
            return []
        return self._move(turn, before)

    def _move(self, source: _Turn, target: _Turn) -> list[Moved]:
        going = [segment for segment in source.segments if segment.is_contested or segment.claimed_from is target]
        for segment in going:
            source.segments.remove(segment)
            segment.turn, segment.is_contested = target, False
            segment.claimed_from = None if segment.claimed_from is target else source
        target.segments[:0] = going
        target.told_at = max([target.told_at, *(segment.first_at for segment in going)])
        return [Moved(segment.id, source.number, target.number) for segment in going]

    def _hear(self, segment: _Segment, message: TranscriptMessage, now: float) -> None:
        turn = segment.turn
        if message.kind is TranscriptKind.ORIGINAL:
            segment.is_final = message.is_final
            turn.told_at = now
            if message.is_final:
                turn.closed_at = now
        if not turn.is_told and not segment.is_contested:
            turn.is_told = True
            if not message.is_final and turn.voiced_from is not None:
                turn.first_text_s = now - turn.voiced_from
                self.pace.took_first_text(turn.first_text_s)
