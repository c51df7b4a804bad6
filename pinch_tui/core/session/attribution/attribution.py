"""Decides which utterance each text and each chunk of speech belongs to. Pure.

The service names segments (correlation ids), never utterances, and speech carries no id at all. Within one connection
it works in order. So the utterance of a segment follows from three things: the order in which utterances were sent,
which of them are settled, and how long the service takes.

**The sequence.** The segments of all open (not yet settled) utterances form one sequence, in the order of the sound
that they transcribe. A new id gets its place by its first text:

- An interim goes to the end, since interims come in the order of the sound.
- A final goes before every segment that still lacks its last final, since last finals come in the order of the sound,
  too. The exception is a service that sends finals during the talk: such an early final can overtake the last
  final of the utterance before. Then each possible place is tried, and the one with the cheapest split is taken.
- A segment that gets another text afterwards belongs behind the single finals that came in between.

**The split.** The sequence is then cut into one run of segments per open utterance. A run may be empty (nothing was
recognised) or long (one segment per sentence). `assignment` picks the cut whose delays fit the service's pace best: it
takes about as long for one utterance as for another, and its interims do not go on for longer than the sound did. The
split is computed anew for each new id, each new final and each answer that fails to come; a segment that changes its
utterance is reported as a `Move`. No segment is given to an utterance of which nothing had been sent when it came. A
settled utterance gets no new id, unless nothing was sent after it: then the text is late, but can answer nothing else.

**What cannot be known.** The texts of utterances that were open together stay among these utterances, each in one row,
and a settled row keeps what it has. Once all of them are settled, no doubt is left: no later row shifts. Within that
limit a text can end up in a wrong row

- until an utterance was answered while no other was open: the pace is a guess. If two utterances get one answer, it is
  given to the later one, as that takes the shorter delay;
- with a service whose pace varies by more than the pause between two utterances;
- if an utterance is the first one with several segments: its second one is given to the next utterance, if that had
  begun by then and would not fit worse by more than the cost of a first split, and the next utterance's own texts do
  not show it in time (`Certainty.held_until`);
- if a final of the next utterance overtook the last one of a press too short for an interim, and the next one's
  interims went on for less time than that press, or the pace is unknown and something else was not recognised.

The texts keep the order of the sound, except in the last case and with a service whose pace varies and that sends early
finals: two of its utterances may be exchanged. Neither settles before the last final of the later one would have come
(`Certainty.exchangeable_with`); if the connection is lost before that, both are sent again.

Nor can it be known which final is an utterance's last. A service that sends early finals is given as long as its last
finals took, and until one has been measured, as long as any answer (`Certainty.patience_s`); the texts are on screen
meanwhile. Until it has sent a final before the end of an utterance, or a second one, its first final counts as the
last.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.core.session.attribution.assignment import OVERTAKING, assign
from pinch_tui.core.session.attribution.certainty import Certainty
from pinch_tui.core.session.attribution.estimate import SLOWER, Estimate
from pinch_tui.core.session.attribution.pace import LONGEST_ANSWER_S, Pace
from pinch_tui.core.session.attribution.sent import MAX_OVERTAKEN, Segment, SentUtterance, SentUtterances
from pinch_tui.core.session.attribution.speech_order import SpeechOrder
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

MAX_SEGMENTS, MAX_SEGMENTS_PER_S = 200, 8
"""Limit of segments per connection: a base, and more for each second of use. Speech never needs more."""
_MAX_UTTERANCES = 64  # of the connection; older ones get no more texts


@dataclass(frozen=True, slots=True)
class Move:
    """A segment belongs to another utterance than it was attributed to, or to another place in the same one.

    ``before``: the segment of the target that it comes before; None if it is the last one.
    """

    id: str
    source: int
    target: int
    before: str | None = None


class Attribution:
    """Maps the ids and speech chunks of one connection to utterance numbers.

    ``is_in_order``: the service acknowledges the end of each utterance and says nothing of the next one before that, so
    a new id belongs to the oldest utterance that has not ended. ``grace_s``: the pause between two utterances that the
    service needs.
    """

    def __init__(self, pace: Pace | None = None, *, is_in_order: bool = False, grace_s: float = 0.3) -> None:
        self._sent = SentUtterances()
        self._utterances = self._sent.utterances
        self.estimate = Estimate(pace or Pace(), self._sent)
        self.certainty = Certainty(self._sent, self.estimate, is_in_order=is_in_order)
        self._is_in_order = is_in_order
        self._grace_s = grace_s
        self._n_ended = 0  # how many of them the service has acknowledged
        self._segments: dict[str, Segment] = {}
        self._speech = SpeechOrder()
        self._began_at: float | None = None

    # ---- sending ----

    def first_sent(self, number: int, now: float) -> None:
        """The utterance's first frame was sent."""
        self._utterances.append(SentUtterance(number, now))
        if self._began_at is None:
            self._began_at = now
        excess = max(0, len(self._utterances) - _MAX_UTTERANCES)
        del self._utterances[:excess]
        self._n_ended = max(0, self._n_ended - excess)

    def voiced(self, number: int, now: float) -> None:
        """The socket took a frame of its voice."""
        if (utterance := self._sent.find(number)) is not None and utterance.voice_sent_at is None:
            utterance.voice_sent_at = now

    def finalized(self, number: int, now: float, *, is_voiced: bool) -> None:
        """Its `finalize` was queued."""
        if (utterance := self._sent.find(number)) is not None:
            utterance.finalized_at, utterance.is_voiced = now, is_voiced

    def finalize_left(self, number: int, now: float) -> None:
        """The socket took its `finalize`."""
        if (utterance := self._sent.find(number)) is not None:
            utterance.finalized_at = now

    def cancelled(self, number: int) -> None:
        """The user cancelled it: it may leave its segments to others."""
        if (utterance := self._sent.find(number)) is not None:
            utterance.is_cancelled = True

    def settled(self, number: int, now: float) -> list[Move]:
        """Nothing more is expected for the utterance.

        If it has no segment, the split is computed once more. If it then gets one, it is not settled yet.
        """
        utterance = self._sent.find(number)
        if utterance is None:
            return []
        utterance.is_overdue = True
        moves = [] if utterance.segments else self._split(now)
        if not (utterance.segments and moves):
            self._learn(utterance)
            utterance.is_settled = True
        return moves

    # ---- receiving ----

    def of_text(self, message: TranscriptMessage, now: float) -> tuple[int | None, list[Move]]:
        """The utterance of a text, and what moves because of it.

        A new segment that is not the last one of its utterance is reported as a move from that utterance to itself.
        The utterance is None if the text answers nothing: nothing was sent yet, or there are too many segments.
        """
        segment = self._segments.get(message.id)
        moves: list[Move] = []
        if segment is None:
            if not self._utterances or self.is_full(now):
                return None, []
            segment = self._segments[message.id] = self._insert(message, now)
            moves = [move for move in self._split(now) if move.id != segment.id]
            if (before := _next_id(segment)) is not None:
                moves.append(Move(segment.id, segment.utterance.number, segment.utterance.number, before))
        elif message.kind is TranscriptKind.ORIGINAL:
            moves = self._update(segment, message, now)
        if message.kind is TranscriptKind.TRANSLATED:
            self._speech.translated(segment)
        self.estimate.pace.has_early_finals |= len(segment.finals_at) > 1
        self.estimate.note_habits(segment.utterance, now)
        return segment.utterance.number, moves

    def of_speech(self, n_samples: int, now: float) -> int | None:
        """The utterance of a chunk of speech; None if nothing was sent."""
        if (segment := self._speech.of_chunk(n_samples, now)) is not None:
            return segment.utterance.number
        answered = [utterance for utterance in self._utterances if utterance.segments]
        newest = (answered or self._utterances)[-1:]
        return newest[0].number if newest else None

    def ended(self) -> int | None:
        """The service has acknowledged the end of the oldest utterance that had not ended; returns its number."""
        if self._n_ended >= len(self._utterances):
            return None
        self._n_ended += 1
        return self._utterances[self._n_ended - 1].number

    def is_full(self, now: float) -> bool:
        """Whether there are more segments than anybody can speak; new ones are refused for now."""
        used_s = 0.0 if self._began_at is None else now - self._began_at
        return len(self._segments) >= MAX_SEGMENTS + MAX_SEGMENTS_PER_S * used_s

    # ---- time ----

    def due(self, now: float) -> list[Move]:
        """Split again if an answer is overdue by now."""
        late = [
            utterance for utterance in self._sent.open() if (at := self._due_at(utterance)) is not None and at <= now
        ]
        for utterance in late:
            utterance.is_overdue = True
        return self._split(now) if late else []

    def wake_at(self) -> float | None:
        """When to call `due` next."""
        return min((at for utterance in self._sent.open() if (at := self._due_at(utterance)) is not None), default=None)

    def _due_at(self, utterance: SentUtterance) -> float | None:
        """When an unanswered utterance is overdue; None if that would change nothing."""
        answer = self.estimate.expected().answer
        if utterance.segments or utterance.is_overdue or not utterance.is_voiced:
            return None
        if utterance.finalized_at is None or answer is None or not any(other.segments for other in self._sent.open()):
            return None
        return utterance.finalized_at + SLOWER * answer.most + self._grace_s

    # ---- the sequence and its split ----

    def _insert(self, message: TranscriptMessage, now: float) -> Segment:
        """Put a new id at its place in the sequence; the split follows."""
        utterances = self._sent.open() or self._utterances[-1:]  # the late text can be about nothing else
        if self._is_in_order:
            utterances = [self._utterances[min(self._n_ended, len(self._utterances) - 1)]]
        sequence = [segment for utterance in utterances for segment in utterance.segments]
        new = Segment(message.id, utterances[0], now, begins_with_interim=not message.is_final)
        if message.kind is TranscriptKind.ORIGINAL:
            new.add_text(message.text, is_final=message.is_final, now=now)
        at = self._place(new, utterances, sequence, now)
        if sequence:
            new.utterance = sequence[min(at, len(sequence) - 1)].utterance
        siblings = new.utterance.segments
        siblings.insert(siblings.index(sequence[at]) if at < len(sequence) else len(siblings), new)
        return new

    def _place(self, new: Segment, utterances: list[SentUtterance], sequence: list[Segment], now: float) -> int:
        """The index in the sequence that a new segment gets."""
        end = len(sequence)
        if new.begins_with_interim or self._is_in_order:
            return end
        end = next((i for i, segment in enumerate(sequence) if segment.lacks_final), end)
        first = end
        while first > max(0, end - MAX_OVERTAKEN) and (
            self.estimate.pace.has_early_finals or sequence[first - 1].utterance.has_early_finals
        ):
            first -= 1
        if first == end or len(utterances) < 2:
            return end

        def cost(at: int) -> float:
            new.utterance = sequence[min(at, len(sequence) - 1)].utterance
            lowest, _ = assign(utterances, [*sequence[:at], new, *sequence[at:]], self.estimate.expected(), now)
            return lowest if at == end else lowest + OVERTAKING

        return min(range(end, first - 1, -1), key=cost)

    def _update(self, segment: Segment, message: TranscriptMessage, now: float) -> list[Move]:
        """A further original text of a known segment."""
        utterance, updated_at = segment.utterance, segment.updated_at
        is_new_final = segment.add_text(message.text, is_final=message.is_final, now=now)
        if not utterance.is_settled:
            return self._continued(segment, now, is_new_final) if segment.updated_at > updated_at else []
        answer_s = utterance.answer_s([segment]) if is_new_final else None
        if answer_s is not None and answer_s <= LONGEST_ANSWER_S:  # it settled too soon: the service is slower
            self._learn(utterance)
        return []

    def _continued(self, segment: Segment, now: float, is_new_final: bool) -> list[Move]:
        """A segment of an open utterance goes on: put it behind the single finals that came meanwhile, as these are
        about earlier sound. Split again after a final, or if it goes on for longer than its utterance."""
        sequence = [s for utterance in self._sent.open() for s in utterance.segments]
        behind = sequence[sequence.index(segment) + 1 :]
        moves: list[Move] = []
        overtaking = [s for s in behind if not s.begins_with_interim and len(s.finals_at) == 1]
        for s in overtaking:
            s.utterance.segments.remove(s)
            segment.utterance.segments.insert(segment.utterance.segments.index(segment), s)
            if s.utterance is segment.utterance:
                moves.append(Move(s.id, s.utterance.number, s.utterance.number, segment.id))
        if overtaking or is_new_final or segment.utterance.overrun_s(segment.utterance.segments) > 0.0:
            moves += self._split(now)
        return moves

    def _split(self, now: float) -> list[Move]:
        """Split the sequence among the open utterances; returns the moves in an order in which they can be made."""
        utterances = self._sent.open()
        if self._is_in_order or len(utterances) < 2:
            return []
        sequence = [segment for utterance in utterances for segment in utterance.segments]
        _, owners = assign(utterances, sequence, self.estimate.expected(), now)
        pairs = list(zip(sequence, owners, strict=True))
        for utterance in utterances:
            utterance.segments = [segment for segment, owner in pairs if owner is utterance]
        moves: list[Move] = []
        for segment, owner in reversed(pairs):
            if (source := segment.utterance) is not owner:
                segment.utterance = owner
                moves.append(Move(segment.id, source.number, owner.number, _next_id(segment)))
        return moves

    def _learn(self, utterance: SentUtterance) -> None:
        if not self._is_in_order:  # else no delay matters
            self.estimate.learn(utterance)


def _next_id(segment: Segment) -> str | None:
    """The id of the segment's successor in its utterance."""
    siblings = segment.utterance.segments
    at = siblings.index(segment) + 1
    return siblings[at].id if at < len(siblings) else None
