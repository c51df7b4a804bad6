"""The supervision of one sound host, as a machine: what is seen and when -> what to do.

Pure: no I/O, no clock. Each direction (capture or playback) has one child process. The one recovery for a
stall, a hang, a crash, a lost server and a runaway is to kill the child and start another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.audio.host.errors import explain_code
from pinch_tui.audio.host.streams import NO_PORTAUDIO
from pinch_tui.audio.host.wire import Note
from pinch_tui.errors import AudioError

START_S = 6.0
"""Limit for a child's ``ready`` (usually 0.1 s; longer on a busy machine)."""
OPEN_S = 3.0
"""Limit for ``opened`` or ``failed``, and then for the first sign of life."""
SILENT_S = 1.0
"""Silence that counts as a stall; the largest legitimate gap measured was 58 ms."""
CLOSE_S = 1.5
LATE_S = 0.25
"""A later tick means that this program was suspended, which says nothing about the child."""
STABLE_S = 5.0
WAITS_S = (0.0, 0.2, 0.5, 1.0, 1.5)
"""Waits between tries after a failure; the last repeats, so a device is used within 2 s of its return."""
UNWANTED_STARTS = 3
"""Restarts of a child that dies while no stream is wanted."""
RETURN_LOOK_S = 2.0
"""Interval of looking for the chosen device while a substitute is used."""


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
    generation: int


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill the child and ignore what it still sends."""


@dataclass(frozen=True, slots=True)
class Send:
    note: Note


@dataclass(frozen=True, slots=True)
class SayOpened:
    note: Note


@dataclass(frozen=True, slots=True)
class SayFailed:
    error: AudioError
    is_retrying: bool


@dataclass(frozen=True, slots=True)
class SayClosed:
    """The stream was closed on request."""


@dataclass(frozen=True, slots=True)
class LookForReturn:
    """A substitute is in use: see whether the wanted device is back."""


Command = Spawn | Kill | Send | SayOpened | SayFailed | SayClosed | LookForReturn


class HostSupervision:
    """``direction`` is ``capture`` or ``playback``. Every method takes the time and returns commands, in order.

    `deadline` is the time of the next `tick` (None: none is due).
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
        self._tries = 0  # failures since it last ran stably
        self._running_since = float("-inf")
        self._said: str | None = None  # the failure that was told and not yet cured
        self._is_shut = False
        self._needs_fresh = False
        self._is_hopeless = False
        self.blocked: AudioError | None = None

    @property
    def deadline(self) -> float | None:
        times = [t for t in (self._deadline, self._retry_at, self._look_at) if t is not None]
        return min(times) if times else None

    @property
    def is_running(self) -> bool:
        return self.state == State.RUNNING

    # ---- what is wanted ----

    def prespawn(self, now: float) -> list[Command]:
        """Have a child ready, without an open stream."""
        return self._spawn(now) if self.state == State.NONE and self._retry_at is None else []

    def open(self, now: float) -> list[Command]:
        """The stream is wanted from now on."""
        if self._is_shut:
            return []
        self._is_hopeless = False
        if self.is_wanted:
            return self.retry_now(now)
        self.is_wanted = True
        self._tries = 0
        self._said = None
        told = self._tell(self.blocked) if self.blocked is not None else []
        return told + self._go(now)

    def close(self, now: float) -> list[Command]:
        """The stream is not wanted any more."""
        if not self.is_wanted:
            return []
        self.is_wanted = False
        self._retry_at = self._look_at = None
        if self.state == State.RUNNING:
            return self._close(now)
        if self.state == State.OPENING:
            return []  # closed as soon as it is known what came of it
        return [SayClosed()]

    def select(self, device: str | None, now: float) -> list[Command]:
        """Use another device from now on."""
        if device == self.device:
            return []
        self.device = device
        self._tries = 0
        return self.reopen(now)

    def reopen(self, now: float) -> list[Command]:
        """Close and open again with a fresh look at the devices (one came back, or another was chosen)."""
        self._needs_fresh = True
        self._look_at = None
        if not self.is_wanted:
            return []
        if self.state == State.RUNNING:
            return self._close(now)
        return self.retry_now(now)

    def retry_now(self, now: float) -> list[Command]:
        """End a wait."""
        if self._retry_at is None or not self.is_wanted:
            return []
        self._retry_at = now
        return self.tick(now)

    def block(self, error: AudioError, now: float) -> list[Command]:
        """The present device must not be used (a loudspeaker's monitor): stop, and open nothing until `unblock`."""
        self.blocked = error
        commands: list[Command] = []
        if self.state in (State.RUNNING, State.OPENING, State.CLOSING):
            commands.append(Kill())
            self.state = State.NONE
            self._deadline = self._look_at = None
        if self.is_wanted:
            self._retry_at = None
            return commands + self._tell(error) + self._go(now)
        return commands + self.prespawn(now)

    def unblock(self, now: float) -> list[Command]:
        """There is a device again."""
        if self.blocked is None:
            return []
        self.blocked = None
        self._needs_fresh = True
        return self._go(now) if self.is_wanted and self._retry_at is None else []

    def shut(self) -> list[Command]:
        """The end: no child is left."""
        self._is_shut = True
        self.is_wanted = False
        self._deadline = self._retry_at = self._look_at = None
        if self.state == State.NONE:
            return []
        self.state = State.NONE
        return [Kill()]

    # ---- what is seen ----

    def sign(self, now: float) -> None:
        """A frame, or progress: it lives."""
        if self.state == State.RUNNING:
            self._deadline = now + SILENT_S
            if self._tries and now - self._running_since > STABLE_S:
                self._tries = 0

    def note(self, note: Note, now: float) -> list[Command]:
        """A note of the child that concerns its life."""
        match note["kind"], self.state:
            case "ready", State.STARTING:
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
                return self._go(now) if self.is_wanted else [SayClosed()]
            case "ended", State.RUNNING:
                return self._fail(explain_code(None, "ended", self.direction), now, must_kill=True)
        return []

    def exited(self, generation: int, now: float) -> list[Command]:
        """The child is gone: killed, crashed, or its wire is broken."""
        if generation != self.generation or self.state == State.NONE:
            return []
        was, self.state = self.state, State.NONE
        self._deadline = None
        if self._is_hopeless or self._is_shut:
            return []
        if not self.is_wanted:
            closed: list[Command] = [SayClosed()] if was in (State.CLOSING, State.OPENING) else []
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
            return [LookForReturn()]
        return []

    # ---- inside ----

    def _spawn(self, now: float) -> list[Command]:
        if self._is_shut:
            return []
        self.generation += 1
        self.state = State.STARTING
        self._deadline = now + START_S
        self._needs_fresh = False
        return [Spawn(self.generation)]

    def _go(self, now: float) -> list[Command]:
        """One step towards a running stream."""
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
        if not self.is_wanted or self._needs_fresh:  # or another device was chosen in the meantime
            return self._close(now)
        self.state = State.RUNNING
        self._deadline = now + OPEN_S
        self._running_since = now
        self._said = None
        self.is_substitute = bool(note.get("substitute"))
        self._look_at = now + RETURN_LOOK_S if self.is_substitute else None
        return [SayOpened(note)]

    def _refused(self, note: Note, now: float) -> list[Command]:
        code = note.get("code")
        error = explain_code(code if isinstance(code, int) else None, str(note.get("text", "")), self.direction)
        if code == NO_PORTAUDIO:
            self._is_hopeless = True
            self.state = State.NONE
            self._deadline = None
            was_wanted, self.is_wanted = self.is_wanted, False
            return [Kill(), SayFailed(error, is_retrying=False)] if was_wanted else [Kill()]
        self.state = State.IDLE
        self._deadline = None
        if not self.is_wanted:
            return [SayClosed()]
        self._needs_fresh = True
        return self._fail(error, now, must_kill=False)

    def _overdue(self, now: float) -> list[Command]:
        self._deadline = None
        if self.is_wanted:
            return self._fail(explain_code(None, "stalled", self.direction), now, must_kill=True)
        had_stream = self.state in (State.CLOSING, State.OPENING)
        self.state = State.NONE
        self._later(now)
        return [Kill(), SayClosed()] if had_stream else [Kill()]

    def _fail(self, error: AudioError, now: float, *, must_kill: bool) -> list[Command]:
        commands: list[Command] = []
        if must_kill:
            commands.append(Kill())
            self.state = State.NONE
        self._deadline = self._look_at = None
        wait = WAITS_S[min(self._tries, len(WAITS_S) - 1)]
        self._tries += 1
        commands += self._tell(error)
        if wait == 0.0:
            return commands + self._go(now)
        self._retry_at = now + wait
        return commands

    def _tell(self, error: AudioError) -> list[Command]:
        """Report a failure once, until a stream runs again or another failure comes."""
        if self._said == error.title:
            return []
        self._said = error.title
        return [SayFailed(error, is_retrying=True)]

    def _later(self, now: float) -> None:
        """Start an idle child again after a while."""
        self._retry_at = now + WAITS_S[-1]
