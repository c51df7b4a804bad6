"""`HoldInput`: the talk key for the application, a shell around the hold machine.

Events arrive on Textual's input thread (`pinch_tui.keys.driver`), on the event loop's thread (mouse, control, forced
ends) and on a watcher thread, which waits for deadlines. One lock keeps them in order; nothing depends on the event
loop. ``on_edge`` and ``on_report_changed`` are called on the thread of the event, ``on_edge`` with the lock held;
neither may block.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from pinch_tui.core.choices import HoldReport, TalkMode
from pinch_tui.core.events import EdgeKind, TalkEdge, TalkSource
from pinch_tui.core.keynames import LEGACY_NAMES, MODIFIERS
from pinch_tui.core.talk import hold_events as ev
from pinch_tui.core.talk.hold import HoldMachine, HoldState
from pinch_tui.keys.capability import Findings, decide
from pinch_tui.keys.memory import KeyMemory, recall, remember
from pinch_tui.keys.probes import open_probe
from pinch_tui.keys.probing import ProbeOpener, ProbeSlot
from pinch_tui.settings.model import TalkSettings

_ANSWER_S = 1.0
_REMOTE_ANSWER_S = 2.0
"""Without an answer within this time, the terminal counts as one that does not report releases."""


class HoldInput:
    """See the module. The application clears ``armed`` while a text field or a panel has the keyboard."""

    def __init__(
        self,
        settings: TalkSettings,
        on_edge: Callable[[TalkEdge], None],
        *,
        env: Mapping[str, str] = os.environ,
        memory: KeyMemory | None = None,
        clock: Callable[[], float] = time.monotonic,
        probe_opener: ProbeOpener = open_probe,
    ) -> None:
        self.settings = settings
        is_remote = bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY"))
        self.findings = Findings(settings.key, settings.exact, is_remote, "the screen's own driver is in use")
        self.armed = True
        self.on_edge = on_edge
        self.on_report_changed: Callable[[HoldReport], None] | None = None
        self.on_hang_up: Callable[[], None] | None = None
        """Called on the event loop when the terminal is gone; None: the application exits."""
        self.on_interrupt: Callable[[], None] | None = None
        """Called on the event loop for Ctrl+C, ahead of queued keys; None: Ctrl+C is queued like any key."""
        self.is_midway: Callable[[], bool] = lambda: False
        self.dropped: Callable[[], int] = lambda: 0
        self.clock = clock
        self._memory = memory
        self._memory_name = "remote" if is_remote else "local"
        self._base = ""  # the name under which the present press will be released
        self._machine = HoldMachine(
            mode=settings.mode,
            cadence=recall(memory, self._memory_name),
            is_remote=is_remote,
        )
        self._answer_due: float | None = None
        self._tty: int | None = None
        self._events: deque[tuple[ev.HoldEvent, float]] = deque()
        self._is_handling = False
        self._wake = threading.Condition(threading.RLock())
        self._probe = ProbeSlot(
            self._wake,
            probe_opener,
            is_wanted=settings.probe and not is_remote,
            on_changed=self._set_has_probe,
        )
        self._watched: float | None = None
        self._is_stopping = False
        self._watcher: threading.Thread | None = None
        self._said = self.report()

    # ---- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the watcher thread; it opens the probe first."""
        with self._wake:
            if self._watcher is not None:
                return
            self._is_stopping = False
            self._probe.want(self.findings.key)
            self._watcher = threading.Thread(target=self._watch, name="pinch-keys", daemon=True)
            self._watcher.start()

    def stop(self) -> None:
        """End a hold, remember the keyboard's cadence, stop the watcher thread."""
        self.end(TalkSource.QUIT, self.clock())
        with self._wake:
            watcher, self._watcher = self._watcher, None
            self._is_stopping = True
            self._wake.notify_all()
        if watcher is not None and watcher is not threading.current_thread():
            watcher.join(1.0)
        remember(self._memory, self._memory_name, self._machine.key.gap.cadence)
        self._probe.want(None)

    # ---- events from the application (any thread) ---------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """An utterance is under way."""
        return self._machine.state is not HoldState.IDLE

    def feed_key(self, key: str, t: float) -> bool:
        """A key event under a stock driver; True if it was consumed."""
        if not self.findings.stock_reason:
            return False
        return self.key_pressed(key, "", reports_release=False, t=t)

    def feed_focus(self, has_focus: bool, t: float) -> None:
        """A change of the terminal's focus under a stock driver."""
        if self.findings.stock_reason:
            (self.focus if has_focus else self.blur)(t)

    def mouse_down(self, t: float) -> None:
        self._tell(ev.MousePressed(), t)

    def mouse_up(self, t: float) -> None:
        self._tell(ev.MouseReleased(), t)

    def control(self, start: bool, t: float) -> None:
        self._tell(ev.Controlled(start), t)

    def blur(self, t: float) -> None:
        """The terminal lost the focus."""
        self._tell(ev.Blurred(), t)

    def focus(self, t: float) -> None:
        """The terminal has the focus again."""
        self._tell(ev.Focused(), t)

    def end(self, source: TalkSource, t: float) -> None:
        """End the utterance: a lost device, the time limit, quit. It never latches."""
        self._tell(ev.ForcedEnd(source), t)

    def escape(self, t: float) -> None:
        """Cancel the utterance."""
        self._tell(ev.Escaped(), t)

    def fell_silent(self, t: float) -> None:
        """There was no speech just before a soft stop, so the stop can be final at once."""
        self._tell(ev.FellSilent(), t)

    def set_mode(self, mode: TalkMode) -> None:
        self._tell(ev.ModeSet(mode), self.clock())

    def set_key(self, key: str) -> None:
        """Use another talk key; an utterance started with the old one ends."""
        with self._wake:
            self._tell(ev.ForcedEnd(TalkSource.KEY), self.clock())
            self._machine.key.reset()
            self._machine.key.is_trusted = False  # releases of a modifier say nothing about other keys
            self.findings.key, self._base = key, ""
            self._trust_modifier(self.clock())
            self._probe.want(key if self._watcher is not None else None)
        self._say()

    def report(self) -> HoldReport:
        """How the end of a hold is detected at present, and why."""
        key, probe = self._machine.key, self._probe
        return decide(
            replace(
                self.findings,
                mode=self._machine.mode,
                is_trusted=key.is_trusted,
                probe_name=probe.name,
                has_probe_spoken=probe.has_spoken,
                has_probe_failed=key.has_given_up_probe,
            )
        )

    # ---- events from the driver (input thread) ------------------------------------------------------------------

    def key_pressed(self, key: str, plain: str, *, reports_release: bool, t: float, base: str = "") -> bool:
        """A press or a repeat; True if consumed. ``plain``: the key, if no modifiers are held; ``base``: the key
        without its modifiers; both "" if unknown.
        """
        key = LEGACY_NAMES.get(key, key)
        is_armed = self.armed
        if self.findings.key in (key, plain):
            with self._wake:
                self._base = base
                self._probe.revive(t)
                self._tell(ev.KeyDown(is_armed, reports_release), t)
                return is_armed or self._machine.owns_key
        if key == "escape" and is_armed and self._machine.takes_escape(t):
            self._tell(ev.Escaped(), t)
            return True
        if (plain or key) not in MODIFIERS:
            self._tell(ev.OtherKeyDown(), t)
        return False

    def key_released(self, key: str, t: float) -> None:
        """The terminal reported a release of this key, named without modifiers."""
        if key == (self._base or self.findings.key.rpartition("+")[2]):
            self._tell(ev.KeyUp(), t)
        elif key not in MODIFIERS:
            self._tell(ev.ReleaseSeen(), t)

    def asked(self, t: float, *, is_disabled: bool = False) -> None:
        """The driver has queried the terminal's capabilities; ``is_disabled``: the environment forbids that."""
        self._tell(ev.TerminalRestarted(), t)
        with self._wake:
            found = self.findings
            found.is_claimed = False if is_disabled or not found.wants_exact else None
            found.is_disabled_by_environment = is_disabled
            found.is_disproved = False
            wait = _REMOTE_ANSWER_S if found.is_remote else _ANSWER_S
            self._answer_due = t + wait if found.is_claimed is None else None
            self._wake.notify_all()
        self._say()

    def answered(self, reports_release: bool, t: float) -> None:
        """The terminal answered. A "yes" is final; a "no" counts only as the first answer."""
        with self._wake:
            if self.findings.is_claimed is None or reports_release:
                self.findings.is_claimed = is_claimed = reports_release and self.findings.wants_exact
                self._answer_due = None
                self._tell(ev.Claimed(is_claimed), t)
                self._trust_modifier(t)
        self._say()

    def _trust_modifier(self, t: float) -> None:
        """A modifier never repeats, so a missing repeat proves nothing; but a terminal that reports modifiers also
        reports their releases."""
        if self.findings.is_claimed and self.findings.key in MODIFIERS:
            self._tell(ev.ReleaseSeen(), t)

    def attach(self, tty: int | None) -> None:
        """Our driver starts. ``tty``: the file descriptor it reads, None if that cannot be polled."""
        self.findings.stock_reason = ""
        self._tty = tty

    def detach(self, t: float) -> None:
        """The terminal is about to be given back: suspend, quit or a crash."""
        self.end(TalkSource.QUIT, t)
        self._tty = None

    # ---- inside -------------------------------------------------------------------------------------------------

    def _tell(self, event: ev.HoldEvent, t: float) -> None:
        with self._wake:
            self._events.append((event, t))
            if self._is_handling:  # called by a callback or a signal handler: the outer call takes the event
                return
            self._is_handling = True
            try:
                while self._events:
                    self._step(*self._events.popleft())
            finally:
                self._is_handling = False
            deadline = self._machine.deadline
            if deadline is not None and (self._watched is None or deadline < self._watched):
                self._wake.notify_all()
        self._say()

    def _step(self, event: ev.HoldEvent, t: float) -> None:
        for command in self._machine.handle(event, t):
            if isinstance(command, ev.AskProbe):
                self._events.append((ev.ProbeAnswered(self._probe.is_down()), self.clock()))
                continue
            if command.source is TalkSource.GAP and command.kind is EdgeKind.COMMIT:
                self.findings.is_disproved |= bool(self.findings.is_claimed) and not self._machine.key.is_trusted
            self.on_edge(command)

    def _set_has_probe(self, has_probe: bool) -> None:
        self._machine.key.has_probe = has_probe

    def _say(self) -> None:
        report = self.report()
        if report == self._said:
            return
        self._said = report
        if self.on_report_changed is not None:
            self.on_report_changed(report)

    def _watch(self) -> None:
        while True:
            if self._probe.is_due:
                self._probe.open()  # a hanging display server blocks only this thread
                self._say()
            with self._wake:
                if self._is_stopping:
                    return
                if self._probe.is_due:
                    continue
                due = min((t for t in (self._machine.deadline, self._answer_due) if t is not None), default=None)
                wait = None if due is None else due - self.clock()
                if wait is None or wait > 0:
                    self._watched = due
                    self._wake.wait(wait)
                    self._watched = None
                    continue
            if self._answer_due is not None and self.clock() >= self._answer_due:
                self.answered(False, self.clock())
            self._tell(ev.Tick(self._has_unread()), self.clock())

    def _has_unread(self) -> bool:
        """Whether more input is pending: an Escape goes before the missing repeat of the key that it cancels."""
        if self.is_midway():
            return True
        tty = self._tty
        if tty is None or sys.platform == "win32":
            return False
        try:
            return bool(select.select([tty], [], [], 0)[0])
        except (OSError, ValueError):
            return False
