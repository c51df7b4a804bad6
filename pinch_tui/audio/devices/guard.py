"""Keeps our two streams on their devices although a sound server moves streams.

Pure: no I/O, no clock. Accepted microphones are remembered: a virtual microphone is a monitor, too, and must not be
mistaken for a loudspeaker's when the default sink changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.audio.devices.choice import Direction
from pinch_tui.audio.devices.server import (
    BLUETOOTH_NOTE,
    Endpoint,
    ServerState,
    captures_loudspeaker,
    same_bluetooth,
)
from pinch_tui.audio.host.errors import loudspeaker_as_microphone, speaker_into_microphone
from pinch_tui.errors import AudioError


@dataclass(frozen=True, slots=True)
class Stream:
    """One of our streams. ``pid``: its host's process, None without one."""

    pid: int | None
    is_running: bool
    follows_server: bool  # opened as the server's default
    device: str | None  # the wanted device
    is_blocked: bool
    endpoint: str = ""  # the server's device, if it was opened by name

    def used(self, direction: Direction, state: ServerState) -> Endpoint | None:
        """The source or sink it is connected to, if the server knows."""
        return state.used(direction, self.pid) if self.is_running else None


@dataclass(frozen=True, slots=True)
class Block:
    error: AudioError


@dataclass(frozen=True, slots=True)
class Unblock:
    """The stream may be opened again."""


@dataclass(frozen=True, slots=True)
class Reopen:
    """The intended device is back, but the stream is elsewhere."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The stream now uses ``endpoint``; also sent for its first one."""

    endpoint: Endpoint
    is_substitute: bool
    note: str = ""


Verdict = Block | Unblock | Reopen | Moved


def source_in_use(stream: Stream, state: ServerState) -> Endpoint | None:
    """The source of the stream, or the one that it would get when opened; None if unknown."""
    source = stream.used(Direction.INPUT, state)
    if source is None and (stream.follows_server or stream.device is None):
        return state.default(Direction.INPUT)
    return source


class Guard:
    """`intended` is the name of the endpoint to stay on: the first one used, until the user chooses another."""

    def __init__(self, direction: Direction) -> None:
        self._direction = direction
        self.intended: str | None = None
        self._current: str | None = None
        self._has_tried_reopening = False  # only once, because the server may move the stream away again

    def forget(self) -> None:
        """The user chose another device."""
        self.intended = self._current = None

    def opened(self, endpoint: str) -> None:
        """The stream was opened. ``endpoint``: the server's device if it was opened by name, else ""."""
        if endpoint and endpoint != self.intended:
            self.intended = endpoint
            self._has_tried_reopening = False

    def closed(self) -> None:
        self._current = None

    def _is_intended_there(self, state: ServerState) -> bool:
        return state.named(self._direction, self.intended) is not None

    def _follow(self, used: Endpoint, stream: Stream, state: ServerState, note: str = "") -> Verdict | None:
        """Decide about a stream that uses this endpoint."""
        if self.intended is None:
            self.intended = used.name
        if used.name == self.intended or not self._is_intended_there(state):
            self._has_tried_reopening = False
        elif stream.follows_server and used == state.default(self._direction):
            self.intended = used.name  # both are there, so the user chose another default
        elif not self._has_tried_reopening:
            self._has_tried_reopening = True
            return Reopen()
        if used.name == self._current:
            return None
        self._current = used.name
        return Moved(used, used.name != self.intended, note)


class MicGuard(Guard):
    """Decides about the capture stream."""

    def __init__(self) -> None:
        super().__init__(Direction.INPUT)
        self._accepted: set[str] = set()
        self._blocked_on: str | None = None

    def forget(self) -> None:
        super().forget()
        self._blocked_on = None

    def is_accepted(self, source: str) -> bool:
        return source in self._accepted

    def decide(self, stream: Stream, state: ServerState, playback_pid: int | None) -> Verdict | None:
        if stream.is_blocked:
            default = state.default(Direction.INPUT)
            is_another = default is not None and default.name != self._blocked_on
            is_fine = is_another and default is not None and not self._is_bad(default, state, playback_pid)
            return Unblock() if self._is_intended_there(state) or is_fine else None
        source = stream.used(Direction.INPUT, state)
        is_requested = (stream.device is not None and "monitor" in stream.device.casefold()) or (
            source is not None and source.name == stream.endpoint
        )
        next_source = source_in_use(stream, state)
        if next_source is not None and not is_requested and self._is_bad(next_source, state, playback_pid):
            self._blocked_on = next_source.name
            self._current = None if source is not None else self._current
            return Block(loudspeaker_as_microphone(next_source.description))
        if source is None:
            return None
        self._accepted.add(source.name)
        sink = state.used(Direction.OUTPUT, playback_pid) or state.default(Direction.OUTPUT)
        note = BLUETOOTH_NOTE if same_bluetooth(source, sink) else ""
        return self._follow(source, stream, state, note)

    def _is_bad(self, source: Endpoint, state: ServerState, playback_pid: int | None) -> bool:
        return source.name not in self._accepted and captures_loudspeaker(source, state, playback_pid)


class SpeakerGuard(Guard):
    """Decides about the playback stream, which must not feed the source used as microphone."""

    def __init__(self, mic: MicGuard) -> None:
        super().__init__(Direction.OUTPUT)
        self._mic = mic

    def decide(self, stream: Stream, state: ServerState) -> Verdict | None:
        if stream.is_blocked:
            default = state.default(Direction.OUTPUT)
            is_fine = default is not None and not self._feeds_mic(default)
            return Unblock() if self._is_intended_there(state) or is_fine else None
        sink = stream.used(Direction.OUTPUT, state)
        if sink is None:
            return None
        if self._feeds_mic(sink):
            self._current = None
            return Block(speaker_into_microphone(sink.description))
        return self._follow(sink, stream, state)

    def _feeds_mic(self, sink: Endpoint) -> bool:
        return bool(sink.other) and self._mic.is_accepted(sink.other)
