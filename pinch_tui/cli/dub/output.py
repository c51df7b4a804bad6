"""The output of ``pinch-tui dub``: progress on stderr, lines and JSON objects on stdout."""

from __future__ import annotations

import json
import time

import click

from pinch_tui.cli.live_line import LiveLine
from pinch_tui.core.languages import label
from pinch_tui.core.transcript.clean import clean
from pinch_tui.dub.checks import clock_text, money_text
from pinch_tui.dub.events import Outcome
from pinch_tui.dub.model import Output, Phase, Record
from pinch_tui.errors import PinchError

STATES = {
    Phase.NEW: "not started",
    Phase.UPLOADING: "upload not finished",
    Phase.UPLOADED: "uploaded, no job created",
    Phase.ASKED: "sent, answer unknown",
    Phase.RUNNING: "running",
    Phase.FINISHED: "finished, not fetched",
    Phase.SAVED: "saved",
    Phase.FAILED: "failed",
    Phase.REFUSED: "refused",
}


LOG_EVERY_S = 30.0
"""Interval between two lines of a log that report the same state."""


class Report(LiveLine):
    """One command's output: progress on stderr, the result on stdout, and with ``--json`` also a failure."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json
        self._logged: tuple[object, float] = (None, float("-inf"))
        self.record: Record | None = None
        """The job's current state, for the object that is printed on failure."""

    def __enter__(self) -> Report:
        return self

    def __exit__(self, _kind: object, exc: BaseException | None, _traceback: object) -> None:
        if self._as_json and isinstance(exc, PinchError):
            print_json(self.record, exc.exit_code, exc)

    def progress(self, text: str, key: object, now: float) -> None:
        """Show the progress: one line that is redrawn on a terminal, else a log line if it is new (by its ``key``)."""
        if self.is_live:
            self.draw(clean(text, 200))
        elif key != self._logged[0] or now - self._logged[1] >= LOG_EVERY_S:
            self._logged = key, now
            self.say(text)

    def result(self, record: Record, exit_code: int, *lines: str) -> int:
        """Print the job as an object, or these lines. Returns the exit code."""
        if self._as_json:
            print_json(record, exit_code)
        elif lines:
            click.echo("\n".join(lines))
        return exit_code


def print_json(record: Record | None, exit_code: int | None = None, error: PinchError | None = None) -> None:
    fields: dict[str, object] = {}
    if record is not None:
        fields = {
            "job_id": record.job_id or None,
            "record": record.id,
            "state": "unknown" if record.phase is Phase.ASKED else str(record.phase),
            "status": record.status or None,
            "file": record.file or None,
            "url": record.address or None,
            "source": record.source or None,
            "target": record.target or None,
            "duration_s": record.duration_s,
            "cost_usd": record.cost_usd,
            "created_at": record.created_at,
            "is_rehearsal": record.is_rehearsal,
            **{str(output): record.outputs.get(output) for output in Output},
        }
    title, hint = (error.title, error.hint) if error is not None else (record.error if record else "", "")
    if title:
        fields["error"] = {"title": clean(title, 500), "hint": clean(hint, 500)}
    if exit_code is not None:
        fields["exit_code"] = exit_code
    click.echo(json.dumps(fields))


def line_of(record: Record) -> str:
    """One job as a line: time, recording, state, name, cost."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created_at))
    what = f"{clean(record.name, 60)} > {record.target or '?'}"
    parts = [when, what, STATES[record.phase], record.job_id or record.id]
    if record.cost_usd is not None:
        parts.append(money_text(record.cost_usd))
    if record.error and record.phase in (Phase.FAILED, Phase.REFUSED):
        parts.append(f'"{record.error}"')
    if record.is_rehearsal:
        parts.append("rehearsal")
    return "  ".join(parts)


def summary_of(record: Record, outcome: Outcome) -> str:
    fetch = f"pinch-tui dub get {record.job_id}"
    match outcome:
        case Outcome.SAVED:
            length = f" ({clock_text(record.duration_s)})" if record.duration_s is not None else ""
            into = f" into {label(record.target)}" if record.target else ""
            said = f"{clean(record.name, 80)}{length} is dubbed{into}."
            if record.is_rehearsal:
                return f"{said} This was a rehearsal: nothing was dubbed or charged."
            if record.cost_usd is not None:
                said += f" It cost {money_text(record.cost_usd)}."
            missing = [side for side in (Output.TRANSLATED, Output.ORIGINAL) if side not in record.outputs]
            return f"{said} The service sent no {' and no '.join(missing)} subtitles." if missing else said
        case Outcome.STARTED:
            return f"The job was created. Fetch the result with: {fetch}"
        case Outcome.GOES_ON:
            return f"The job is still running. Fetch the result with: {fetch}"
        case Outcome.INTERRUPTED:
            return "Interrupted: no job was created. Run the same command to continue from here."
