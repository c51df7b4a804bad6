"""Runs one session machine: turns its commands into HTTP calls, sockets and timers, and their outcomes into facts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

from pinch_tui.boundary import quietly
from pinch_tui.core.clock import Clock
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.events import Step
from pinch_tui.core.session.reactions import Failure, FailureKind
from pinch_tui.core.session.session import Session
from pinch_tui.core.wire import Allocation
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.boundary import of_adapter
from pinch_tui.errors import AllocationError, ConnectionLost, CredentialError, PinchError
from pinch_tui.services.ports import Connection, Service

OnReport = Callable[["SessionRunner", ev.Report], None]

TURN_S = 0.004
"""How long to take messages without a pause before other tasks get a turn."""


@dataclass(slots=True)
class _Attempt:
    """The tasks and the socket of one generation."""

    generation: int
    task: asyncio.Task[None]
    connection: Connection | None = None
    outgoing: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    """Frames, and None at the end of each utterance."""
    pings: asyncio.Event = field(default_factory=asyncio.Event)


class SessionRunner:
    """One session and its machine. Facts go in through `feed`; reports come out through ``on_report``, in order.

    ``closing`` collects the running tasks that close sockets.
    """

    def __init__(
        self,
        session: Session,
        service: Service,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        on_report: OnReport,
        closing: set[asyncio.Task[None]],
    ) -> None:
        self.session = session
        self._service = service
        self._clock = clock
        self._tasks = tasks
        self.on_report = on_report
        self._closing = closing
        self._alarm = Alarm(self._woke)
        self._attempt: _Attempt | None = None

    def replace_service(self, service: Service) -> None:
        """If it is the same service with another key, use that from now on. A session never changes its service."""
        if service.traits.name == self.session.traits.name:
            self._service = service
            self.feed(ev.KeyReplaced())

    def feed(self, fact: ev.Fact) -> None:
        """Give the machine a fact and carry out its commands."""
        for step in self.session.handle(fact, self._clock.monotonic()):
            self._do(step)

    def _woke(self) -> None:
        if self._attempt is not None and self.session.is_active:
            self._report_progress(self._attempt)
        self.feed(ev.Woke())

    def _report_progress(self, attempt: _Attempt) -> None:
        """Tell the machine how much of the sent data has arrived, if the connection knows."""
        progress = quietly(attempt.connection.progress, None) if attempt.connection is not None else None
        if progress is not None:
            self.feed(ev.Progressed(attempt.generation, progress))

    def end(self) -> None:
        """Cancel the timer, and the attempt if there still is one."""
        self._alarm.set(None)
        self._drop(is_dead=True)

    # ---- commands ----

    def _do(self, step: Step) -> None:
        match step:
            case ev.Allocate():
                self._start(step.generation, self._allocate(step))
            case ev.OpenSocket(generation, allocation, has_sound):
                self._start(generation, self._serve(generation, allocation, has_sound=has_sound))
            case ev.SendAudio(generation, pcm):
                self._put(generation, pcm)
            case ev.GoHandsFree(generation):
                if (attempt := self._under_way(generation)) is not None and attempt.connection is not None:
                    quietly(attempt.connection.latch, None)
            case ev.SendFinalize(generation):
                self._put(generation, None)
            case ev.SendPing(generation):
                if (attempt := self._under_way(generation)) is not None:
                    attempt.pings.set()
            case ev.CloseSocket(generation, is_dead):
                if self._under_way(generation) is not None:
                    self._drop(is_dead=is_dead)
            case ev.WakeAt(t):
                self._alarm.set(t)
            case report:
                self.on_report(self, report)

    def _under_way(self, generation: int) -> _Attempt | None:
        return self._attempt if self._attempt is not None and self._attempt.generation == generation else None

    def _put(self, generation: int, data: bytes | None) -> None:
        if (attempt := self._under_way(generation)) is not None:
            attempt.outgoing.put_nowait(data)

    def _start(self, generation: int, work: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(work, name=f"session attempt {generation}")
        self._attempt = _Attempt(generation, task)

    def _drop(self, *, is_dead: bool) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        if attempt.connection is not None and not is_dead:
            closing = self._tasks.create_task(_close(attempt, attempt.connection), name="closing a socket")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        else:
            _abandon(attempt)

    # ---- work ----

    async def _allocate(self, command: ev.Allocate) -> None:
        generation = command.generation
        service = self._service
        try:
            got = await of_adapter(service.api.allocate(command.params))
        except PinchError as exc:
            self.feed(ev.AttemptFailed(generation, _failure(exc)))
            return
        self.feed(ev.Allocated(generation, got, service.secrets))

    async def _serve(self, generation: int, allocation: Allocation, *, has_sound: bool) -> None:
        try:
            connection = await of_adapter(self._service.connector.connect(allocation, has_sound=has_sound))
        except PinchError as exc:
            self.feed(ev.AttemptFailed(generation, _failure(exc, FailureKind.OPEN)))
            return
        attempt = self._under_way(generation)
        if attempt is None:
            quietly(connection.abort, None)
            return
        attempt.connection = connection
        self._report_progress(attempt)
        closed = ev.SocketClosed(generation, 1006)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(attempt, connection))
                group.create_task(self._ping(attempt, connection))
                await self._receive(generation, connection)
        except* PinchError as group:
            why = group.exceptions[0]
            if isinstance(why, ConnectionLost):
                closed = ev.SocketClosed(generation, why.code, reason=why.reason)
            elif isinstance(why, PinchError):
                closed = ev.SocketClosed(generation, 1006, _failure(why, FailureKind.OPEN))
        finally:
            quietly(connection.abort, None)  # whatever ended it
        self.feed(closed)

    async def _receive(self, generation: int, connection: Connection) -> None:
        """Take every message. During a flood, other tasks get a turn every `TURN_S`.

        Receiving a message that has already arrived does not let them run, so this yields explicitly.
        """
        began = self._clock.monotonic()
        while True:
            self.feed(ev.MessageReceived(generation, await of_adapter(connection.receive())))
            if self._clock.monotonic() - began >= TURN_S:
                await asyncio.sleep(0)
                began = self._clock.monotonic()

    async def _send(self, attempt: _Attempt, connection: Connection) -> None:
        while True:
            data = await attempt.outgoing.get()
            try:
                await of_adapter(connection.finalize() if data is None else connection.send(data))
            except ConnectionLost:
                return  # the receiver reports it with the close code, after the last messages
            self.feed(ev.Sent(attempt.generation))

    async def _ping(self, attempt: _Attempt, connection: Connection) -> None:
        while True:
            await attempt.pings.wait()
            attempt.pings.clear()
            try:
                await of_adapter(connection.ping())
            except ConnectionLost:
                return
            self.feed(ev.Ponged(attempt.generation))


async def _close(attempt: _Attempt, connection: Connection) -> None:
    try:
        with suppress(PinchError):
            await of_adapter(connection.close(1000))
    finally:
        _abandon(attempt)


def _abandon(attempt: _Attempt) -> None:
    if attempt.connection is not None:
        quietly(attempt.connection.abort, None)
    attempt.task.cancel()


def _failure(exc: PinchError, kind: FailureKind = FailureKind.NETWORK) -> Failure:
    """The failure behind an exception; ``kind`` if there is no HTTP status."""
    match exc:
        case CredentialError():
            return Failure(FailureKind.HTTP, exc.status, exc.title, exc.hint, is_credential=True, words=exc.words)
        case AllocationError(is_foreign=True):
            return Failure(FailureKind.FOREIGN, exc.status, exc.title, exc.hint)
        case AllocationError(status=None):
            return Failure(FailureKind.NETWORK, None, exc.title, exc.hint, is_final=not exc.retryable)
        case AllocationError():
            return Failure(FailureKind.HTTP, exc.status, exc.title, exc.hint, words=exc.words)
        case _:
            return Failure(kind, None, exc.title, exc.hint, is_final=not exc.retryable, words=exc.words)
