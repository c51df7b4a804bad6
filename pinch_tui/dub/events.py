"""The events and commands of a `JobMachine`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.dub.model import Address, Failure, Job, Output, Record, Result
from pinch_tui.errors import PinchError


@dataclass(frozen=True, slots=True)
class Due:
    """The next step is due: the run starts, or a pause has ended."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The storage has the whole file."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One output has been saved on this machine."""

    output: Output
    path: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Ctrl-C, or the time-out."""


Event = Due | Address | Uploaded | Job | Result | Fetched | Failure | Stopped


@dataclass(frozen=True, slots=True)
class Save:
    """Write the record before anything else happens."""

    record: Record


@dataclass(frozen=True, slots=True)
class AskAddress:
    """Ask for an upload address."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Upload the file."""

    address: Address


@dataclass(frozen=True, slots=True)
class Create:
    """Request the job. The run waits for the answer even after the first Ctrl-C."""

    source_url: str


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask for the job's state."""


@dataclass(frozen=True, slots=True)
class AskResult:
    """Ask for a fresh link to the result."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download one output."""

    output: Output
    link: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait. ``trouble`` is the failure before the pause, None before an ordinary poll."""

    seconds: float
    trouble: Failure | None = None


class Outcome(StrEnum):
    """How a run ends without an error."""

    SAVED = "saved"
    STARTED = "started"
    """The job exists; the run does not wait for it (``--no-wait``)."""
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
