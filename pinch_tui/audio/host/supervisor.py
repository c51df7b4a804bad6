"""Runs the sound hosts: starts, watches, kills and restarts them without ever blocking the event loop.

::

    async with SoundHost(clock=clock) as host:      # both children start here, without an open stream
        microphone = HostMicrophone(host, clock=clock, device=...)
        speaker = HostSpeaker(host, clock=clock, device=...)
        ...                                         # the engine runs
                                                    # leaving kills both children and waits for them

Capture and playback have a child each, so a fault in one direction leaves the other alone.
`pinch_tui.audio.host.supervision` decides; this module executes its commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict
from types import TracebackType
from typing import Any, Final, assert_never

from pinch_tui.audio.devices.routes import Route
from pinch_tui.audio.host.jack import remove_database
from pinch_tui.audio.host.supervision import (
    Command,
    HostSupervision,
    Kill,
    LookForDevice,
    ReportClosed,
    ReportFailed,
    ReportOpened,
    Send,
    Spawn,
)
from pinch_tui.audio.host.wire import Kind, Note, pack_note, read_note
from pinch_tui.boundary import carefully, note_unexpected
from pinch_tui.children import Splitter, kill, reap, start_module
from pinch_tui.core.clock import Clock
from pinch_tui.errors import AudioError

READ_BYTES: Final = 1 << 16
WRITE_BOUND: Final = 4 * 1024 * 1024
"""Bytes of commands and speech that a child may leave unread before it is killed."""


async def spawn_host(role: str) -> asyncio.subprocess.Process:
    """Start a sound host. Raises OSError."""
    return await start_module("pinch_tui.audio.host.child", role, limit=1 << 20)


class HostRunner:
    """One direction and its child. The owner (microphone or speaker) sets the three callbacks.

    ``on_message(kind, payload)`` gets frames and played samples; ``on_note(note)`` every note; ``on_command(command)``
    `ReportOpened`, `ReportFailed`, `ReportClosed` and `LookForDevice`. ``find_route(device)`` returns the route to a
    device; ``routes_known``, if set, waits until it can, while the child starts.
    """

    def __init__(self, role: str, clock: Clock, tasks: asyncio.TaskGroup) -> None:
        self.supervision = HostSupervision(role)
        self._clock = clock
        self._tasks = tasks
        self._process: asyncio.subprocess.Process | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._is_shut = False
        self.host_pid: int | None = None
        self.on_message: Callable[[Kind, bytes], None] = lambda kind, payload: None
        self.on_note: Callable[[Note], None] = lambda note: None
        self.on_command: Callable[[Command], None] = lambda command: None
        self.route = Route()
        self.find_route: Callable[[str | None], Route] = lambda device: Route()
        self.routes_known: Callable[[], Awaitable[object]] | None = None

    # ---- requests of the owner ----

    def prespawn(self) -> None:
        self._do(self.supervision.prespawn(self._now()))

    def open(self) -> None:
        self._do(self.supervision.open(self._now()))

    def close(self) -> None:
        self._do(self.supervision.close(self._now()))

    def select(self, device: str | None) -> None:
        self._do(self.supervision.select(device, self._now()))

    def reopen(self) -> None:
        self._do(self.supervision.reopen(self._now()))

    def retry_now(self) -> None:
        """The sound server changed: end the wait before the next attempt."""
        self._do(self.supervision.retry_now(self._now()))

    def block(self, error: AudioError) -> None:
        self._do(self.supervision.block(error, self._now()))

    def unblock(self) -> None:
        self._do(self.supervision.unblock(self._now()))

    def write(self, message: bytes) -> None:
        """Send to the running child without waiting. A child that has stopped reading is killed."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            return
        if process.stdin.transport.is_closing():
            return
        if process.stdin.transport.get_write_buffer_size() > WRITE_BOUND:
            self._kill()
            self._do(self.supervision.exited(self.supervision.generation, self._now()))
            return
        process.stdin.write(message)

    def shut(self) -> None:
        """Kill the child and never start another."""
        self._is_shut = True
        self._do(self.supervision.shut())

    # ---- commands of the supervision ----

    def _now(self) -> float:
        return self._clock.monotonic()

    def _do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Spawn(generation, is_after_failed_start):
                    if not self._is_shut:
                        self._tasks.create_task(
                            self._serve(generation, is_after_failed_start),
                            name=f"sound-{self.supervision.direction}-{generation}",
                        )
                case Kill():
                    self._kill()
                case Send({"kind": "open"} as note):
                    self.route = self.find_route(note["device"])
                    self.write(pack_note({**note, "route": asdict(self.route)}))
                case Send(note):
                    self.write(pack_note(note))
                case ReportOpened() | ReportFailed() | ReportClosed() | LookForDevice():
                    self.on_command(command)
                case _:
                    assert_never(command)
        self._arm()

    def _sign_of_life(self) -> None:
        self.supervision.sign_of_life(self._now())
        # Most signs postpone the deadline, which `tick` notices; only the first one brings it forward.
        deadline = self.supervision.deadline
        if self._armed_for is not None and deadline is not None and deadline < self._armed_for:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed_for = deadline = self.supervision.deadline
        if deadline is not None and not self._is_shut:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, deadline - self._now()), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._do(self.supervision.tick(self._now()))

    def _kill(self) -> None:
        process, self._process = self._process, None
        self.host_pid = None
        if process is not None:
            kill(process)

    # ---- the child ----

    async def _serve(self, generation: int, is_after_failed_start: bool) -> None:
        """Start one child, handle its messages, and report its end."""
        if is_after_failed_start:
            await asyncio.to_thread(remove_database)
        try:
            process = await spawn_host(self.supervision.direction)
        except OSError as exc:
            note_unexpected(exc)
            self._do(self.supervision.exited(generation, self._now()))
            return
        if generation != self.supervision.generation or self._is_shut:
            kill(process)
        else:
            self._process = process
        try:
            await carefully(self._listen(process))
            if self._process is process:
                self._process = None
                self.host_pid = None
            self._do(self.supervision.exited(generation, self._now()))
        finally:
            kill(process)
            await reap(process)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Handle the child's messages until its pipe ends. Raises `PipeBroken`, and anything a bad note causes."""
        assert process.stdout is not None
        if self.routes_known is not None:
            await self.routes_known()
        splitter = Splitter(Kind)
        while data := await process.stdout.read(READ_BYTES):
            messages = splitter.push(data)
            if self._process is not process:
                continue
            for kind, payload in messages:
                if kind is Kind.NOTE:
                    self._handle_note(read_note(payload))
                else:
                    self._sign_of_life()
                    self.on_message(kind, payload)

    def _handle_note(self, note: Note) -> None:
        if note["kind"] == "ready":
            self.host_pid = int(note.get("pid", 0)) or None
        elif note["kind"] == "progress":
            self._sign_of_life()
        self.on_note(note)
        self._do(self.supervision.note(note, self._now()))


class SoundHost:
    """Both directions. Enter and leave it in one task; leaving kills the children within milliseconds."""

    def __init__(self, *, clock: Clock, is_deferred: bool = False) -> None:
        """``is_deferred``: the children start with `start`, or when a stream is requested."""
        self._is_deferred = is_deferred
        self._tasks = asyncio.TaskGroup()
        self.capture = HostRunner("capture", clock, self._tasks)
        self.playback = HostRunner("playback", clock, self._tasks)

    async def __aenter__(self) -> SoundHost:
        await self._tasks.__aenter__()
        if not self._is_deferred:
            self.start()
        return self

    def start(self) -> None:
        """Start the children that are not running yet."""
        self.capture.prespawn()
        self.playback.prespawn()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.capture.shut()
        self.playback.shut()
        await self._tasks.__aexit__(kind, exc, trace)

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run background work until the host ends; its failure does not end the host."""
        task = self._tasks.create_task(carefully(work), name=name)
        task.add_done_callback(lambda _: work.close())  # if it never started
        return task
