"""Turns talk edges and captured frames into utterances. Pure: ``handle(fact, now)`` returns what to do.

The hold machine decides what a press and a release are; this one decides which frames belong to which utterance. Its
states: IDLE, TALKING (from the press to the release) and TAIL (the short time after the release that is still sent). An
utterance is a run of consecutive frames, from the pre-roll before the press (never older than the last frame taken) to
the tail after the release. It can be cancelled even after its end, until the next one begins. A press cancels a running
sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from pinch_tui.core.events import FRAME_S, EdgeKind, Frame, TalkEdge, TalkSource

MIC_GRACE_S = 3.0
"""How long a vanished microphone may take to come back before the utterance ends."""
_LATE_S = 0.4
"""How long the tail waits for late frames, such as those of a blocked event loop."""
_LATE_WAKE_S = 0.1
"""A wake-up this late means that the event loop was blocked, and the frames captured meanwhile are still to come."""
WARN_S = 10.0
"""How long before the limit the warning comes."""


class TalkState(StrEnum):
    IDLE = "idle"
    TALKING = "talking"
    TAIL = "tail"


@dataclass(frozen=True, slots=True)
class TalkConfig:
    """``limit_s``: None for no limit."""

    preroll_s: float = 0.3
    tail_s: float = 0.15
    limit_s: float | None = 120.0


# ---- facts: TalkEdge and ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FrameArrived:
    frame: Frame


@dataclass(frozen=True, slots=True)
class MicVanished:
    pass


@dataclass(frozen=True, slots=True)
class MicReturned:
    pass


@dataclass(frozen=True, slots=True)
class Parted:
    """The speech from ``t`` on belongs to a new utterance, although the key stays down: the languages changed, say."""

    t: float


@dataclass(frozen=True, slots=True)
class TalkWoke:
    """The time of `TalkMachine.wake_at` has come."""


TalkFact = TalkEdge | FrameArrived | MicVanished | MicReturned | Parted | TalkWoke

# ---- commands -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """A new utterance begins with the kept frames that were captured after ``since`` and have an index above ``after``.

    ``goes_on``: it continues the one before without a gap, so it has no pre-roll.
    """

    number: int
    source: TalkSource
    t: float
    since: float
    after: int
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Take:
    """The frame belongs to the utterance. ``is_first``: no other one came before."""

    number: int
    frame: Frame
    is_first: bool


@dataclass(frozen=True, slots=True)
class SoftStopped:
    """``is_stopped``: False if the utterance resumes."""

    number: int
    t: float
    source: TalkSource
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Latched:
    number: int


@dataclass(frozen=True, slots=True)
class Released:
    """The key is up, or the utterance was ended by force; the tail begins. ``committed_at``: when that was decided."""

    number: int
    started_at: float
    t: float
    committed_at: float
    source: TalkSource
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """All its frames are taken."""

    number: int


@dataclass(frozen=True, slots=True)
class Cancel:
    number: int
    t: float


@dataclass(frozen=True, slots=True)
class LimitNear:
    number: int
    at: float


TalkCommand = Begin | Take | SoftStopped | Latched | Released | End | Cancel | LimitNear


class TalkMachine:
    """Edges and frames in, utterances out. Start and end strictly alternate; every utterance ends."""

    def __init__(self, config: TalkConfig, number: int = 0) -> None:
        """``number``: that of the newest utterance so far."""
        self.config = config
        self.state = TalkState.IDLE
        self.number = number
        self.source: TalkSource | None = None  # of the running utterance
        self.is_latched = False
        self.is_soft_stopped = False
        self.started_at: float | None = None
        self.has_sound = False
        self._last_index = -1
        self._since = float("-inf")  # older frames do not belong to the utterance
        self._tail_end = 0.0
        self._gives_up_at = 0.0  # when to stop waiting for frames of the tail
        self._has_waited_longer = False
        self._last_t = float("-inf")
        self._vanished_at: float | None = None
        self._has_warned = False
        self._has_last = False  # an utterance has ended and was not cancelled

    @property
    def is_sample(self) -> bool:
        """Whether the utterance under way is a sample, which does not come from the microphone."""
        return self.source is TalkSource.SAMPLE

    @property
    def needs_microphone(self) -> bool:
        """Whether an utterance from the microphone is under way."""
        return self.state is not TalkState.IDLE and not self.is_sample

    @property
    def limit_at(self) -> float | None:
        if self.state is not TalkState.TALKING or self.config.limit_s is None or self.started_at is None:
            return None
        return self.started_at + self.config.limit_s

    def handle(self, fact: TalkFact, now: float) -> list[TalkCommand]:
        match fact:
            case TalkEdge():
                return self._on_edge(fact, now)
            case FrameArrived(frame):
                return self._on_frame(frame, now)
            case MicVanished():
                if self.state is TalkState.TAIL:
                    return self._end()
                self._vanished_at = now
                return []
            case MicReturned():
                self._vanished_at = None
                return []
            case Parted(t):
                return self._part(t, now) if self.state is TalkState.TALKING else []
            case TalkWoke():
                return self._on_woke(now)
            case _:
                assert_never(fact)

    def skip_until(self, t: float) -> None:
        """Frames captured up to ``t`` do not belong to the current utterance."""
        self._since = max(self._since, t)

    def wake_at(self) -> float | None:
        """When `TalkWoke` is due."""
        if self.state is TalkState.TAIL:
            return self._gives_up_at
        if self.state is TalkState.IDLE:
            return None
        times = [] if self._vanished_at is None else [self._vanished_at + MIC_GRACE_S]
        if (limit := self.limit_at) is not None:
            times.append(limit if self._has_warned else max(limit - WARN_S, 0.0))
        return min(times, default=None)

    # ---- edges ----

    def _on_edge(self, edge: TalkEdge, now: float) -> list[TalkCommand]:
        match edge.kind:
            case EdgeKind.START:
                return self._start(edge)
            case EdgeKind.SOFT_STOP | EdgeKind.RESUME:
                is_stopped = edge.kind is EdgeKind.SOFT_STOP
                self.is_latched = self.is_latched and is_stopped  # a late first repeat shows that it is a hold
                if self.state is not TalkState.TALKING or self.is_soft_stopped == is_stopped:
                    return []
                self.is_soft_stopped = is_stopped
                return [SoftStopped(self.number, edge.t, edge.source, is_stopped)]
            case EdgeKind.LATCH:
                if self.state is not TalkState.TALKING or self.is_latched:
                    return []
                self.is_latched = True
                self.is_soft_stopped = False
                return [Latched(self.number)]
            case EdgeKind.COMMIT:
                is_other = edge.source is TalkSource.SAMPLE and self.source is not TalkSource.SAMPLE
                return (
                    [] if self.state is not TalkState.TALKING or is_other else self._release(edge.t, now, edge.source)
                )
            case EdgeKind.CANCEL:
                if self.state is TalkState.IDLE and not self._has_last:
                    return []
                self._rest()
                self._has_last = False
                return [Cancel(self.number, edge.t)]
            case _:
                assert_never(edge.kind)

    def _start(self, edge: TalkEdge) -> list[TalkCommand]:
        commands: list[TalkCommand] = []
        if self.state is TalkState.TALKING:
            if self.source is not TalkSource.SAMPLE or edge.source is TalkSource.SAMPLE:
                return []
            self._rest()
            commands = [Cancel(self.number, edge.t)]
        elif self.state is TalkState.TAIL:
            commands = self._end()
        self.number += 1
        self.state = TalkState.TALKING
        self.source = edge.source
        self.started_at = edge.t
        self.is_latched = self.is_soft_stopped = self.has_sound = self._has_warned = self._has_last = False
        self._vanished_at = None
        since = self._since = edge.t - self.config.preroll_s
        return [*commands, Begin(self.number, edge.source, edge.t, since, self._last_index)]

    def _release(self, t: float, now: float, source: TalkSource, *, is_forced: bool = False) -> list[TalkCommand]:
        self.state = TalkState.TAIL
        self.is_latched = self.is_soft_stopped = False
        self._tail_end = t + self.config.tail_s
        self._gives_up_at = max(self._tail_end, now) + _LATE_S
        self._has_waited_longer = False
        released = Released(self.number, self.started_at or t, t, now, source, is_forced)
        is_over = self._last_t >= self._tail_end or self._vanished_at is not None
        return [released, *(self._end() if is_over else [])]

    def _part(self, t: float, now: float) -> list[TalkCommand]:
        """End the utterance here, and begin another one with the very next frame."""
        number, source, started = self.number, self.source or TalkSource.KEY, self.started_at or t
        begun: list[TalkCommand]
        if self.has_sound:
            begun = [Released(number, started, t, now, TalkSource.CHANGE), End(number)]
        else:  # it has no frame yet
            begun = [Cancel(number, t)]
        self.number += 1
        self.started_at = t
        self.has_sound = self._has_warned = self._has_last = False
        begun.append(Begin(self.number, source, t, self._since, self._last_index, goes_on=True))
        return [*begun, Latched(self.number)] if self.is_latched else begun

    def _end(self) -> list[TalkCommand]:
        self._rest()
        self._has_last = True
        return [End(self.number)]

    def _rest(self) -> None:
        self.state = TalkState.IDLE
        self.is_latched = self.is_soft_stopped = False
        self.started_at = self.source = None

    # ---- frames ----

    def _on_frame(self, frame: Frame, now: float) -> list[TalkCommand]:
        if self.state is TalkState.IDLE or frame.index <= self._last_index or frame.t <= self._since:
            return []
        if self.state is TalkState.TAIL and frame.t - FRAME_S >= self._tail_end:
            return self._end()
        is_first = not self.has_sound
        self.has_sound = True
        self._last_index = frame.index
        self._last_t = frame.t
        taken: list[TalkCommand] = [Take(self.number, frame, is_first)]
        if self.state is TalkState.TAIL and frame.t >= self._tail_end:
            taken += self._end()
        return taken

    # ---- time ----

    def _on_woke(self, now: float) -> list[TalkCommand]:
        if self.state is TalkState.TAIL:
            if now < self._gives_up_at:
                return []
            if now >= self._gives_up_at + _LATE_WAKE_S and not self._has_waited_longer:
                self._has_waited_longer = True
                self._gives_up_at = now + _LATE_S
                return []
            return self._end()
        if self.state is not TalkState.TALKING:
            return []
        if self._vanished_at is not None and now >= self._vanished_at + MIC_GRACE_S:
            return self._release(self._vanished_at, now, TalkSource.DEVICE, is_forced=True)
        limit = self.limit_at
        if limit is None:
            return []
        if now >= limit:
            return self._release(limit, now, TalkSource.LIMIT, is_forced=True)
        if not self._has_warned and now >= limit - WARN_S:
            self._has_warned = True
            return [LimitNear(self.number, limit)]
        return []
