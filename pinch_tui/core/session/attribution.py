"""Which utterance a message of the wire belongs to. Pure.

The service names segments (correlation ids), not utterances, and speech carries no id at all. Within one connection it
works in order, so the answer is found from the order in which utterances were sent and from what is settled already:

- a text never answers an utterance of which nothing was sent yet, and a settled utterance takes no new id, unless
  nothing was sent after it: then the text came too late, but can answer nothing else;
- interims come in the order of the sound, so an id that begins with one stands behind all others;
- an utterance's last finals come in the order of the sound, so an id that begins with a final stands before every
  segment that is unfinished, and a segment that goes on afterwards stands behind it. A final while somebody talks may
  overtake the last one of the utterance before, so beside such finals both places are weighed;
- of several open utterances, the first one whose segment is still missing takes a new id.

An utterance in which nothing was recognised has no segment, and one may have many. Which ids are whose is then known
from the delays alone (`credit`): the service takes about as long for one utterance as for another, and its interims go
on no longer after an utterance's sound than they began after it. Each new id and each answer that stays out is weighed
again, and a segment that turns out to answer another open utterance moves there.

What cannot be known, and what holds then: the texts of utterances that were open together stay among these, each in one
row, and a settled row keeps what it has. Once all of them are settled, nothing of the doubt is left: no later row
shifts. So it is

- as long as no utterance was answered while it alone was open: the pace of the service is a guess. Of two utterances
  with one answer the later one is taken to be answered, since that needs the smaller delay;
- with a service whose pace changes by more than the pause between two utterances;
- where a final of the next utterance overtook the last one of a press too short for an interim, and the next one's
  interims went on for less time than that press, or the pace is unknown and something else was not recognised.

The texts keep the order of the sound, except in the last case, and with a service whose pace changes and that sends
finals while somebody talks: two of its utterances may be exchanged. Neither is settled before the last final of the
later one would have come (`Attribution.beside`); when the connection is lost before, both are sent again.

Nor can it be known which final is an utterance's last. A service that sends finals early is given as long as its last
finals took, and before one was measured as long as any answer (`Attribution.patience`); the texts are on screen
meanwhile. Until it has sent one before the end of an utterance, or a second one, its first final counts as the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pinch_tui.core.session.credit import (
    LONGEST_ANSWER_S,
    OVERTAKEN,
    UNHEARD,
    Expected,
    Pace,
    Segment,
    Span,
    Turn,
    credit,
    overrun_s,
)
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

SPEECH_GAP_S = 0.35
"""A pause between chunks that lets speech move on to the next segment."""
FULL_CHUNK = 1_900
"""Samples; the service's chunks are about 1,920, and a shorter one ends a segment's speech."""

IDS, IDS_A_SECOND = 200, 8
"""Limit of segments for one connection: a base, and more for each second of use. Speech never needs more."""
SLOWER = 1.25
"""An answer may take this many times as long as the slowest so far."""
_PLACES = 4  # a late final may stand before so many segments that have one
_REMEMBERED = 64  # utterances whose first text may still come


@dataclass(frozen=True, slots=True)
class Moved:
    """A segment answers another utterance than it was credited to at first, or stands elsewhere in the same one.
    ``before``: the target's segment that it stands before; None where it is the last."""

    id: str
    source: int
    target: int
    before: str | None = None


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
        self._guess = Expected()  # the delays of the newest settled utterance
        self._is_in_order = is_in_order
        self._grace_s = grace_s
        self._ended = 0  # how many of the turns are over
        self._turns: list[Turn] = []
        self._segments: dict[str, Segment] = {}
        self._to_speak: list[str] = []  # ids with a translation, in order
        self._speaking = 0
        self._speech_at = float("-inf")
        self._was_short = False
        self._began_at: float | None = None

    # ---- what is sent ----

    def first_sent(self, number: int, now: float) -> None:
        """The utterance's first frame left."""
        self._turns.append(Turn(number, now))
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
        if (turn := self._turn(number)) is not None and turn.voiced_from is None:
            turn.voiced_from = now

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

    def settled(self, number: int, now: float) -> list[Moved]:
        """Nothing more is expected for the utterance. Unanswered, it may be given what another was credited with; it is
        not settled then."""
        turn = self._turn(number)
        if turn is None:
            return []
        turn.is_overdue = True
        moved = [] if turn.segments else self._weigh(now)
        if not (turn.segments and moved):
            self._learn(turn)
            turn.is_settled = True
        return moved

    # ---- what comes back ----

    def of_text(self, message: TranscriptMessage, now: float) -> tuple[int | None, list[Moved]]:
        """The utterance of a text, and the segments that it shows to stand elsewhere.

        A new segment that does not stand behind the others of its utterance is told as one, too: from it, to it.
        None for a text that answers nothing: nothing was sent yet, or there are too many segments.
        """
        segment = self._segments.get(message.id)
        moved: list[Moved] = []
        is_original = message.kind is TranscriptKind.ORIGINAL
        if segment is None:
            if not self._turns or self.is_full(now):
                return None, []
            segment = self._new(message, now)
            self._segments[message.id] = segment
            moved = [move for move in self._weigh(now) if move.id != segment.id]
            if (before := _after(segment, segment.turn)) is not None:
                moved.append(Moved(segment.id, segment.turn.number, segment.turn.number, before))
        elif is_original:
            told_at = segment.told_at
            is_new = segment.hear(message.text, is_final=message.is_final, now=now)
            if segment.told_at > told_at and not segment.turn.is_settled:
                moved = self._went_on(segment, now)
            answer_s = segment.turn.answer_s(segment) if is_new and segment.turn.is_settled else None
            if answer_s is not None and answer_s <= LONGEST_ANSWER_S:  # settled too soon: it is slower than it seemed
                self._learn(segment.turn)
        self.pace.has_early_finals |= len(segment.finals) > 1
        self._note_habits(segment.turn, now)
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
        return 0.0 if turn is None or not turn.segments else turn.first_text_s(turn.segments) or 0.0

    def patience(self, number: int) -> float:
        """Seconds after `finalize` within which another final can follow one; 0.0 if the first final is the last.

        Only a service that sends finals early, or utterances whose texts could still be exchanged, need it. The lag of
        the interims says nothing about it: a service can show words at once and take seconds for the last final.
        """
        turn, expected = self._turn(number), self._expected()
        if turn is None:
            return 0.0
        if not (turn.has_early_finals or expected.has_early_finals or self.beside(number)):
            return 0.0
        slowest_s = self.pace.slowest_final_s
        return LONGEST_ANSWER_S if slowest_s is None else SLOWER * slowest_s

    @property
    def is_patience_measured(self) -> bool:
        """Whether `patience` comes from finals whose delay was measured."""
        return self.pace.slowest_final_s is not None

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
        """Whether what was credited to the utterance may still turn out to be another one's."""
        turn = self._turn(number)
        if turn is None or not turn.segments or turn.is_settled or self._is_in_order:
            return False
        turns = self._open()
        at = turns.index(turn)
        if any(not t.segments and not t.is_overdue and self._may_answer(t, turn.segments) for t in turns[:at]):
            return True
        following = next((other for other in turns[at + 1 :] if not other.is_cancelled), None)
        if following is None or (following.segments and not self.is_contested(following.number)):
            return False
        return self._may_answer(following, turn.segments)

    def is_sure(self, number: int) -> bool:
        """Whether what was credited to the utterance is its own for sure, as far as the service keeps its pace."""
        return not self.is_contested(number) and not self.beside(number)

    def beside(self, number: int) -> list[int]:
        """The open utterances, this one among them, whose texts may be exchanged: none settles before all of them do.

        So it is while a later one has no more than a final without an interim, which came after a final of a segment
        that may answer the later one: that segment then goes on.
        """
        turns = [] if self._is_in_order else self._open()
        found: list[int] = []
        for last, turn in enumerate(turns):
            if not turn.segments or any(one.has_interim or len(one.finals) > 1 for one in turn.segments):
                continue
            told_at = turn.segments[0].first_at
            doubtful = (
                first
                for first in range(max(0, last - _PLACES), last)
                for one in turns[first].segments
                if one.has_interim and one.finals and turns[first + 1].began_at <= one.first_at < told_at
            )
            if (first := next(doubtful, None)) is not None:
                numbers = [one.number for one in turns[first : last + 1]]
                found += numbers if number in numbers else []
        return found

    def due(self, now: float) -> list[Moved]:
        """Answers that are overdue by now: what was credited to others is weighed again."""
        late = [turn for turn in self._open() if (at := self._due_at(turn)) is not None and at <= now]
        for turn in late:
            turn.is_overdue = True
        return self._weigh(now) if late else []

    def wake_at(self) -> float | None:
        """When `due` is to be asked next."""
        return min((at for turn in self._open() if (at := self._due_at(turn)) is not None), default=None)

    # ---- inside ----

    def _turn(self, number: int) -> Turn | None:
        return next((turn for turn in reversed(self._turns) if turn.number == number), None)

    def _open(self) -> list[Turn]:
        return [turn for turn in self._turns if not turn.is_settled]

    def _new(self, message: TranscriptMessage, now: float) -> Segment:
        """The segment of a new id, in the order of the sound; whose it is is weighed next."""
        turns = self._open() or self._turns[-1:]  # nothing else was sent since: a text is about nothing else
        if self._is_in_order:
            turns = [self._turns[min(self._ended, len(self._turns) - 1)]]
        segments = [segment for turn in turns for segment in turn.segments]
        new = Segment(message.id, turns[0], now, has_interim=not message.is_final)
        if message.kind is TranscriptKind.ORIGINAL:
            new.hear(message.text, is_final=message.is_final, now=now)
        at = self._place(new, turns, segments, now)
        if segments:
            new.turn = segments[min(at, len(segments) - 1)].turn
        inside = new.turn.segments
        inside.insert(inside.index(segments[at]) if at < len(segments) else len(inside), new)
        return new

    def _place(self, new: Segment, turns: list[Turn], segments: list[Segment], now: float) -> int:
        """Before which of the segments a new one stands: the last of their number where behind all."""
        end = len(segments)
        if new.has_interim or self._is_in_order:
            return end
        end = next((i for i, segment in enumerate(segments) if segment.is_unfinished), end)
        first = end
        while first > max(0, end - _PLACES) and self._may_go_on(segments[first - 1]):
            first -= 1
        if first == end or len(turns) < 2:
            return end

        def cost(at: int) -> float:
            new.turn = segments[min(at, len(segments) - 1)].turn
            costs, _ = credit(turns, [*segments[:at], new, *segments[at:]], self._expected(), now)
            return costs if at == end else costs + OVERTAKEN

        return min(range(end, first - 1, -1), key=cost)

    def _may_go_on(self, segment: Segment) -> bool:
        """Whether a further final may follow the newest one."""
        return self.pace.has_early_finals or segment.turn.has_early_finals

    def _went_on(self, segment: Segment, now: float) -> list[Moved]:
        """A segment of an open utterance got a further text: what single finals came before it are about earlier sound,
        and it may last longer than the utterance."""
        behind = [one for turn in self._open() for one in turn.segments]
        behind = behind[behind.index(segment) + 1 :]
        moved: list[Moved] = []
        overtaken = [one for one in behind if not one.has_interim and len(one.finals) == 1]
        for one in overtaken:
            one.turn.segments.remove(one)
            segment.turn.segments.insert(segment.turn.segments.index(segment), one)
            if one.turn is segment.turn:
                moved.append(Moved(one.id, one.turn.number, one.turn.number, segment.id))
        if overtaken or overrun_s(segment.turn, segment.turn.segments) > 0.0:
            moved += self._weigh(now)
        return moved

    def _weigh(self, now: float) -> list[Moved]:
        """Credit the segments of the open utterances anew; what moved, in an order in which it can be carried out."""
        turns = self._open()
        if self._is_in_order or len(turns) < 2:
            return []
        segments = [segment for turn in turns for segment in turn.segments]
        _, credited = credit(turns, segments, self._expected(), now)
        moves = [(s, s.turn, to) for s, to in zip(segments, credited, strict=True) if s.turn is not to]
        for turn in turns:
            turn.segments = [s for s, to in zip(segments, credited, strict=True) if to is turn]
        for segment, _, to in moves:
            segment.turn = to
        return [Moved(s.id, source.number, to.number, _after(s, to)) for s, source, to in reversed(moves)]

    def _expected(self) -> Expected:
        pace, guess = self.pace, self._guess
        return Expected(
            pace.first_text or guess.first_text,
            pace.answer or guess.answer,
            self.has_sentences or pace.has_many,
            pace.has_early_finals,
            is_known=pace.first_text is not None or pace.answer is not None,
        )

    def _may_answer(self, turn: Turn, segments: list[Segment]) -> bool:
        """Whether segments that were credited to the utterance before may answer this one."""
        first = segments[0]
        if first.first_at < turn.began_at:
            return False
        expected = self._expected()
        if not first.has_interim and turn.finalized_at is None and not expected.has_early_finals:
            return expected.has_many  # else most likely the answer to the `finalize` of the one before
        here, last = first.turn, segments[-1]
        for span, seconds, other in (
            (expected.first_text, here.first_text_s(segments), turn.first_text_s(segments)),
            (expected.answer, here.answer_s(last), turn.answer_s(last)),
        ):
            if span is not None and seconds is not None and other is not None:
                return span.off(other) < span.off(seconds) + UNHEARD
        return True

    def _due_at(self, turn: Turn) -> float | None:
        """When an unanswered utterance is overdue; None where nothing hangs on it."""
        answer = self._expected().answer
        if turn.segments or turn.is_overdue or turn.finalized_at is None or answer is None or not turn.is_voiced:
            return None
        if not any(other.segments for other in self._open()):
            return None
        return turn.finalized_at + SLOWER * answer.most + self._grace_s

    def _note_habits(self, turn: Turn, now: float) -> None:
        """What an utterance shows of the service that was open alone, so that nothing else can have been answered."""
        if any(other is not turn and other.began_at <= now for other in self._open()):
            return
        self.pace.has_many |= len(turn.segments) > 1
        self.pace.has_early_finals |= turn.has_early_finals

    def _learn(self, turn: Turn) -> None:
        """The delays of an utterance, once it is settled."""
        if not turn.segments or self._is_in_order:
            return
        last = turn.segments[-1]
        first_text, answer = turn.first_text_s(turn.segments), turn.answer_s(last)
        before = [other for other in self._turns[: self._turns.index(turn)] if not other.is_settled]
        others = [other for other in self._turns if other.number > turn.number]
        is_sure = not before and all(other.began_at > last.first_at for other in others)
        if first_text is not None:
            if is_sure or self.pace.first_text is not None:
                self.pace.took_first_text(first_text)
            self._guess = replace(self._guess, first_text=Span(first_text, first_text))
        if answer is not None:
            if is_sure or self.pace.answer is not None:
                self.pace.took_answer(answer)
            self._guess = replace(self._guess, answer=Span(answer, answer))
        last_final = turn.last_final_s
        if last_final is not None and (is_sure or self.pace.slowest_final_s is not None):
            self.pace.took_last_final(last_final)


def _after(segment: Segment, turn: Turn) -> str | None:
    """The id behind a segment of the turn."""
    at = turn.segments.index(segment) + 1
    return turn.segments[at].id if at < len(turn.segments) else None
