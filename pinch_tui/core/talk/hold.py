"""The hold machine: decides when the user begins and ends to talk, from key, probe, focus, mouse and outside control.

Pure: ``handle(event, now) -> list[command]``, where ``now`` is the time of the event on the monotonic clock. Its shell
(`pinch_tui.keys.hold_input`) queries the probe on command and feeds a `Tick` at `HoldMachine.deadline`. The `TalkEdge`s
that come out alternate strictly: a start, then an end (commit or cancel). A forced end never latches. The time limit of
an utterance belongs to the talk machine, which forces an end here.

============  ======================================  ==========================================================
mode          a press shorter than 0.3 s              a press of unknown length (one byte, then silence)
============  ======================================  ==========================================================
``auto``      latches: goes on until the next press   latches; a late first repeat makes it a hold again
``hold``      ends at its release, never latches      soft stop at the window, then commit (up to 1.6 s in all)
``tap``       every press starts or ends              the same
============  ======================================  ==========================================================

Escape can arrive after the commit that it should have prevented: some terminals delay it by up to 0.5 s, and meanwhile
the interrupted key looks released. So a commit can be followed by one cancel, until another key is pressed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import EdgeKind, TalkEdge, TalkSource
from pinch_tui.core.talk import hold_events as ev
from pinch_tui.core.talk.hold_gap import LATCH_GUARD_S, Cadence, RepeatGap
from pinch_tui.core.talk.hold_key import KeyStep, KeyTracker, StepKind

TAP_S = 0.3
"""A hold shorter than this is a tap (human taps last about 0.1 s)."""
LEFTOVER_S = 0.25
"""A press this soon after the terminal came back continues the press during which the terminal was lost."""
LATE_ESCAPE_S = {TalkSource.GAP: 1.0, TalkSource.PROBE: 1.0}
"""Time after an inferred commit in which Escape still cancels the utterance."""
_PROMPT_ESCAPE_S = 0.25
"""The same after a commit by a reported release: about as long as the tail of the sound."""
_OWN = (TalkSource.KEY, TalkSource.TAP, TalkSource.MOUSE, TalkSource.CONTROL)


class HoldState(StrEnum):
    IDLE = "idle"
    HELD = "held"
    LATCHED = "latched"


class HoldMachine:
    """Events in, `TalkEdge`s and probe requests out."""

    def __init__(
        self,
        *,
        mode: TalkMode = TalkMode.AUTO,
        cadence: Cadence | None = None,
        has_probe: bool = False,
        is_remote: bool = False,
    ) -> None:
        self.mode = mode
        self.state = HoldState.IDLE
        self.source = TalkSource.KEY
        self.key = KeyTracker(RepeatGap(cadence, is_remote=is_remote), has_probe=has_probe)
        self.owns_key = False
        """The current press began as talk, so its repeats are swallowed until the release."""
        self._started_at = 0.0
        self._ended_at = float("-inf")
        self._latched_at = 0.0
        self._latched_in_doubt = False
        self._is_soft = False
        self._soft_at = 0.0
        self._is_early = False  # committed on a soft stop alone
        self._is_remote = is_remote
        self._is_key_lost = False
        self._cancellable_until = float("-inf")  # of the newest commit
        self._regained_at = 0.0
        self._is_leftover = False

    @property
    def deadline(self) -> float | None:
        """When the next `Tick` is due; None if none is."""
        return self.key.deadline

    def takes_escape(self, now: float) -> bool:
        """Whether an Escape would cancel something."""
        return self.state is not HoldState.IDLE or now < self._cancellable_until

    def handle(self, event: ev.HoldEvent, now: float) -> list[ev.HoldCommand]:
        edges = self._on_event(event, now)
        if isinstance(event, ev.OtherKeyDown | ev.Blurred | ev.TerminalRestarted):
            self._cancellable_until = float("-inf")
        elif edges and isinstance(last := edges[-1], TalkEdge):
            self._watch_for_escape(last, now)
        if not self.key.is_down:
            self.owns_key = False
        if self.key.wants_answer:
            return [*edges, ev.AskProbe()]
        return edges

    def _watch_for_escape(self, edge: TalkEdge, now: float) -> None:
        wait = float("-inf")
        if edge.kind is EdgeKind.COMMIT:
            wait = LATE_ESCAPE_S.get(edge.source, _PROMPT_ESCAPE_S if edge.source in _OWN else wait)
        self._cancellable_until = now + wait

    def _on_event(self, event: ev.HoldEvent, now: float) -> list[ev.HoldCommand]:
        match event:
            case ev.KeyDown():
                return self._on_key_down(event, now)
            case ev.KeyUp():
                return self._follow([*self.key.trust(now), *self.key.key_up(now)], is_armed=True)
            case ev.ReleaseSeen():
                return self._follow(self.key.trust(now), is_armed=True)
            case ev.OtherKeyDown():
                return self._follow(self.key.other_key(now), is_armed=True)
            case ev.ProbeAnswered(is_down):
                return self._follow(self.key.probe_answered(is_down, now), is_armed=True)
            case ev.Tick(has_unread):
                return self._follow(self.key.tick(now, has_unread=has_unread), is_armed=True)
            case ev.Claimed(is_claimed):
                self.key.is_claimed = is_claimed
                return []
            case ev.Blurred():
                return self._on_blur(now)
            case ev.Focused():
                self._regained_at = now
                return []
            case ev.MousePressed():
                return self._on_mouse_pressed(now)
            case ev.MouseReleased():
                return self._on_mouse_released(now)
            case ev.Controlled(is_start):
                return self._on_control(is_start, now)
            case ev.Escaped():
                cancelled = self._cancel(now)
                return [*cancelled, *self._follow(self.key.other_key(now), is_armed=True)]
            case ev.ForcedEnd(source):
                return self._end(EdgeKind.COMMIT, now, source)
            case ev.TerminalRestarted():
                self._lose_key()
                self._regained_at = now
                self.key.is_claimed = self.key.is_trusted = self.key.has_pairs = False
                return self._end(EdgeKind.COMMIT, now, TalkSource.QUIT)
            case ev.ModeSet(mode):
                self.mode = mode
                return []
            case ev.FellSilent():
                return self._on_fell_silent()
            case _:
                assert_never(event)

    # ---- the key ------------------------------------------------------------------------------------------------

    def _on_key_down(self, event: ev.KeyDown, now: float) -> list[ev.HoldCommand]:
        is_eager = not self._hangs_on_key and not self._latched_in_doubt
        steps = self.key.key_down(now, reports_release=event.reports_release, is_eager=is_eager)
        if self.key.wants_answer and not event.is_armed:
            self.key.wants_answer = False
        return self._follow(steps, is_armed=event.is_armed)

    def _follow(self, steps: list[KeyStep], *, is_armed: bool) -> list[ev.HoldCommand]:
        edges: list[ev.HoldCommand] = []
        for step in steps:
            match step.kind:
                case StepKind.PRESSED:
                    self._latched_in_doubt = False  # that was about the press before
                    edges += self._on_pressed(step) if is_armed else []
                    self.owns_key = is_armed
                case StepKind.DOUBTED:
                    edges += self._on_doubted(step)
                case StepKind.AGAIN:
                    edges += self._on_again(step)
                case StepKind.RELEASED:
                    edges += self._on_released(step)
                case _:
                    assert_never(step.kind)
        return edges

    def _on_pressed(self, step: KeyStep) -> list[ev.HoldCommand]:
        self._is_leftover = self._is_key_lost and step.t - self._regained_at < LEFTOVER_S
        self._is_key_lost = False
        if self._is_leftover and (self.mode is TalkMode.TAP or self.state is HoldState.LATCHED):
            return []
        match self.state:
            case HoldState.IDLE:
                return self._start(step.t, TalkSource.KEY)
            case HoldState.LATCHED:
                if step.t - self._latched_at < LATCH_GUARD_S:
                    return []
                return self._end(EdgeKind.COMMIT, step.t, TalkSource.TAP)
            case HoldState.HELD:
                if self.source is TalkSource.CONTROL:
                    return self._end(EdgeKind.COMMIT, step.t, TalkSource.TAP)
                return []
            case _:
                assert_never(self.state)

    def _on_doubted(self, step: KeyStep) -> list[ev.HoldCommand]:
        if not self._hangs_on_key:
            return []
        if step.arrivals == 1 and self._may_latch:
            self._latched_in_doubt = True
            return self._latch(step.t)
        self._is_soft = True
        self._soft_at = step.t
        return [self._edge(EdgeKind.SOFT_STOP, step.t, TalkSource.GAP)]

    def _on_fell_silent(self) -> list[ev.HoldCommand]:
        if not self._hangs_on_key or not self._is_soft or self._is_remote:
            return []
        ended = self._end(EdgeKind.COMMIT, self._soft_at, TalkSource.GAP)
        self._is_early = True
        return ended

    def _on_again(self, step: KeyStep) -> list[ev.HoldCommand]:
        if self.state is HoldState.LATCHED and self._latched_in_doubt:
            self.state = HoldState.HELD
            self._latched_in_doubt = False
            return [self._edge(EdgeKind.RESUME, step.t, TalkSource.KEY)]
        if self._is_early and self.state is HoldState.IDLE:  # the key is still held: go on without losing a sample
            return self._start(step.t, TalkSource.KEY)
        if self._hangs_on_key and self._is_soft:
            self._is_soft = False
            return [self._edge(EdgeKind.RESUME, step.t, TalkSource.KEY)]
        return []

    def _on_released(self, step: KeyStep) -> list[ev.HoldCommand]:
        self._is_early = False
        if self.state is HoldState.LATCHED:
            return self._on_released_while_latched(step)
        if not self._hangs_on_key:
            return []
        if step.source is TalkSource.GAP or step.held_s >= TAP_S or not self._may_latch:
            return self._end(EdgeKind.COMMIT, step.t, step.source)
        return self._latch(step.t)

    def _on_released_while_latched(self, step: KeyStep) -> list[ev.HoldCommand]:
        if self._latched_in_doubt and step.source is not TalkSource.GAP:
            # The press looked like a tap, as no repeat followed. It was a hold, and ends here.
            return self._end(EdgeKind.COMMIT, step.t, step.source)
        if (
            self.mode is TalkMode.TAP
            and step.source is TalkSource.GAP
            and step.arrivals == 2
            and not self.key.gap.is_typical_delay(self.key.gap.first_gap_s)
        ):
            # Two bytes closer together than a keyboard's initial delay, then silence: two taps, not a repeat.
            return self._end(EdgeKind.COMMIT, self.key.gap.last_at, TalkSource.TAP)
        return []

    @property
    def _may_latch(self) -> bool:
        return self.mode is TalkMode.AUTO and not self._is_leftover

    @property
    def _hangs_on_key(self) -> bool:
        return self.state is HoldState.HELD and self.source is TalkSource.KEY

    # ---- everything else ----------------------------------------------------------------------------------------

    def _lose_key(self) -> None:
        self._is_key_lost = self.key.is_down
        self.key.reset()

    def _on_blur(self, now: float) -> list[ev.HoldCommand]:
        self._lose_key()
        if self.state is HoldState.HELD and self.source is not TalkSource.CONTROL:
            return self._end(EdgeKind.COMMIT, now, TalkSource.FOCUS)
        return []

    def _on_mouse_pressed(self, now: float) -> list[ev.HoldCommand]:
        if self.state is HoldState.IDLE:
            return self._start(now, TalkSource.MOUSE)
        if self.state is HoldState.LATCHED and now - self._latched_at < LATCH_GUARD_S:
            return []
        if self.state is HoldState.LATCHED or self.source is TalkSource.CONTROL:
            return self._end(EdgeKind.COMMIT, now, TalkSource.MOUSE)
        return []

    def _on_mouse_released(self, now: float) -> list[ev.HoldCommand]:
        if self.state is not HoldState.HELD or self.source is not TalkSource.MOUSE:
            return []
        if self.mode is TalkMode.AUTO and now - self._started_at < TAP_S:
            return self._latch(now)
        return self._end(EdgeKind.COMMIT, now, TalkSource.MOUSE)

    def _on_control(self, is_start: bool, now: float) -> list[ev.HoldCommand]:
        if not is_start:
            return self._end(EdgeKind.COMMIT, now, TalkSource.CONTROL)
        if self.state is not HoldState.IDLE:
            return []
        self._begin(now, TalkSource.CONTROL)
        return [self._edge(EdgeKind.START, now, TalkSource.CONTROL)]

    def _start(self, t: float, source: TalkSource) -> list[ev.HoldCommand]:
        self._begin(t, source)
        start = self._edge(EdgeKind.START, t, source)
        return [start, *(self._latch(t) if self.mode is TalkMode.TAP else [])]

    def _begin(self, t: float, source: TalkSource) -> None:
        self.state = HoldState.HELD
        self.source = source
        self._started_at = t
        self._is_soft = self._latched_in_doubt = self._is_early = False

    def _latch(self, t: float) -> list[ev.HoldCommand]:
        self.state = HoldState.LATCHED
        self._latched_at = t
        self._is_soft = False
        return [self._edge(EdgeKind.LATCH, t, TalkSource.TAP)]

    def _end(self, kind: EdgeKind, t: float, source: TalkSource) -> list[ev.HoldCommand]:
        if self.state is HoldState.IDLE:
            return []
        self.state = HoldState.IDLE
        self._is_soft = self._latched_in_doubt = False
        return [self._edge(kind, t, source)]

    def _cancel(self, now: float) -> list[ev.HoldCommand]:
        self._is_early = False
        if self.state is HoldState.IDLE and self.takes_escape(now):
            return [self._edge(EdgeKind.CANCEL, now, TalkSource.CANCEL)]
        return self._end(EdgeKind.CANCEL, now, TalkSource.CANCEL)

    def _edge(self, kind: EdgeKind, t: float, source: TalkSource) -> TalkEdge:
        # A thread takes its time stamp before it gets its turn, so the stamp can be older than the edge before it.
        t = max(t, self._started_at, self._ended_at)
        if kind is EdgeKind.COMMIT:
            self._ended_at = t
        return TalkEdge(kind, t, source)
