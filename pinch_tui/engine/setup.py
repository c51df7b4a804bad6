"""What an engine is made of: its settings and its ports."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinch_tui.core.clock import Clock
from pinch_tui.core.events import SessionParams
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.engine.ports import Microphone, MicrophoneClaim, NoClaim, Speaker
from pinch_tui.services.ports import Service
from pinch_tui.settings.model import BargeIn, KeepOpen

DRAIN_S = 3.0
"""How long a quit waits for the last words."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What the engine is told once.

    ``has_spare``: a session for the swapped pair is opened ahead. ``is_continuous``: utterances without limit, settled
    segment by segment. ``has_cues`` None: over headphones, where
    that is known. ``drain_s``: how long a quit waits for the last words. ``closes_sound``: the microphone and the
    speaker are the engine's to close. ``shares_microphone``: it is opened also while another copy has it.
    """

    params: SessionParams = field(default_factory=SessionParams)
    talk: TalkConfig = field(default_factory=TalkConfig)
    keep_open: KeepOpen = KeepOpen.FOCUS
    barge_in: BargeIn = BargeIn.STOP
    reopens_idle: bool = True
    has_spare: bool = False
    is_continuous: bool = False
    volume: float = 1.0
    is_muted: bool = False
    has_cues: bool | None = None
    drain_s: float = DRAIN_S
    closes_sound: bool = True
    shares_microphone: bool = False


@dataclass(slots=True)
class EnginePorts:
    """The engine's side of the world; closed by the engine at the end of `Engine.run`."""

    microphone: Microphone
    speaker: Speaker
    service: Service
    clock: Clock
    claim: MicrophoneClaim = field(default_factory=NoClaim)
