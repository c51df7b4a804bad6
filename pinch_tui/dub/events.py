"""The events and commands of a `JobMachine`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.dub.model import Address, Failure, Job, Output, Record, Result
from pinch_tui.errors import PinchError


@dataclass(frozen=True, slots=True)
class Begun:
    """The run starts."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The storage has the whole file."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One output is on this machine."""

    output: Output
    path: str


@dataclass(frozen=True, slots=True)
class Woken:
    """A pause is over."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Ctrl-C, or the time for waiting is over."""

    is_timeout: bool = False


Event = Begun | Address | Uploaded | Job | Result | Fetched | Failure | Woken | Stopped


@dataclass(frozen=True, slots=True)
class Save:
    """Write the record before anything else happens."""

    record: Record


@dataclass(frozen=True, slots=True)
class AskAddress:
    """Ask for an upload address."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Put the file there."""

    address: Address


@dataclass(frozen=True, slots=True)
class Create:
    """Request the job. The run waits for the answer even if the user wants to quit."""

    source_url: str
    target: str
    source: str


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask how the job stands."""

    job_id: str


@dataclass(frozen=True, slots=True)
class AskResult:
    """Ask for a fresh link."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download one output."""

    output: Output
    link: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait. ``trouble``: the failure before it, None for the usual poll."""

    seconds: float
    trouble: Failure | None = None


class Outcome(StrEnum):
    """How a run ends without an error."""

    SAVED = "saved"
    STARTED = "started"
    """The job exists, and the run does not wait for it (``--no-wait``)."""
    GOES_ON = "goes on"
    """Ctrl-C or a timeout; the job is still running."""
    INTERRUPTED = "interrupted"
    """Ctrl-C before a job existed."""


@dataclass(frozen=True, slots=True)
class Finish:
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Refuse:
    """The run ends with this error."""

    error: PinchError


Command = Save | AskAddress | Upload | Create | Poll | AskResult | Fetch | Pause | Finish | Refuse
