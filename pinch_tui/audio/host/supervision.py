"""The supervision of one sound host, as a state machine: events and times in, commands out.

Pure: no I/O, no clock. Each direction (capture or playback) has one child process. Every stall, hang, crash, lost
server and runaway is cured in the same way: kill the child and start another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.audio.host.errors import explain_code, explain_note
from pinch_tui.audio.host.streams import NO_PORTAUDIO
from pinch_tui.audio.host.wire import Note
from pinch_tui.errors import AudioError

START_S = 6.0
"""Limit for a child's ``ready`` (usually 0.1 s; longer on a busy machine)."""
OPEN_S = 3.0
"""Limit for ``opened`` or ``failed``, and then for the first sign of life."""
SILENT_S = 1.0
"""A gap between signs of life that counts as a stall; the largest legitimate gap measured was 58 ms."""
CLOSE_S = 1.5
LATE_S = 0.25
"""A tick later than this means that this program was suspended, which says nothing about the child."""
STABLE_S = 5.0
"""After running this long, earlier failures no longer count."""
WAITS_S = (0.0, 0.2, 0.5, 1.0, 1.5)
"""Waits between attempts; the last one repeats, so a device is used within 2 s of its return."""
UNWANTED_STARTS = 3
"""Restarts of a child that dies while no stream is wanted."""
RETURN_LOOK_S = 2.0
"""Interval of looking for the wanted device while a substitute is used."""


class State(StrEnum):
    NONE = "none"  # no child
    STARTING = "starting"
    IDLE = "idle"  # a child without a stream
    OPENING = "opening"
    RUNNING = "running"
    CLOSING = "closing"


# ---- commands -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spawn:
    """``is_after_failed_start``: the child before it ended or hung before it was ready."""

    generation: int
    is_after_failed_start: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill the child and ignore its remaining messages."""


@dataclass(frozen=True, slots=True)
class Send:
    note: Note


@dataclass(frozen=True, slots=True)
class ReportOpened:
    note: Note


@dataclass(frozen=True, slots=True)
class ReportFailed:
    error: AudioError
    is_retrying: bool


@dataclass(frozen=True, slots=True)
class ReportClosed:
    """The stream was closed on request."""


@dataclass(frozen=True, slots=True)
class LookForDevice:
    """A substitute is in use: check whether the wanted device is back."""


Command = Spawn | Kill | Send | ReportOpened | ReportFailed | ReportClosed | LookForDevice


class HostSupervision:
    """``direction`` is ``capture`` or ``playback``. Every method takes the time and returns commands, in order.

    `deadline` is the time of the next `tick`; None if none is due.
    """

    def __init__(self, direction: str, device: str | None = None) -> None:
        self.direction = direction
        self.device = device
        self.latency: float | None = None
        self.state = State.NONE
        self.generation = 0
        self.is_wanted = False
        self.is_substitute = False
        self._deadline: float | None = None
        self._retry_at: float | None = None
        self._look_at: float | None = None
        self._tries = 0  # failures since the stream last ran for `STABLE_S`
        self._running_since = float("-inf")
        self._said: str | None = None  # title of the reported failure, until a stream runs again
        self._is_shut = False
        self._needs_fresh = False
        self._lacks_portaudio = False
        self._has_failed_to_start = False
        self.blocked: AudioError | None = None

    @property
    def deadline(self) -> float | None:
        times = [t for t in (self._deadline, self._retry_at, self._look_at) if t is not None]
        return min(times) if times else None

    @property
    def is_running(self) -> bool:
        return self.state == State.RUNNING

    # ---- requests ----

    def prespawn(self, now: float) -> list[Command]:
        """Start a child without opening a stream."""
        return self._spawn(now) if self.state == State.NONE and self._retry_at is None else []

    def open(self, now: float) -> list[Command]:
        """Request a stream."""
        if self._is_shut:
            return []
        self._lacks_portaudio = False
        if self.is_wanted:
            return self.retry_now(now)
        self.is_wanted = True
        self._tries = 0
        self._said = None
        reports = self._report(self.blocked) if self.blocked is not None else []
        return reports + self._go(now)

    def close(self, now: float) -> list[Command]:
        """Withdraw the request for a stream."""
        if not self.is_wanted:
            return []
        self.is_wanted = False
        self._retry_at = self._look_at = None
        if self.state == State.RUNNING:
            return self._close(now)
        if self.state == State.OPENING:
            return []  # closed once the opening has succeeded or failed
        return [ReportClosed()]

    def select(self, device: str | None, now: float) -> list[Command]:
        """Use another device from now on."""
        if device == self.device:
            return []
        self.device = device
        self._tries = 0
        return self.reopen(now)

    def reopen(self, now: float) -> list[Command]:
        """Close, scan the devices again, and open (a device came back, or another one was chosen)."""
        self._needs_fresh = True
        self._look_at = None
        if not self.is_wanted:
            return []
        if self.state == State.RUNNING:
            return self._close(now)
        return self.retry_now(now)

    def retry_now(self, now: float) -> list[Command]:
        """End the wait before the next attempt."""
        if self._retry_at is None or not self.is_wanted:
            return []
        self._retry_at = now
        return self.tick(now)

    def block(self, error: AudioError, now: float) -> list[Command]:
        """The current device must not be used (a loudspeaker's monitor): stop, and open nothing until `unblock`."""
        self.blocked = error
        commands: list[Command] = []
        if self.state in (State.RUNNING, State.OPENING, State.CLOSING):
            commands.append(Kill())
            self.state = State.NONE
            self._deadline = self._look_at = None
        if self.is_wanted:
            self._retry_at = None
            return commands + self._report(error) + self._go(now)
        return commands + self.prespawn(now)

    def unblock(self, now: float) -> list[Command]:
        """A usable device is available again."""
        if self.blocked is None:
            return []
        self.blocked = None
        self._needs_fresh = True
        return self._go(now) if self.is_wanted and self._retry_at is None else []

    def shut(self) -> list[Command]:
        """Kill the child for good."""
        self._is_shut = True
        self.is_wanted = False
        self._deadline = self._retry_at = self._look_at = None
        if self.state == State.NONE:
            return []
        self.state = State.NONE
        return [Kill()]

    # ---- events ----

    def sign_of_life(self, now: float) -> None:
        """A frame or a progress note arrived."""
        if self.state == State.RUNNING:
            self._deadline = now + SILENT_S
            if self._tries and now - self._running_since > STABLE_S:
                self._tries = 0

    def note(self, note: Note, now: float) -> list[Command]:
        """A note from the child; those that do not concern its life are ignored."""
        match note["kind"], self.state:
            case "ready", State.STARTING:
                self._has_failed_to_start = False
                self.state = State.IDLE
                self._deadline = None
                return self._go(now) if self.is_wanted else []
            case "opened", State.OPENING:
                return self._opened(note, now)
            case "failed", State.OPENING | State.STARTING:
                return self._refused(note, now)
            case "closed", State.CLOSING:
                self.state = State.IDLE
                self._deadline = None
                return self._go(now) if self.is_wanted else [ReportClosed()]
            case "ended", State.RUNNING:
                return self._fail(explain_code(None, "ended", self.direction), now, must_kill=True)
        return []

    def exited(self, generation: int, now: float) -> list[Command]:
        """The child is gone: killed, crashed, or its pipe is broken."""
        if generation != self.generation or self.state == State.NONE:
            return []
        was, self.state = self.state, State.NONE
        self._has_failed_to_start |= was is State.STARTING
        self._deadline = None
        if self._lacks_portaudio or self._is_shut:
            return []
        if not self.is_wanted:
            closed: list[Command] = [ReportClosed()] if was in (State.CLOSING, State.OPENING) else []
            self._tries += 1
            if self._tries <= UNWANTED_STARTS:
                self._later(now)
            return closed
        return self._fail(explain_code(None, "exited", self.direction), now, must_kill=False)

    def tick(self, now: float) -> list[Command]:
        """Time has passed."""
        if self._deadline is not None and now >= self._deadline:
            if now - self._deadline > LATE_S:
                self._deadline = now + 2 * LATE_S
                return []
            return self._overdue(now)
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            return self._go(now) if self.is_wanted else self.prespawn(now)
        if self._look_at is not None and now >= self._look_at:
            self._look_at = now + RETURN_LOOK_S
            return [LookForDevice()]
        return []

    # ---- inside ----

    def _spawn(self, now: float) -> list[Command]:
        if self._is_shut:
            return []
        self.generation += 1
        self.state = State.STARTING
        self._deadline = now + START_S
        self._needs_fresh = False
        return [Spawn(self.generation, self._has_failed_to_start)]

    def _go(self, now: float) -> list[Command]:
        """Take the next step towards a running stream."""
        if self.state == State.NONE:
            return self._spawn(now)
        if self.state != State.IDLE or self.blocked is not None:
            return []
        self.state = State.OPENING
        self._deadline = now + OPEN_S
        note: Note = {"kind": "open", "device": self.device, "fresh": self._needs_fresh}
        if self.latency is not None:
            note["latency"] = self.latency
        self._needs_fresh = False
        return [Send(note)]

    def _close(self, now: float) -> list[Command]:
        self.state = State.CLOSING
        self._deadline = now + CLOSE_S
        return [Send({"kind": "close"})]

    def _opened(self, note: Note, now: float) -> list[Command]:
        if not self.is_wanted or self._needs_fresh:  # withdrawn, or another device was chosen meanwhile
            return self._close(now)
        self.state = State.RUNNING
        self._deadline = now + OPEN_S
        self._running_since = now
        self._said = None
        self.is_substitute = bool(note.get("substitute"))
        self._look_at = now + RETURN_LOOK_S if self.is_substitute else None
        return [ReportOpened(note)]

    def _refused(self, note: Note, now: float) -> list[Command]:
        error = explain_note(note, self.direction)
        if note.get("code") == NO_PORTAUDIO:
            self._lacks_portaudio = True
            self.state = State.NONE
            self._deadline = None
            was_wanted, self.is_wanted = self.is_wanted, False
            return [Kill(), ReportFailed(error, is_retrying=False)] if was_wanted else [Kill()]
        self.state = State.IDLE
        self._deadline = None
        if not self.is_wanted:
            return [ReportClosed()]
        self._needs_fresh = True
        return self._fail(error, now, must_kill=False)

    def _overdue(self, now: float) -> list[Command]:
        self._deadline = None
        self._has_failed_to_start |= self.state is State.STARTING
        if self.is_wanted:
            return self._fail(explain_code(None, "stalled", self.direction), now, must_kill=True)
        had_stream = self.state in (State.CLOSING, State.OPENING)
        self.state = State.NONE
        self._later(now)
        return [Kill(), ReportClosed()] if had_stream else [Kill()]

    def _fail(self, error: AudioError, now: float, *, must_kill: bool) -> list[Command]:
        commands: list[Command] = []
        if must_kill:
            commands.append(Kill())
            self.state = State.NONE
        self._deadline = self._look_at = None
        wait = WAITS_S[min(self._tries, len(WAITS_S) - 1)]
        self._tries += 1
        commands += self._report(error)
        if wait == 0.0:
            return commands + self._go(now)
        self._retry_at = now + wait
        return commands

    def _report(self, error: AudioError) -> list[Command]:
        """Report a failure once, until a stream runs again or a different failure occurs."""
        if self._said == error.title:
            return []
        self._said = error.title
        return [ReportFailed(error, is_retrying=True)]

    def _later(self, now: float) -> None:
        """Restart an idle child after the longest wait."""
        self._retry_at = now + WAITS_S[-1]
