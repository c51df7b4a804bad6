"""Every setting, its default, and its meaning. Frozen.

Flags override the environment (``PINCH_TUI_TALK__MODE`` is ``talk.mode``), which overrides ``config.toml``, which
overrides the defaults here; `pinch_tui.settings.load` reads and validates them. A field made by `option` has a row in
the table of `pinch_tui.core.options`. The program never writes the user's file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Final

from pinch_tui.core.choices import OtherSound, Processing, TalkMode
from pinch_tui.core.options import SESSION_OPTIONS, Option, SessionParams, Text, option, rows_of

DEFAULT_BASE_URL = "https://ws.startpinch.com"
DEFAULT_CARTESIA_URL = "https://api.cartesia.ai"
DEFAULT_SMALLEST_URL = "https://api.smallest.ai"
DEFAULT_DUB_URL = "https://api.startpinch.com"


class KeepOpen(StrEnum):
    FOCUS = "focus"
    ALWAYS = "always"
    PRESS = "press"


class BargeIn(StrEnum):
    STOP = "stop"
    DUCK = "duck"
    MIX = "mix"


class Switch(StrEnum):
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


class ServiceName(StrEnum):
    DEFAULT = ""
    """Pinch if there is a key, else practice."""
    PINCH = "pinch"
    BETA1 = "pinch-beta1"
    CARTESIA = "cartesia"
    SMALLEST = "smallest"
    PRACTICE = "practice"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """``[service]``: the service in use."""

    name: ServiceName = option(
        ServiceName.DEFAULT,
        flag="--service",
        help="The service that interprets.",
        label="Service",
        remembered="service",
        opens_session=True,
    )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """``[api]``: Pinch's address and key."""

    base_url: str = option(
        DEFAULT_BASE_URL,
        flag="--base-url",
        metavar="URL",
        help="Address of the Pinch service: https, or http to loopback.",
    )
    """Where sessions are requested. The key is sent over https or to loopback only."""
    key: str = option("", is_secret=True)
    """The API key; better kept in the keyring (``pinch-tui key set``) or in PINCH_API_KEY."""


@dataclass(frozen=True, slots=True)
class SessionSettings(SessionParams):
    """``[session]``: the parameters of a session, and what happens after it has ended."""

    reopen: Reopen = Reopen.EAGER
    """Reopen an idle session that the service ended at once, or at the next press."""

    spare: bool = option(
        True,
        label="Spare session",
        offers=((True, "yes, for a quick swap"), (False, "no")),
        remembered="spare",
    )
    """Keep a second session open for the swapped pair; never if open sessions are billed (`bills_open_time`)."""

    def params(self, pair: tuple[str, str] | None = None) -> SessionParams:
        """The parameters to request; ``pair`` replaces the languages."""
        params = SessionParams(**{row.name: getattr(self, row.name) for row in SESSION_OPTIONS})
        if pair is not None:
            params = replace(params, source=pair[0], target=pair[1])
        return params.consistent()


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """``[talk]``: the talk key."""

    mode: TalkMode = option(
        TalkMode.AUTO,
        label="Talk key",
        offers=(
            (TalkMode.AUTO, "hold, or tap to start and end"),
            (TalkMode.HOLD, "hold only"),
            (TalkMode.TAP, "press to start, press to end"),
        ),
        remembered="talk_mode",
    )
    """``auto``: hold, a tap latches. ``hold``: never latch. ``tap``: press to start, press to stop."""
    key: str = "space"
    """The talk key, by its Textual name. Bare modifiers and function keys need a terminal that reports releases."""
    exact: bool = True
    """Ask the terminal for key releases (the kitty keyboard protocol)."""
    probe: bool = True
    """Ask the system for the key's state if it can tell (X11, macOS, Windows)."""
    preroll_ms: int = option(300, within=(0, 1500, " ms"))
    """Sound from before the press to send first."""
    tail_ms: int = option(150, within=(0, 2000, " ms"))
    """Sound to send after the release."""
    limit_s: int = option(120, within=(5, 600, " s"))
    """Longest utterance; the user is warned 10 s before."""


@dataclass(frozen=True, slots=True)
class MicSettings:
    """``[mic]``: the microphone."""

    device: str = option(
        "",
        text=Text.LINE,
        flag="--input-device",
        metavar="NAME",
        help="Microphone: a name, a part of it, or a number.",
        label="Microphone",
        remembered="microphone",
    )
    """Empty is the system's default."""
    keep_open: KeepOpen = KeepOpen.FOCUS
    """``focus``: open while the terminal is focused. ``always``. ``press``: while talking (the beginning is lost)."""
    shared: bool = option(False, flag="--share-mic", help="Open the microphone even while another pinch-tui uses it.")
    """If false, a second copy opens the microphone only when its talk key is first pressed."""
    noise_suppression: bool = option(
        False,
        flag="--noise-suppression",
        help="Suppress background noise in the microphone.",
        label="Noise",
        offers=((False, "as it is"), (True, "suppressed")),
        remembered="noise_suppression",
    )
    """Like the next two, needs the ``aec`` extra."""
    gain_control: bool = option(
        False,
        flag="--gain-control",
        help="Keep the voice at an even level.",
        label="Level",
        offers=((False, "as it is"), (True, "kept even")),
        remembered="gain_control",
    )
    echo_cancel: bool = option(
        False,
        flag="--echo-cancel",
        help="Remove the loudspeaker's sound from the microphone's.",
        label="Echo",
        offers=((False, "as it is"), (True, "removed")),
        remembered="echo_cancel",
    )

    @property
    def processing(self) -> Processing:
        return Processing(self.echo_cancel, self.noise_suppression, self.gain_control)


@dataclass(frozen=True, slots=True)
class SpeakerSettings:
    """``[speaker]``: the translated speech."""

    device: str = option(
        "",
        text=Text.LINE,
        flag="--output-device",
        metavar="NAME",
        help="Loudspeaker: a name, a part of it, or a number.",
        label="Speaker",
        remembered="speaker",
    )
    """Empty is the system's default."""
    volume: float = option(1.0, within=(0.0, 2.0, ""), label="Voice volume", remembered="volume")
    """1.0 is the original volume."""
    muted: bool = option(False, label="Muted", remembered="muted")
    """Start with the speech muted."""
    barge_in: BargeIn = option(
        BargeIn.STOP,
        label="Talking meanwhile",
        offers=(
            (BargeIn.STOP, "stops the voice"),
            (BargeIn.DUCK, "makes the voice quieter"),
            (BargeIn.MIX, "lets the voice go on"),
        ),
        remembered="barge_in",
    )
    """What a press does to the speech being played: ``stop`` it, ``duck`` it, or ``mix`` (let it play on)."""
    other_sound: OtherSound = option(
        OtherSound.OFF,
        flag="--other-sound",
        help="What to do with other programs' media while you talk or a translation is spoken.",
        label="Other programs",
        offers=(
            (OtherSound.OFF, "play on"),
            (OtherSound.PAUSE, "pause meanwhile"),
            (OtherSound.DUCK, "are quieter meanwhile"),
        ),
        remembered="other_sound",
    )
    """Works with MPRIS players on Linux, media-control players on Windows, Music and Spotify on macOS."""
    cues: Switch = Switch.AUTO
    """Short start, stop and error sounds. ``auto``: if headphones are known to be in use."""


@dataclass(frozen=True, slots=True)
class UiSettings:
    """``[ui]``: the screen."""

    theme: str = option("auto", text=Text.LINE, label="Theme", remembered="theme")
    """A theme's name; ``auto`` follows the terminal (dark or light), ``pinch-contrast`` has high contrast."""
    bidi: Bidi = Bidi.AUTO
    """Who reorders right-to-left text: the ``app``, the ``terminal``, or ``auto``."""
    motion: bool = True
    """Animations."""
    ascii: Switch = option(Switch.AUTO, flag="--ascii", help="Draw with ASCII only; auto: if nothing else is possible.")
    """``auto``: only if the terminal or the locale supports nothing else."""
    timestamps: bool = True
    """Show each utterance's time."""
    keys: dict[str, str] = field(default_factory=dict)
    """``[ui.keys]``: action name = key, for your own key map."""

    @property
    def is_ascii(self) -> bool:
        """``auto`` has been resolved before anything is drawn."""
        return self.ascii is Switch.ON


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """``[history]``: conversations kept on disk."""

    enabled: bool = option(True, flag="--no-history", help="Do not keep this conversation on disk.")
    """Keep every final text on this machine."""
    keep_days: int = option(0, within=(0, 36_500, " days"))
    """At start, delete conversations older than this; 0 keeps them."""


@dataclass(frozen=True, slots=True)
class PracticeSettings:
    """``[practice]``: the practice service."""

    phrasebook: str = ""
    """Your own phrasebook file (tab-separated), added to the built-in one."""


@dataclass(frozen=True, slots=True)
class Beta1Settings:
    """``[beta1]``: Pinch's older interface, which speaks with your own voice. It uses ``api.key``."""

    base_url: str = DEFAULT_DUB_URL


@dataclass(frozen=True, slots=True)
class CartesiaSettings:
    """``[cartesia]``: Cartesia's speech recognition."""

    base_url: str = DEFAULT_CARTESIA_URL
    key: str = option("", is_secret=True)
    """The API key; better kept in the keyring (``pinch-tui key set --service cartesia``) or in CARTESIA_API_KEY."""
    model: str = ""
    """Empty chooses ink-2 or ink-whisper by the language."""
    turns: bool = False
    """Latched talk is hands-free: the service detects the end of each turn."""
    keyterms: str = option("", text=Text.LINE)
    """Words to expect, separated by commas."""


@dataclass(frozen=True, slots=True)
class SmallestSettings:
    """``[smallest]``: smallest.ai's speech recognition."""

    base_url: str = DEFAULT_SMALLEST_URL
    """An address other than the default is used for every language."""
    key: str = option("", is_secret=True)
    """The API key; better kept in the keyring (``pinch-tui key set --service smallest``) or in SMALLEST_API_KEY."""
    model: str = "pulse"
    keywords: str = option("", text=Text.LINE)
    """Words to expect, as ``word:boost`` separated by commas; a boost is 1-3."""


@dataclass(frozen=True, slots=True)
class DubSettings:
    """``[dub]``: ``pinch-tui dub``. It uses ``api.key``."""

    base_url: str = DEFAULT_DUB_URL
    poll_s: float = option(10.0, within=(0.1, 600, " s"))
    """Interval between two requests for a job's state."""


@dataclass(frozen=True, slots=True)
class Settings:
    service: ServiceSettings = field(default_factory=ServiceSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    session: SessionSettings = field(default_factory=SessionSettings)
    talk: TalkSettings = field(default_factory=TalkSettings)
    mic: MicSettings = field(default_factory=MicSettings)
    speaker: SpeakerSettings = field(default_factory=SpeakerSettings)
    ui: UiSettings = field(default_factory=UiSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    practice: PracticeSettings = field(default_factory=PracticeSettings)
    beta1: Beta1Settings = field(default_factory=Beta1Settings)
    cartesia: CartesiaSettings = field(default_factory=CartesiaSettings)
    smallest: SmallestSettings = field(default_factory=SmallestSettings)
    dub: DubSettings = field(default_factory=DubSettings)


_DEFAULTS: Final = Settings()
OPTIONS: Final[dict[str, Option]] = {
    row.key: row
    for section in fields(Settings)
    for row in rows_of(section.name, type(getattr(_DEFAULTS, section.name)))
}
"""Every setting by its dotted key, in the order of the sections."""

VOLUME_RANGE: Final = OPTIONS["speaker.volume"].within or (0.0, 2.0, "")
