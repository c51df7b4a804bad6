"""The program's sound: the microphone, the speaker, and the watcher of their devices.

::

    async with Sound(clock=clock, input_device="", output_device="") as sound:
        sound.microphone, sound.speaker     # the ports; without PortAudio, stand-ins that report the reason
        sound.problem                       # the AudioError to show at the start, or None
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.null import SilentMicrophone, UnpacedSpeaker
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.adapters.stream import HostStream
from pinch_tui.audio.devices import missing
from pinch_tui.audio.devices.choice import Direction, matching
from pinch_tui.audio.devices.guard import (
    Block,
    Guard,
    MicGuard,
    Moved,
    Reopen,
    SpeakerGuard,
    Stream,
    Unblock,
    Verdict,
    source_in_use,
)
from pinch_tui.audio.devices.listing import list_devices
from pinch_tui.audio.devices.routes import Route, route
from pinch_tui.audio.devices.server import ServerState, unmute
from pinch_tui.audio.devices.server_watch import ServerWatch, has_pactl, read_state
from pinch_tui.audio.host.supervisor import HostRunner, SoundHost
from pinch_tui.audio.host.wire import Note
from pinch_tui.core.choices import Processing
from pinch_tui.core.clock import Clock
from pinch_tui.errors import AudioError
from pinch_tui.loading import load

_PLAIN = Processing()


def has_processing() -> bool:
    """True if the extra that processes the microphone's sound is installed; nothing is imported."""
    return importlib.util.find_spec("livekit") is not None


class Sound:
    """Enter and leave it in one task. Leaving closes both adapters and ends the children."""

    def __init__(
        self,
        *,
        clock: Clock,
        input_device: str | None = None,
        output_device: str | None = None,
        processing: Processing = _PLAIN,
        is_deferred: bool = False,
    ) -> None:
        """``is_deferred``: nothing runs until `start`."""
        self._clock = clock
        self._is_deferred = is_deferred
        self._input, self._output = input_device or None, output_device or None
        self._processing = processing
        self._stack = AsyncExitStack()
        self.problem: AudioError | None = None
        self.microphone: HostMicrophone | SilentMicrophone
        self.speaker: HostSpeaker | UnpacedSpeaker
        self.host: SoundHost | None = None
        self._watcher: DeviceWatcher | None = None

    async def __aenter__(self) -> Sound:
        self.problem = missing.explain()
        if self.problem is not None:
            self.microphone = SilentMicrophone(self.problem, clock=self._clock)
            self.speaker = UnpacedSpeaker(self._clock, self.problem)
            return self
        host = await self._stack.enter_async_context(SoundHost(clock=self._clock, is_deferred=True))
        self.host = host
        self.microphone = microphone = HostMicrophone(host, clock=self._clock, device=self._input)
        self.speaker = speaker = HostSpeaker(host, clock=self._clock, device=self._output)
        self._watcher = DeviceWatcher(host, microphone, speaker)
        await self._process(partial(setattr, self, "problem"))
        if not self._is_deferred:
            self.start()
        return self

    def start(self) -> None:
        """Start the children and the watcher, and preload the modules that the first speech needs."""
        if self.host is None or self._watcher is None:
            return
        self.host.start()
        self._watcher.start()
        self.host.begin("sound-load", load("pinch_tui.audio.dsp.resample"))

    def use(self, processing: Processing, tell: Callable[[AudioError], None]) -> None:
        """Change how the microphone's sound is processed. ``tell`` gets the reason if that fails."""
        self._processing = processing
        if self.host is not None:
            self.host.begin("sound-processing", self._process(tell))

    async def _process(self, tell: Callable[[AudioError], None]) -> None:
        """Apply the wanted processing. Without the extra, ``tell`` gets the error and the sound is unprocessed."""
        microphone, speaker, wanted = self.microphone, self.speaker, self._processing
        if not isinstance(microphone, HostMicrophone) or not isinstance(speaker, HostSpeaker):
            return
        microphone.process = None
        speaker.set_reference(None)
        if not wanted:
            return
        await load("pinch_tui.audio.adapters.processing")
        from pinch_tui.audio.adapters.processing import SoundProcessor

        try:
            processor = await asyncio.to_thread(SoundProcessor, wanted)
        except AudioError as exc:
            tell(exc)
            return
        if wanted == self._processing:  # otherwise the choice has changed meanwhile
            microphone.process = processor.process
            speaker.set_reference(processor.add_reference if processor.has_echo else None)

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        await self.microphone.aclose()
        await self.speaker.aclose()
        await self._stack.__aexit__(kind, exc, trace)


async def use_server_devices(host: SoundHost) -> None:
    """Let a host without a `DeviceWatcher` find the sound server's current devices."""
    state = await read_state() if has_pactl() else None
    host.capture.find_route = partial(route, state, Direction.INPUT)
    host.playback.find_route = partial(route, state, Direction.OUTPUT)


class DeviceWatcher:
    """Carries out the guards' decisions when the sound server changes; without a server, looks for lost devices."""

    def __init__(self, host: SoundHost, microphone: HostMicrophone, speaker: HostSpeaker) -> None:
        self._host = host
        self._mic, self._speaker = microphone, speaker
        self._mic_guard = MicGuard()
        self._speaker_guard = SpeakerGuard(self._mic_guard)
        self._watch = ServerWatch(self._on_state)
        self._looking: dict[Direction, asyncio.Task[None]] = {}
        for runner, adapter, guard, direction in (
            (host.capture, microphone, self._mic_guard, Direction.INPUT),
            (host.playback, speaker, self._speaker_guard, Direction.OUTPUT),
        ):
            adapter.on_opened = partial(self._opened, guard)
            adapter.on_selected = guard.forget
            adapter.on_closed = guard.closed
            adapter.on_look = partial(self._look, runner, direction)
            adapter.server_name = partial(self._default_name, direction)
            runner.find_route = partial(self._route, direction)
            runner.routes_known = self._watch.known
        speaker.is_headphones = self._is_headphones
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._watching is None:
            self._watching = self._host.begin("sound-server-watch", self._watch.run())

    def stop(self) -> None:
        for task in (self._watching, *self._looking.values()):
            if task is not None:
                task.cancel()

    # ---- the server ----

    def _route(self, direction: Direction, device: str | None) -> Route:
        return route(self._watch.state, direction, device)

    def _opened(self, guard: Guard, note: Note) -> None:
        guard.opened(str(note.get("endpoint") or ""))
        self._watch.look()

    def _on_state(self, state: ServerState | None) -> None:
        self._mic.set_muted(*self._muting(state))
        if state is None:
            return
        capture, playback = self._host.capture, self._host.playback
        for runner, direction in ((capture, Direction.INPUT), (playback, Direction.OUTPUT)):
            is_back = not runner.route.endpoint and route(state, direction, runner.supervision.device).endpoint
            if is_back and runner.supervision.is_substitute:
                runner.reopen()
        verdict = self._mic_guard.decide(_stream(capture, self._mic), state, playback.host_pid)
        _obey(verdict, capture, self._mic)
        verdict = self._speaker_guard.decide(_stream(playback, self._speaker), state)
        _obey(verdict, playback, self._speaker)
        self._speaker.check_headphones()
        for runner in (capture, playback):
            runner.retry_now()

    def _muting(self, state: ServerState | None) -> tuple[bool, str]:
        """True if the server has muted the microphone, and how to unmute it."""
        if state is None:
            return False, ""
        capture = _stream(self._host.capture, self._mic)
        source = source_in_use(capture, state)
        if source is None:
            source = state.named(Direction.INPUT, self._route(Direction.INPUT, capture.device).endpoint)
        return (True, unmute(source)) if source is not None and source.is_muted else (False, "")

    def _default_name(self, direction: Direction) -> str:
        state = self._watch.state
        default = state.default(direction) if state is not None else None
        return default.description if default is not None else ""

    def _is_headphones(self) -> bool | None:
        state = self._watch.state
        if state is None:
            return None
        sink = state.used(Direction.OUTPUT, self._host.playback.host_pid) or state.default(Direction.OUTPUT)
        return sink.is_headphones if sink is not None else None

    # ---- without a server ----

    def _look(self, runner: HostRunner, direction: Direction) -> None:
        task = self._looking.get(direction)
        if task is None or task.done():
            self._looking[direction] = self._host.begin(f"sound-look-{direction}", self._look_for(runner, direction))

    async def _look_for(self, runner: HostRunner, direction: Direction) -> None:
        """Reopen the stream if its wanted device is back."""
        found = await list_devices()
        devices = found.inputs if direction is Direction.INPUT else found.outputs
        wanted = runner.supervision.device or ""
        if runner.supervision.is_substitute and matching(list(devices), wanted) is not None:
            runner.reopen()


def _obey(verdict: Verdict | None, runner: HostRunner, adapter: HostStream) -> None:
    match verdict:
        case Block(error):
            runner.block(error)
        case Unblock():
            runner.unblock()
        case Reopen():
            runner.reopen()
        case Moved(endpoint, is_substitute, note):
            adapter.use_endpoint(endpoint.description, is_substitute, note)


def _stream(runner: HostRunner, adapter: HostStream) -> Stream:
    host = runner.supervision
    is_blocked = host.blocked is not None
    return Stream(runner.host_pid, host.is_running, adapter.follows_server, host.device, is_blocked, adapter.endpoint)
