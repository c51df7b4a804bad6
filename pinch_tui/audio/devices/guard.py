"""Keeps the two streams on their devices, on a sound server that moves streams.

Pure: no I/O, no clock. Accepted microphones are remembered: a virtual microphone is a monitor too, and must not be
mistaken for a loudspeaker's when the default sink changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.audio.devices.server import (
    BLUETOOTH_NOTE,
    Endpoint,
    ServerState,
    is_loudspeaker,
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
    device: str | None  # what was asked for
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class Block:
    error: AudioError


@dataclass(frozen=True, slots=True)
class Unblock:
    """It may be opened again."""


@dataclass(frozen=True, slots=True)
class Reopen:
    """The intended device is back, but the stream is elsewhere."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The stream uses ``endpoint`` now; also sent when that is first known."""

    endpoint: Endpoint
    is_substitute: bool
    note: str = ""


Verdict = Block | Unblock | Reopen | Moved


class MicGuard:
    """Decides about the capture stream. `home` is its intended source."""

    def __init__(self) -> None:
        self._accepted: set[str] = set()
        self.home: str | None = None
        self._now: str | None = None
        self._blocked_on: str | None = None
        self._has_tried_home = False  # reopen only once: it may land elsewhere again

    def forget(self) -> None:
        """Another device was chosen."""
        self.home = self._now = self._blocked_on = None

    def closed(self) -> None:
        self._now = None

    def is_accepted(self, source: str) -> bool:
        return source in self._accepted

    def decide(self, stream: Stream, state: ServerState, playback_pid: int | None) -> Verdict | None:
        is_asked = stream.device is not None and "monitor" in stream.device.casefold()
        if stream.is_blocked:
            return self._decide_blocked(state, playback_pid)
        source = state.source_of(stream.pid) if stream.is_running else None
        if source is None:
            default = state.source_named(state.default_source)
            may_become = stream.follows_server or stream.device is None
            if default is not None and may_become and not is_asked and self._is_bad(default, state, playback_pid):
                self._blocked_on = default.name
                return Block(loudspeaker_as_microphone(default.description))
            return None
        if not is_asked and self._is_bad(source, state, playback_pid):
            self._blocked_on, self._now = source.name, None
            return Block(loudspeaker_as_microphone(source.description))
        self._accepted.add(source.name)
        if self.home is None:
            self.home = source.name
        if source.name == self.home or state.source_named(self.home) is None:
            self._has_tried_home = False
        elif stream.follows_server and state.default_source == source.name:
            self.home = source.name  # both are there: the person chose another default
        elif not self._has_tried_home:
            self._has_tried_home = True
            return Reopen()
        if source.name == self._now:
            return None
        self._now = source.name
        note = BLUETOOTH_NOTE if same_bluetooth(source, state.sink_named(state.default_sink)) else ""
        return Moved(source, source.name != self.home, note)

    def _decide_blocked(self, state: ServerState, playback_pid: int | None) -> Verdict | None:
        default = state.source_named(state.default_source)
        if self.home is not None and state.source_named(self.home) is not None:
            return Unblock()
        if default is not None and default.name != self._blocked_on and not self._is_bad(default, state, playback_pid):
            return Unblock()
        return None

    def _is_bad(self, source: Endpoint, state: ServerState, playback_pid: int | None) -> bool:
        return source.name not in self._accepted and is_loudspeaker(source, state, playback_pid)


class SpeakerGuard:
    """Decides about the playback stream: it must not feed the source that serves as microphone."""

    def __init__(self, mic: MicGuard) -> None:
        self._mic = mic
        self._has_tried_home = False
        self.home: str | None = None
        self._now: str | None = None

    def forget(self) -> None:
        self.home = self._now = None

    def closed(self) -> None:
        self._now = None

    def decide(self, stream: Stream, state: ServerState) -> Verdict | None:
        if stream.is_blocked:
            default = state.sink_named(state.default_sink)
            is_home = self.home is not None and state.sink_named(self.home) is not None
            return Unblock() if is_home or (default is not None and not self._feeds_mic(default)) else None
        sink = state.sink_of(stream.pid) if stream.is_running else None
        if sink is None:
            return None
        if self._feeds_mic(sink):
            self._now = None
            return Block(speaker_into_microphone(sink.description))
        if self.home is None:
            self.home = sink.name
        if sink.name == self.home or state.sink_named(self.home) is None:
            self._has_tried_home = False
        elif stream.follows_server and state.default_sink == sink.name:
            self.home = sink.name
        elif not self._has_tried_home:
            self._has_tried_home = True
            return Reopen()
        if sink.name == self._now:
            return None
        self._now = sink.name
        return Moved(sink, sink.name != self.home)

    def _feeds_mic(self, sink: Endpoint) -> bool:
        return bool(sink.other) and self._mic.is_accepted(sink.other)
