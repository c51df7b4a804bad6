"""Runs ``pinch-tui dub``: checks the recording, confirms the price, runs the job, prints the result."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from dataclasses import replace
from pathlib import Path

import click

from pinch_tui.cli.context import CliContext
from pinch_tui.cli.dub.output import STATES, Report, line_of, print_json, summary_of
from pinch_tui.cli.dub.recording import Endpoint, Request, check_recording, here, resolved_out
from pinch_tui.cli.interrupts import interrupts
from pinch_tui.core.languages import label
from pinch_tui.core.transcript.clean import clean
from pinch_tui.dub.checks import check_languages, offer_text
from pinch_tui.dub.events import Due, Finish, Outcome, Refuse, Save, Stopped
from pinch_tui.dub.machine import JobMachine, Plan
from pinch_tui.dub.model import BEGUN, LIVE, REHEARSAL, Failure, Output, Phase, Record
from pinch_tui.dub.outputs import check_place, moved_to, without_missing_outputs
from pinch_tui.dub.records import Records
from pinch_tui.dub.refusals import Step, refusal
from pinch_tui.dub.rehearsal import POLL_S, is_rehearsed
from pinch_tui.dub.runner import Runner
from pinch_tui.errors import EXIT_GOES_ON, EXIT_INTERRUPTED, EXIT_OK, CredentialError, UsageError
from pinch_tui.settings.model import Settings
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.locks import FileLock
from pinch_tui.store.secrets import lookup_key

# ---- the commands -------------------------------------------------------------------------------------------------


def dub(context: CliContext, request: Request, *, as_json: bool) -> int:
    """``dub FILE|URL``; returns the exit code. Raises `PinchError`."""
    settings = context.load().settings
    is_rehearsal = bool(context.run.get("is_practice"))
    target, source = check_languages(request.target, request.source)
    records = Records(context.paths.dubs)
    service = REHEARSAL if is_rehearsal else settings.dub.base_url
    with Report(as_json=as_json) as report:
        at = _endpoint(context, settings, is_rehearsal=is_rehearsal)
        recording = check_recording(request, target, source, service, records, report, at)
        report.record = recording.record
        if _costs(known := _known(records, recording.record, request)):
            _offer(request, recording.record)
        while True:
            with records.choosing():
                before, known = known, _known(records, recording.record, request)
                report.record = record = _merged(known, recording.record, request)
                lock = records.lock(record)
                if not lock.take():
                    return _report_taken(record, report)
                is_settled = _costs(before) or not _costs(known)
                if is_settled and (known is None or records.read(known.id) == known):
                    if known is None:
                        records.save(record)
                    break
                lock.release()  # the run that held it has changed the record
            if not is_settled:  # the existing job has just failed, so a new one has to be paid for
                _offer(request, recording.record)
        if known is not None and known.phase in LIVE:
            report.say(_reuse_text(known))
        machine = JobMachine(record, Plan(at.poll_s, request.waits, at.key_source), source_url=recording.url)
        return _run(report, machine, at, records, lock, request.timeout_s, recording.content_type)


def get(context: CliContext, job: str, out: Path | None, timeout_s: float | None, *, as_json: bool) -> int:
    """``dub get JOB``; returns the exit code. Raises `PinchError`."""
    settings = context.load().settings
    records = Records(context.paths.dubs)
    with Report(as_json=as_json) as report:
        report.record = record = _named(records, context, settings, job)
        if not record.job_id and record.phase is not Phase.ASKED:
            reason = f' The service said: "{record.error}"' if record.error else ""
            raise UsageError(
                f"There is no job for {clean(record.name, 80)} ({STATES[record.phase]}).{reason}",
                "Run pinch-tui dub again with the same recording and --to.",
            )
        if out is not None:
            record = moved_to(record, resolved_out(out))
        check_place(record, here())
        at = _endpoint(context, settings, is_rehearsal=record.is_rehearsal)
        lock = records.lock(record)
        if not lock.take():
            return _report_taken(record, report)
        newest = records.read(record.id) or record
        record = newest if out is None else moved_to(newest, record.out)
        machine = JobMachine(without_missing_outputs(record), Plan(at.poll_s, key_source=at.key_source))
        return _run(report, machine, at, records, lock, timeout_s)


def status(context: CliContext, job: str, *, as_json: bool) -> int:
    """``dub status JOB``; returns the exit code. Raises `PinchError`."""
    settings = context.load().settings
    records = Records(context.paths.dubs)
    with Report(as_json=as_json) as report:
        report.record = record = _named(records, context, settings, job)
        detail = ""
        if record.job_id:
            at = _endpoint(context, settings, is_rehearsal=record.is_rehearsal)
            machine = JobMachine(record, Plan(key_source=at.key_source))
            answer = at.ask(lambda client: client.job(record.job_id))
            if isinstance(answer, Failure):
                raise refusal(Step.POLL, answer, record, at.key_source)
            machine.handle(Due(), time.time())
            for command in machine.handle(answer, time.time()):
                if isinstance(command, Save):
                    _save_if_free(records, command.record)
            report.record = record = machine.record
            if record.phase is Phase.RUNNING:
                percent = "" if answer.percent is None else f"{answer.percent:.0f} %"
                detail = f" ({', '.join(filter(None, (answer.status, answer.stage, percent)))})"
        return report.result(record, EXIT_OK, f"{line_of(record)}{detail}")


def list_all(context: CliContext, *, as_json: bool) -> int:
    """``dub list``."""
    records = Records(context.paths.dubs)
    found = records.all()
    for record in found:
        if as_json:
            print_json(record)
        else:
            click.echo(line_of(record))
    if records.unreadable:
        click.echo(f"pinch-tui: {records.unreadable} records in {records.folder} cannot be read.", err=True)
    if not found and not as_json:
        click.echo("No job has been created here yet. pinch-tui dub FILE --to LANG creates one.", err=True)
    return EXIT_OK


def _known(records: Records, record: Record, request: Request) -> Record | None:
    """The existing job, unless ``--again`` asks for a new one."""
    if request.is_again:
        return None
    return records.same(record.digest, record.target, is_rehearsal=record.is_rehearsal)


def _costs(known: Record | None) -> bool:
    """True if a new job will be created and paid for."""
    return known is None or known.phase in BEGUN


def _merged(known: Record | None, fresh: Record, request: Request) -> Record:
    """The record to run: the known one, updated with the options of this run, or the fresh one."""
    if known is None:
        return fresh
    changed = replace(known, file=fresh.file or known.file)
    if request.out is not None:
        return moved_to(changed, fresh.out)
    if known.phase not in LIVE:  # no job has been requested yet, so this run's options apply
        changed = replace(changed, source=fresh.source, out="", duration_s=fresh.duration_s)
    return without_missing_outputs(changed)


def _offer(request: Request, record: Record) -> None:
    """Confirm the price. Raises `UsageError` without a terminal, and `click.exceptions.Exit` if the user declines."""
    offer = offer_text(record.name, record.size, record.duration_s, record.target, is_rehearsal=record.is_rehearsal)
    if request.confirm is None:
        click.echo(f"pinch-tui: {offer}", err=True)
    elif not request.confirm(offer):
        click.echo("pinch-tui: Nothing was sent.", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED)


def _reuse_text(known: Record) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(known.created_at))
    return (
        f"{clean(known.name, 80)} was already sent for dubbing into {label(known.target)} on {when} (job "
        f"{known.job_id}, --from {known.source or 'auto'}). Using that job, free of charge; --again creates a new one."
    )


def _named(records: Records, context: CliContext, settings: Settings, job: str) -> Record:
    """The record of a job; a job created elsewhere gets a record here. Raises `UsageError`."""
    record = records.find(job)
    if record is not None:
        return record
    if not job.isascii() or not job.isprintable() or " " in job or not 4 <= len(job) <= 200:
        raise UsageError(f"{clean(job, 60) or 'That'} is not a job's name.", "pinch-tui dub list shows them.")
    is_rehearsal = bool(context.run.get("is_practice")) or is_rehearsed(job)
    service = REHEARSAL if is_rehearsal else settings.dub.base_url
    now = time.time()
    digest = hashlib.sha256(job.encode()).hexdigest()[:12]
    return Record(f"job-{digest}", Phase.RUNNING, service, "", "", now, job_id=job)


# ---- the run ------------------------------------------------------------------------------------------------------


def _run(
    report: Report,
    machine: JobMachine,
    at: Endpoint,
    records: Records,
    lock: FileLock,
    timeout_s: float | None,
    content_type: str = "",
) -> int:
    async def run() -> Outcome:
        async with contextlib.aclosing(at.client()) as client:
            with interrupts() as interrupt:
                runner = Runner(machine, client, records, report, interrupt, here(), content_type, timeout_s=timeout_s)
                return await runner.run()

    try:
        outcome = asyncio.run(run())
    except KeyboardInterrupt:  # the loop does not support signals
        outcome = _interrupted_outcome(machine)
    finally:
        report.record = record = machine.record
        report.clear()
        lock.release()
    report.say(summary_of(record, outcome))
    if outcome is Outcome.SAVED:
        return report.result(record, EXIT_OK, *(record.outputs[name] for name in Output if name in record.outputs))
    code = {Outcome.STARTED: EXIT_OK, Outcome.GOES_ON: EXIT_GOES_ON, Outcome.INTERRUPTED: EXIT_INTERRUPTED}[outcome]
    return report.result(record, code, *filter(None, (record.job_id,)))


def _interrupted_outcome(machine: JobMachine) -> Outcome:
    """The outcome of a run that was cancelled by KeyboardInterrupt. Raises `PinchError`."""
    last = machine.handle(Stopped(), time.time())[-1]
    if isinstance(last, Refuse):
        raise last.error
    assert isinstance(last, Finish)
    return last.outcome


def _report_taken(record: Record, report: Report) -> int:
    """Report that another run holds this job. Raises `UsageError` if the job has no name yet."""
    if not record.job_id:
        raise UsageError(
            f"Another pinch-tui is sending {clean(record.name, 80)} right now.", "Wait for it, or end it first."
        )
    report.say(f"Another pinch-tui is waiting for the job {record.job_id} and will fetch its files.")
    return report.result(record, EXIT_GOES_ON, record.job_id)


def _save_if_free(records: Records, record: Record) -> None:
    """Write a record, unless another run holds the job."""
    lock = records.lock(record)
    if not lock.take():
        return
    try:
        records.save(record)
    finally:
        lock.release()


def _endpoint(context: CliContext, settings: Settings, *, is_rehearsal: bool) -> Endpoint:
    """Raises `CredentialError` without a key."""
    dub = settings.dub
    if is_rehearsal:
        return Endpoint(dub.base_url, "", "the rehearsal", min(dub.poll_s, POLL_S), is_rehearsal=True)
    key = lookup_key(settings, context.env, context.paths.state, ChildKeyring())
    for warning in key.warnings:
        click.echo(f"pinch-tui: {warning}", err=True)
    if not key:
        raise CredentialError(
            "There is no API key.", "Store one with pinch-tui key set, or rehearse without one: dub --practice."
        )
    return Endpoint(dub.base_url, key.value, f"the {key.source}", dub.poll_s, is_rehearsal=False)
