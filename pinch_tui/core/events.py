"""The vocabulary: facts, intents and snapshots that pass between the rooms.

Pure: no I/O, no clock. Everything is frozen. Facts are named in the past tense, intents in the imperative. Times ``t``
are seconds of one monotonic clock (``time.monotonic()``), which every process of the program shares.

The wire's own vocabulary (``WireEvent``) stands in `pinch_tui.core.wire`, the session's parameters in
`pinch_tui.core.options`, the machines' commands beside their machines.
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
"""Samples a second towards the service (PCM16 little-endian, mono)."""
OUT_RATE = 24_000
"""Samples a second from the service (float32 little-endian, mono)."""
FRAME_SAMPLES = 320
FRAME_BYTES = 640
FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of captured sound: `FRAME_SAMPLES` mono int16 samples, little-endian, at 16 kHz.

    ``index`` counts frames since the program started and never repeats; consecutive frames of one open microphone have
    consecutive indices. ``t`` is when the last sample was captured. ``peak`` is the largest absolute sample / 32768.
    ``lost`` is the number of samples known to be missing before this frame.
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
    SAMPLE = "sample"  # a phrase that a voice of the program speaks in place of a person
    LIMIT = "limit"  # the longest-utterance limit
    CHANGE = "change"  # other languages or settings, while the talk goes on
    FOCUS = "focus"  # the terminal lost the focus
    DEVICE = "device"  # the microphone vanished
    QUIT = "quit"  # quit, suspend, hang-up
    CANCEL = "cancel"  # Escape


class EdgeKind(StrEnum):
    """What the hold machine tells the engine."""

    START = "start"
    SOFT_STOP = "soft-stop"  # probably released; capture goes on until commit or resume
    RESUME = "resume"  # it was not a release
    COMMIT = "commit"  # released
    LATCH = "latch"  # the press was a tap: go on until the next press
    CANCEL = "cancel"  # drop this utterance


@dataclass(frozen=True, slots=True)
class TalkEdge:
    """One step of the talk key. ``t``: when the key really moved (for a soft stop: when its window closed)."""

    kind: EdgeKind
    t: float
    source: TalkSource


# ---- intents (UI -> engine) ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChangeSession:
    """Use these parameters from the next utterance on; a new session is opened, the old one drains."""

    params: SessionParams


@dataclass(frozen=True, slots=True)
class KeepSpare:
    """Whether a spare session for the swapped pair is held open."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class RetryNow:
    """End a back-off at once, or reopen a session that stopped."""


@dataclass(frozen=True, slots=True)
class TerminalFocusChanged:
    """The terminal got or lost the focus; ``known`` is False where the terminal reports no focus."""

    has_focus: bool
    known: bool = True


@dataclass(frozen=True, slots=True)
class SelectMicrophone:
    """Capture from this device (a name, or a part of one); None is the system's default."""

    device: str | None


@dataclass(frozen=True, slots=True)
class HearMicrophone:
    """The microphone's level is shown: keep it open as after an utterance."""


@dataclass(frozen=True, slots=True)
class Foreground:
    """The program goes to the shell's background (False), where it must hear nothing, or comes back (True).

    What is being said ends at once, without a tail; the microphone is closed as soon as the status says so.
    """

    is_foreground: bool


@dataclass(frozen=True, slots=True)
class SelectSpeaker:
    device: str | None


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Loudness of the translated speech, 0.0-2.0 (1.0 is as sent)."""

    volume: float
    is_muted: bool = False


@dataclass(frozen=True, slots=True)
class SetBargeIn:
    """What a press does to the speech being played: ``stop``, ``duck`` or ``mix``."""

    policy: str


@dataclass(frozen=True, slots=True)
class ReplaySpeech:
    """Say an utterance's translation again, from what was received. ``speed`` < 1 is slower."""

    utterance: int
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class StopSpeech:
    """Stop the speech being played. ``skip``: only this utterance's; otherwise everything that waits, too."""

    skip: bool = False


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Leave out the speech that waits before the newest utterance's; that one itself where nothing else waits."""


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Send the kept sound of an utterance that settled without a text (`Utterance.can_send_again`)."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Correct:
    """A person corrects a settled line: its whole texts from now on; None leaves a side as it is."""

    utterance: int
    original: str | None = None
    translation: str | None = None


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave. ``drain``: finalize and wait (up to 3 s) for the last words first. A second Quit leaves at once."""

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
    LOST = "lost"  # vanished or failed; being looked for
    ABSENT = "absent"  # no PortAudio, no device: nothing to wait for


@dataclass(frozen=True, slots=True)
class Counters:
    """Counters of losses and retries since the start; all shown in the details panel."""

    underruns: int = 0  # the playback gaps
    gap_s: float = 0.0  # seconds of them
    lost_samples: int = 0  # microphone samples known to be missing
    held_s: float = 0.0  # seconds of speech held back until a session was ready
    resent_s: float = 0.0  # seconds of speech sent again after a drop
    forgotten_s: float = 0.0  # seconds of settled audio dropped at the memory bound
    dropped_speech_s: float = 0.0  # seconds of translated speech dropped (barge-in, overrun)
    malformed: int = 0  # messages of the wire that could not be read
    unknown: int = 0  # messages of the wire of an unknown type
    reconnects: int = 0
    refused: int = 0  # texts beyond what an utterance may hold


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds after the commit of an utterance, None where not measured; p50 and p95 of ``n`` utterances."""

    ms: float | None = None
    p50_p95: tuple[float, float] | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class Latency:
    """The delays of the newest utterance, and of the conversation."""

    first_text: Delay = Delay()
    final: Delay = Delay()
    first_sound: Delay = Delay()
    last_sound: Delay = Delay()


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot of everything the screen shows besides the transcript."""

    word: StateWord = StateWord.OFFLINE
    detail: str = ""  # one sentence behind the word, "" when there is nothing to add
    retry_at: float | None = None  # monotonic time of the next try, while reconnecting
    params: SessionParams = field(default_factory=SessionParams)
    session_id: str | None = None
    model_version_id: str | None = None
    service: ServiceTraits = field(default_factory=ServiceTraits)
    mic: MicState = MicState.CLOSED
    mic_name: str = ""
    mic_is_muted: bool = False  # by the system, as far as that is known
    mic_is_taken: bool = False  # by another copy of the program
    has_speaker: bool = False
    speaker_name: str = ""
    is_latched: bool = False
    is_soft_stopped: bool = False
    talking_since: float | None = None  # monotonic time of the press
    talk_source: str = ""  # the `TalkSource` that began the utterance under way, "" for none
    limit_at: float | None = None  # monotonic time of the longest-utterance limit
    behind_s: float = 0.0  # seconds of speech waiting to be sent
    speech_late_s: float = 0.0  # seconds of translated speech waiting to be played
    speaking_utterance: int | None = None
    speech_gaps: int = 0  # in what is being said
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
    """What the meters show, polled at 10-20 Hz. dBFS, -inf for digital silence."""

    peak_dbfs: float = float("-inf")
    hold_dbfs: float = float("-inf")  # peak hold
    is_clipping: bool = False
    is_too_quiet: bool = False
    zeros_s: float = 0.0  # seconds of exact zeros up to now
    has_heard: bool = False  # anything but exact zeros since the program started


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
    """These utterances (by number) changed; read them from ``engine.transcript``."""

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
    """A file that the title ends in, shown as it is: to be copied, spaces and all."""
    offers: tuple[str, ...] = ()
    """Names of the actions that help; a face names their keys behind the hint."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the event log (`--events`): ``kind`` and its fields, JSON-ready."""

    t: float
    kind: str
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The engine has ended; the terminal may be given back. ``unsettled``: utterances whose last words did not come."""

    unsettled: int = 0


EngineEvent = StatusChanged | TranscriptChanged | NoticePosted | Logged | Stopped
