"""What every run is made of: the service it talks to, its wire, its records, its settings as the engine takes them."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from pinch_tui import __version__
from pinch_tui.core.events import (
    EngineEvent,
    Logged,
    NoticePosted,
    SessionParams,
    Severity,
    Status,
    TranscriptChanged,
)
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.engine.engine import Engine, EngineConfig
from pinch_tui.errors import UsageError
from pinch_tui.outlet import say_briefly
from pinch_tui.services.making import Making
from pinch_tui.services.ports import Service
from pinch_tui.services.registry import make
from pinch_tui.settings.load import Source
from pinch_tui.settings.model import Reopen, Settings, Switch
from pinch_tui.settings.run import RunOptions
from pinch_tui.store.eventlog import EventLog
from pinch_tui.store.history.conversations import Conversation, History, Purge
from pinch_tui.store.history.lines import About
from pinch_tui.store.history.writer import HistoryWriter, lines_missing
from pinch_tui.store.state import StateFile
from pinch_tui.wiring.choosing import Chosen

if TYPE_CHECKING:
    from pinch_tui.services.wirelog import WireLog
    from pinch_tui.store.trace import TraceWriter

log = logging.getLogger("pinch_tui")


def watch_children() -> None:
    """Wait for child processes without a thread for each, as Python 3.12 and later do by themselves on Linux."""
    if sys.version_info >= (3, 12) or sys.platform == "win32" or not hasattr(os, "pidfd_open"):
        return
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return
    asyncio.set_child_watcher(asyncio.PidfdChildWatcher())


# ---- what a run is made of ----------------------------------------------------------------------------------------


def remembered_pair(options: RunOptions, state: StateFile) -> tuple[str, str] | None:
    """The last pair, unless a pair was chosen by file, environment or flag."""
    if any(options.loaded.origin(key).source is not Source.DEFAULT for key in ("session.source", "session.target")):
        return None
    return state.state.last_pair


class Wire:
    """The service's ports of one run, traced when a trace is asked for."""

    def __init__(self, options: RunOptions, stack: AsyncExitStack, *, is_continuous: bool = False) -> None:
        self._is_continuous = is_continuous
        self._trace: TraceWriter | None = None
        self._log: WireLog | None = None
        self._untold: list[str] = []
        self._tell: Callable[[str], None] = self._untold.append
        if options.trace is not None:
            from pinch_tui.services.wirelog import WireLog
            from pinch_tui.store.trace import TraceWriter

            self._trace = TraceWriter(
                options.trace,
                t=time.monotonic(),
                wall=time.time(),
                version=__version__,
                with_text=options.trace_has_text,
                is_continuous=is_continuous,
                on_failure=lambda sentence: self._tell(sentence),
            )
            self._log = WireLog(self._trace.write, with_text=options.trace_has_text)
            stack.callback(self._trace.close)

    def tell_through(self, tell: Callable[[str], None]) -> None:
        """``tell`` hears when the trace can no longer be written, earlier failures included."""
        self._tell = tell
        while self._untold:
            tell(self._untold.pop(0))

    def service(self, chosen: Chosen, settings: Settings, *, is_hands_free: bool = False) -> Service:
        """The engine's side of what was chosen. Raises `ConfigError`."""
        making = Making(
            settings,
            chosen.key.value,
            chosen.key_place,
            chosen.practice.start,
            chosen.practice.secret,
            is_continuous=self._is_continuous,
            is_hands_free=is_hands_free,
        )
        return make(chosen.name, making, self._log)

    def hear(self, event: EngineEvent) -> None:
        if self._trace is not None and self._log is not None and isinstance(event, Logged):
            fields = dict(event.fields)
            if isinstance(id_ := fields.get("session_id"), str):
                fields["session_id"] = self._log.alias(id_)
            self._trace.log(event.t, event.kind, fields)


RETRY_S = 5.0
"""Interval at which it is tried again to save what a full disk refused."""


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
                self.history = history.begin(
                    time.time(), is_practice=is_practice, on_failure=self._not_saved, on_recovery=self._all_is_saved
                )
        stack.callback(engine.subscribe(self.hear))

    def problem(self, sentence: str) -> None:
        """Something cannot be written any more: said as soon as it happens, and at the start if it happens before."""
        self.problems.append(sentence)
        self._engine.say(NoticePosted("disk", Severity.ERROR, sentence))

    def _not_saved(self, sentence: str) -> None:
        self.problem(sentence)
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self.write_missing)

    def write_missing(self) -> None:
        """Try once more to save what a full disk refused, and go on trying."""
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
        """Leave the conversation up to now and go on with an earlier one.

        Raises `UsageError` where that cannot be: then everything stays.
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
        """Names of the services that translated what was said before the conversation was continued."""
        return () if self.continued is None else self.continued.services

    @property
    def n_said(self) -> int:
        """Lines with words that were said in this run."""
        transcript = self._engine.transcript
        return self._said + sum(u.has_text for u in transcript.utterances if u.number not in transcript.earlier)

    @property
    def n_kept(self) -> int | None:
        """Lines of this run that the history holds; None where none is kept."""
        return None if self.history is None else self._kept + self.history.n_kept

    def _purged(self, purge: Purge, days: int) -> None:
        """What retention removed, or why it did not, is told."""
        if purge.removed:
            removed = "1 conversation" if purge.removed == 1 else f"{purge.removed} conversations"
            sentence = f"{removed} older than {days} days {'was' if purge.removed == 1 else 'were'} deleted."
            self.at_start.append(NoticePosted("retention", Severity.INFO, sentence))
            log.info("%s", sentence)
        if purge.doubt:
            self.at_start.append(NoticePosted("retention-doubt", Severity.WARNING, purge.doubt))
            log.warning("%s", purge.doubt)

    def _all_is_saved(self) -> None:
        """What a full disk refused has been written."""
        self._engine.say(NoticePosted("disk", Severity.INFO, "The conversation is saved again; no line is missing."))

    def _end_history(self) -> None:
        """Write what is still owed; what is missing for good is said where it can be read after the end."""
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
    """What is spoken now is spoken under this."""
    return About(status.service.label, status.params.context, status.model_version_id or "")


def engine_config(settings: Settings, params: SessionParams) -> EngineConfig:
    """The engine's part of the settings."""
    talk, speaker = settings.talk, settings.speaker
    return EngineConfig(
        params=params,
        talk=TalkConfig(talk.preroll_ms / 1000, talk.tail_ms / 1000, float(talk.limit_s)),
        keep_open=settings.mic.keep_open,
        shares_microphone=settings.mic.shared,
        barge_in=speaker.barge_in,
        reopens_idle=settings.session.reopen is Reopen.EAGER,
        volume=speaker.volume,
        is_muted=speaker.muted,
        has_cues={Switch.ON: True, Switch.OFF: False, Switch.AUTO: None}[speaker.cues],
    )
