"""The data of a dubbing job: its record, the service's answers, and the ways in which a request can fail. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAX_BYTES: Final = 2_000_000_000
"""Largest file, unless the service states another limit (section 4 of the service's reference)."""
MAX_DURATION_S: Final = 3_600.0
"""Longest recording, unless the service states another limit (section 4)."""
MIN_DURATION_S: Final = 1.0
"""Shortest recording (section 4)."""
REHEARSAL: Final = "rehearsal"
"""The base URL in the record of a rehearsed job."""


class Phase(StrEnum):
    """How far a job has progressed. Each phase is saved before its step begins."""

    NEW = "new"
    """Nothing has been sent."""
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    """The service has the file; no job has been requested."""
    ASKED = "asked"
    """The request that creates the job may have arrived. A later run does not know the answer."""
    RUNNING = "running"
    """The service has created a job."""
    FINISHED = "finished"
    """The result can be downloaded."""
    SAVED = "saved"
    """The result has been saved on this machine."""
    FAILED = "failed"
    """The job failed."""
    REFUSED = "refused"
    """The service refused to create a job."""


LIVE: Final = frozenset((Phase.RUNNING, Phase.FINISHED, Phase.SAVED))
"""A job in one of these phases is used again for the same file and target."""
BEGUN: Final = frozenset((Phase.NEW, Phase.UPLOADING, Phase.UPLOADED))
"""No job has been requested; another run continues from here."""


class Output(StrEnum):
    """The files of a finished job."""

    MEDIA = "media"
    TRANSLATED = "translated"
    """Subtitles in the target language."""
    ORIGINAL = "original"
    """Subtitles in the source language."""


@dataclass(frozen=True, slots=True)
class Record:
    """One job as recorded on this machine. Times are Unix seconds."""

    id: str
    """Our own id, created before the service has one."""
    phase: Phase
    service: str
    """The service's base URL, or `REHEARSAL`."""
    target: str
    source: str
    created_at: float
    updated_at: float = 0.0
    file: str = ""
    """Absolute path of the recording; empty for a URL and for a job created elsewhere."""
    address: str = ""
    """The recording's URL without its query."""
    digest: str = ""
    """SHA-256 of the file's content, or of the URL; equal for the same recording."""
    size: int = 0
    duration_s: float | None = None
    source_url: str = field(default="", repr=False)
    """Where the service reads the recording. Its query can be a signature and is removed when the job is requested."""
    uploaded_at: float = 0.0
    job_id: str = ""
    asked_at: float = 0.0
    """When the job was requested."""
    status: str = ""
    """The service's own word for the job's state."""
    cost_usd: float | None = None
    error: str = ""
    """Why the job failed or was refused, in the service's cleaned words."""
    max_bytes: int | None = None
    max_duration_s: float | None = None
    """The service's limits, if it stated them."""
    out: str = ""
    """Where to save the result: a file, or a folder with a slash at its end. Empty: beside the original."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """`Output` -> path of each saved file."""

    @property
    def is_rehearsal(self) -> bool:
        return self.service == REHEARSAL

    @property
    def named_out(self) -> str:
        """``--out`` if it names a file, else ""."""
        return "" if self.out.endswith("/") else self.out

    @property
    def name(self) -> str:
        """The recording's name for messages: the file's name, the URL, or the job."""
        return self.file.replace("\\", "/").rpartition("/")[2] or self.address or self.job_id


@dataclass(frozen=True, slots=True)
class Address:
    """Where to upload the recording, and where the service will read it. Both URLs can be signed."""

    upload_url: str = field(repr=False)
    source_url: str = field(repr=False)
    max_bytes: int | None = None


class JobState(StrEnum):
    """A job's state as far as the client acts on it; an unknown word counts as running (section 9.4)."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """The service's job object. Texts are cleaned; links can be signed."""

    id: str
    state: JobState
    status: str = ""
    """The service's own word, such as ``downloading``."""
    stage: str = ""
    percent: float | None = None
    """0-100, if the service reports it."""
    source: str = ""
    target: str = ""
    duration_s: float | None = None
    cost_usd: float | None = None
    error: str = ""
    subtitles_original: str = field(default="", repr=False)
    subtitles_translated: str = field(default="", repr=False)
    max_bytes: int | None = None
    max_duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a request for the result. ``link`` is empty until it exists."""

    link: str = field(default="", repr=False)


class Trouble(StrEnum):
    """How a request failed."""

    UNSENT = "unsent"
    """No connection was made, so the request cannot have arrived."""
    LOST = "lost"
    """The connection was lost; the request may have arrived."""
    STATUS = "status"
    """The service answered with an error."""
    UNREADABLE = "unreadable"
    """A 2xx answer that is not the service's, such as a login page."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed request. ``words`` is the service's explanation, cleaned and without secrets."""

    trouble: Trouble
    status: int = 0
    code: str = ""
    words: str = ""
    cause: str = ""
    """One sentence about the network; only without a status."""
    retry_after_s: float | None = None

    @property
    def is_passing(self) -> bool:
        """True if a retry may succeed: after a network failure, a busy or broken service, or a login page."""
        if self.trouble is not Trouble.STATUS:
            return True
        return self.status in (408, 425, 429) or self.status >= 500 or 300 <= self.status < 400

    @property
    def is_certainly_refused(self) -> bool:
        """True if a request to create a job has certainly not created one.

        A gateway's 5xx or 408 and a 303 can hide a created job; redirects that ask for the same request elsewhere
        cannot.
        """
        if self.trouble is Trouble.UNSENT:
            return True
        if self.trouble is not Trouble.STATUS:
            return False
        return self.status in (301, 302, 307, 308) or (400 <= self.status < 500 and self.status != 408)
