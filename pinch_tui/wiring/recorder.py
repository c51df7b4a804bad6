"""Keeps the records of a run: the event log, the history and the log file."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

from pinch_tui.core.events import (
    EngineEvent,
    Logged,
    NoticePosted,
    Severity,
    Status,
    TranscriptChanged,
)
from pinch_tui.engine.engine import Engine
from pinch_tui.errors import UsageError
from pinch_tui.outlet import say_briefly
from pinch_tui.settings.run import RunOptions
from pinch_tui.store.eventlog import EventLog
from pinch_tui.store.history.conversations import Conversation, History, Purge
from pinch_tui.store.history.lines import About
from pinch_tui.store.history.writer import HistoryWriter, lines_missing

log = logging.getLogger("pinch_tui")

RETRY_S = 5.0
"""Interval of tries to save lines that a full disk refused."""


class Recorder:
    """Listens to the engine for the event log, the history and the log file."""

    def __init__(
        self, engine: Engine, options: RunOptions, stack: AsyncExitStack, *, is_practice: bool, keeps_history: bool
    ) -> None:
        """Raises `UsageError` if the conversation to continue cannot be resumed."""
        self._engine = engine
        self._said = self._kept = 0  # lines of conversations that were left for another one
        self._retry: asyncio.TimerHandle | None = None
        self.continued: Conversation | None = None
        """The earlier conversation that goes on now."""
        self.events: EventLog | None = None
        self.history: HistoryWriter | None = None
        self.starred: set[int] = set()
        self.problems: list[str] = []
        self.at_start: list[NoticePosted] = []
        """To tell once the engine runs."""
        if options.events is not None:
            self.events = EventLog(options.events, self.problem)
            stack.callback(self.events.close)
        if keeps_history:
            history = History(options.paths.history)
            if options.continues:
                self._go_on(*self._resumed(history, history.find(options.continues).id))
            stack.callback(self._end_history)
            days = options.loaded.settings.history.keep_days
            self._purged(history.purge(days, time.time()), days)
            if self.history is None:
                self.history = HistoryWriter(
                    history.folder,
                    time.time(),
                    is_practice=is_practice,
                    on_failure=self._not_saved,
                    on_recovery=self._all_is_saved,
                )
        stack.callback(engine.subscribe(self.hear))

    def problem(self, sentence: str) -> None:
        """Say that something can no longer be written: at once, or at the start if the engine does not run yet."""
        self.problems.append(sentence)
        self._engine.say(NoticePosted("disk", Severity.ERROR, sentence))

    def _not_saved(self, sentence: str) -> None:
        self.problem(sentence)
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self.write_missing)

    def write_missing(self) -> None:
        """Try again to save lines that a full disk refused, and keep trying."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self.history is None or not self.history.missing:
            return
        self.history.record(())
        if self.history.missing:
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self.write_missing)

    def _resumed(self, history: History, name: str) -> tuple[Conversation, HistoryWriter]:
        return history.resume(name, on_failure=self._not_saved, on_recovery=self._all_is_saved)

    def _go_on(self, conversation: Conversation, writer: HistoryWriter) -> None:
        self._engine.resume(conversation.utterances)
        self.history, self.continued, self.starred = writer, conversation, set(conversation.stars)

    async def go_on(self, history: History, name: str) -> Conversation:
        """Continue an earlier conversation in place of the running one.

        Raises `UsageError` if that is not possible; then nothing changes.
        """
        if self.history is None:
            raise UsageError("The history is off, so no conversation can be continued.", "Start without --no-history.")
        self._must_rest()
        self.history.record(())
        if missing := self.history.missing:
            raise UsageError(f"This conversation is not saved yet: {lines_missing(missing)}", "Free some space first.")
        conversation, writer = await asyncio.to_thread(self._resumed, history, name)
        try:
            self._must_rest()
        except UsageError:
            writer.close()
            raise
        self._said, self._kept = self.n_said, self.n_kept or 0
        self.history.close()
        self._go_on(conversation, writer)
        return conversation

    def _must_rest(self) -> None:
        if not self._engine.is_resting:
            raise UsageError("Something is still being said or translated.", "Continue it when that has ended.")

    @property
    def services_before(self) -> tuple[str, ...]:
        """Names of the services that translated the conversation before it was continued."""
        return () if self.continued is None else self.continued.services

    @property
    def n_said(self) -> int:
        """The number of lines with words in this run."""
        transcript = self._engine.transcript
        return self._said + sum(u.has_text for u in transcript.utterances if u.number not in transcript.earlier)

    @property
    def n_kept(self) -> int | None:
        """How many of them the history holds; None if there is no history."""
        return None if self.history is None else self._kept + self.history.n_kept

    def _purged(self, purge: Purge, days: int) -> None:
        """Say what was deleted for its age, or why nothing was."""
        if purge.removed:
            removed = "1 conversation" if purge.removed == 1 else f"{purge.removed} conversations"
            sentence = f"{removed} older than {days} days {'was' if purge.removed == 1 else 'were'} deleted."
            self.at_start.append(NoticePosted("retention", Severity.INFO, sentence))
            log.info("%s", sentence)
        if purge.doubt:
            self.at_start.append(NoticePosted("retention-doubt", Severity.WARNING, purge.doubt))
            log.warning("%s", purge.doubt)

    def _all_is_saved(self) -> None:
        """All lines that a full disk refused have been written."""
        self._engine.say(NoticePosted("disk", Severity.INFO, "The conversation is saved again; no line is missing."))

    def _end_history(self) -> None:
        """Write the missing lines. If that fails, say so on stderr, where it can be read after the end."""
        if self.history is not None and (missing := self.history.close()):
            sentence = f"pinch-tui: {lines_missing(missing)} {self.history.folder} could not be written.\n"
            if sys.stderr.isatty():
                say_briefly(sys.stderr.fileno(), sentence)
            else:
                sys.stderr.write(sentence)

    def write(self, t: float, kind: str, fields: Mapping[str, object]) -> None:
        if self.events is not None:
            self.events.write(t, kind, fields)

    def hear(self, event: EngineEvent) -> None:
        match event:
            case Logged(t, kind, fields):
                self.write(t, kind, fields)
                if kind in ("session", "reconnecting", "error", "text-only", "quit"):
                    log.info("%s %s", kind, {k: v for k, v in fields.items() if k != "reason"})
            case TranscriptChanged(numbers) if self.history is not None:
                self.history.about(about(self._engine.status))
                saved = self.history.record(self._engine.transcript.utterance(number) for number in numbers)
                for number in saved:
                    self.write(time.monotonic(), "saved", {"utterance": number})
            case _:
                pass

    def star(self, number: int, is_on: bool) -> None:
        (self.starred.add if is_on else self.starred.discard)(number)
        if self.history is not None:
            self.history.star(number, is_on=is_on)


def about(status: Status) -> About:
    """The service, context and model of the running session, for the history."""
    return About(status.service.label, status.params.context, status.model_version_id or "")
