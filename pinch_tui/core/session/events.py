"""What the session machine takes and gives: facts in, commands and reports out. Pure values.

Each connection attempt has a generation number; the machine ignores facts of an older one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pinch_tui.core.events import Frame, SessionParams
from pinch_tui.core.session.outbox import Outgoing
from pinch_tui.core.session.reactions import Failure
from pinch_tui.core.wire import Allocation, Progress, SpeechChunk, TranscriptMessage, WireEvent


class SessionState(StrEnum):
    IDLE = "idle"  # nothing is open; the next press (or `OpenRequested`) opens it
    ALLOCATING = "allocating"
    OPENING = "opening"  # until the service says `ready`
    READY = "ready"
    WAITING = "waiting"  # for the end of a back-off
    STOPPED = "stopped"  # no try before the user has cured the cause
    CLOSED = "closed"  # for good


# ---- facts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Allocated:
    generation: int
    allocation: Allocation
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Must not be shown or kept, even if the service repeats them."""


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
    """How much of the sent data has arrived; comes before `Woke` if the connection knows it."""

    generation: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Ponged:
    generation: int


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """``failure``: the cause, if the adapter knows more than the close code."""

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
    """Utterances to be sent whole, behind those under way: of another session, or again at the user's wish."""

    items: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class OpenRequested:
    """Open the session now, whatever back-off or refusal came before."""


@dataclass(frozen=True, slots=True)
class KeyReplaced:
    """Another key is in use: begin again whatever the old one was refused, or may still be refused."""


@dataclass(frozen=True, slots=True)
class DrainRequested:
    """No new utterance will come: close when the last one is settled. ``lingers``: and leave time for late texts."""

    lingers: bool = False


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Close now, whatever is unsettled."""


Fact = (
    Allocated
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
    | OpenRequested
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
    """``has_sound``: there is sound to send at once."""

    generation: int
    allocation: Allocation
    has_sound: bool = False


@dataclass(frozen=True, slots=True)
class SendAudio:
    generation: int
    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class GoHandsFree:
    """The utterance that is being sent is latched."""

    generation: int


@dataclass(frozen=True, slots=True)
class SendFinalize:
    generation: int


@dataclass(frozen=True, slots=True)
class SendPing:
    generation: int


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close with 1000, or drop the transport (``is_dead``), and end whatever else the generation was doing."""

    generation: int
    is_dead: bool = False


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Feed `Woke` at this time. A later `WakeAt` replaces this one."""

    t: float


# ---- reports ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionReady:
    session_id: str
    model_version_id: str | None


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """The attempt failed. ``retry_at``: None if no try is planned; ``needs_cure``: not even at the next press."""

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

    ``kept_segments``: the number of its settled segments, which stay; ``kept_speech``: the samples of their speech.
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
    """The texts of a segment belong to another utterance than they were reported for, or to another place in it."""

    id: str
    source: int
    target: int
    attempt: int  # of the target
    before: str | None = None  # the target's segment that it comes before; None if it is the last one


@dataclass(frozen=True, slots=True)
class SpeechReceived:
    number: int
    attempt: int
    chunk: SpeechChunk


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more is expected for the utterance.

    ``sound``: all of its sound; empty if the beginning is no longer kept.
    """

    number: int
    sound: tuple[Frame, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceSaid:
    """The service's own words in an ``error`` message."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeechUnavailable:
    """The service does not speak the target language; the session is reopened text-only."""

    target: str
    supported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessageIgnored:
    """A message that could not be read, or one of an unknown type."""

    is_unknown: bool


Command = Allocate | OpenSocket | SendAudio | GoHandsFree | SendFinalize | SendPing | CloseSocket | WakeAt
Answer = FirstFrameQueued | FinalizeQueued | Restarted | TextReceived | TextMoved | SpeechReceived | Settled
"""A report about one utterance."""
Report = SessionReady | SessionFailed | SessionClosed | ServiceSaid | SpeechUnavailable | MessageIgnored | Answer
Step = Command | Report
