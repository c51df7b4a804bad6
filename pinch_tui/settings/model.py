"""Frozen settings: every field, its default, and what it guarantees.

Sources, the later beating the earlier: the defaults here, ``config.toml``, the environment (``PINCH_TUI_TALK__MODE`` is
``talk.mode``), flags that were really typed. `pinch_tui.settings.load` reads and validates them; this module only says
what there is. The user's file is never written by the program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pinch_tui.core.events import FinalizeMode, Voice

DEFAULT_BASE_URL = "https://ws.startpinch.com"
DEFAULT_DUB_URL = "https://api.startpinch.com"


class TalkMode(StrEnum):
    AUTO = "auto"
    HOLD = "hold"
    TAP = "tap"


class KeepOpen(StrEnum):
    FOCUS = "focus"
    ALWAYS = "always"
    PRESS = "press"


class BargeIn(StrEnum):
    STOP = "stop"
    DUCK = "duck"
    MIX = "mix"


class Cues(StrEnum):
    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Bidi(StrEnum):
    AUTO = "auto"
    APP = "app"
    TERMINAL = "terminal"


class Reopen(StrEnum):
    EAGER = "eager"
    PRESS = "press"


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """``[api]``: which service, and with which key."""

    base_url: str = DEFAULT_BASE_URL
    """Where sessions are asked for. The key goes over https, or to loopback, nowhere else."""
    key: str = field(default="", repr=False)
    """The API key. Better in the keyring (``pinch-tui key set``) or in PINCH_API_KEY."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """``[session]``: what a service session is asked for."""

    source: str = "en"
    """Language that is spoken: a code such as ``en`` or ``pt-BR``, or ``auto``."""
    target: str = "es"
    """Language that is wanted."""
    voice: Voice = Voice.MALE
    """Voice of the translated speech."""
    text_only: bool = False
    """Ask for text alone, no speech."""
    two_way: bool = False
    """Either language may be spoken; the other comes out. Forces sentence mode."""
    finalize_mode: FinalizeMode = FinalizeMode.STABLE
    """``stable``: finals grow word by word. ``sentence``: one final a sentence."""
    source_label: str = ""
    """Free text that describes the source language to the translator."""
    target_label: str = ""
    """Free text that describes how to say it, such as ``casual``."""
    context: str = ""
    """What the talk is about, names included: up to 2,000 characters."""
    reopen: Reopen = Reopen.EAGER
    """An idle session that the service ended is reopened at once, or at the next press."""


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """``[talk]``: the talk key."""

    mode: TalkMode = TalkMode.AUTO
    """``auto``: hold, a tap latches. ``hold``: never latch. ``tap``: press to start, press to stop."""
    key: str = "space"
    """The talk key, by its Textual name. Bare modifiers and function keys work where the terminal reports releases."""
    exact: bool = True
    """Ask the terminal for key releases (the kitty keyboard protocol)."""
    probe: bool = True
    """Ask the system for the key's state where that is valid (X11, macOS, Windows)."""
    preroll_ms: int = 300
    """Sound from before the press that is sent first, 0-1500."""
    tail_ms: int = 150
    """Sound after the release that is still sent, 0-2000."""
    limit_s: int = 120
    """Longest utterance, 5-600 s; said 10 s before."""


@dataclass(frozen=True, slots=True)
class MicSettings:
    """``[mic]``: the microphone."""

    device: str = ""
    """A device's name or a part of it; empty is the system's default."""
    keep_open: KeepOpen = KeepOpen.FOCUS
    """``focus``: open while the terminal is focused. ``always``. ``press``: while talking (the beginning is lost)."""
    echo_cancel: bool = False
    """Remove the loudspeaker from the microphone (needs the ``aec`` extra)."""


@dataclass(frozen=True, slots=True)
class SpeakerSettings:
    """``[speaker]``: the translated speech."""

    device: str = ""
    """A device's name or a part of it; empty is the system's default."""
    volume: float = 1.0
    """0.0-2.0; 1.0 is as sent."""
    muted: bool = False
    """Start with the speech muted."""
    barge_in: BargeIn = BargeIn.STOP
    """What a press does to the speech being played: ``stop`` it, ``duck`` it, or ``mix``."""
    cues: Cues = Cues.AUTO
    """Short go, stop and error sounds. ``auto``: over headphones, where that is known."""


@dataclass(frozen=True, slots=True)
class UiSettings:
    """``[ui]``: the screen."""

    theme: str = "pinch-dark"
    """A theme's name; ``pinch-contrast`` is the high-contrast one."""
    bidi: Bidi = Bidi.AUTO
    """Who reorders right-to-left text: the ``app``, the ``terminal``, or ``auto``."""
    motion: bool = True
    """Animations."""
    ascii: bool = False
    """Draw with ASCII only."""
    timestamps: bool = True
    """A time beside each utterance."""
    keys: dict[str, str] = field(default_factory=dict)
    """``[ui.keys]``: action name = key, for your own key map."""


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """``[history]``: what is kept on disk."""

    enabled: bool = True
    """Keep every final on this machine."""
    keep_days: int = 0
    """Delete conversations older than this at start; 0 keeps them."""


@dataclass(frozen=True, slots=True)
class PracticeSettings:
    """``[practice]``: the practice service."""

    phrasebook: str = ""
    """A phrasebook file of your own (tab-separated), beside the built-in one."""


@dataclass(frozen=True, slots=True)
class DubSettings:
    """``[dub]``: ``pinch-tui dub``. Its key is ``api.key``."""

    base_url: str = DEFAULT_DUB_URL
    """Where jobs are asked for. The key goes over https, or to loopback, nowhere else."""
    poll_s: float = 10.0
    """Seconds between two questions how a job stands, 0.1-600."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    api: ApiSettings = field(default_factory=ApiSettings)
    session: SessionSettings = field(default_factory=SessionSettings)
    talk: TalkSettings = field(default_factory=TalkSettings)
    mic: MicSettings = field(default_factory=MicSettings)
    speaker: SpeakerSettings = field(default_factory=SpeakerSettings)
    ui: UiSettings = field(default_factory=UiSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    practice: PracticeSettings = field(default_factory=PracticeSettings)
    dub: DubSettings = field(default_factory=DubSettings)
