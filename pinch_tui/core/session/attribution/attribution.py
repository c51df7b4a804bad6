"""Decides which utterance each text and each chunk of speech belongs to. Pure.

The service names segments (correlation ids), never utterances, and speech carries no id at all. Within one connection
it works in order. So the utterance of a segment follows from three things: the order in which utterances were sent,
which of them are settled, and how long the service takes.

**The sequence.** The segments of all open (not yet settled) utterances form one sequence, in the order of the sound
that they transcribe. A new id gets its place by its first text:

- An interim goes to the end, since interims come in the order of the sound.
- A final goes before every segment that still lacks its last final, since last finals come in the order of the sound,
  too. The exception is a service that sends finals while somebody talks: such an early final can overtake the last
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
  not show it in time (`held_until`);
- if a final of the next utterance overtook the last one of a press too short for an interim, and the next one's
  interims went on for less time than that press, or the pace is unknown and something else was not recognised.

The texts keep the order of the sound, except in the last case and with a service whose pace varies and that sends early
finals: two of its utterances may be exchanged. Neither settles before the last final of the later one would have come
(`exchangeable_with`); if the connection is lost before that, both are sent again.

Nor can it be known which final is an utterance's last. A service that sends early finals is given as long as its last
finals took, and until one has been measured, as long as any answer (`patience_s`); the texts are on screen meanwhile.
Until it has sent a final before the end of an utterance, or a second one, its first final counts as the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pinch_tui.core.session.attribution.assignment import FIRST_TEXT_SLACK_S, OVERTAKING, UNANSWERED, assign
from pinch_tui.core.session.attribution.pace import LONGEST_ANSWER_S, DelayRange, Expected, Pace
from pinch_tui.core.session.attribution.sent import Segment, SentUtterance
from pinch_tui.core.session.attribution.speech_order import SpeechOrder
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

MAX_SEGMENTS, MAX_SEGMENTS_PER_S = 200, 8
"""Limit of segments per connection: a base, and more for each second of use. Speech never needs more."""
_SLOWER = 1.25
"""An answer may take this many times as long as the slowest one so far."""
_MAX_OVERTAKEN = 4  # segments that one final can overtake
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
        self.pace = pace or Pace()
        self.has_sentences = False
        """Whether the service makes a segment of each sentence."""
        self._guess = Expected()  # the delays of the newest settled utterance, used until the pace is measured
        self._is_in_order = is_in_order
        self._grace_s = grace_s
        self._utterances: list[SentUtterance] = []
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
        if (utterance := self._find(number)) is not None and utterance.voice_sent_at is None:
            utterance.voice_sent_at = now

    def finalized(self, number: int, now: float, *, is_voiced: bool) -> None:
        """Its `finalize` was queued."""
        if (utterance := self._find(number)) is not None:
            utterance.finalized_at, utterance.is_voiced = now, is_voiced

    def finalize_left(self, number: int, now: float) -> None:
        """The socket took its `finalize`."""
        if (utterance := self._find(number)) is not None:
            utterance.finalized_at = now

    def cancelled(self, number: int) -> None:
        """The user cancelled it: it may leave its segments to others."""
        if (utterance := self._find(number)) is not None:
            utterance.is_cancelled = True

    def settled(self, number: int, now: float) -> list[Move]:
        """Nothing more is expected for the utterance.

        If it has no segment, the split is computed once more. If it then gets one, it is not settled yet.
        """
        utterance = self._find(number)
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
        self.pace.has_early_finals |= len(segment.finals_at) > 1
        self._note_habits(segment.utterance, now)
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

    # ---- what settling depends on ----

    def lag_s(self, number: int) -> float:
        """Seconds from the utterance's voice to its first interim; 0.0 if unknown."""
        utterance = self._find(number)
        if utterance is None or not utterance.segments:
            return 0.0
        return utterance.first_text_s(utterance.segments) or 0.0

    def patience_s(self, number: int) -> float:
        """Seconds after `finalize` within which another final can follow one; 0.0 if the first final is the last.

        Only a service that sends early finals, or utterances whose texts could still be exchanged, need it. The lag of
        the interims says nothing about it: a service can show words at once and take seconds for the last final.
        """
        utterance = self._find(number)
        has_early_finals = self.pace.has_early_finals or (utterance is not None and utterance.has_early_finals)
        if utterance is None or not (has_early_finals or self.exchangeable_with(number)):
            return 0.0
        slowest_s = self.pace.slowest_final_s
        return LONGEST_ANSWER_S if slowest_s is None else _SLOWER * slowest_s

    def is_contested(self, number: int) -> bool:
        """Whether a segment of the utterance could still turn out to belong to another one."""
        utterance = self._find(number)
        if utterance is None or not utterance.segments or utterance.is_settled or self._is_in_order:
            return False
        utterances = self._open()
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
        """Whether all segments of the utterance certainly belong to it, if the service keeps its pace."""
        if self.is_contested(number) or self.exchangeable_with(number) or self.held_until(number) > float("-inf"):
            return False
        utterance = self._find(number)
        is_first = all(other.number >= number for other in self._open())
        return is_first or utterance is None or not self._came_too_soon(utterance)

    def held_until(self, number: int) -> float:
        """When a segment of a later utterance can no longer turn out to be this one's; minus infinity if none can.

        If a text that came too soon for a later utterance belongs to this one, the later one's own texts are still to
        come. They show it.
        """
        until = float("-inf")
        first_text = self._expected().first_text
        for later in self._open():
            if later.number <= number or later.is_cancelled or not later.segments:
                continue
            if first_text is None or not self._came_too_soon(later):
                break
            until = later.began_at + _SLOWER * first_text.most
        return until

    def exchangeable_with(self, number: int) -> list[int]:
        """The open utterances whose texts could be exchanged with this one's, itself included; they settle together.

        This is so while a later utterance has nothing but a single final, which came after a final of a segment that
        could belong to that later utterance: then this segment would get another text.
        """
        utterances = [] if self._is_in_order else self._open()
        found: list[int] = []
        for last, utterance in enumerate(utterances):
            if not utterance.segments or any(s.begins_with_interim or len(s.finals_at) > 1 for s in utterance.segments):
                continue
            final_at = utterance.segments[0].first_at
            doubtful = (
                first
                for first in range(max(0, last - _MAX_OVERTAKEN), last)
                for s in utterances[first].segments
                if s.begins_with_interim and s.finals_at and utterances[first + 1].began_at <= s.first_at < final_at
            )
            if (first := next(doubtful, None)) is not None:
                numbers = [other.number for other in utterances[first : last + 1]]
                found += numbers if number in numbers else []
        return found

    # ---- time ----

    def due(self, now: float) -> list[Move]:
        """Split again if an answer is overdue by now."""
        late = [utterance for utterance in self._open() if (at := self._due_at(utterance)) is not None and at <= now]
        for utterance in late:
            utterance.is_overdue = True
        return self._split(now) if late else []

    def wake_at(self) -> float | None:
        """When to call `due` next."""
        return min((at for utterance in self._open() if (at := self._due_at(utterance)) is not None), default=None)

    def _due_at(self, utterance: SentUtterance) -> float | None:
        """When an unanswered utterance is overdue; None if that would change nothing."""
        answer = self._expected().answer
        if utterance.segments or utterance.is_overdue or not utterance.is_voiced:
            return None
        if utterance.finalized_at is None or answer is None or not any(other.segments for other in self._open()):
            return None
        return utterance.finalized_at + _SLOWER * answer.most + self._grace_s

    # ---- the sequence and its split ----

    def _find(self, number: int) -> SentUtterance | None:
        return next((utterance for utterance in reversed(self._utterances) if utterance.number == number), None)

    def _open(self) -> list[SentUtterance]:
        return [utterance for utterance in self._utterances if not utterance.is_settled]

    def _insert(self, message: TranscriptMessage, now: float) -> Segment:
        """Put a new id at its place in the sequence; the split follows."""
        utterances = self._open() or self._utterances[-1:]  # the late text can be about nothing else
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
        while first > max(0, end - _MAX_OVERTAKEN) and (
            self.pace.has_early_finals or sequence[first - 1].utterance.has_early_finals
        ):
            first -= 1
        if first == end or len(utterances) < 2:
            return end

        def cost(at: int) -> float:
            new.utterance = sequence[min(at, len(sequence) - 1)].utterance
            lowest, _ = assign(utterances, [*sequence[:at], new, *sequence[at:]], self._expected(), now)
            return lowest if at == end else lowest + OVERTAKING

        return min(range(end, first - 1, -1), key=cost)

    def _update(self, segment: Segment, message: TranscriptMessage, now: float) -> list[Move]:
        """A further original text of a known segment."""
        utterance, updated_at = segment.utterance, segment.updated_at
        is_new_final = segment.add_text(message.text, is_final=message.is_final, now=now)
        if not utterance.is_settled:
            moves = self._continued(segment, now) if segment.updated_at > updated_at else []
            return moves or (self._split(now) if is_new_final else [])
        answer_s = utterance.answer_s([segment]) if is_new_final else None
        if answer_s is not None and answer_s <= LONGEST_ANSWER_S:  # it settled too soon: the service is slower
            self._learn(utterance)
        return []

    def _continued(self, segment: Segment, now: float) -> list[Move]:
        """A segment of an open utterance goes on: put it behind the single finals that came meanwhile, as these are
        about earlier sound. If it goes on for longer than its utterance, split again."""
        sequence = [s for utterance in self._open() for s in utterance.segments]
        behind = sequence[sequence.index(segment) + 1 :]
        moves: list[Move] = []
        overtaking = [s for s in behind if not s.begins_with_interim and len(s.finals_at) == 1]
        for s in overtaking:
            s.utterance.segments.remove(s)
            segment.utterance.segments.insert(segment.utterance.segments.index(segment), s)
            if s.utterance is segment.utterance:
                moves.append(Move(s.id, s.utterance.number, s.utterance.number, segment.id))
        if overtaking or segment.utterance.overrun_s(segment.utterance.segments) > 0.0:
            moves += self._split(now)
        return moves

    def _split(self, now: float) -> list[Move]:
        """Split the sequence among the open utterances; returns the moves in an order in which they can be made."""
        utterances = self._open()
        if self._is_in_order or len(utterances) < 2:
            return []
        sequence = [segment for utterance in utterances for segment in utterance.segments]
        _, owners = assign(utterances, sequence, self._expected(), now)
        pairs = list(zip(sequence, owners, strict=True))
        for utterance in utterances:
            utterance.segments = [segment for segment, owner in pairs if owner is utterance]
        moves: list[Move] = []
        for segment, owner in reversed(pairs):
            if (source := segment.utterance) is not owner:
                segment.utterance = owner
                moves.append(Move(segment.id, source.number, owner.number, _next_id(segment)))
        return moves

    # ---- the service's pace ----

    def _expected(self) -> Expected:
        pace, guess = self.pace, self._guess
        return Expected(
            pace.first_text or guess.first_text,
            pace.answer or guess.answer,
            self.has_sentences or pace.has_many_segments,
            pace.has_early_finals,
            is_measured=pace.first_text is not None or pace.answer is not None,
        )

    def _could_own(self, other: SentUtterance, owner: SentUtterance) -> bool:
        """Whether the owner's segments might belong to the other utterance."""
        segments = owner.segments
        if segments[0].first_at < other.began_at:
            return False
        expected = self._expected()
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
        expected = self._expected()
        first_text_s = utterance.first_text_s(utterance.segments) if utterance.segments else None
        if self._is_in_order or expected.has_many_segments or expected.first_text is None or first_text_s is None:
            return False
        return first_text_s < expected.first_text.least - FIRST_TEXT_SLACK_S

    def _note_habits(self, utterance: SentUtterance, now: float) -> None:
        """Learn how the service divides its texts, from an utterance that is open alone."""
        if any(other is not utterance and other.began_at <= now for other in self._open()):
            return
        self.pace.has_many_segments |= len(utterance.segments) > 1
        self.pace.has_early_finals |= utterance.has_early_finals

    def _learn(self, utterance: SentUtterance) -> None:
        """Learn the delays of an utterance that settles.

        They count as measured if no other utterance can own its segments, or if the pace is known already.
        """
        segments = utterance.segments
        if not segments or self._is_in_order:
            return
        pace, first_text_s, answer_s = self.pace, utterance.first_text_s(segments), utterance.answer_s(segments)
        earlier = self._utterances[: self._utterances.index(utterance)]
        later = [other for other in self._utterances if other.number > utterance.number]
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


def _next_id(segment: Segment) -> str | None:
    """The id of the segment's successor in its utterance."""
    siblings = segment.utterance.segments
    at = siblings.index(segment) + 1
    return siblings[at].id if at < len(siblings) else None
