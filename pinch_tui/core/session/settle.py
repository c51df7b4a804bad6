"""Decides when an utterance is settled. Pure.

The service does not acknowledge `finalize` (reference, section 1.10), so the end is inferred. An utterance is settled

- when every segment has its final original and its final translation, and nothing more came for a while; or
- when a ceiling has passed.

Three facts make that harder. Finals come several times for a segment (section 1.9), so a final is not the last one if a
later text goes beyond it. Texts are late, so voice that was sent after the last text is still to be transcribed. And a
service that sends early finals needs time for the last one (``patience_s``).

Silence only counts if the service was alive meanwhile, which pings show. On a slow link `finalize` can wait in a queue:
nothing settles before a ping sent after it was answered, and if that pong was slow, all times count from the pong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

_SHORTEST_LAG_S = 0.2
"""A text cannot cover sound that was sent less than this before it."""
_SLOW_PONG_S = 2.0
"""After a longer round trip `finalize` was in a queue with the voice before it, so texts until then may be early."""


@dataclass(frozen=True, slots=True)
class QuietTimes:
    """How long silence lasts before it means the end, in seconds; a slower service declares its own."""

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
class _Side:
    """The original or the translation of one segment."""

    newest_final: str | None = None
    older_finals: set[str] = field(default_factory=set)
    is_final: bool = False

    def take(self, text: str, *, is_final: bool) -> bool:
        """Take one message; returns whether it goes beyond an earlier final."""
        newest = self.newest_final
        if newest is not None and (newest.startswith(text) or text in self.older_finals):
            self.is_final |= is_final and newest == text
            return False
        self.is_final = is_final
        if is_final:
            if newest is not None:
                self.older_finals.add(newest)
            self.newest_final = text
        return newest is not None


@dataclass(slots=True)
class _Sides:
    original: _Side = field(default_factory=_Side)
    translation: _Side = field(default_factory=_Side)

    def take(self, message: TranscriptMessage) -> None:
        if message.kind is TranscriptKind.ORIGINAL:
            if self.original.take(message.text, is_final=message.is_final):
                self.translation.is_final = False  # the new words are not translated yet
        elif message.original_text not in self.original.older_finals:
            self.translation.take(message.text, is_final=message.is_final)


@dataclass(slots=True)
class SettleWatch:
    """Watches one attempt of one utterance.

    ``is_acknowledged``: the service says when the utterance is over, so only the ceiling is watched here.
    """

    expects_speech: bool
    expects_translation: bool = True
    is_acknowledged: bool = False
    quiet: QuietTimes = field(default_factory=QuietTimes)
    finalized_at: float | None = None  # when `finalize` left
    is_pinged: bool = False  # a ping followed `finalize`
    arrived_at: float | None = None  # when that ping was answered: the service has `finalize`
    is_voiced: bool = True
    voice_sent_at: float = float("-inf")  # when the last of the voice had really left
    segments: dict[str, _Sides] = field(default_factory=dict)
    replied_at: float = float("-inf")  # when the last message or chunk came
    original_at: float = float("-inf")  # when the last original text came
    chunk_at: float | None = None  # when the last chunk came
    lag_s: float = 0.0  # from the voice to its first interim; 0.0 if unknown
    patience_s: float = 0.0  # after `finalize`, while another final may follow one
    soonest_last_s: float = 0.0  # a final that comes sooner after `finalize` is not taken for the last one

    def message(self, message: TranscriptMessage, now: float) -> None:
        self.segments.setdefault(message.id, _Sides()).take(message)
        self.replied_at = now
        if message.kind is TranscriptKind.ORIGINAL:
            self.original_at = now

    def speech(self, now: float) -> None:
        self.replied_at = self.chunk_at = now

    def pinged(self) -> None:
        """A ping was sent, in order behind what the socket took."""
        self.is_pinged = self.finalized_at is not None and not self.is_acknowledged

    def ponged(self, now: float) -> None:
        if self.is_pinged and self.arrived_at is None:
            self.arrived_at = now

    def ping_at(self, answered_at: float) -> float | None:
        """When a ping is wanted: after `finalize`, and where silence is about to mean the end. None for never.

        ``answered_at``: when the newest answered ping was sent.
        """
        if self.finalized_at is None or self.is_acknowledged:
            return None
        if not self.is_pinged:
            return self.finalized_at
        at = self._silence_counts_at if self.is_voiced else None
        return at if at is not None and answered_at < at else None

    def give(self, segment: str, other: SettleWatch, now: float) -> None:
        """The segment belongs to another utterance; the speech goes with the last one."""
        if (sides := self.segments.pop(segment, None)) is None:
            return
        other.segments[segment] = sides
        other.replied_at = other.original_at = now
        if not self.segments:
            other.chunk_at, self.chunk_at = self.chunk_at, None
            self.original_at = float("-inf")

    @property
    def has_all_finals(self) -> bool:
        """Whether there are texts, and all of them are final."""
        return bool(self.segments) and all(
            sides.original.is_final and (sides.translation.is_final or not self.expects_translation)
            for sides in self.segments.values()
        )

    @property
    def has_final_since_end(self) -> bool:
        """Whether all texts are final, and one of them came after `finalize` left."""
        return self.finalized_at is not None and self.original_at >= self.finalized_at and self.has_all_finals

    @property
    def is_voice_covered(self) -> bool:
        """Whether the texts cover all of the voice, judging by the service's lag."""
        if (queued_until := self._queued_until) is not None and self.original_at < queued_until:
            return False
        return self.original_at >= self.voice_sent_at + max(_SHORTEST_LAG_S, self.lag_s / 2)

    @property
    def is_answered(self) -> bool:
        """Whether the service has written all that it will, so that it need not hear the utterance again."""
        if self.finalized_at is None or self.arrived_at is None or self.is_acknowledged:
            return False
        is_last = self.original_at >= self.finalized_at + self.soonest_last_s
        return self.has_all_finals and self.is_voice_covered and is_last

    @property
    def ceiling(self) -> float:
        """When it is settled at the latest, once `finalize` has arrived."""
        since = self._queued_until or self.finalized_at
        if since is None:
            return float("inf")
        return max(since + self.quiet.ceiling, self.replied_at + self.quiet.ceiling_idle)

    def settles_at(self, answered_at: float) -> float | None:
        """When the utterance settles if nothing more comes; None before `finalize` has arrived.

        ``answered_at``: when the newest answered ping was sent. Silence counts only up to then.
        """
        if self.finalized_at is None or (self.arrived_at is None and not self.is_acknowledged):
            return None
        since, ceiling = self._queued_until or self.finalized_at, self.ceiling
        if self.is_acknowledged:
            return ceiling
        if (at := self._empty_at) is not None:
            return at if not self.is_voiced or answered_at >= at else None
        if not self.has_all_finals:
            return ceiling
        pause = self.quiet.text
        if self.expects_speech:
            pause = self.quiet.before_speech if self.chunk_at is None else self.quiet.speech
        at = max(max(self.replied_at, since) + pause, since + self.patience_s)
        if (counts_at := self._silence_counts_at) is not None:
            at = max(at, counts_at) if answered_at >= counts_at else ceiling
        return min(ceiling, at)

    @property
    def _queued_until(self) -> float | None:
        """When the service got `finalize`, if a queue had held it up."""
        finalized_at, arrived_at = self.finalized_at, self.arrived_at
        is_quick = finalized_at is None or arrived_at is None or arrived_at - finalized_at <= _SLOW_PONG_S
        return None if is_quick else arrived_at

    @property
    def _silence_counts_at(self) -> float | None:
        """When silence means that no (further) word was recognised; None if the texts themselves tell the end."""
        if self.segments and self.finalized_at is not None and self.has_all_finals:
            since = self._queued_until or self.finalized_at
            if not self.is_voice_covered:
                return since + max(self.quiet.empty_voiced, self.patience_s)
            return since + self.patience_s if self.patience_s and self.is_voiced else None
        return self._empty_at

    @property
    def _empty_at(self) -> float | None:
        """When silence means that nothing was recognised; None before `finalize` arrived or once something came."""
        if self.arrived_at is None or self.segments or self.chunk_at is not None:
            return None
        return self.arrived_at + (self.quiet.empty_voiced if self.is_voiced else self.quiet.empty_silent)
