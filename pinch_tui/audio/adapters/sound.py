"""The program's sound: the microphone, the speaker, and the watcher of their devices.

::

    async with Sound(clock=clock, input_device="", output_device="") as sound:
        sound.microphone, sound.speaker     # the ports; stand-ins that say why when there is no PortAudio
        sound.problem                       # the AudioError to tell at the start, or None
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType

from pinch_tui.audio.adapters.microphone import HostMicrophone
from pinch_tui.audio.adapters.null import NullSpeaker, SilentMicrophone
from pinch_tui.audio.adapters.speaker import HostSpeaker
from pinch_tui.audio.adapters.stream import HostStream
from pinch_tui.audio.devices import missing
from pinch_tui.audio.devices.choice import Direction
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
from pinch_tui.audio.devices.listing import is_there, list_devices
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
    """The extra that processes the microphone's sound seems to be there; nothing is loaded."""
    return importlib.util.find_spec("livekit") is not None


class Sound:
    """Entered and left in one task. Leaving closes both adapters and leaves no child behind."""

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
        self.speaker: HostSpeaker | NullSpeaker
        self.host: SoundHost | None = None
        self._watcher: DeviceWatcher | None = None

    async def __aenter__(self) -> Sound:
        self.problem = missing.explain()
        if self.problem is not None:
            self.microphone = SilentMicrophone(self.problem, clock=self._clock)
            self.speaker = NullSpeaker(self.problem, clock=self._clock)
            return self
        host = await self._stack.enter_async_context(SoundHost(clock=self._clock, is_deferred=True))
        self.host = host
        microphone = HostMicrophone(host, clock=self._clock, device=self._input)
        speaker = HostSpeaker(host, clock=self._clock, device=self._output)
        self.microphone, self.speaker = microphone, speaker
        self._watcher = DeviceWatcher(host, microphone, speaker)
        try:
            await self._process(microphone, speaker)
        except AudioError as exc:
            self.problem = exc
        if not self._is_deferred:
            self.start()
        return self

    def start(self) -> None:
        """Start the children and the watcher, and begin to load what the first speech needs."""
        if self.host is None or self._watcher is None:
            return
        self.host.start()
        self._watcher.start()
        self.host.begin("sound-load", load("pinch_tui.audio.dsp.resample"))

    def use(self, processing: Processing, tell: Callable[[AudioError], None]) -> None:
        """Change how the microphone's sound is processed. ``tell`` is called with the reason where that fails."""
        self._processing = processing
        if self.host is not None:
            self.host.begin("sound-processing", self._use(tell))

    async def _use(self, tell: Callable[[AudioError], None]) -> None:
        if isinstance(self.microphone, HostMicrophone) and isinstance(self.speaker, HostSpeaker):
            try:
                await self._process(self.microphone, self.speaker)
            except AudioError as exc:
                tell(exc)

    async def _process(self, microphone: HostMicrophone, speaker: HostSpeaker) -> None:
        """Raises `AudioError` without the extra; then the sound stays as it is."""
        processor = None
        microphone.process = None
        if wanted := self._processing:
            await load("pinch_tui.audio.adapters.processing")
            from pinch_tui.audio.adapters.processing import SoundProcessor

            try:
                processor = await asyncio.to_thread(SoundProcessor, wanted)
            finally:
                if processor is None:
                    speaker.tell_heard(None)
            if wanted != self._processing:
                return  # another choice was made meanwhile
            microphone.process = processor.process
        speaker.tell_heard(processor.heard if processor is not None and processor.has_echo else None)

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        await self.microphone.aclose()
        await self.speaker.aclose()
        await self._stack.__aexit__(kind, exc, trace)


async def follow_server(host: SoundHost) -> None:
    """Give a host that is not watched the sound server's devices as they are now."""
    state = await read_state() if has_pactl() else None
    host.capture.find_route = partial(route, state, Direction.INPUT)
    host.playback.find_route = partial(route, state, Direction.OUTPUT)


class DeviceWatcher:
    """Does what the guards decide when the server changes; without a server, looks for lost devices."""

    def __init__(self, host: SoundHost, microphone: HostMicrophone, speaker: HostSpeaker) -> None:
        self._host = host
        self._mic, self._speaker = microphone, speaker
        self._mic_guard = MicGuard()
        self._speaker_guard = SpeakerGuard(self._mic_guard)
        self._watch = ServerWatch(self._on_state)
        self._looking: dict[str, asyncio.Task[None]] = {}
        for adapter, guard in ((microphone, self._mic_guard), (speaker, self._speaker_guard)):
            adapter.on_opened = partial(self._opened, guard)
            adapter.on_selected = guard.forget
            adapter.on_closed = guard.closed
            adapter.on_look = self._look
        speaker.is_headphones = self._is_headphones
        microphone.server_name = partial(self._default_name, Direction.INPUT)
        speaker.server_name = partial(self._default_name, Direction.OUTPUT)
        for runner, direction in ((host.capture, Direction.INPUT), (host.playback, Direction.OUTPUT)):
            runner.find_route = partial(self._route, direction)
            runner.routes_known = self._watch.known
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Watch from now on."""
        if self._watching is None:
            self._watching = self._host.begin("sound-server-watch", self._watch.run())

    def stop(self) -> None:
        """Stop watching."""
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
        self._mic.muted(*self._muting(state))
        if state is None:
            return
        capture, playback = self._host.capture, self._host.playback
        for runner, direction in ((capture, Direction.INPUT), (playback, Direction.OUTPUT)):
            is_back = not runner.route.endpoint and route(state, direction, runner.supervision.device).endpoint
            if is_back and runner.supervision.is_substitute:
                runner.reopen()
        heard = self._mic_guard.decide(_stream(capture, self._mic), state, playback.host_pid)
        _obey(heard, capture, self._mic)
        spoken = self._speaker_guard.decide(_stream(playback, self._speaker), state)
        _obey(spoken, playback, self._speaker)
        self._speaker.look_again()
        for runner in (capture, playback):
            runner.retry_now()

    def _muting(self, state: ServerState | None) -> tuple[bool, str]:
        """Whether the server has the microphone muted, and how to unmute it."""
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

    def _look(self, role: str, device: str) -> None:
        task = self._looking.get(role)
        if task is None or task.done():
            self._looking[role] = self._host.begin(f"sound-look-{role}", self._look_for(role, device))

    async def _look_for(self, role: str, device: str) -> None:
        found = await list_devices()
        runner = self._host.capture if role == "capture" else self._host.playback
        devices = found.inputs if role == "capture" else found.outputs
        if runner.supervision.is_substitute and is_there(devices, device):
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
            adapter.moved(endpoint.description, is_substitute, note)


def _stream(runner: HostRunner, adapter: HostStream) -> Stream:
    host = runner.supervision
    is_blocked = host.blocked is not None
    return Stream(runner.host_pid, host.is_running, adapter.follows_server, host.device, is_blocked, adapter.endpoint)
