"""Runs a `JobMachine`: carries out its commands and reports their outcome as events.

All waiting happens here. Ctrl-C and the time-out end every wait but one: the answer to the request that creates the job
is awaited, so that the job is not lost, until a second Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

from pinch_tui.dub.client import DubClient, OnProgress
from pinch_tui.dub.events import (
    AskAddress,
    AskResult,
    Command,
    Create,
    Due,
    Event,
    Fetch,
    Fetched,
    Finish,
    Outcome,
    Pause,
    Poll,
    Refuse,
    Save,
    Stopped,
    Upload,
    Uploaded,
)
from pinch_tui.dub.machine import JobMachine
from pinch_tui.dub.model import Address, Failure, Output
from pinch_tui.dub.outputs import Place, folder_of
from pinch_tui.dub.probe import open_recording
from pinch_tui.dub.progress import Transfer, Waiting, trouble_text
from pinch_tui.dub.records import Records
from pinch_tui.errors import PinchError, UsageError, why

TICK_S: Final = 0.25
SUBTITLE_LIMIT: Final = 20_000_000
"""Maximum size of a subtitle file in bytes; an hour of speech takes less than a million."""
_WORDS: Final = {
    Output.MEDIA: "the dubbed recording",
    Output.TRANSLATED: "the translated subtitles",
    Output.ORIGINAL: "the original subtitles",
}

T = TypeVar("T")


class View(Protocol):
    """Shows a run's progress."""

    def say(self, sentence: str) -> None:
        """Print a sentence on a line of its own."""

    def progress(self, text: str, key: object, now: float) -> None:
        """Show the progress. ``key`` identifies the state; ``now``: monotonic seconds."""


class Interrupt(Protocol):
    """Ctrl-C: the number of presses, and an event that each press sets."""

    count: int
    changed: asyncio.Event


@dataclass(slots=True)
class Runner:
    """One run. ``here``: the folder for the outputs of a job without a file on this machine."""

    machine: JobMachine
    client: DubClient
    records: Records
    view: View
    interrupt: Interrupt
    here: Path
    content_type: str = ""
    timeout_s: float | None = None
    """Maximum wait for the job once it exists; None: no limit."""
    _waiting: Waiting | None = field(default=None, init=False)
    _transfer: Transfer | None = field(default=None, init=False)
    _deadline: float | None = field(default=None, init=False)
    _failed_to_save: bool = field(default=False, init=False)

    async def run(self) -> Outcome:
        """Run to the end. Raises `PinchError`."""
        commands = self.machine.handle(Due(), time.time())
        while True:
            for command in commands:
                match command:
                    case Save():
                        self._save(command)
                    case Finish(outcome):
                        return outcome
                    case Refuse(error):
                        raise error
                    case _:
                        event = await self._do(command)
            commands = self.machine.handle(event, time.time())

    def _save(self, command: Save) -> None:
        try:
            self.records.save(command.record)
        except UsageError as exc:
            if not command.record.job_id:
                raise
            if not self._failed_to_save:  # once the job exists, its result matters more than the record
                self._failed_to_save = True
                self.view.say(f"{exc} Write down the job's name: {command.record.job_id}")

    async def _do(self, command: Command) -> Event:
        record = self.machine.record
        if record.job_id and self._deadline is None and self.timeout_s is not None:
            self._deadline = time.monotonic() + self.timeout_s
        match command:
            case AskAddress():
                self._transfer = None
                return await self._until(lambda: self.client.address(Path(record.file).name, self.content_type))
            case Upload(address):
                return await self._until(lambda: self._upload(address))
            case Create(source_url):
                self._transfer = None
                return await self._until(
                    lambda: self.client.create(source_url, record.target, record.source), is_patient=True
                )
            case Poll():
                self._wait_for_job()
                return await self._until(lambda: self.client.job(record.job_id))
            case AskResult():
                return await self._until(lambda: self.client.result(record.job_id))
            case Fetch(output, link):
                return await self._until(lambda: self._fetch(output, link))
            case Pause():
                return await self._pause(command)
            case _:
                raise AssertionError(command)

    def _wait_for_job(self) -> Waiting:
        """Show the job's progress instead of a transfer's."""
        record = self.machine.record
        self._transfer = None
        if self._waiting is None:
            self._waiting = Waiting(record.asked_at or time.time())
        self._waiting.duration_s = record.duration_s
        self._waiting.job = self.machine.job
        return self._waiting

    # -- transfers

    async def _upload(self, address: Address) -> Uploaded | Failure:
        record = self.machine.record
        note = self._begin_transfer("Uploading", record.name, record.size)
        with open_recording(Path(record.file)) as file:
            if os.fstat(file.fileno()).st_size != record.size:
                raise UsageError(
                    f"{record.name} has changed since it was checked.",
                    "Run the same command again when it is complete.",
                )
            return await self.client.upload(address, file, record.size, self.content_type, note)

    async def _fetch(self, output: Output, link: str) -> Fetched | Failure:
        record = self.machine.record
        note = self._begin_transfer("Downloading", _WORDS[output])
        folder = folder_of(record, self.here)
        place = Place(record, output, folder)
        limit = None if output is Output.MEDIA else SUBTITLE_LIMIT
        try:
            failure = await self.client.download(link, place.begin, note, limit=limit)
            if failure is None:
                return Fetched(output, str(await asyncio.to_thread(place.publish)))
        except OSError as exc:
            raise UsageError(
                f"The result cannot be written to {folder}: {why(exc)}.",
                "The job is finished. Free some space or choose another place:"
                f" pinch-tui dub get {record.job_id} --out PATH",
            ) from exc
        finally:
            place.discard()
        return failure

    def _begin_transfer(self, verb: str, name: str, total: int | None = None) -> OnProgress:
        self._transfer = transfer = Transfer(verb, name, total)
        return lambda done, total: transfer.note(done, total, time.monotonic())

    # -- waiting

    async def _pause(self, command: Pause) -> Event:
        if command.trouble is not None and self._waiting is None:
            self.view.say(f"{trouble_text(command.trouble)} trying again in {command.seconds:.0f} s.")
        if self.machine.record.job_id:
            waiting = self._wait_for_job()
            waiting.trouble = command.trouble
            waiting.retry_at = time.time() + command.seconds
        return await self._until(lambda: asyncio.sleep(command.seconds, Due()))

    async def _until(
        self, begin: Callable[[], Coroutine[object, object, T]], *, is_patient: bool = False
    ) -> T | Stopped:
        """The work's result, unless Ctrl-C (with ``is_patient``, a second one) or the time-out comes first."""
        if self._is_stopped(is_patient=is_patient):
            return Stopped()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_caught(begin))
            if not await self._watch(task, group, is_patient=is_patient):
                task.cancel()
                return Stopped()
        result = task.result()
        if isinstance(result, PinchError):
            raise result
        return result

    async def _watch(self, task: asyncio.Task[T | PinchError], group: asyncio.TaskGroup, *, is_patient: bool) -> bool:
        """Wait for the task and show the progress; False if the run is stopped before the task is done."""
        while not task.done():
            if self._is_stopped(is_patient=is_patient):
                return False
            if self.interrupt.count:
                self.view.say("The job has just been requested; waiting for its name. Ctrl-C again quits without it.")
            self._show()
            left = TICK_S
            if self._deadline is not None:
                left = max(0.0, min(TICK_S, self._deadline - time.monotonic()))
            self.interrupt.changed.clear()
            pressed = group.create_task(self.interrupt.changed.wait())
            await asyncio.wait((task, pressed), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            pressed.cancel()
        return True

    def _is_stopped(self, *, is_patient: bool) -> bool:
        is_late = self._deadline is not None and time.monotonic() >= self._deadline
        return is_late or self.interrupt.count > (1 if is_patient else 0)

    def _show(self) -> None:
        now = time.monotonic()
        if self._transfer is not None and (self._transfer.done or self._transfer.total):
            tenth = 10 * self._transfer.done // self._transfer.total if self._transfer.total else 0
            self.view.progress(self._transfer.text(), (self._transfer.verb, self._transfer.name, tenth), now)
        elif self._waiting is not None and self._transfer is None:
            trouble = self._waiting.trouble
            key = (self._waiting.state_text(), trouble is not None and (trouble.trouble, trouble.status))
            self.view.progress(self._waiting.text(time.time()), key, now)


async def _caught(begin: Callable[[], Coroutine[object, object, T]]) -> T | PinchError:
    """The result, or the error as a value: a task group would wrap it. A task cancelled at once begins nothing."""
    try:
        return await begin()
    except PinchError as exc:
        return exc
