"""Gets utterances to the service, over one connection after another, until each one is settled. Pure.

Holds the unsettled utterances and sends them in order, no faster than the service takes them and with its grace between
two of them. Attributes what comes back, and says when an utterance is settled. The session machine says when there is a
connection and when it is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum, auto

from pinch_tui.core.events import FRAME_S, Frame
from pinch_tui.core.session.attribution.attribution import Attribution, Move
from pinch_tui.core.session.attribution.pace import Pace
from pinch_tui.core.session.events import (
    FinalizeQueued,
    FirstFrameQueued,
    GoHandsFree,
    MessageIgnored,
    Restarted,
    SendAudio,
    SendFinalize,
    Settled,
    SpeechReceived,
    Step,
    TextMoved,
    TextReceived,
)
from pinch_tui.core.session.link import Link
from pinch_tui.core.session.outbox import VOICE_PEAK, Outbox, Outgoing, Pacer
from pinch_tui.core.session.settle import SettleWatch
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import SpeechChunk, TranscriptMessage

_MAX_QUEUED = 25
"""Frames handed to the socket that it has not taken yet."""
_CHECKPOINT_QUIET = 25  # frames of silence
_CHECKPOINT_GAP_S = 0.6
_CHECKPOINT_KEEP = 15  # frames kept before a checkpoint
_CAREFUL_ATTEMPTS = 2
"""A later attempt is answered by any final after its end: a link that drops every few seconds must get on."""
_TEXTS_KEPT = 32  # newest messages of a segment
_PLAIN = ServiceTraits()


class _Part(Enum):
    """What the socket is to take next."""

    QUIET = auto()
    VOICE = auto()
    FINALIZE = auto()


class Delivery:
    """The unsettled utterances of one session. Methods return what is to be done, in order."""

    def __init__(
        self, traits: ServiceTraits = _PLAIN, *, has_checkpoints: bool = False, pace: Pace | None = None
    ) -> None:
        self.outbox = Outbox()
        self.held_s = 0.0  # sound that had to wait for a connection
        self.resent_s = 0.0
        self.link = Link()
        self._traits = traits
        self._has_checkpoints = has_checkpoints
        self._generation: int | None = None
        self._expects_speech = True
        self._attribution = self._new_attribution(pace)
        self._pacer = Pacer(traits.pace)
        self._watches: dict[int, SettleWatch] = {}
        self._attempts: dict[int, int] = {}
        self._cancelled: set[int] = set()
        self._texts: dict[str, list[TranscriptMessage]] = {}  # of segments that may move to another utterance
        self._queued: deque[tuple[int, _Part]] = deque()  # handed to the socket: the utterance, and what of it
        self._hold_until = float("-inf")

    @property
    def is_active(self) -> bool:
        return len(self.outbox) > 0

    @property
    def unfinished(self) -> int:
        """How many utterances have no final text since their end, or lack one that must come."""
        watches = (self._watches.get(item.number) for item in self.outbox)
        return sum(watch is None or not watch.has_final_since_end for watch in watches)

    # ---- the connection ----

    def connect(self, generation: int, *, expects_speech: bool, now: float, has_sentences: bool = False) -> list[Step]:
        """A connection is ready: send what was held."""
        self._generation = generation
        self._expects_speech = expects_speech
        self._attribution.estimate.has_sentences = has_sentences
        self._queued.clear()
        self._hold_until = float("-inf")
        for item in self.outbox:
            item.kept_before = item.kept_segments
            self._expect(item)
        return self.pump(now)

    def disconnect(self, now: float) -> list[Step]:
        """The connection is lost: settle what is answered, and make the rest new attempts."""
        self._generation = None
        self._queued.clear()
        steps: list[Step] = []
        for item in list(self.outbox):
            watch = self._watches.get(item.number)
            if item.is_cancelled:
                self.outbox.remove(item.number)
            elif watch is not None and watch.is_answered and self._attribution.certainty.is_sure(item.number):
                steps += self._settle(item.number, now)
            elif item.restart():
                item.spoken = item.kept_speech
                steps.append(Restarted(item.number, item.attempt, item.kept_segments, item.kept_speech))
        self._watches.clear()
        self._texts.clear()
        # At once: texts that the next connection sends before it is ready must answer nothing.
        self._attribution = self._new_attribution(self._attribution.estimate.pace)
        return steps

    def taken(self, now: float) -> list[Step]:
        """The socket took one frame or message."""
        if self._queued:
            number, part = self._queued.popleft()
            watch = self._watches.get(number)
            if part is not _Part.FINALIZE and self.link.window is not None:
                self.link.window.taken()
            if part is _Part.FINALIZE:
                self._hold_until = now + self._traits.grace_s
                self._attribution.finalize_left(number, now)
                if watch is not None:
                    watch.finalized_at = now
            elif part is _Part.VOICE:
                self._attribution.voiced(number, now)
                if watch is not None:
                    watch.voice_sent_at = now
        return self.pump(now)

    def hurry(self) -> None:
        """Settle as soon as the last words are there, without waiting for their speech."""
        self._expects_speech = False
        for watch in self._watches.values():
            watch.expects_speech = False

    def pinged(self, now: float) -> None:
        """A ping is sent, behind all that the socket took. No other one is unanswered."""
        self.link.pinged(now)
        for watch in self._watches.values():
            watch.pinged()

    def ponged(self, now: float) -> list[Step]:
        """The ping is answered."""
        self.link.ponged(now)
        for watch in self._watches.values():
            watch.ponged(now)
        return [] if self.link.window is None else self.pump(now)

    def next_ping_at(self) -> float:
        """When the next ping is due, so that no utterance waits for a regular one; infinite while one is unanswered."""
        if (regular_at := self.link.next_ping_at(is_active=self.is_active)) == float("inf"):
            return regular_at
        times = [watch.ping_at(self.link.answered_at) for watch in self._watches.values()]
        return min([regular_at, *(at for at in times if at is not None)])

    # ---- utterances ----

    def start(self, number: int) -> None:
        self._expect(self.outbox.start(number))

    def give_away(self) -> tuple[Outgoing, ...]:
        """Let go of what is unsettled, for another session to send. Only while there is no connection."""
        items = tuple(item for item in self.outbox if not item.is_cancelled)
        self.outbox.clear()
        return items

    def take_over(self, items: Iterable[Outgoing], now: float) -> list[Step]:
        """Send these, too, where `Outbox.put` puts them."""
        items = tuple(items)
        self.outbox.put(items)
        for item in items:
            self._cancelled.discard(item.number)
            self._expect(item)
        return self.pump(now)

    def frame(self, number: int, frame: Frame, now: float) -> list[Step]:
        self.outbox.add(number, frame)
        if self._generation is None:
            self.held_s += FRAME_S
            return []
        return self.pump(now)

    def latch(self, number: int) -> list[Step]:
        """The utterance goes on hands-free, also when it is sent again."""
        item = self.outbox.get(number)
        if item is None or item.is_ended:
            return []
        item.is_latched = True
        return [] if item.first_sent_at is None or self._generation is None else [GoHandsFree(self._generation)]

    def end(self, number: int, now: float) -> list[Step]:
        item = self.outbox.get(number)
        if item is None:
            return []
        item.is_ended = True
        return self._settle(number, now) if item.total == 0 else self.pump(now)

    def cancel(self, number: int, now: float) -> list[Step]:
        """Send no more of it, close what was sent with one finalize, and drop its results.

        The service still answers what was sent, so that answer is awaited like any other.
        """
        item = self.outbox.get(number)
        self._cancelled.add(number)
        self._attribution.cancelled(number)
        if item is None:
            return []
        self.outbox.cancel(number)
        if item.first_sent_at is None or self._generation is None:
            self.outbox.remove(number)
            self._watches.pop(number, None)
            return []
        if item.finalized_at is not None:
            self.outbox.remove(number)
        return self.pump(now)

    # ---- replies ----

    def text(self, message: TranscriptMessage, now: float) -> list[Step]:
        number, moves = self._attribution.of_text(message, now)
        if number is None:
            return [MessageIgnored(is_unknown=False)] if self._attribution.is_full(now) else []
        own = [move for move in moves if move.id == message.id and move.source == move.target]
        steps = self._carry_out([move for move in moves if move not in own], now)
        if (watch := self._watches.get(number)) is not None:
            watch.message(message, now)
            self._update_patience(number, watch)
            self._texts[message.id] = [*self._texts.get(message.id, [])[-_TEXTS_KEPT:], message]
        if number in self._cancelled:
            return steps
        # The segment can only move within its utterance once its text is there.
        return [*steps, TextReceived(number, self._attempts.get(number, 1), message), *self._carry_out(own, now)]

    def speech(self, chunk: SpeechChunk, now: float) -> list[Step]:
        number = self._attribution.of_speech(chunk.n_samples, now)
        if number is None or number in self._cancelled:
            return []
        if (watch := self._watches.get(number)) is not None:
            watch.speech(now)
            if (item := self.outbox.get(number)) is not None:
                item.spoken += chunk.n_samples
        return [SpeechReceived(number, self._attempts.get(number, 1), chunk)]

    def ended(self, now: float) -> list[Step]:
        """The service has said that the oldest utterance is over."""
        number = self._attribution.ended()
        item = None if number is None else self.outbox.get(number)
        is_ended = number in self._cancelled or (item is not None and item.finalized_at is not None)
        return self._settle(number, now) if number is not None and is_ended else []

    # ---- time ----

    def pump(self, now: float) -> list[Step]:
        """Send what may be sent now."""
        steps: list[Step] = []
        generation = self._generation
        if generation is None:
            return steps
        while len(self._queued) < _MAX_QUEUED and now >= self._hold_until:
            item = self.outbox.current()
            if item is None:
                break
            if item.waiting > 0:
                if not self._has_room() or not self._pacer.take(now):
                    break
                steps += self._send(item, generation, now)
            elif item.is_ended:
                steps += self._finalize(item, generation, now)
            else:
                break
        return steps

    def due(self, now: float) -> list[Step]:
        """Settle what is due, let go of sound behind a checkpoint, and send what may be sent."""
        steps = self._carry_out(self._attribution.due(now), now)
        for number, watch in list(self._watches.items()):
            at = self._settles_at(number, watch)
            if at is not None and at <= now:
                steps += self._settle(number, now)
        if self._has_checkpoints:
            self._checkpoint(now)
        return steps + self.pump(now)

    def wake_at(self, now: float) -> float | None:
        """When to call `due` next."""
        times = [self._settles_at(number, watch) for number, watch in self._watches.items()]
        times.append(self._attribution.wake_at())
        item = self.outbox.current()
        has_sound = item is not None and item.waiting > 0
        is_wanted = self._has_room() if has_sound else item is not None and item.is_ended
        can_send = self._generation is not None and len(self._queued) < _MAX_QUEUED and self._hold_until < float("inf")
        if is_wanted and can_send:
            times.append(max(self._hold_until, self._pacer.next_at(now)))
        return min((at for at in times if at is not None), default=None)

    # ---- inside ----

    def _new_attribution(self, pace: Pace | None) -> Attribution:
        return Attribution(pace, is_in_order=self._traits.acknowledges_end, grace_s=self._traits.grace_s)

    def _expect(self, item: Outgoing) -> None:
        """Texts of this attempt come from now on. On a connection, watch for its end."""
        self._attempts[item.number] = item.attempt
        if self._generation is not None:
            traits = self._traits
            self._watches[item.number] = SettleWatch(
                self._expects_speech,
                expects_translation=traits.translates,
                is_acknowledged=traits.acknowledges_end,
                quiet=traits.quiet,
            )

    def _send(self, item: Outgoing, generation: int, now: float) -> list[Step]:
        steps: list[Step] = []
        if item.first_sent_at is None:
            item.first_sent_at = now
            self._attribution.first_sent(item.number, now)
            steps.append(FirstFrameQueued(item.number, item.attempt))
            if item.is_latched:
                steps.append(GoHandsFree(generation))
        if item.was_sent_before:
            self.resent_s += FRAME_S
        if self.link.window is not None:
            self.link.window.sent()
        frame = item.take(now)
        steps.append(SendAudio(generation, frame.pcm))
        self._queued.append((item.number, _Part.VOICE if frame.peak > VOICE_PEAK else _Part.QUIET))
        return steps

    def _finalize(self, item: Outgoing, generation: int, now: float) -> list[Step]:
        if item.first_sent_at is None:  # nothing of it is on this connection
            return self._settle(item.number, now)
        item.finalized_at = now
        is_voiced = item.peak > VOICE_PEAK
        self._attribution.finalized(item.number, now, is_voiced=is_voiced)
        self._hold_until = float("inf")  # until the socket has taken it
        self._queued.append((item.number, _Part.FINALIZE))
        if item.is_cancelled:
            self.outbox.remove(item.number)
        if (watch := self._watches.get(item.number)) is not None:
            watch.is_voiced = is_voiced
        return [SendFinalize(generation), FinalizeQueued(item.number)]

    def _has_room(self) -> bool:
        return self.link.window is None or self.link.window.is_open

    def _settles_at(self, number: int, watch: SettleWatch) -> float | None:
        """When the utterance settles; None while it cannot, or while its text may belong to another one."""
        if self._attribution.certainty.is_contested(number) or (at := watch.settles_at(self.link.answered_at)) is None:
            return None
        at = max(at, self._attribution.certainty.held_until(number))
        for other in self._attribution.certainty.exchangeable_with(number):
            if (other_watch := self._watches.get(other)) is not None:
                other_at = other_watch.settles_at(self.link.answered_at)
                at = max(at, float("inf") if other_at is None else other_at)
        return min(at, watch.ceiling)

    def _settle(self, number: int, now: float) -> list[Step]:
        steps = self._carry_out(moves := self._attribution.settled(number, now), now)
        if any(move.target == number for move in moves):  # it has an answer after all
            return steps
        item = self.outbox.get(number)
        sound = tuple(item.frames) if item is not None and item.base == 0 else ()
        self.outbox.remove(number)
        if (watch := self._watches.pop(number, None)) is not None:
            for id_ in watch.segments:
                self._texts.pop(id_, None)
        return steps if number in self._cancelled else [*steps, Settled(number, sound)]

    def _update_patience(self, number: int, watch: SettleWatch) -> None:
        """How long further texts of the utterance may take, judging by those it has."""
        watch.lag_s, watch.patience_s = (
            self._attribution.certainty.lag_s(number),
            self._attribution.certainty.patience_s(number),
        )
        # The last final takes about as long as those before it took; an earlier one comes sooner.
        is_measured = self._attribution.estimate.pace.slowest_final_s is not None
        watch.soonest_last_s = watch.patience_s / 2 if is_measured else watch.patience_s
        if self._attempts.get(number, 1) > _CAREFUL_ATTEMPTS:
            watch.soonest_last_s = 0.0

    def _carry_out(self, moves: list[Move], now: float) -> list[Step]:
        steps: list[Step] = []
        for move in moves:
            source, target = self._watches.get(move.source), self._watches.get(move.target)
            if source is not None and target is not None:
                source.give(move.id, target, now)
                self._update_patience(move.target, target)
            attempt = self._attempts.get(move.target, 1)
            if move.source not in self._cancelled:
                steps.append(TextMoved(move.id, move.source, move.target, attempt, move.before))
            elif move.target not in self._cancelled:  # its texts were not reported
                steps += [TextReceived(move.target, attempt, message) for message in self._texts.get(move.id, [])]
                if move.before is not None:
                    steps.append(TextMoved(move.id, move.target, move.target, attempt, move.before))
        return steps

    def _checkpoint(self, now: float) -> None:
        """In an utterance without a limit, let go of sound before a silence, if all its segments are final."""
        item = self.outbox.current()
        watch = self._watches.get(item.number) if item else None
        if item is None or watch is None or item.quiet < _CHECKPOINT_QUIET or not watch.has_all_finals:
            return
        if now - watch.replied_at < _CHECKPOINT_GAP_S or watch.original_at < max(item.voiced_at, watch.voice_sent_at):
            return  # more text may come about what was sent
        self.outbox.forget_front(item.number, item.next - item.base - _CHECKPOINT_KEEP)
        item.kept_segments = item.kept_before + len(watch.segments)
        item.kept_speech = item.spoken
