"""``pinch-tui history``: past conversations - list, show, search, export, delete."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from datetime import datetime
from itertools import groupby
from pathlib import Path

import click

from pinch_tui.cli.context import CliContext
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.documents import render
from pinch_tui.core.transcript.export import (
    SAMPLE,
    ExportFormat,
    ExportHead,
    ExportLine,
    ExportPart,
    ExportSide,
    file_name,
    lines_of,
    pair_of,
)
from pinch_tui.core.transcript.merge import whole
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.errors import EXIT_INTERRUPTED, UsageError, why
from pinch_tui.store.exports import create, nothing_in
from pinch_tui.store.history.conversations import Conversation, History, Unreadable, matching

_REFERENCE = "last, its number in the list, or the beginning of its name"


def _history(context: CliContext) -> History:
    return History(context.paths.history)


def _refuse(unread: list[Unreadable]) -> None:
    """Report every unreadable file, the last one by raising `UsageError`."""
    for item in unread[:-1]:
        click.echo(item.error().title, err=True)
    if unread:
        raise unread[-1].error()


def _when(started: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(started))


def _pairs(conversation: Conversation) -> str:
    return ", ".join(f"{source} > {target}" for source, target in conversation.pairs)


@click.group("history", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Past conversations: list, show, search, export, delete.

    Name a conversation by the word last, by its number in the list (1 is the newest), or by the beginning of its name.
    pinch-tui --continue accepts the same names.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_all)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_context
def list_all(ctx: click.Context, as_json: bool = False) -> None:
    """List the conversations, newest first."""
    n = 0
    unread: list[Unreadable] = []
    for item in _history(ctx.obj).entries():
        if isinstance(item, Unreadable):
            unread.append(item)
            continue
        n += 1
        opening = clean(item.utterances[0].original or item.utterances[0].translation, 60)
        if as_json:
            fields = {
                "id": item.id,
                "started": item.started,
                "utterances": len(item.utterances),
                "pairs": [list(pair) for pair in item.pairs],
                "is_practice": item.is_practice,
                "models": list(item.models),
                "opening": opening,
                "file": str(item.path),
            }
            click.echo(json.dumps(fields, ensure_ascii=False))
        else:
            click.echo(f"{n:>3}  {item.id}  {_when(item.started)}  {_pairs(item)}  {len(item.utterances)}  {opening}")
    if not n and not unread and not as_json:
        click.echo("There are no conversations yet.", err=True)
    _refuse(unread)


@command.command("show")
@click.argument("reference", default="last")
@click.pass_obj
def show(context: CliContext, reference: str) -> None:
    """Print a conversation: REFERENCE is last, its number, or the beginning of its name."""
    item = _history(context).find(reference)
    practice = ", practice" if item.is_practice else ""
    models = f", model {', '.join(item.models)}" if item.models else ""
    click.echo(f"{item.id}  {_when(item.started)}  {_pairs(item)}{practice}{models}")
    for utterance in item.utterances:
        click.echo("\n" + _shown(utterance, is_starred=utterance.number in item.stars))
    if item.unreadable:
        click.echo(f"\n{item.unreadable} lines of {item.path} cannot be read.", err=True)


def _shown(utterance: Utterance, *, is_starred: bool = False) -> str:
    """An utterance's number, time and languages, then its texts; one block per direction."""
    at = time.strftime("%H:%M:%S", time.localtime(utterance.started))
    marks = f"{' corrected' if utterance.is_corrected else ''}{' *' if is_starred else ''}"
    shown = []
    for (source, target, speaker), run in groupby(lines_of([utterance]), key=_direction):
        said = list(run)
        who = " sample" if speaker == SAMPLE else f" {speaker} spoke" if speaker else ""
        shown.append(f"{utterance.number}. {at} {source} > {target}{who}{marks}")
        texts = (whole(line.original for line in said), whole(line.translation for line in said))
        shown += [f"  {clean(text)}" for text in texts if text]
    return "\n".join(shown)


def _direction(line: ExportLine) -> tuple[str, str, str | None]:
    return line.source_language, line.target_language, line.speaker


@command.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_context
def search(ctx: click.Context, words: tuple[str, ...], as_json: bool) -> None:
    """Find utterances by words of either language; case and accents do not matter. Exit code 1 if nothing is found."""
    last = ""
    unread: list[Unreadable] = []
    for item in _history(ctx.obj).entries():
        if isinstance(item, Unreadable):
            unread.append(item)
            continue
        for utterance, _ in matching(item, " ".join(words)):
            if as_json:
                spoken = dict.fromkeys(map(_direction, lines_of([utterance])))
                source, target, speaker = (
                    next(iter(spoken)) if len(spoken) == 1 else (utterance.source, utterance.target, None)
                )
                fields = {
                    "id": item.id,
                    "utterance": utterance.number,
                    "started": utterance.started,
                    "original": utterance.original,
                    "translation": utterance.translation,
                    "source_language": source,
                    "target_language": target,
                    "speaker": speaker,
                }
                click.echo(json.dumps(fields, ensure_ascii=False))
            else:
                if item.id != last:
                    click.echo(f"{item.id}  {_when(item.started)}")
                click.echo(_shown(utterance, is_starred=utterance.number in item.stars))
            last = item.id
    _refuse(unread)
    if not last:
        click.echo("Nothing was found.", err=True)
        ctx.exit(1)


@command.command("delete")
@click.argument("references", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All conversations.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def delete(ctx: click.Context, references: tuple[str, ...], is_all: bool, yes: bool) -> None:
    """Delete conversations for good: each REFERENCE is last, a number, or the beginning of a name."""
    history = _history(ctx.obj)
    if is_all == bool(references):
        raise UsageError("Name the conversations to delete.", f"Each by {_REFERENCE}; or use --all.")
    # By name, so that empty, damaged and unreadable files are deleted as well.
    names = history.ids() if is_all else list(dict.fromkeys(history.find(reference).id for reference in references))
    if not yes and not _is_confirmed(f"Delete {_counted(len(names))} for good?"):
        click.echo("Nothing was deleted.", err=True)
        ctx.exit(EXIT_INTERRUPTED)
    refusals: list[UsageError] = []
    for name in names:
        try:
            history.delete(name)
        except UsageError as exc:
            refusals.append(exc)
    click.echo(f"Deleted {_counted(len(names) - len(refusals))}.")
    if refusals:
        more = f" Nor could {len(refusals) - 1} more." if len(refusals) > 1 else ""
        raise UsageError(f"{refusals[0].title}{more}", refusals[0].hint)


def _is_confirmed(question: str) -> bool:
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UsageError("Nothing was deleted: there was no answer.", "Use --yes to delete without asking.") from None


def _counted(n: int) -> str:
    return "1 conversation" if n == 1 else f"{n} conversations"


FORMATS = tuple(str(kind) for kind in ExportFormat)


@command.command("export")
@click.argument("reference", default="last")
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS, case_sensitive=False),
    help="Default: by the extension of --out, else md.",
)
@click.option("--side", type=click.Choice([str(side) for side in ExportSide]), default="both", show_default=True)
@click.option("--starred", is_flag=True, help="Only starred lines.")
@click.option("--lines", "line_range", metavar="A-B", help="Lines A to B (A-: to the end, -B: from the start, A: one).")
@click.option("--out", type=click.Path(path_type=Path), help="A new file, or a folder. Default, or -: stdout.")
@click.pass_obj
def export(
    context: CliContext,
    reference: str,
    kind: str | None,
    side: str,
    starred: bool,
    line_range: str | None,
    out: Path | None,
) -> None:
    """Export a conversation, in both languages or one; all of it, starred lines, or a range.

    REFERENCE is last, its number in the list, or the beginning of its name. An existing file is never overwritten. In
    a folder, the new file is named after the date and the languages.
    """
    item = _history(context).find(reference)
    named = out.suffix.removeprefix(".").lower() if out is not None else ""
    format_ = ExportFormat((kind or (named if named in FORMATS else "md")).lower())
    part = _part(line_range, is_starred_only=starred)
    lines = lines_of(part.of(item.utterances, item.stars), item.stars)
    if not lines and str(part):
        raise UsageError(nothing_in(part), "pinch-tui history show lists them with their numbers.")
    started = datetime.fromtimestamp(item.started).astimezone()
    service = ", ".join(item.services) or ("Practice" if item.is_practice else "")
    text = render(lines, format_, ExportSide(side), ExportHead(started, service, item.context, str(part)))
    if out is None or str(out) == "-":
        click.echo(text.encode(), nl=False)
    elif os.path.isdir(out):  # noqa: PTH112 - Path.is_dir raises for names that are too long
        source, target = pair_of(lines, item.pairs[0] if item.pairs else ("xx", "xx"))
        local = datetime.fromtimestamp(item.started)
        path = create(
            out.absolute(),
            lambda copy: file_name(local, source, target, format_, ExportSide(side), copy=copy),
            text.encode(),
        )
        click.echo(str(path), err=True)
    else:
        _write(out, text)
        click.echo(str(out), err=True)


_RANGE = re.compile(r"(?P<one>\d{1,9})|(?P<first>\d{1,9})?-(?P<last>\d{1,9})?")


def _part(line_range: str | None, *, is_starred_only: bool) -> ExportPart:
    """The part to export. Raises `UsageError` for an invalid range."""
    if line_range is None:
        return ExportPart(is_starred_only=is_starred_only)
    found = _RANGE.fullmatch(line_range.strip())
    if found is None or line_range.strip() == "-":
        raise UsageError(f"--lines: {line_range} is not a range of lines.", "Write 3-17, 3-, -17 or 3.")
    first = int(found["one"] or found["first"] or 1)
    last = found["one"] or found["last"]
    if last is not None and int(last) < first:
        raise UsageError(f"--lines: {line_range} ends before it begins.", "Write the smaller number first.")
    return ExportPart(first, None if last is None else int(last), is_starred_only)


def _write(path: Path, text: str) -> None:
    """Write a new file, or an existing pipe or device. Raises `UsageError`."""
    flags = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)
    if os.path.isfile(path) or not os.path.exists(path):  # noqa: PTH110, PTH113 - never raise
        flags |= os.O_CREAT | os.O_EXCL
    try:
        handle = os.open(path, flags, 0o600)
        if sys.platform != "win32":  # opening a pipe without a reader has failed; wait for a slow reader
            os.set_blocking(handle, True)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError as exc:
        raise UsageError(f"{path} already exists and was not changed.", "Name another file after --out.") from exc
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {why(exc)}.", "Name another file after --out.") from exc
