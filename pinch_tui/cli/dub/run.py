"""What ``pinch-tui dub`` does: looks at the recording, asks about the price, runs the job, prints what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click

from pinch_tui.cli.context import CliContext
from pinch_tui.cli.dub.look import Asked, Endpoint, here, look_at, resolved_out
from pinch_tui.cli.dub.output import STATES, Told, View, errors_as_json, line_of, percent_text, print_json, summary_of
from pinch_tui.cli.interrupts import interrupts
from pinch_tui.cli.live_line import LiveLine
from pinch_tui.core.languages import label
from pinch_tui.core.transcript.clean import clean
from pinch_tui.dub.checks import check_languages, offer_text
from pinch_tui.dub.events import Begun, Finish, Outcome, Refuse, Save, Stopped
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


def dub(context: CliContext, asked: Asked, *, as_json: bool) -> int:
    """``dub FILE|URL``; returns the exit code. Raises `PinchError`."""
    settings = context.load().settings
    is_rehearsal = bool(context.run.get("is_practice"))
    target, source = check_languages(asked.target, asked.source)
    records = Records(context.paths.dubs)
    service = REHEARSAL if is_rehearsal else settings.dub.base_url
    view = View(LiveLine())
    with errors_as_json(as_json) as told:
        key, key_source = _key(context, settings, is_rehearsal=is_rehearsal)
        at = Endpoint(settings.dub.base_url, key, is_rehearsal)
        recording = look_at(asked, target, source, service, records, view, at)
        told.record = recording.record
        plan = Plan(_poll_s(settings, is_rehearsal), asked.waits, key_source)
        if _costs(known := _known(records, recording.record, asked)):
            _offer(asked, recording.record)
        while True:
            with records.choosing():
                before, known = known, _known(records, recording.record, asked)
                told.record = record = _merged(known, recording.record, asked)
                lock = records.lock(record)
                if not lock.take():
                    return _is_taken(record, as_json=as_json)
                is_settled = _costs(before) or not _costs(known)
                if is_settled and (known is None or records.read(known.id) == known):
                    if known is None:
                        records.save(record)
                    break
                lock.release()  # whoever had it until now has changed the record
            if not is_settled:  # the job that there was has just failed, so a new one is to be paid
                _offer(asked, recording.record)
        if known is not None and known.phase in LIVE:
            view.say(_reuse_text(known))
        machine = JobMachine(record, plan, source_url=recording.url)
        return _run(told, machine, at, records, view, lock, recording.content_type, asked.timeout_s, as_json=as_json)


def get(context: CliContext, job: str, out: Path | None, timeout_s: float | None, *, as_json: bool) -> int:
    """``dub get JOB``; returns the exit code. Raises `PinchError`."""
    settings = context.load().settings
    records = Records(context.paths.dubs)
    view = View(LiveLine())
    with errors_as_json(as_json) as told:
        record = _named(records, context, settings, job)
        told.record = record
        if not record.job_id and record.phase is not Phase.ASKED:
            _refuse_without_job(record)
        if out is not None:
            record = moved_to(record, resolved_out(out))
        check_place(record, here())
        key, key_source = _key(context, settings, is_rehearsal=record.is_rehearsal)
        lock = records.lock(record)
        if not lock.take():
            return _is_taken(record, as_json=as_json)
        newest = records.read(record.id) or record
        record = newest if out is None else moved_to(newest, record.out)
        machine = JobMachine(
            without_missing_outputs(record), Plan(_poll_s(settings, record.is_rehearsal), key_source=key_source)
        )
        at = Endpoint(settings.dub.base_url, key, record.is_rehearsal)
        return _run(told, machine, at, records, view, lock, "", timeout_s, as_json=as_json)


def status(context: CliContext, job: str, *, as_json: bool) -> int:
    """``dub status JOB``; returns the exit code. Raises `PinchError`."""
    settings = context.load().settings
    records = Records(context.paths.dubs)
    with errors_as_json(as_json) as told:
        record = _named(records, context, settings, job)
        told.record = record
        detail = ""
        if record.job_id:
            key, key_source = _key(context, settings, is_rehearsal=record.is_rehearsal)
            at = Endpoint(settings.dub.base_url, key, record.is_rehearsal)
            machine = JobMachine(record, Plan(key_source=key_source))
            answer = at.ask(lambda client: client.job(record.job_id))
            if isinstance(answer, Failure):
                raise refusal(Step.POLL, answer, record, key_source)
            machine.handle(Begun(), time.time())
            for command in machine.handle(answer, time.time()):
                if isinstance(command, Save):
                    _save_if_free(records, command.record)
            told.record = record = machine.record
            if record.phase is Phase.RUNNING:
                stage = f", {answer.stage}" if answer.stage else ""
                detail = f" ({answer.status}{stage}{percent_text(answer.percent)})"
        if as_json:
            print_json(record, EXIT_OK)
        else:
            click.echo(f"{line_of(record)}{detail}")
    return EXIT_OK


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
        click.echo("No job was created here yet. pinch-tui dub FILE --to LANG creates one.", err=True)
    return EXIT_OK


def _known(records: Records, record: Record, asked: Asked) -> Record | None:
    """The job that there is already, unless a new one was asked for."""
    if asked.is_again:
        return None
    return records.same(record.digest, record.target, is_rehearsal=record.is_rehearsal)


def _costs(known: Record | None) -> bool:
    """Whether a job will be asked for, and paid."""
    return known is None or known.phase in BEGUN


def _merged(known: Record | None, fresh: Record, asked: Asked) -> Record:
    """The record to run: the known one with what this run says anew, or the fresh one."""
    if known is None:
        return fresh
    changed = replace(known, file=fresh.file or known.file)
    if asked.out is not None:
        return moved_to(changed, fresh.out)
    if known.phase not in LIVE:  # no job was asked for: this run's wishes hold
        changed = replace(changed, source=fresh.source, out="", duration_s=fresh.duration_s)
    return without_missing_outputs(changed)


def _offer(asked: Asked, record: Record) -> None:
    """Ask about the price. Raises `UsageError` without a terminal, `click.exceptions.Exit` on a no."""
    offer = offer_text(record.name, record.size, record.duration_s, record.target, is_rehearsal=record.is_rehearsal)
    if asked.confirm is None:
        click.echo(f"pinch-tui: {offer}", err=True)
    elif not asked.confirm(offer):
        click.echo("pinch-tui: Nothing was sent.", err=True)
        raise click.exceptions.Exit(EXIT_INTERRUPTED)


def _reuse_text(known: Record) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(known.created_at))
    return (
        f"{clean(known.name, 80)} was already sent for dubbing into {label(known.target)} on {when} (job "
        f"{known.job_id}, --from {known.source or 'auto'}). Using that job: nothing is paid. --again creates a new one."
    )


def _refuse_without_job(record: Record) -> NoReturn:
    reason = f' The service said: "{record.error}"' if record.error else ""
    raise UsageError(
        f"There is no job for {clean(record.name, 80)} ({STATES[record.phase]}).{reason}",
        "pinch-tui dub with the same recording and --to goes on.",
    )


def _named(records: Records, context: CliContext, settings: Settings, job: str) -> Record:
    """The record of a job; one that was created elsewhere gets a record here. Raises `UsageError`."""
    record = records.find(job)
    if record is not None:
        return record
    if not job.isascii() or not job.isprintable() or " " in job or not 4 <= len(job) <= 200:
        raise UsageError(f"{clean(job, 60) or 'That'} is no job's name.", "pinch-tui dub list shows them.")
    is_rehearsal = bool(context.run.get("is_practice")) or is_rehearsed(job)
    service = REHEARSAL if is_rehearsal else settings.dub.base_url
    now = time.time()
    digest = hashlib.sha256(job.encode()).hexdigest()[:12]
    return Record(f"job-{digest}", Phase.RUNNING, service, "", "", now, job_id=job)


# ---- the run ------------------------------------------------------------------------------------------------------


def _run(
    told: Told,
    machine: JobMachine,
    at: Endpoint,
    records: Records,
    view: View,
    lock: FileLock,
    content_type: str,
    timeout_s: float | None,
    *,
    as_json: bool,
) -> int:
    async def run() -> Outcome:
        async with contextlib.aclosing(at.client()) as client:
            with interrupts() as interrupt:
                runner = Runner(machine, client, records, view, interrupt, here(), content_type, timeout_s=timeout_s)
                return await runner.run()

    try:
        outcome = asyncio.run(run())
    except KeyboardInterrupt:  # where the loop takes no signals
        outcome = _left(machine)
    finally:
        told.record = machine.record
        view.clear()
        lock.release()
    code = {
        Outcome.SAVED: EXIT_OK,
        Outcome.STARTED: EXIT_OK,
        Outcome.GOES_ON: EXIT_GOES_ON,
        Outcome.INTERRUPTED: EXIT_INTERRUPTED,
    }[outcome]
    view.say(summary_of(machine.record, outcome))
    if as_json:
        print_json(machine.record, code)
    elif outcome is Outcome.SAVED:
        for output in Output:
            if path := machine.record.outputs.get(output):
                click.echo(path)
    elif machine.record.job_id:
        click.echo(machine.record.job_id)
    return code


def _left(machine: JobMachine) -> Outcome:
    """The outcome of a run that KeyboardInterrupt has cancelled. Raises `PinchError`."""
    last = machine.handle(Stopped(), time.time())[-1]
    if isinstance(last, Refuse):
        raise last.error
    assert isinstance(last, Finish)
    return last.outcome


def _is_taken(record: Record, *, as_json: bool) -> int:
    """Another run works on this job. Raises `UsageError` where it has no job's name yet."""
    if not record.job_id:
        raise UsageError(
            f"Another pinch-tui is sending {clean(record.name, 80)} at this moment.", "Wait for it, or end it first."
        )
    click.echo(
        f"pinch-tui: Another pinch-tui waits for the job {record.job_id} at this moment, and brings its files.",
        err=True,
    )
    if as_json:
        print_json(record, EXIT_GOES_ON)
    else:
        click.echo(record.job_id)
    return EXIT_GOES_ON


def _save_if_free(records: Records, record: Record) -> None:
    """Write a record that nobody works on; its owner writes it otherwise."""
    lock = records.lock(record)
    if not lock.take():
        return
    try:
        records.save(record)
    finally:
        lock.release()


def _key(context: CliContext, settings: Settings, *, is_rehearsal: bool) -> tuple[str, str]:
    """The API key and where it was found. Raises `CredentialError` without one."""
    if is_rehearsal:
        return "", "the rehearsal"
    key = lookup_key(settings, context.env, context.paths.state, ChildKeyring())
    for warning in key.warnings:
        click.echo(f"pinch-tui: {warning}", err=True)
    if not key:
        raise CredentialError(
            "There is no API key.", "Set one with pinch-tui key set, or rehearse without one: dub --practice."
        )
    return key.value, f"the {key.source}"


def _poll_s(settings: Settings, is_rehearsal: bool) -> float:
    return min(settings.dub.poll_s, POLL_S) if is_rehearsal else settings.dub.poll_s
