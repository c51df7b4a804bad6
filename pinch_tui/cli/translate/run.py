"""Runs ``translate`` on an engine: one continuous utterance per input, printed as it settles.

`run_translate` starts the utterance, waits for the end of the input (or Ctrl-C) and for the last words, quits the
engine and returns the exit code. Everything but the translation goes to the `Console`, that is, to stderr.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinch_tui.cli.interrupts import Interrupt
from pinch_tui.cli.translate.console import Console
from pinch_tui.cli.translate.output import Sink
from pinch_tui.core.events import (
    EdgeKind,
    EngineEvent,
    Logged,
    NoticePosted,
    Quit,
    Severity,
    StateWord,
    Stopped,
    TalkEdge,
    TalkSource,
    TranscriptChanged,
)
from pinch_tui.core.transcript.utterance import UtteranceState
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.errors import EXIT_AUDIO, EXIT_CREDENTIALS, EXIT_INTERRUPTED, EXIT_LINK, EXIT_OK, UsageError
from pinch_tui.outlet import Outlet

if TYPE_CHECKING:
    from pinch_tui.audio.adapters.speech_file import FileSpeaker

TICK_S = 0.1
DRAIN_S = 15.0
"""Maximum wait for the last words after Ctrl-C."""
OFFLINE_DRAIN_S = 3.0
"""The same if no session is open."""
BEHIND_S = 5.0
"""Unread time after which the user is warned."""
UNREAD_S = 600.0
"""Unread time after which ``--listen`` ends."""
_OFFLINE = frozenset((StateWord.OFFLINE, StateWord.CONNECTING, StateWord.RECONNECTING))
_ENDED = frozenset((UtteranceState.SETTLED, UtteranceState.EMPTY, UtteranceState.CANCELLED))


@dataclass(slots=True)
class _Run:
    """One engine's run and its outcome."""

    engine: EngineFacade
    sink: Sink
    console: Console
    clock: Callable[[], float]
    exit_code: int = EXIT_OK
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to quit without waiting for more words."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    output: Outlet | None = None
    """The outlet of the sink's text."""
    is_bounded: bool = False
    """True if the outlet keeps a limited amount of unread text."""
    is_behind: bool = False
    has_no_reader: bool = False
    drains_since: float | None = None
    write_error: OSError | None = None
    speech: FileSpeaker | None = None
    _is_mic_gone: bool = False  # permanently
    _is_mic_lost: bool = False  # temporarily

    def on_event(self, event: EngineEvent) -> None:
        match event:
            case TranscriptChanged():
                self._guarded(lambda: self.sink.show(self.engine.transcript.utterances, self.clock()))
                self.console.texts(self.engine.transcript.utterances)
                if any(utterance.state in _ENDED for utterance in self.engine.transcript.utterances):
                    self.ended.set()
            case NoticePosted(topic, severity, title, hint, is_retrying, offers=offers):
                if topic == "mic":
                    self._is_mic_gone = bool(title) and severity is Severity.ERROR and not is_retrying
                if title and (severity is not Severity.INFO or topic == "heard"):
                    other = "Another language: --from LANG." if "languages" in offers and topic == "heard" else ""
                    said = hint if is_retrying else _without_promises(hint)
                    self.console.say(" ".join(filter(None, (title, said, other))))
            case Logged(kind="error", fields=fields):
                self._error(fields)
            case Logged(kind="mic", fields={"state": "open"}):
                self._is_mic_lost = False
            case Logged(kind="talk-stop", fields={"source": TalkSource.DEVICE}) if self._is_mic_lost:
                self.exit_code = EXIT_AUDIO  # the last words may still arrive
            case Stopped(unsettled):
                if unsettled and self.exit_code == EXIT_OK and not self._has_lost_output():
                    self.console.say("The last words did not arrive.")
                    self.exit_code = EXIT_LINK
                self.stopped.set()
            case _:
                pass

    def tick(self) -> None:
        self._guarded(lambda: self.sink.tick(self.clock()))
        self.console.progress(self.engine.status, self.clock())
        self._watch_output()
        if self.speech is not None and self.speech.failure is not None:
            self.failed.set()
        if self.drains_since is not None:
            limit = OFFLINE_DRAIN_S if self.engine.status.word in _OFFLINE else DRAIN_S
            if self.clock() - self.drains_since >= limit:
                self.failed.set()

    def _watch_output(self) -> None:
        """Warn the user if the output is not read, and end the run if that lasts too long."""
        waiting_s = 0.0 if self.output is None else self.output.waiting_s
        if waiting_s >= BEHIND_S and not self.is_behind:
            self.is_behind = True
            bound = f"up to {UNREAD_S / 60:.0f} minutes are kept" if self.is_bounded else "it is kept"
            self.console.say(
                f"The output has not been read for {waiting_s:.0f} s; {bound}, and the translation continues."
            )
        elif self.is_behind and waiting_s < BEHIND_S:
            self.is_behind = False
            self.console.say("The output is being read again.")
        if self.is_bounded and waiting_s >= UNREAD_S:
            self.has_no_reader = True
            self.failed.set()

    def _has_lost_output(self) -> bool:
        return self.write_error is not None or (self.speech is not None and self.speech.failure is not None)

    def _guarded(self, write: Callable[[], None]) -> None:
        """Write; a closed pipe or a full disk ends the run."""
        if self.write_error is not None:
            return
        try:
            write()
        except OSError as exc:
            self.write_error = exc
            self.failed.set()

    def _error(self, fields: dict[str, object]) -> None:
        topic = fields.get("topic")
        if topic == "link" and not fields.get("ended"):
            is_refused = fields.get("credential") is True
            self.exit_code = EXIT_CREDENTIALS if is_refused else EXIT_LINK
            self.failed.set()
        elif topic == "mic":
            self._is_mic_lost = True
            if self._is_mic_gone:
                self.exit_code = EXIT_AUDIO
                self.failed.set()


def _without_promises(hint: str) -> str:
    """The app's hint without the promises that apply only with a talk key."""
    for promise in ("Your words are safe.", "Press the talk key to retry."):
        hint = hint.replace(promise, "")
    return hint.replace("; your words are safe.", ".").strip()


async def run_translate(
    engine: EngineFacade,
    sink: Sink,
    console: Console,
    interrupt: Interrupt,
    *,
    is_listening: bool = False,
    output: Outlet | None = None,
    speech: FileSpeaker | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Translate one input to its end; returns the exit code.

    Raises the failure of ``speech``, and OSError if the output cannot be written; the engine has stopped by then.
    """
    run = _Run(engine, sink, console, clock, output=output, is_bounded=is_listening, speech=speech)
    stop = engine.subscribe(run.on_event)
    try:
        async with asyncio.TaskGroup() as tasks:
            helpers = [tasks.create_task(_tick(run))]
            helpers.append(tasks.create_task(_steer(run, interrupt)))
            await engine.run()
            for helper in helpers:
                helper.cancel()
    finally:
        stop()
    run.tick()
    console.clear()
    if run.write_error is not None:
        raise run.write_error
    if speech is not None and speech.failure is not None:
        raise speech.failure
    if run.has_no_reader:
        raise UsageError(f"The output has not been read for {UNREAD_S / 60:.0f} minutes.", "The rest is lost.")
    if interrupt.count and not (is_listening and interrupt.count == 1 and run.exit_code == EXIT_OK):
        return EXIT_INTERRUPTED
    return run.exit_code


async def drained(output: Outlet, interrupt: Interrupt) -> None:
    """Wait until the output has been read; after Ctrl-C, for at most `DRAIN_S`.

    Raises the output's OSError.
    """
    loop = asyncio.get_running_loop()
    while output.pending and output.error is None:
        is_late = interrupt.since is not None and loop.time() - interrupt.since >= DRAIN_S
        if interrupt.count > 1 or is_late:
            return
        await asyncio.sleep(0.02)
    if output.error is not None:
        raise output.error


async def _steer(run: _Run, interrupt: Interrupt) -> None:
    """Take the utterance through its stages: start, end of the input or Ctrl-C, last words, quit."""
    run.engine.talk(TalkEdge(EdgeKind.START, run.clock(), TalkSource.CONTROL))
    await _any(run.ended, run.failed, interrupt.changed)
    if not run.failed.is_set() and not run.ended.is_set() and interrupt.count == 1:
        interrupt.changed.clear()
        run.console.say("Waiting for the last words; Ctrl-C again quits at once.")
        run.engine.talk(TalkEdge(EdgeKind.COMMIT, run.clock(), TalkSource.QUIT))
        run.drains_since = run.clock()
        await _any(run.ended, run.failed, interrupt.changed)
    can_drain = run.ended.is_set() and not run.failed.is_set() and interrupt.count < 2
    run.engine.post(Quit(drain=can_drain))
    interrupt.changed.clear()
    await _any(run.stopped, interrupt.changed)
    if not run.stopped.is_set():
        run.engine.post(Quit(drain=False))


async def _tick(run: _Run) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        run.tick()


async def _any(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    async with asyncio.TaskGroup() as tasks:
        waits = [tasks.create_task(event.wait()) for event in events]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
