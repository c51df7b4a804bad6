"""What an engine is built from: its settings and its ports."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.core.clock import Clock
from pinch_tui.core.events import SessionParams
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.engine.ports import Microphone, MicrophoneClaim, NoClaim, Speaker
from pinch_tui.services.ports import Service
from pinch_tui.settings.model import BargeIn, KeepOpen


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The engine's settings; they do not change while it runs, unless an intent says so."""

    params: SessionParams = field(default_factory=SessionParams)
    talk: TalkConfig = field(default_factory=TalkConfig)
    keep_open: KeepOpen = KeepOpen.FOCUS
    barge_in: BargeIn = BargeIn.STOP
    reopens_idle: bool = True
    has_spare: bool = False
    """Whether a session for the swapped pair is opened in advance."""
    is_continuous: bool = False
    """Whether utterances have no time limit and settle segment by segment."""
    volume: float = 1.0
    is_muted: bool = False
    has_cues: bool | None = None
    """Whether cues are played. None: only if the speaker is known to be headphones."""
    drain_s: float = 3.0
    """How long a quit waits for the last words."""
    closes_sound: bool = True
    """Whether the engine closes the microphone and the speaker when it ends."""
    shares_microphone: bool = False
    """Whether the microphone is opened even if another copy of the program has it."""


@dataclass(slots=True)
class EnginePorts:
    """The engine's access to the outside world."""

    microphone: Microphone
    speaker: Speaker
    service: Service
    clock: Clock
    claim: MicrophoneClaim = field(default_factory=NoClaim)
