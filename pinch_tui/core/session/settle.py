"""When an utterance is settled. Pure.

`finalize` is not acknowledged by the service (reference, section 1.10), so the end is inferred: every segment has its
final original and final translation, and nothing more came for a quiet gap; or a ceiling has passed. Finals come
several times for a segment (section 1.9), so one that a later text goes beyond is not its last, and a voice that was
sent after the last text is still to be answered. A service that sends finals before the end is given the time that its
answers take; as any silence, that counts only from a service that lived all the time.

A queue may lie before a slow link, so `finalize` arrives long after it left. A service that answers a ping sent after
it has it: nothing is settled before that pong, and where the pong was slow, silence counts from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

TELL_S = 0.2
"""A text cannot cover sound that was sent less than this before it."""
SLOW_S = 2.0
"""A `finalize` whose pong takes longer stood in a queue with the voice before it: texts until then may be too early."""


@dataclass(frozen=True, slots=True)
class QuietTimes:
    """How long silence lasts before it means the end, in seconds; a service that is slower declares its own."""

    text: float = 0.6
    """After the last final, when no speech is expected."""
    before_speech: float = 2.0
    """After the last final, while its speech has not begun."""
    speech: float = 0.6
    """After the last chunk of speech."""
    empty_silent: float = 1.0
    """After `finalize` of an utterance without voice, when no message came."""
    empty_voiced: float = 4.0
    """After `finalize` of an utterance with voice, when no message came."""
    ceiling: float = 10.0
    """After `finalize`, while finals are missing."""
    ceiling_idle: float = 5.0
    """After the last message, while finals are missing; the later of the two ceilings counts."""


@dataclass(slots=True)
class _Half:
    """One kind of one segment. ``text``: its newest final."""

    text: str | None = None
    earlier: set[str] = field(default_factory=set)
    is_final: bool = False

    def take(self, text: str, *, is_final: bool) -> bool:
        """Take one message; True when it goes beyond an earlier final."""
        newest = self.text
        if newest is not None and (newest.startswith(text) or text in self.earlier):
            self.is_final |= is_final and newest == text
            return False
        self.is_final = is_final
        if is_final:
            if newest is not None:
                self.earlier.add(newest)
            self.text = text
        return newest is not None


@dataclass(slots=True)
class _Halves:
    original: _Half = field(default_factory=_Half)
    translation: _Half = field(default_factory=_Half)

    def take(self, message: TranscriptMessage) -> None:
        if message.kind is TranscriptKind.ORIGINAL:
            if self.original.take(message.text, is_final=message.is_final):
                self.translation.is_final = False  # its translation is still to come
        elif message.original_text not in self.original.earlier:
            self.translation.take(message.text, is_final=message.is_final)

    def are_final(self, *, with_translation: bool) -> bool:
        return self.original.is_final and (self.translation.is_final or not with_translation)


@dataclass(slots=True)
class SettleWatch:
    """Watches one attempt of one utterance.

    ``is_acknowledged``: the service says when the utterance is over; only the ceiling is watched here.
    """

    expects_speech: bool
    expects_translation: bool = True
    is_acknowledged: bool = False
    quiet: QuietTimes = field(default_factory=QuietTimes)
    finalized_at: float | None = None  # when `finalize` left
    is_asked: bool = False  # a ping followed `finalize`
    arrived_at: float | None = None  # when that ping's pong came: the service has it
    is_voiced: bool = True
    voiced_at: float = float("-inf")  # when the last of the voice had really left
    segments: dict[str, _Halves] = field(default_factory=dict)
    last_at: float = float("-inf")  # the last message or chunk
    told_at: float = float("-inf")  # the last original text
    lag: float = 0.0  # from the utterance's voice to its first interim, as far as known
    patience: float = 0.0  # seconds after `finalize` in which another final may follow one
    soonest_last_s: float = 0.0  # a final that comes sooner after `finalize` is not taken for the last one
    speech_at: float | None = None  # the last chunk

    def message(self, message: TranscriptMessage, now: float) -> None:
        self.segments.setdefault(message.id, _Halves()).take(message)
        self.last_at = now
        if message.kind is TranscriptKind.ORIGINAL:
            self.told_at = now

    def speech(self, now: float) -> None:
        self.last_at = self.speech_at = now

    def pinged(self) -> None:
        """A ping is sent, in order behind what the socket took."""
        self.is_asked = self.finalized_at is not None and not self.is_acknowledged

    def ponged(self, now: float) -> None:
        if self.is_asked and self.arrived_at is None:
            self.arrived_at = now

    def asks_at(self, answered_at: float) -> float | None:
        """When a ping is wanted: behind `finalize`, and where silence would mean that nothing was heard."""
        if self.finalized_at is None or self.is_acknowledged:
            return None
        if not self.is_asked:
            return self.finalized_at
        at = self._silent_at if self.is_voiced else None
        return at if at is not None and answered_at < at else None

    def give(self, segment: str, other: SettleWatch, now: float) -> None:
        """The segment answers another utterance."""
        if (halves := self.segments.pop(segment, None)) is None:
            return
        other.segments[segment] = halves
        other.last_at = other.told_at = now
        if not self.segments:
            other.speech_at, self.speech_at = self.speech_at, None
            self.told_at = float("-inf")

    @property
    def has_all_finals(self) -> bool:
        with_translation = self.expects_translation
        return bool(self.segments) and all(
            halves.are_final(with_translation=with_translation) for halves in self.segments.values()
        )

    @property
    def has_final_since_end(self) -> bool:
        """Whether all texts are final, and one of them came after `finalize` left."""
        return self.finalized_at is not None and self.told_at >= self.finalized_at and self.has_all_finals

    @property
    def is_told(self) -> bool:
        """Whether texts have come about all of the voice, as far as the service's lag tells."""
        if (queued_until := self._queued_until) is not None and self.told_at < queued_until:
            return False
        return self.told_at >= self.voiced_at + max(TELL_S, self.lag / 2)

    @property
    def is_answered(self) -> bool:
        """Whether the service has nothing more to write: it need not hear the utterance again."""
        if self.finalized_at is None or self.arrived_at is None or self.is_acknowledged:
            return False
        return self.has_all_finals and self.is_told and self.told_at >= self.finalized_at + self.soonest_last_s

    @property
    def ceiling(self) -> float:
        """When it is settled at the latest, once `finalize` has arrived."""
        since = self._queued_until or self.finalized_at
        if since is None:
            return float("inf")
        return max(since + self.quiet.ceiling, self.last_at + self.quiet.ceiling_idle)

    def settles_at(self, answered_at: float) -> float | None:
        """The time at which the utterance is settled if nothing more comes; None before `finalize` has arrived.

        ``answered_at``: when the newest ping left that the service has answered. Silence means that nothing was heard,
        or nothing more, only from a service that, where there was a voice, lived all the time.
        """
        quiet = self.quiet
        if self.finalized_at is None or (self.arrived_at is None and not self.is_acknowledged):
            return None
        since, ceiling = self._queued_until or self.finalized_at, self.ceiling
        if self.is_acknowledged:
            return ceiling
        if (at := self._empty_at) is not None:
            return at if not self.is_voiced or answered_at >= at else None
        if not self.has_all_finals:
            return ceiling
        pause = quiet.text
        if self.expects_speech:
            pause = quiet.before_speech if self.speech_at is None else quiet.speech
        at = max(max(self.last_at, since) + pause, since + self.patience)
        if (silent_at := self._silent_at) is not None:  # the last words may not have been told of at all
            at = max(at, silent_at) if answered_at >= silent_at else ceiling
        return min(ceiling, at)

    @property
    def _queued_until(self) -> float | None:
        """When the service is known to have `finalize`, where a queue held it up."""
        finalized_at, arrived_at = self.finalized_at, self.arrived_at
        is_quick = finalized_at is None or arrived_at is None or arrived_at - finalized_at <= SLOW_S
        return None if is_quick else arrived_at

    @property
    def _silent_at(self) -> float | None:
        """When silence means that nothing was heard, or nothing after the last text; None where it need not tell."""
        if self.segments and self.finalized_at is not None and self.has_all_finals:
            since = self._queued_until or self.finalized_at
            if not self.is_told:
                return since + max(self.quiet.empty_voiced, self.patience)
            return since + self.patience if self.patience and self.is_voiced else None
        return self._empty_at

    @property
    def _empty_at(self) -> float | None:
        """When silence means that nothing was heard; None before `finalize` has arrived or once something came."""
        if self.arrived_at is None or self.segments or self.speech_at is not None:
            return None
        return self.arrived_at + (self.quiet.empty_voiced if self.is_voiced else self.quiet.empty_silent)
