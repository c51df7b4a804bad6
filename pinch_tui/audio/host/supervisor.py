"""The sound hosts of this program: started, watched, killed and started again, without ever blocking the loop.

::

    async with SoundHost(clock=clock) as host:      # both children start here, without an open stream
        microphone = HostMicrophone(host, clock=clock, device=...)
        speaker = HostSpeaker(host, clock=clock, device=...)
        ...                                         # the engine runs
                                                    # leaving kills both children and waits for them

One child serves capture, one playback, so that a fault in one direction leaves the other alone.
`pinch_tui.audio.host.supervision` decides; here its commands are carried out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict
from types import TracebackType
from typing import Any, Final, assert_never

from pinch_tui.audio.devices.routes import Route
from pinch_tui.audio.host.supervision import (
    Command,
    HostSupervision,
    Kill,
    LookForReturn,
    SayClosed,
    SayFailed,
    SayOpened,
    Send,
    Spawn,
)
from pinch_tui.audio.host.wire import Kind, Note, pack_note, read_note
from pinch_tui.boundary import carefully, note_unexpected
from pinch_tui.children import PipeBroken, Splitter, kill, reap, start_module
from pinch_tui.core.clock import Clock
from pinch_tui.core.transcript.clean import clean
from pinch_tui.errors import AudioError

READ_BYTES: Final = 1 << 16
STDERR_LINES: Final = 50
STDERR_BYTES_S: Final = 64 * 1024
"""Native code can print 80 MB a second; beyond this rate its pipe is left full, which blocks the printing thread."""
WRITE_BOUND: Final = 4 * 1024 * 1024
"""Unread commands and speech; a child that falls further behind is killed."""
DRAIN_S: Final = 0.2


async def spawn_host(role: str) -> asyncio.subprocess.Process:
    """Start a sound host. Raises OSError."""
    return await start_module("pinch_tui.audio.host.child", role, has_stderr=True, limit=1 << 20)


class HostRunner:
    """One direction with its child. The owner (microphone or speaker) sets the three callbacks.

    ``on_message(kind, payload)``: frames and what was heard; ``on_note(note)``: every note; ``on_command(command)``:
    `SayOpened`, `SayFailed`, `SayClosed`, `LookForReturn`. ``find_route(device)`` finds the way to a device that is
    opened; ``routes_known``, where there is one, waits until it can, while the child starts.
    """

    def __init__(self, role: str, clock: Clock, tasks: asyncio.TaskGroup) -> None:
        self.supervision = HostSupervision(role)
        self.role = role
        self._clock = clock
        self._tasks = tasks
        self._process: asyncio.subprocess.Process | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._is_shut = False
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self.host_pid: int | None = None
        self.on_message: Callable[[Kind, bytes], None] = lambda kind, payload: None
        self.on_note: Callable[[Note], None] = lambda note: None
        self.on_command: Callable[[Command], None] = lambda command: None
        self.route = Route()
        self.find_route: Callable[[str | None], Route] = lambda device: Route()
        self.routes_known: Callable[[], Awaitable[object]] | None = None

    # ---- what the owner asks ----

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
        """The sound server changed: make a waiting try at once."""
        self._do(self.supervision.retry_now(self._now()))

    def block(self, error: AudioError) -> None:
        self._do(self.supervision.block(error, self._now()))

    def unblock(self) -> None:
        self._do(self.supervision.unblock(self._now()))

    def write(self, message: bytes) -> None:
        """Send to the running child without waiting. A child that stopped reading is killed."""
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
        """Kill the child and start no other."""
        self._is_shut = True
        self._do(self.supervision.shut())

    # ---- the machine's commands ----

    def _now(self) -> float:
        return self._clock.monotonic()

    def _do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Spawn(generation):
                    if not self._is_shut:
                        self._tasks.create_task(self._serve(generation), name=f"sound-{self.role}-{generation}")
                case Kill():
                    self._kill()
                case Send({"kind": "open"} as note):
                    self.route = self.find_route(note["device"])
                    self.write(pack_note({**note, "route": asdict(self.route)}))
                case Send(note):
                    self.write(pack_note(note))
                case SayOpened() | SayFailed() | SayClosed() | LookForReturn():
                    self.on_command(command)
                case _:
                    assert_never(command)
        self._arm()

    def _sign(self, now: float) -> None:
        self.supervision.sign(now)
        # The deadline mostly moves away, and the timer finds that out; only the first sign brings it nearer.
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

    async def _serve(self, generation: int) -> None:
        """One child's life: start it, listen to it, see it gone."""
        try:
            process = await spawn_host(self.role)
        except OSError as exc:
            self.stderr.append(f"cannot start: {exc.strerror}")
            self._gone(generation)
            return
        if generation != self.supervision.generation or self._is_shut:
            kill(process)
        else:
            self._process = process
        try:
            async with asyncio.TaskGroup() as group:
                drain = group.create_task(self._drain(process))
                await carefully(self._listen(process), self._broke)
                if self._process is process:
                    self._process = None
                    self.host_pid = None
                self._gone(generation)
                await asyncio.wait({drain}, timeout=DRAIN_S)  # its last lines may tell why
                drain.cancel()
        finally:
            kill(process)
            await reap(process)

    def _gone(self, generation: int) -> None:
        self._do(self.supervision.exited(generation, self._now()))

    def _broke(self, exc: Exception) -> None:
        """The child wrote what nobody foresaw, which counts as its end: another one is started."""
        note_unexpected(exc)
        self.stderr.append(f"unexpected {type(exc).__name__}")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        if self.routes_known is not None:
            await self.routes_known()
        splitter = Splitter(Kind)
        while data := await process.stdout.read(READ_BYTES):
            try:
                messages = splitter.push(data)
                if self._process is process:
                    for kind, payload in messages:
                        self._take(kind, payload)
            except PipeBroken as exc:
                self.stderr.append(f"wire: {exc}")
                break
        kill(process)

    def _take(self, kind: Kind, payload: bytes) -> None:
        now = self._now()
        if kind is Kind.NOTE:
            note = read_note(payload)
            if note["kind"] == "ready":
                self.host_pid = int(note.get("pid", 0)) or None
            elif note["kind"] == "progress":
                self._sign(now)
            self.on_note(note)
            self._do(self.supervision.note(note, now))
        else:
            self._sign(now)
            self.on_message(kind, payload)

    async def _drain(self, process: asyncio.subprocess.Process) -> None:
        """Keep the newest lines that native code prints, at a bounded rate."""
        assert process.stderr is not None
        loop = asyncio.get_running_loop()
        window, taken = loop.time(), 0
        while data := await process.stderr.read(4096):
            for line in data.decode("utf-8", "replace").splitlines():
                self.stderr.append(clean(line, 300))
            taken += len(data)
            if taken >= STDERR_BYTES_S:
                if process.returncode is None:
                    await asyncio.sleep(max(0.0, window + 1.0 - loop.time()))
                window, taken = loop.time(), 0


class SoundHost:
    """Both directions. Entered and left in one task; leaving kills the children and takes milliseconds."""

    def __init__(self, *, clock: Clock, is_deferred: bool = False) -> None:
        """``is_deferred``: the children start with `start`, or when a stream is asked for."""
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
        """Start the children that are not there yet."""
        self.capture.prespawn()
        self.playback.prespawn()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.capture.shut()
        self.playback.shut()
        await self._tasks.__aexit__(kind, exc, trace)

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Work of the microphone's and the speaker's own watchers. It ends with the host, which it never ends."""
        task = self._tasks.create_task(carefully(work), name=name)
        task.add_done_callback(lambda _: work.close())  # it may never have begun
        return task

    def noise(self) -> list[str]:
        """The newest lines that native sound code printed."""
        return [*self.capture.stderr, *self.playback.stderr]
