"""`HoldInput`: the talk key for the application, and the shell around the hold machine.

Facts arrive on Textual's input thread (`pinch_tui.keys.driver`), on the event loop's thread (mouse, control, forced
ends) and on a watcher thread that fires deadlines with ``Condition.wait``. One lock keeps them in order, and nothing
depends on the event loop. ``on_edge`` and ``on_report_changed`` are called on the thread of the fact, ``on_edge`` with
the lock held; neither may block.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.events import EdgeKind, TalkEdge, TalkSource
from pinch_tui.core.keynames import LEGACY_NAMES, MODIFIERS, needs_protocol
from pinch_tui.core.talk.hold import HoldMachine, HoldState
from pinch_tui.core.talk.hold_events import (
    AskProbe,
    Blurred,
    Claimed,
    Controlled,
    Escaped,
    FellSilent,
    Focused,
    ForcedEnd,
    HoldEvent,
    KeyDown,
    KeyUp,
    ModeSet,
    MousePressed,
    MouseReleased,
    OtherKeyDown,
    ProbeAnswered,
    ReleaseSeen,
    TerminalRestarted,
    Tick,
)
from pinch_tui.keys.capability import Findings, HoldReport, decide
from pinch_tui.keys.memory import KeyMemory, recall, remember
from pinch_tui.keys.probes import open_probe
from pinch_tui.keys.probing import ProbeOpener, ProbeSlot
from pinch_tui.settings.model import TalkSettings

_ANSWER_S = 1.0
_REMOTE_ANSWER_S = 2.0
"""After this long without an answer, the terminal is taken not to report releases."""


class HoldInput:
    """See the module. ``armed`` is set by the application; False while a text field or a modal has the keyboard."""

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
        self.wants_exact = settings.exact
        self.is_remote = bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY"))
        self.armed = True
        self.on_edge = on_edge
        self.on_report_changed: Callable[[HoldReport], None] | None = None
        self.on_hang_up: Callable[[], None] | None = None
        """Called on the event loop when the terminal is gone; None leaves the application by its own ``exit``."""
        self.on_interrupt: Callable[[], None] | None = None
        """Called on the event loop for Ctrl+C, ahead of queued keys; None queues it like any key."""
        self.is_midway: Callable[[], bool] = lambda: False
        self.dropped: Callable[[], int] = lambda: 0
        self.clock = clock
        self._memory = memory
        self._memory_name = "remote" if self.is_remote else "local"
        self._key = settings.key
        self._base = ""  # the key name in the release of the press under way
        self._machine = HoldMachine(
            mode=settings.mode,
            cadence=recall(memory, self._memory_name),
            is_remote=self.is_remote,
        )
        self._stock_reason = ""
        self._is_hooked = False
        self._is_disabled_by_environment = False
        self._answer: bool | None = None
        self._answer_due: float | None = None
        self._is_disproved = False
        self._tty: int | None = None
        self._events: deque[tuple[HoldEvent, float]] = deque()
        self._is_handling = False
        self._wake = threading.Condition(threading.RLock())
        self._probe = ProbeSlot(
            self._wake,
            probe_opener,
            is_wanted=settings.probe and not self.is_remote,
            on_changed=self._set_has_probe,
        )
        self._watched: float | None = None
        self._is_stopping = False
        self._watcher: threading.Thread | None = None
        self._said = self.report()

    # ---- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the watcher thread, which opens the probe first."""
        with self._wake:
            if self._watcher is not None:
                return
            self._is_stopping = False
            self._probe.want(self._key)
            self._watcher = threading.Thread(target=self._watch, name="pinch-keys", daemon=True)
            self._watcher.start()

    def stop(self) -> None:
        """End a hold, keep what was learned, stop the watcher thread."""
        self.end(TalkSource.QUIT, self.clock())
        with self._wake:
            watcher, self._watcher = self._watcher, None
            self._is_stopping = True
            self._wake.notify_all()
        if watcher is not None and watcher is not threading.current_thread():
            watcher.join(1.0)
        remember(self._memory, self._memory_name, self._machine.key.gap.cadence)
        self._probe.want(None)

    def set_stock_reason(self, reason: str) -> None:
        """Why Textual's own driver reads the keys, "" where ours does."""
        self._stock_reason = reason
        self._said = self.report()

    # ---- facts from the application (any thread) ----------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """An utterance is under way."""
        return self._machine.state is not HoldState.IDLE

    def feed_key(self, key: str, t: float) -> bool:
        """A key from ``App.on_key``, for drivers without the hook; True if it was consumed."""
        if self._is_hooked:
            return False
        return self.key_pressed(key, "", reports_release=False, t=t)

    def mouse_down(self, t: float) -> None:
        self._tell(MousePressed(), t)

    def mouse_up(self, t: float) -> None:
        self._tell(MouseReleased(), t)

    def control(self, start: bool, t: float) -> None:
        self._tell(Controlled(start), t)

    def blur(self, t: float) -> None:
        """The terminal lost the focus. A hooked driver reports this itself; a second report is harmless."""
        self._tell(Blurred(), t)

    def focus(self, t: float) -> None:
        """The terminal has the focus again."""
        self._tell(Focused(), t)

    def end(self, source: TalkSource, t: float) -> None:
        """End the utterance by force: a lost device, the limit, quit. It never latches."""
        self._tell(ForcedEnd(source), t)

    def escape(self, t: float) -> None:
        """Cancel the utterance."""
        self._tell(Escaped(), t)

    def fell_silent(self, t: float) -> None:
        """Nothing was said just before a soft stop: it may be final at once."""
        self._tell(FellSilent(), t)

    def set_mode(self, mode: TalkMode) -> None:
        self._tell(ModeSet(mode), self.clock())

    def set_key(self, key: str) -> None:
        """Use another talk key; an utterance started with the old one ends."""
        with self._wake:
            self._tell(ForcedEnd(TalkSource.KEY), self.clock())
            self._machine.key.reset()
            self._machine.key.is_trusted = False  # releases of a modifier say nothing about other keys
            self._key, self._base = key, ""
            self._trust_modifier(self.clock())
            self._probe.want(key if self._watcher is not None else None)
        self._say()

    def report(self) -> HoldReport:
        """What is in force in this terminal, and why."""
        key = self._machine.key
        is_reachable = self._answer is not False and self._is_hooked and self.wants_exact
        return decide(
            Findings(
                key=self._key,
                is_tap_mode=self._machine.mode is TalkMode.TAP,
                is_hold_mode=self._machine.mode is TalkMode.HOLD,
                is_key_unseen=needs_protocol(self._key) and not is_reachable,
                wants_exact=self.wants_exact,
                is_disabled_by_environment=self._is_disabled_by_environment,
                is_stock_driver="" if self._is_hooked else self._stock_reason or "the screen's own driver is in use",
                is_claimed=self._answer,
                is_trusted=key.is_trusted,
                is_disproved=self._is_disproved,
                probe_name=self._probe.name,
                has_probe_spoken=self._probe.has_spoken,
                has_probe_failed=key.has_given_up_probe,
                is_remote=self.is_remote,
            )
        )

    # ---- facts from the driver (input thread) -------------------------------------------------------------------

    def key_pressed(self, key: str, plain: str, *, reports_release: bool, t: float, base: str = "") -> bool:
        """A press or a repeat; True if consumed. ``plain``: the key if no modifiers are held. ``base``: the key without
        its modifiers. Both "" where unknown.
        """
        key = LEGACY_NAMES.get(key, key)
        is_armed = self.armed
        if key == self._key or plain == self._key:
            with self._wake:
                self._base = base
                self._probe.revive(t)
                self._tell(KeyDown(is_armed, reports_release), t)
                return is_armed or self._machine.owns_key
        if key == "escape" and is_armed and self._machine.takes_escape(t):
            self._tell(Escaped(), t)
            return True
        if (plain or key) not in MODIFIERS:
            self._tell(OtherKeyDown(), t)
        return False

    def key_released(self, key: str, t: float) -> None:
        """The terminal reported a release. ``key``: its name without modifiers."""
        if key == (self._base or self._key.rpartition("+")[2]):
            self._tell(KeyUp(), t)
        elif key not in MODIFIERS:
            self._tell(ReleaseSeen(), t)

    def asked(self, t: float, *, is_disabled: bool = False) -> None:
        """The driver has queried the terminal's capabilities, or may not (``is_disabled``)."""
        self._tell(TerminalRestarted(), t)
        with self._wake:
            self._answer = False if is_disabled or not self.wants_exact else None
            self._is_disabled_by_environment = is_disabled
            self._is_disproved = False
            wait = _REMOTE_ANSWER_S if self.is_remote else _ANSWER_S
            self._answer_due = t + wait if self._answer is None else None
            self._wake.notify_all()
        self._say()

    def answered(self, reports_release: bool, t: float) -> None:
        """The terminal answered. A "yes" is final; a "no" counts only as the first answer."""
        with self._wake:
            if self._answer is None or reports_release:
                self._answer = reports_release and self.wants_exact
                self._answer_due = None
                self._tell(Claimed(self._answer), t)
                self._trust_modifier(t)
        self._say()

    def _trust_modifier(self, t: float) -> None:
        """A modifier never repeats, so a missing repeat proves nothing; a terminal that reports modifiers reports their
        release."""
        if self._answer and self._key in MODIFIERS:
            self._tell(ReleaseSeen(), t)

    @property
    def is_exact(self) -> bool:
        """The terminal was asked for releases and agreed."""
        return bool(self._answer)

    def attach(self, tty: int | None) -> None:
        """A hooked driver starts. ``tty``: the file descriptor it reads, None where it cannot be polled."""
        self._is_hooked = True
        self._tty = tty

    def detach(self, t: float) -> None:
        """The terminal is about to be given back: suspend, quit, a crash."""
        self.end(TalkSource.QUIT, t)
        self._tty = None

    # ---- inside -------------------------------------------------------------------------------------------------

    def _tell(self, event: HoldEvent, t: float) -> None:
        with self._wake:
            self._events.append((event, t))
            if self._is_handling:  # a callback, or a signal handler on this thread; the outer call goes on with it
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

    def _step(self, event: HoldEvent, t: float) -> None:
        for command in self._machine.handle(event, t):
            if isinstance(command, AskProbe):
                self._events.append((ProbeAnswered(self._probe.is_down()), self.clock()))
                continue
            if command.source is TalkSource.GAP and command.kind is EdgeKind.COMMIT:
                self._is_disproved = self._is_disproved or bool(self._answer and not self._machine.key.is_trusted)
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
            self._tell(Tick(self._has_unread()), self.clock())

    def _has_unread(self) -> bool:
        """Whether more input is pending: an Escape must be handled before the missing repeat of the key it cancels."""
        if self.is_midway():
            return True
        tty = self._tty
        if tty is None or sys.platform == "win32":
            return False
        try:
            ready: tuple[list[Any], list[Any], list[Any]] = select.select([tty], [], [], 0)
        except (OSError, ValueError):
            return False
        return bool(ready[0])
