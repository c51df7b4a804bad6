"""The vocabulary: facts, intents and snapshots that pass between the rooms. Pure, frozen values.

Facts are named in the past tense, intents in the imperative. Times ``t`` are seconds of one monotonic clock
(``time.monotonic()``), which every process of the program shares.

`pinch_tui.core.wire` has the messages of services, `pinch_tui.core.options` the session's parameters; the commands of a
machine stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pinch_tui.core.options import FinalizeMode as FinalizeMode
from pinch_tui.core.options import SessionParams as SessionParams
from pinch_tui.core.options import Voice as Voice
from pinch_tui.core.session.traits import ServiceTraits

# ---- sound --------------------------------------------------------------------------------------------------------

IN_RATE = 16_000
"""Sample rate towards the service (PCM16 little-endian, mono)."""
OUT_RATE = 24_000
"""Sample rate from the service (float32 little-endian, mono)."""
FRAME_SAMPLES = 320
FRAME_BYTES = 640
FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of captured sound: `FRAME_SAMPLES` mono int16 samples, little-endian, at 16 kHz.

    ``index`` rises by one with each frame and never repeats. ``t``: when the last sample was captured. ``peak``: the
    largest absolute sample / 32768. ``lost``: number of samples known to be missing before this frame.
    """

    pcm: bytes
    index: int
    t: float
    peak: float = 0.0
    lost: int = 0


# ---- talking ------------------------------------------------------------------------------------------------------


class TalkSource(StrEnum):
    """The source of a press or release."""

    KEY = "key"  # a reported key press or release
    PROBE = "probe"  # the system's key state
    GAP = "gap"  # key repeats stopped
    TAP = "tap"  # a tap latched, or ended a latched utterance
    MOUSE = "mouse"
    CONTROL = "control"  # `pinch-tui talk start|stop`
    SAMPLE = "sample"  # a phrase spoken by a synthetic voice in place of a person
    LIMIT = "limit"  # the longest-utterance limit
    CHANGE = "change"  # other languages or settings while the user talks
    FOCUS = "focus"  # the terminal lost the focus
    DEVICE = "device"  # the microphone vanished
    QUIT = "quit"  # quit, suspend, hang-up
    CANCEL = "cancel"  # Escape


class EdgeKind(StrEnum):
    """The steps of a press, from the hold machine to the engine."""

    START = "start"
    SOFT_STOP = "soft-stop"  # probably released; capture continues until commit or resume
    RESUME = "resume"  # it was not a release
    COMMIT = "commit"  # released
    LATCH = "latch"  # the press was a tap: continue until the next press
    CANCEL = "cancel"  # discard this utterance


@dataclass(frozen=True, slots=True)
class TalkEdge:
    """One step of the talk key. ``t``: when the key really moved (for a soft stop: when its window closed)."""

    kind: EdgeKind
    t: float
    source: TalkSource


# ---- intents (UI -> engine) ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChangeSession:
    """Send the next words to a new session with these parameters; the old one drains."""

    params: SessionParams


@dataclass(frozen=True, slots=True)
class KeepSpare:
    """Whether to hold a spare session for the swapped pair open."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class RetryNow:
    """End a back-off now, or reopen a stopped session."""


@dataclass(frozen=True, slots=True)
class TerminalFocusChanged:
    """The terminal gained or lost the focus; ``known`` is False if the terminal does not report it."""

    has_focus: bool
    known: bool = True


@dataclass(frozen=True, slots=True)
class SelectMicrophone:
    """Capture from this device (a name, or a part of one); None for the system's default."""

    device: str | None


@dataclass(frozen=True, slots=True)
class HearMicrophone:
    """The level meter is shown: keep the microphone open as after an utterance."""


@dataclass(frozen=True, slots=True)
class Foreground:
    """The program moves to the shell's background (False), where it must not listen, or back (True).

    The background ends the utterance under way at once, without a tail. Wait for the status to show the microphone as
    closed.
    """

    is_foreground: bool


@dataclass(frozen=True, slots=True)
class SelectSpeaker:
    device: str | None


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Loudness of the translated speech, 0.0-2.0 (1.0: unchanged)."""

    volume: float
    is_muted: bool = False


@dataclass(frozen=True, slots=True)
class SetBargeIn:
    """Whether a press stops (``stop``) or quietens (``duck``) the speech being played, or neither (``mix``)."""

    policy: str


@dataclass(frozen=True, slots=True)
class ReplaySpeech:
    """Play an utterance's received speech again. ``speed`` < 1 is slower."""

    utterance: int
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class StopSpeech:
    """Stop the speech being played. ``skip``: only this utterance's; otherwise all waiting speech, too."""

    skip: bool = False


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Skip to the newest utterance's speech; if no other speech waits, skip that too."""


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Send the kept sound of an utterance without text again (`Utterance.can_send_again`)."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Correct:
    """Replace the texts of a settled line; None leaves a side as it is."""

    utterance: int
    original: str | None = None
    translation: str | None = None


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave. ``drain``: finalize, and wait for the last words for up to 3 s. A second Quit leaves at once."""

    drain: bool = True


Intent = (
    ChangeSession
    | KeepSpare
    | RetryNow
    | TerminalFocusChanged
    | SelectMicrophone
    | HearMicrophone
    | Foreground
    | SelectSpeaker
    | SetVolume
    | SetBargeIn
    | ReplaySpeech
    | StopSpeech
    | CatchUp
    | SendAgain
    | Correct
    | Quit
)

# ---- snapshots and facts (engine -> UI) ---------------------------------------------------------------------------


class StateWord(StrEnum):
    """The state word of the talk bar."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    READY = "ready"
    TALKING = "talking"
    FINALIZING = "finalizing"
    SPEAKING = "speaking"
    RECONNECTING = "reconnecting"


class MicState(StrEnum):
    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    LOST = "lost"  # vanished or failed; the adapter looks for it
    ABSENT = "absent"  # no PortAudio or no device; the adapter does not look for one


@dataclass(frozen=True, slots=True)
class Counters:
    """Losses and retries since the start; the details panel shows all of them."""

    underruns: int = 0  # playback gaps
    gap_s: float = 0.0  # seconds of gaps
    lost_samples: int = 0  # microphone samples known to be missing
    held_s: float = 0.0  # seconds of speech held back until a session was ready
    resent_s: float = 0.0  # seconds of speech sent again after a drop
    forgotten_s: float = 0.0  # seconds of settled audio dropped at the memory bound
    dropped_speech_s: float = 0.0  # seconds of translated speech dropped (barge-in, overrun)
    malformed: int = 0  # unreadable messages
    unknown: int = 0  # messages of an unknown type
    reconnects: int = 0
    refused: int = 0  # texts beyond the limit of an utterance


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds after the commit of the newest utterance, None if not measured; p50 and p95 of ``n`` utterances."""

    ms: float | None = None
    p50_p95: tuple[float, float] | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class Latency:
    """The delays of the newest utterance and of the conversation (`pinch_tui.core.latency`)."""

    first_text: Delay = Delay()
    final: Delay = Delay()
    first_sound: Delay = Delay()
    last_sound: Delay = Delay()


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot of everything the screen shows besides the transcript."""

    word: StateWord = StateWord.OFFLINE
    detail: str = ""  # one sentence about the word, "" for nothing to add
    retry_at: float | None = None  # monotonic time of the next try, while reconnecting
    params: SessionParams = field(default_factory=SessionParams)
    session_id: str | None = None
    model_version_id: str | None = None
    service: ServiceTraits = field(default_factory=ServiceTraits)
    mic: MicState = MicState.CLOSED
    mic_name: str = ""
    mic_is_muted: bool = False  # by the system; False if unknown
    mic_is_taken: bool = False  # by another copy of the program
    has_speaker: bool = False
    speaker_name: str = ""
    is_latched: bool = False
    is_soft_stopped: bool = False
    talking_since: float | None = None  # monotonic time of the press
    talk_source: str = ""  # the `TalkSource` of the utterance under way, "" for none
    limit_at: float | None = None  # monotonic time of the longest-utterance limit
    behind_s: float = 0.0  # seconds of speech waiting to be sent
    speech_late_s: float = 0.0  # seconds of translated speech waiting to be played
    speaking_utterance: int | None = None
    speech_gaps: int = 0  # in the speech being played
    draining_until: float | None = None  # monotonic time at which a quit stops waiting
    volume: float = 1.0
    is_muted: bool = False
    counters: Counters = field(default_factory=Counters)
    latency: Latency = field(default_factory=Latency)

    @property
    def is_practice(self) -> bool:
        return self.service.is_practice


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels for the meters, polled at 10-20 Hz. In dBFS, -inf for digital silence."""

    peak_dbfs: float = float("-inf")
    hold_dbfs: float = float("-inf")  # peak hold
    is_clipping: bool = False
    is_too_quiet: bool = False
    zeros_s: float = 0.0  # seconds of exact zeros up to now
    has_heard: bool = False  # anything but exact zeros since the start


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"  # transient: status line
    ERROR = "error"  # actionable: a banner with the hint
    FATAL = "fatal"  # a screen that stays


@dataclass(frozen=True, slots=True)
class StatusChanged:
    status: Status


@dataclass(frozen=True, slots=True)
class TranscriptChanged:
    """These utterances (numbers) changed; read them from ``engine.transcript``."""

    utterances: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NoticePosted:
    """A message for the user. A later notice of the same ``topic`` replaces it; an empty ``title`` withdraws it."""

    topic: str
    severity: Severity
    title: str
    hint: str = ""
    is_retrying: bool = False
    path: str = ""
    """A file path to show unchanged behind the title, so that it can be copied."""
    offers: tuple[str, ...] = ()
    """Names of the actions that help; the screen and the line mode show their keys behind the hint."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the event log (`--events`): ``kind`` and its fields, JSON-ready."""

    t: float
    kind: str
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The engine has ended. ``unsettled``: number of utterances whose last words did not come."""

    unsettled: int = 0


EngineEvent = StatusChanged | TranscriptChanged | NoticePosted | Logged | Stopped
