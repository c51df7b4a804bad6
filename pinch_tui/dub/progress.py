"""The progress of a run as text: one line to redraw, or log lines. Pure."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from pinch_tui.dub.checks import bytes_text, clock_text, usual_minutes
from pinch_tui.dub.model import Failure, Job, JobState, Trouble

RATE_WINDOW_S: Final = 8.0
"""Time over which the rate of a transfer is measured."""


@dataclass(slots=True)
class Transfer:
    """A transfer of bytes. ``verb``: Uploading or Downloading."""

    verb: str
    name: str
    total: int | None = None
    done: int = 0
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, done: int, total: int | None, now: float) -> None:
        """Record that ``done`` of ``total`` bytes were transferred at ``now`` (monotonic seconds)."""
        if done < self.done:
            self._marks.clear()
        self.done, self.total = done, total or self.total
        if not self._marks or now - self._marks[-1][0] >= 0.2:
            self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > RATE_WINDOW_S:
            self._marks.popleft()

    @property
    def rate(self) -> float | None:
        """Bytes per second; None until it has been measured."""
        if len(self._marks) < 2:
            return None
        (first_at, first), (last_at, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_at - first_at) if last_at - first_at >= 0.5 and last > first else None

    def text(self) -> str:
        amount = bytes_text(self.done)
        if self.total:
            amount += f" of {bytes_text(self.total)} ({100 * self.done // self.total} %)"
        parts = [f"{self.verb} {self.name}", amount]
        if (rate := self.rate) is not None:
            parts.append(f"{bytes_text(rate)}/s")
            if self.total and self.done < self.total:
                parts.append(f"{clock_text((self.total - self.done) / rate)} left")
        return " - ".join(parts)


@dataclass(slots=True)
class Waiting:
    """A job in progress at the service."""

    since: float
    """When it was requested, Unix seconds."""
    duration_s: float | None = None
    job: Job | None = None
    trouble: Failure | None = None
    retry_at: float = 0.0

    def text(self, now: float) -> str:
        parts = [self.state_text()]
        job = self.job
        if job is not None and job.percent is not None and job.state is JobState.RUNNING:
            parts.append(f"{job.percent:.0f} %")
        parts.append(clock_text(max(0.0, now - self.since)))
        minutes = usual_minutes(self.duration_s)
        if self.trouble is not None:
            parts.append(f"{trouble_text(self.trouble)} asking again in {max(1, math.ceil(self.retry_at - now))} s")
        elif minutes is not None and (job is None or job.state is JobState.RUNNING):
            parts.append(f"usually under {minutes} min")
        return " - ".join(parts)

    def state_text(self) -> str:
        """The job's state, and its stage if that says more."""
        job = self.job
        if job is None:
            return "waiting for the job"
        if job.state is JobState.COMPLETED:
            return "finished, waiting for the link"
        word, stage = job.status or "running", job.stage
        return f"{word}: {stage}" if stage and stage.lower() != word.lower() else word


def trouble_text(failure: Failure) -> str:
    """The failure before a retry, as the beginning of a sentence."""
    match failure.trouble:
        case Trouble.STATUS if failure.status == 429:
            return "The service is busy (429);"
        case Trouble.STATUS if 300 <= failure.status < 400:
            return f"The service answered with a redirect ({failure.status}), perhaps to a login page;"
        case Trouble.STATUS:
            return f"The service answered {failure.status};"
        case Trouble.UNREADABLE if not failure.cause:
            return "The answer is not the service's (a login page?);"
        case Trouble.UNSENT | Trouble.LOST | Trouble.UNREADABLE:
            return f"{(failure.cause or 'The connection was lost.').rstrip('.')};"
