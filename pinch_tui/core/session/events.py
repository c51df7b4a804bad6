"""What happens to a session (facts), what it wants done (commands), what it reports. Pure values.

Each connection attempt has a generation number; facts of an older generation are ignored by the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pinch_tui.core.events import Frame, SessionParams
from pinch_tui.core.session.outbox import Outgoing
from pinch_tui.core.session.reactions import Failure
from pinch_tui.core.wire import Allocation, Progress, SpeechChunk, TranscriptMessage, WireEvent


class SessionState(StrEnum):
    IDLE = "idle"  # nothing is open; the next press (or `Started`) opens it
    ALLOCATING = "allocating"
    OPENING = "opening"  # the socket opens, or `ready` is awaited
    READY = "ready"
    WAITING = "waiting"  # a back-off runs
    STOPPED = "stopped"  # no try before a cure
    CLOSED = "closed"  # done for good


# ---- facts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """Open the session now."""


@dataclass(frozen=True, slots=True)
class Allocated:
    generation: int
    allocation: Allocation
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must not be shown or kept, even where the service repeats it."""


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """Allocation or the opening of the socket failed."""

    generation: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class MessageReceived:
    generation: int
    event: WireEvent


@dataclass(frozen=True, slots=True)
class Sent:
    """The socket took one frame or message."""

    generation: int


@dataclass(frozen=True, slots=True)
class Progressed:
    """A look at how far what was sent has got; comes before `Woke` where the connection knows it."""

    generation: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Ponged:
    generation: int


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """``failure``: why, where the adapter knows more than the close code."""

    generation: int
    code: int
    failure: Failure | None = None
    reason: str = field(default="", repr=False)
    """The service's own words, as they came."""


@dataclass(frozen=True, slots=True)
class Woke:
    """The time of a `WakeAt` has come."""


@dataclass(frozen=True, slots=True)
class UtteranceStarted:
    number: int


@dataclass(frozen=True, slots=True)
class FrameTaken:
    number: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class UtteranceLatched:
    """The utterance was latched: it continues hands-free."""

    number: int


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    number: int


@dataclass(frozen=True, slots=True)
class UtteranceCancelled:
    number: int


@dataclass(frozen=True, slots=True)
class UtterancesGiven:
    """Utterances of another session, or that are sent again: they go out whole, behind what is on its way already."""

    items: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class RetryRequested:
    """Try now."""


@dataclass(frozen=True, slots=True)
class KeyReplaced:
    """Another key is in use. Whatever the old one was refused, or may still be refused, is asked for again."""


@dataclass(frozen=True, slots=True)
class DrainRequested:
    """No new utterance will come: close when the last one is settled (``lingers``: and had time for late texts)."""

    lingers: bool = False


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Close now, whatever is unsettled."""


Fact = (
    Started
    | Allocated
    | AttemptFailed
    | MessageReceived
    | Sent
    | Progressed
    | Ponged
    | SocketClosed
    | Woke
    | UtteranceStarted
    | FrameTaken
    | UtteranceLatched
    | UtteranceEnded
    | UtteranceCancelled
    | UtterancesGiven
    | RetryRequested
    | KeyReplaced
    | DrainRequested
    | StopRequested
)

# ---- commands -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Allocate:
    generation: int
    params: SessionParams


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """``has_sound``: there is something to be sent at once."""

    generation: int
    allocation: Allocation
    has_sound: bool = False


@dataclass(frozen=True, slots=True)
class SendAudio:
    generation: int
    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class GoHandsFree:
    """The utterance whose sound is sent now is latched."""

    generation: int


@dataclass(frozen=True, slots=True)
class SendFinalize:
    generation: int


@dataclass(frozen=True, slots=True)
class SendPing:
    generation: int


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close with 1000, or (``is_dead``) drop the transport. Also ends whatever the generation was doing."""

    generation: int
    is_dead: bool = False


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Say `Woke` at this time; a later `WakeAt` replaces it."""

    t: float


# ---- reports ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionReady:
    session_id: str
    model_version_id: str | None


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """The attempt is over. ``retry_at``: None when no try is planned; ``needs_cure``: not even at a press."""

    failure: Failure
    retry_at: float | None
    needs_cure: bool = False
    unsettled: int = 0


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The machine is done for good."""


@dataclass(frozen=True, slots=True)
class FirstFrameQueued:
    number: int
    attempt: int


@dataclass(frozen=True, slots=True)
class FinalizeQueued:
    number: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """The utterance will be sent again.

    ``kept_segments``: its first segments that are settled and stay; ``kept_speech``: the samples of their speech.
    """

    number: int
    attempt: int
    kept_segments: int = 0
    kept_speech: int = 0


@dataclass(frozen=True, slots=True)
class TextReceived:
    number: int
    attempt: int
    message: TranscriptMessage


@dataclass(frozen=True, slots=True)
class TextMoved:
    """What came for a segment answers another utterance than it was reported for."""

    id: str
    source: int
    target: int
    attempt: int  # of the target
    before: str | None = None  # the target's segment that it stands before; None: it is the last


@dataclass(frozen=True, slots=True)
class SpeechReceived:
    number: int
    attempt: int
    chunk: SpeechChunk


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more is expected for the utterance; its sound is let go.

    ``sound``: all of it, empty where the beginning was let go earlier.
    """

    number: int
    sound: tuple[Frame, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceSaid:
    """An ``error`` frame: the service's own words."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeechUnavailable:
    """The target has no speech; the session is reopened text-only."""

    target: str
    supported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessageIgnored:
    """A message that could not be read, or of an unknown type."""

    is_unknown: bool


Command = Allocate | OpenSocket | SendAudio | GoHandsFree | SendFinalize | SendPing | CloseSocket | WakeAt
Answer = FirstFrameQueued | FinalizeQueued | Restarted | TextReceived | TextMoved | SpeechReceived | Settled
"""A report about one utterance."""
Report = SessionReady | SessionFailed | SessionClosed | ServiceSaid | SpeechUnavailable | MessageIgnored | Answer
Step = Command | Report
