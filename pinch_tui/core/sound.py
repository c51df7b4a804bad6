"""The events of the microphone and the speaker ports. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.core.events import Frame
from pinch_tui.errors import AudioError


@dataclass(frozen=True, slots=True)
class MicOpened:
    """The input stream has been running since ``t``; ``rate`` is the device's own, before resampling."""

    name: str
    rate: int
    t: float
    is_substitute: bool = False  # not the selected device
    note: str = ""  # a sentence about this device for the user
    is_recording: bool = False  # a file or a stream, whose silences are no fault of a device


@dataclass(frozen=True, slots=True)
class MicClosed:
    """Closed on request, or (files) at the end of the input."""

    t: float
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class MicFailed:
    """Capture failed or stopped. ``is_retrying``: the adapter keeps trying, until the next `MicOpened`."""

    error: AudioError
    t: float
    is_retrying: bool


@dataclass(frozen=True, slots=True)
class MicMuted:
    """The system muted or unmuted the microphone, open or not. ``cure``: how to unmute it."""

    is_muted: bool
    cure: str = ""


MicEvent = Frame | MicOpened | MicClosed | MicFailed | MicMuted


@dataclass(frozen=True, slots=True)
class PlayoutStarted:
    """The first sample of a playout reached the device at ``t``."""

    playout: int
    t: float


@dataclass(frozen=True, slots=True)
class PlayoutEnded:
    """A playout is over; there is one event per `begin`. ``played``: samples at 24 kHz that were really played."""

    playout: int
    t: float
    played: int
    was_cleared: bool


@dataclass(frozen=True, slots=True)
class Underran:
    """The jitter buffer ran dry in the middle of a playout."""

    playout: int
    t: float


@dataclass(frozen=True, slots=True)
class SpeakerOpened:
    name: str
    rate: int
    is_headphones: bool | None = None  # None: not known
    is_substitute: bool = False
    note: str = ""  # a sentence about this device for the user


@dataclass(frozen=True, slots=True)
class SpeakerFailed:
    error: AudioError
    is_retrying: bool


SpeakerEvent = PlayoutStarted | PlayoutEnded | Underran | SpeakerOpened | SpeakerFailed
