"""The life cycle of one dubbing job as a machine: takes an event and a time, returns commands. Pure.

::

    new -> uploading -> uploaded -> asked -> running -> finished -> saved
              |  ^         |          |         `-> failed
              `--'         |          |-> refused           a definite refusal: no job was created
          failed: a new    |          `-> asked             the request may have arrived: never repeated, exit 5
          address, bounded `-> uploaded                     refused for the key, the balance or the rate: file kept

An uploaded file is used again from ``uploaded``; a URL goes straight from ``new`` to ``asked``. Every step is saved
before it begins and after it ends, so that a killed run loses nothing and pays for nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pinch_tui.dub.checks import too_large
from pinch_tui.dub.events import (
    AskAddress,
    AskResult,
    Command,
    Create,
    Due,
    Event,
    Fetch,
    Fetched,
    Finish,
    Outcome,
    Pause,
    Poll,
    Refuse,
    Save,
    Stopped,
    Upload,
    Uploaded,
)
from pinch_tui.dub.model import Address, Failure, Job, JobState, Output, Phase, Record, Result, Trouble
from pinch_tui.dub.refusals import Step, job_failed, refusal, unknown_answer
from pinch_tui.dub.wire import without_query

UPLOAD_TRIES: Final = 5
"""Maximum uploads in one run, each to a new address."""
UPLOAD_LIFE_S: Final = 3_600.0
"""How long an uploaded file is assumed to remain (section 4: an upload address is valid for an hour)."""
CONNECT_TRIES: Final = 6
"""Maximum attempts to request a job while no connection can be made."""
UNKNOWN_POLLS: Final = 3
"""Consecutive "no such job" answers that end a run; a new job might not be known at once."""
DOWNLOAD_TRIES: Final = 8
"""Consecutive failed downloads of one file that end a run, each with a new link."""
PAUSES_S: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Waits after consecutive failures; the last one repeats."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The options of a run."""

    poll_s: float = 10.0
    waits: bool = True
    """False: end as soon as the job exists."""
    key_source: str = "nowhere"
    pause_factor: float = 1.0
    """Scales the waits after failures; below 1 in tests."""


class JobMachine:
    """One run of one job. ``source_url``: the recording's URL with its query, which is never saved.

    Each list of commands ends with the command whose outcome is the next event, or with `Finish` or `Refuse`.
    """

    def __init__(self, record: Record, plan: Plan, *, source_url: str = "") -> None:
        self.record = record
        self.job: Job | None = None
        """The newest answer about the job."""
        self._plan = plan
        self._source_url = source_url
        self._step = Step.POLL  # in progress, or due after the pause
        self._uploads = 0
        self._failures = 0  # consecutive failed requests
        self._downloads = 0  # consecutive failed downloads, not counting the polls between them
        self._unknown = 0  # consecutive polls that were answered with "no such job"

    def handle(self, event: Event, now: float) -> list[Command]:
        """The next commands. ``now``: Unix seconds."""
        match event:
            case Due():
                return self._next_step(now)
            case Stopped():
                return self._stop()
            case Address():
                return self._upload(event)
            case Uploaded():
                return self._uploaded(now)
            case Job() if self._step is Step.CREATE:
                return self._created(event, now)
            case Job():
                return self._seen(event, now)
            case Result(link):
                return self._result(link)
            case Fetched(output, path):
                return self._fetched(output, path, now)
            case Failure():
                return self._failed(event, now)

    # -- before a job exists

    def _next_step(self, now: float) -> list[Command]:
        match self.record.phase:
            case Phase.NEW if not self.record.file:
                return self._ask(now)
            case Phase.UPLOADED if now - self.record.uploaded_at < UPLOAD_LIFE_S and self.record.source_url:
                return self._ask(now)
            case Phase.NEW | Phase.UPLOADING | Phase.UPLOADED:
                return self._ask_address(now)
            case Phase.ASKED:
                return [Refuse(unknown_answer())]
            case Phase.SAVED:
                return [Finish(Outcome.SAVED)]
            case _ if not self._plan.waits:
                return [Finish(Outcome.STARTED)]
            case _:
                self._step = Step.POLL
                return [Poll()]

    def _ask_address(self, now: float) -> list[Command]:
        self._step = Step.ADDRESS
        return [*self._save(now, phase=Phase.UPLOADING, source_url=""), AskAddress()]

    def _upload(self, address: Address) -> list[Command]:
        if address.max_bytes is not None and self.record.size > address.max_bytes:
            self.record = replace(self.record, max_bytes=address.max_bytes)
            return [Save(self.record), Refuse(too_large(self.record.name, self.record.size, address.max_bytes))]
        self.record = replace(self.record, max_bytes=address.max_bytes or self.record.max_bytes)
        self._source_url = address.source_url
        self._step = Step.UPLOAD
        self._uploads += 1
        return [Upload(address)]

    def _uploaded(self, now: float) -> list[Command]:
        self._failures = 0
        saved = self._save(now, phase=Phase.UPLOADED, source_url=self._source_url, uploaded_at=now)
        return [*saved, *self._ask(now)]

    def _ask(self, now: float) -> list[Command]:
        self._step = Step.CREATE
        self._source_url = self._source_url or self.record.source_url
        # The query may be a signature. From here on only this run can use it, so it is no longer saved.
        plain = without_query(self.record.source_url)
        saved = self._save(now, phase=Phase.ASKED, asked_at=now, error="", source_url=plain)
        return [*saved, Create(self._source_url)]

    def _created(self, job: Job, now: float) -> list[Command]:
        self._step = Step.POLL
        self._failures = 0
        self.job = job
        saved = self._save(
            now,
            phase=Phase.RUNNING,
            job_id=job.id,
            status=job.status,
            max_bytes=job.max_bytes or self.record.max_bytes,
            max_duration_s=job.max_duration_s or self.record.max_duration_s,
        )
        return [*saved, Pause(self._plan.poll_s) if self._plan.waits else Finish(Outcome.STARTED)]

    # -- once a job exists

    def _seen(self, job: Job, now: float) -> list[Command]:
        self._failures = self._unknown = 0
        self.job = job
        is_saved = self.record.phase is Phase.SAVED
        phase = {
            JobState.RUNNING: Phase.RUNNING,
            JobState.COMPLETED: Phase.SAVED if is_saved else Phase.FINISHED,
            JobState.FAILED: Phase.FAILED,
        }[job.state]
        record = self.record
        saved = self._save(
            now,
            phase=phase,
            status=job.status,
            error=job.error,
            target=record.target or job.target,
            source=record.source or job.source,
            duration_s=job.duration_s or record.duration_s,
            cost_usd=record.cost_usd if job.cost_usd is None else job.cost_usd,
        )
        match job.state:
            case JobState.FAILED:
                return [*saved, Refuse(job_failed(self.record))]
            case JobState.COMPLETED:
                return [*saved, *self._next_output(now)]
            case JobState.RUNNING:
                return [*saved, Pause(self._plan.poll_s)]

    def _next_output(self, now: float) -> list[Command]:
        """Fetch the next file that has not been saved yet."""
        outputs = self.record.outputs
        job = self.job
        if Output.MEDIA not in outputs:
            self._step = Step.RESULT
            return [AskResult()]
        links = {
            Output.TRANSLATED: job.subtitles_translated if job is not None else "",
            Output.ORIGINAL: job.subtitles_original if job is not None else "",
        }
        for output, link in links.items():
            if link and output not in outputs:
                self._step = Step.DOWNLOAD
                return [Fetch(output, link)]
        return [*self._save(now, phase=Phase.SAVED), Finish(Outcome.SAVED)]

    def _result(self, link: str) -> list[Command]:
        if not link:
            return [Pause(self._plan.poll_s)]
        self._step = Step.DOWNLOAD
        return [Fetch(Output.MEDIA, link)]

    def _fetched(self, output: Output, path: str, now: float) -> list[Command]:
        self._downloads = 0
        saved = self._save(now, outputs={**self.record.outputs, output: path})
        return [*saved, *self._next_output(now)]

    # -- failures and pauses

    def _failed(self, failure: Failure, now: float) -> list[Command]:
        self._failures += 1
        poll_s = self._plan.poll_s
        match self._step:
            case Step.ADDRESS if failure.is_passing and self._failures < UPLOAD_TRIES:
                return [self._pause(failure)]
            case Step.UPLOAD if failure.status != 413 and self._uploads < UPLOAD_TRIES:
                return [self._pause(failure)]
            case Step.CREATE:
                return self._not_created(failure, now)
            case Step.POLL if failure.status == 404 and self._unknown + 1 < UNKNOWN_POLLS:
                self._unknown += 1
                return [Pause(poll_s, failure)]
            case Step.RESULT if failure.status in (404, 409):
                return [Pause(poll_s)]
            case Step.POLL | Step.RESULT if failure.is_passing:
                return [Pause(max(poll_s, self._delay(failure)), failure)]
            case Step.DOWNLOAD:
                # Links expire. The next poll returns new ones for the subtitles, the next result one for the recording.
                self._failures = self._downloads = self._downloads + 1
                if self._downloads < DOWNLOAD_TRIES:
                    return [self._pause(failure)]
            case _:
                pass
        return [Refuse(refusal(self._step, failure, self.record, self._plan.key_source))]

    def _not_created(self, failure: Failure, now: float) -> list[Command]:
        if not failure.is_certainly_refused:
            return [Refuse(unknown_answer(failure))]
        error = refusal(self._step, failure, self.record, self._plan.key_source)
        before: dict[str, object] = {"phase": Phase.NEW}
        if self.record.file:
            before = {"phase": Phase.UPLOADED, "source_url": self._source_url}
        if failure.trouble is Trouble.UNSENT:
            saved = self._save(now, **before)
            return [*saved, self._pause(failure) if self._failures < CONNECT_TRIES else Refuse(error)]
        # The key, the balance and the rate can be fixed; the uploaded file can then be used.
        changes = before if failure.status in (401, 402, 403, 429) else {"phase": Phase.REFUSED}
        return [*self._save(now, error=failure.words or error.title, **changes), Refuse(error)]

    def _stop(self) -> list[Command]:
        if self.record.job_id:
            return [Finish(Outcome.GOES_ON)]
        if self.record.phase is Phase.ASKED:
            return [Refuse(unknown_answer())]
        return [Finish(Outcome.INTERRUPTED)]

    def _pause(self, failure: Failure) -> Pause:
        return Pause(self._delay(failure), failure)

    def _delay(self, failure: Failure) -> float:
        usual = PAUSES_S[min(self._failures, len(PAUSES_S)) - 1]
        return max(usual, failure.retry_after_s or 0.0) * self._plan.pause_factor

    def _save(self, now: float, **changes: object) -> list[Command]:
        """Change the record; no command if nothing has changed."""
        record = replace(self.record, **changes)  # type: ignore[arg-type]
        if record == self.record:
            return []
        self.record = replace(record, updated_at=now)
        return [Save(self.record)]
