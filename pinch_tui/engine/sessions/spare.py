"""A session for the swapped pair, opened in advance: it takes the first words after a swap.

Until then it gets no sound, and its reports are held back. If it fails, it is closed without a notice.
"""

from __future__ import annotations

from collections.abc import Callable

from pinch_tui.core.events import SessionParams
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.spare import SparePolicy
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.sessions.runner import OnReport, SessionRunner


class SpareSession:
    """``make(params, on_report)`` makes its runner; ``wanted`` gives the parameters it should have now, if any."""

    def __init__(
        self,
        conversation: Conversation,
        random: Callable[[], float],
        make: Callable[[SessionParams, OnReport], SessionRunner],
        wanted: Callable[[], SessionParams | None],
    ) -> None:
        self._conversation = conversation
        self._random = random
        self._make = make
        self._wanted = wanted
        self._policy = SparePolicy(conversation.now())
        self._alarm = Alarm(self.look)
        self._runner: SessionRunner | None = None
        self._reports: list[ev.Report] = []

    def look(self) -> None:
        """Open or close it if that is due."""
        now, params = self._conversation.now(), self._wanted()
        is_wanted = params is not None and self._policy.is_wanted(now)
        if self._runner is not None and not (is_wanted and self._runner.session.asked == params):
            self.drop()
        if self._runner is None and is_wanted and params is not None:
            self._reports.clear()
            self._runner = self._make(params, self._report)
            self._conversation.notifier.log("spare", state="opening", source=params.source, target=params.target)
            self._runner.feed(ev.OpenRequested())
        self._alarm.set(None if params is None else self._policy.next_at(now))

    def ready(self) -> None:
        """The current session is ready."""
        self._policy.is_ready(self._conversation.now())
        self.look()

    def used(self) -> None:
        """An utterance began."""
        self._policy.used(self._conversation.now())
        self.look()

    def refused(self) -> None:
        """The service has no capacity for the current session, and so none for a spare."""
        self._policy.has_failed(self._conversation.now(), self._random())
        self.look()

    def take(self, params: SessionParams) -> tuple[SessionRunner, list[ev.Report]] | None:
        """Hand over its runner and its reports so far. None if it has other parameters, or if there is none."""
        runner = self._runner
        if runner is None or runner.session.asked != params:
            self.drop()
            return None
        self._runner = None
        self._policy.used(self._conversation.now())
        runner.session.use()
        self._conversation.notifier.log("spare", state="used")
        return runner, self._reports

    def drop(self) -> None:
        """Close it."""
        runner, self._runner = self._runner, None
        if runner is not None:
            self._conversation.notifier.log("spare", state="closed")
            runner.feed(ev.StopRequested())
            runner.end()

    def end(self) -> None:
        """Close it for good."""
        self._alarm.set(None)
        self.drop()

    def _report(self, runner: SessionRunner, report: ev.Report) -> None:
        if runner is not self._runner:
            return
        if isinstance(report, ev.SessionClosed):
            self._runner = None
            runner.end()
            self._policy.has_failed(self._conversation.now(), self._random())
            self._conversation.notifier.log("spare", state="failed")
            self.look()
            return
        if isinstance(report, ev.SessionReady):
            self._policy.has_opened()
            self._conversation.notifier.log("spare", state="ready")
        self._reports.append(report)
