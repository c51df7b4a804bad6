"""Tracks whether the talk key is down, from its bytes, release reports and probe answers. Pure: no I/O, no clock.

A press ends by the best source that it has: a release report of the terminal; else the key state of the system, if that
said "down" at the press; else the gap in auto-repeat. A release report counts if no repeat follows within the debounce
time, because some terminals send release and repeat in pairs. Between "down" and "up" the key can be "doubted": its
repeats have stopped, but not for long enough to be sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from pinch_tui.core.events import TalkSource
from pinch_tui.core.talk.hold_gap import LONGEST_DELAY_S, RepeatGap

DEBOUNCE_S = 0.040
PAIRED_DEBOUNCE_S = 0.090
"""Debounce time of a terminal that sends release and repeat in pairs (57 ms apart at worst, as measured)."""
PAIR_S = 0.060
POLL_S = 0.010
UNREAD_WAIT_S = 0.010
STALE_S = 0.5
"""How far the bytes of a held key can lag behind the system's key state."""
_MOST_UNREAD_WAITS = 30


class StepKind(StrEnum):
    PRESSED = "pressed"
    DOUBTED = "doubted"  # its repeats have stopped
    AGAIN = "again"  # they go on after all
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class KeyStep:
    """A change of the key's state. ``t``: the best estimate of its time; ``held_s``: seconds since the press."""

    kind: StepKind
    t: float
    source: TalkSource = TalkSource.KEY
    held_s: float = 0.0
    arrivals: int = 0


class _Probe(Enum):
    UNASKED = 0
    VALID = 1
    INVALID = 2


class KeyTracker:
    """The state of the talk key. Every method returns the resulting steps."""

    def __init__(self, gap: RepeatGap, *, has_probe: bool = False) -> None:
        self.gap = gap
        self.has_probe = has_probe
        self.is_down = False
        self.is_trusted = False  # this terminal has sent a release
        self.is_claimed = False  # this terminal says that it sends releases
        self.has_pairs = False
        self.wants_answer = False  # query the probe now
        self._reports_release = False  # the encoding of the current press allows for a release report
        self._up_at: float | None = None
        self._doubted = False
        self._probe = _Probe.UNASKED
        self._invalid_answers = 0
        self._poll_at: float | None = None
        self._probe_released_at: float | None = None
        self._asked_press: float | None = None  # time of a possibly stale byte, until the probe has answered
        self._is_ghost = False  # taken for a tap, although nothing showed its release
        self._wait_until: float | None = None
        self._unread_waits = 0

    # ---- the source of the release ------------------------------------------------------------------------------

    @property
    def is_exact(self) -> bool:
        """The current press will end by a reported release."""
        return self.is_trusted and self._reports_release

    @property
    def is_probed(self) -> bool:
        return self._probe is _Probe.VALID

    @property
    def is_guessed(self) -> bool:
        """The current press can only end by a gap in its repeats."""
        return not self.is_exact and not self.is_probed

    @property
    def has_given_up_probe(self) -> bool:
        return not self.has_probe or self._invalid_answers >= 2

    # ---- facts --------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget the key's state: the next byte is a press."""
        self.is_down = False
        self.wants_answer = False
        self._up_at = self._poll_at = self._wait_until = self._asked_press = None
        self._doubted = self._is_ghost = False
        self._probe_released_at = None

    def key_down(self, t: float, *, reports_release: bool, is_eager: bool) -> list[KeyStep]:
        """A press or a repeat; many terminals send the same for both.

        ``is_eager``: no utterance depends on this key, so a byte too early for a repeat is a new press.
        """
        if not self.is_down:
            return self._down_from_up(t, reports_release)
        steps: list[KeyStep] = []
        if self._up_at is not None:
            if t - self._up_at > self._debounce_s:
                steps = self._release(self._up_at, TalkSource.KEY)
                return [*steps, *self._press(t, reports_release)]
            if t - self._up_at <= PAIR_S:
                self.has_pairs = True
            self._up_at = None
        since = t - self.gap.last_at
        if is_eager and self._is_press_of_its_own(since):
            steps = self._release(self.gap.last_at, TalkSource.GAP)
            return [*steps, *self._press(t, reports_release)]
        self.gap.repeat(t)
        self._wait_until = None
        self._unread_waits = 0
        return self._undoubt(t)

    def key_up(self, t: float) -> list[KeyStep]:
        """The terminal reported the release of this key."""
        if not self.is_down:
            if self._is_ghost:
                self._is_ghost = False
                return [KeyStep(StepKind.RELEASED, t, TalkSource.KEY, t - self.gap.first_at, self.gap.arrivals)]
            return []
        if self._up_at is None:
            self._up_at = t
        return []

    def trust(self, t: float) -> list[KeyStep]:
        """The terminal has sent a release, so gaps in the repeats mean nothing."""
        self.is_trusted = True
        return self._undoubt(t) if self.is_exact and self._up_at is None else []

    def other_key(self, t: float) -> list[KeyStep]:
        """Another key went down, which ends the talk key's repeats whether it is held or not."""
        if not self.is_down or not self.is_guessed or self.is_claimed:
            return []
        return self._release(t, TalkSource.GAP)

    def probe_answered(self, is_down: bool | None, t: float) -> list[KeyStep]:
        """The key state according to the system; None if it could not be queried, which says nothing about the next
        press."""
        self.wants_answer = False
        if self._asked_press is not None:
            pressed_at, self._asked_press = self._asked_press, None
            if is_down is False:
                return []
            self._probe_released_at = None
            steps = self._press(pressed_at, self._reports_release)
            return [*steps, *self.probe_answered(is_down, t)]
        if is_down is None:
            self._probe = _Probe.INVALID
            self._poll_at = None
            return []
        if not self.is_down:
            return []
        if self._probe is _Probe.UNASKED:
            self._probe = _Probe.VALID if is_down else _Probe.INVALID
            self._invalid_answers = 0 if is_down else self._invalid_answers + 1
            self._poll_at = t + POLL_S if is_down else None
            return []
        if self._probe is _Probe.INVALID:
            return []
        if is_down:
            self._poll_at = t + POLL_S
            return []
        self._probe_released_at = t
        return self._release(t, TalkSource.PROBE)

    def tick(self, now: float, *, has_unread: bool) -> list[KeyStep]:
        """Time has passed. ``has_unread``: the terminal's input holds unread bytes."""
        if not self.is_down:
            return []
        if self._poll_at is not None and now >= self._poll_at:
            self._poll_at = now + POLL_S
            self.wants_answer = True
        due = self._silence_due_at
        if due is None or now < due:
            return []
        if has_unread and self._unread_waits < _MOST_UNREAD_WAITS:
            self._unread_waits += 1
            self._wait_until = now + UNREAD_WAIT_S
            return []
        self._wait_until = None
        if self._up_at is not None:
            return self._release(self._up_at, TalkSource.KEY)
        if not self._doubted:
            self._doubted = True
            return [self._step(StepKind.DOUBTED, now, TalkSource.GAP)]
        ended_at = min(self.gap.likely_release_at, now)
        steps = self._release(ended_at, TalkSource.GAP)
        self._is_ghost = self.gap.arrivals == 1
        return steps

    @property
    def deadline(self) -> float | None:
        """When to call `tick` next; None if there is no need."""
        if not self.is_down:
            return None
        times = [t for t in (self._poll_at, self._silence_due_at) if t is not None]
        return min(times, default=None)

    # ---- inside -------------------------------------------------------------------------------------------------

    @property
    def _debounce_s(self) -> float:
        return PAIRED_DEBOUNCE_S if self.has_pairs else DEBOUNCE_S

    @property
    def _silence_due_at(self) -> float | None:
        due: float | None = None
        if self._up_at is not None:
            due = self._up_at + self._debounce_s
        elif self.is_guessed:
            due = self.gap.last_at + (self.gap.span_s if self._doubted else self.gap.window_s)
        if due is not None and self._wait_until is not None:
            return max(due, self._wait_until)
        return due

    def _down_from_up(self, t: float, reports_release: bool) -> list[KeyStep]:
        released_at = self._probe_released_at
        if released_at is not None and t - released_at < STALE_S and not self.has_given_up_probe:
            self._reports_release = reports_release
            self._asked_press = t
            self.wants_answer = True
            return []
        return self._press(t, reports_release)

    def _is_press_of_its_own(self, since: float) -> bool:
        if not self.is_guessed:
            return since > LONGEST_DELAY_S
        return self.gap.arrivals == 1 and self.gap.is_press_of_its_own(since)

    def _press(self, t: float, reports_release: bool) -> list[KeyStep]:
        self.reset()
        self.is_down = True
        self._reports_release = reports_release
        self._unread_waits = 0
        self._probe = _Probe.UNASKED
        self.gap.press(t)
        self.wants_answer = not self.is_exact and not self.has_given_up_probe
        return [self._step(StepKind.PRESSED, t, TalkSource.KEY)]

    def _release(self, t: float, source: TalkSource) -> list[KeyStep]:
        step = self._step(StepKind.RELEASED, t, source)
        probe_released_at = self._probe_released_at
        self.reset()
        self._probe_released_at = probe_released_at if source is TalkSource.PROBE else None
        return [step]

    def _undoubt(self, t: float) -> list[KeyStep]:
        if not self._doubted:
            return []
        self._doubted = False
        return [self._step(StepKind.AGAIN, t, TalkSource.KEY)]

    def _step(self, kind: StepKind, t: float, source: TalkSource) -> KeyStep:
        return KeyStep(kind, t, source, max(0.0, t - self.gap.first_at), self.gap.arrivals)
