"""``pinch-tui dub``: dub a recording, and manage the jobs created so far."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from pinch_tui.cli.context import CliContext, codes, config_flag
from pinch_tui.errors import UsageError

_EPILOG = """\b
Examples:
  pinch-tui dub talk.mp4 --to es
  pinch-tui dub https://example.org/talk.mp3 --from en --to german --yes --json
  pinch-tui dub talk.mp4 --to es --yes --no-wait     prints the job's name
  pinch-tui dub get JOB                              waits for it and fetches the files
  pinch-tui dub --practice talk.mp4 --to es          a rehearsal, without an account

The price is shown first and has to be confirmed (--yes confirms it). The dubbed recording and both subtitle files are
saved beside the original: talk.es.mp4, talk.es.srt and talk.en.srt (talk.original.srt if --from was auto); nothing is
overwritten. Dubbing the same recording into the same language again uses the existing job; --again creates and pays for
a new one. Ctrl-C stops the waiting, not the job. Paths (or the job's name) go to stdout, everything else to stderr.
Exit codes: 0 done, 2 usage, a file or a limit, 3 the key or the balance, 5 network, service or a failed job, 6 the job
is still running, 130 interrupted before a job was created."""

_practice = click.option("--practice", "is_practice", is_flag=True, help="Rehearse: no account, no network.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_timeout = click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Wait at most S seconds for the job, then exit with code 6.",
)
_out = click.option(
    "--out", type=click.Path(path_type=Path), metavar="PATH", help="Where to save the recording: a file or a folder."
)


class _DubGroup(click.Group):
    """If the first word is a subcommand such as ``get``, runs it; otherwise it is a recording to dub."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_SUBCOMMAND] = bool(args) and args[0] in self.commands
        if ctx.meta[_SUBCOMMAND]:
            return super().parse_args(ctx, args)
        ctx.allow_interspersed_args = True
        ctx.allow_extra_args = False
        return click.Command.parse_args(self, ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        params = super().get_params(ctx)
        return [param for param in params if param.name == "help"] if ctx.meta.get(_SUBCOMMAND) else params

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["FILE|URL --to LANG [OPTIONS]", "|", "get JOB", "|", "status JOB", "|", "list"]


_SUBCOMMAND = "pinch_tui.dub.subcommand"


def _media(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The subcommands, then files, for the shell's completion."""
    found = [name for name in ("get", "list", "status") if name.startswith(incomplete)]
    return [*(CompletionItem(name) for name in found), CompletionItem(incomplete, type="file")]


@click.group("dub", cls=_DubGroup, invoke_without_command=True, epilog=_EPILOG)
@click.argument("media", metavar="FILE|URL", required=False, shell_complete=_media)
@click.option("--to", "target", metavar="LANG", shell_complete=codes, help="Language to dub into, such as es.")
@click.option(
    "--from",
    "source",
    metavar="LANG",
    default="auto",
    show_default=True,
    shell_complete=codes,
    help="Language of the recording.",
)
@_out
@click.option("--yes", is_flag=True, help="Do not ask before paying; required without a terminal.")
@click.option("--again", "is_again", is_flag=True, help="Create and pay for a new job even if one exists.")
@click.option("--no-wait", "waits", flag_value=False, default=True, help="Exit as soon as the job is created.")
@_timeout
@_json
@_practice
@config_flag
@click.pass_context
def command(ctx: click.Context, /, **flags: Any) -> None:
    """Dub a recording, given as a file or a URL, into another language."""
    if ctx.invoked_subcommand is not None:
        return
    context = CliContext.of(ctx)
    if flags["media"] is None:
        raise UsageError("There is nothing to dub.", "Name a recording or its URL, and --to LANG.")
    if flags["target"] is None:
        raise UsageError("The target language is missing.", "Add --to LANG, such as --to es.")
    from pinch_tui.cli.dub.recording import Request
    from pinch_tui.cli.dub.run import dub

    named = {field.name: flags[field.name] for field in fields(Request) if field.name in flags}
    request = Request(**named, confirm=None if flags["yes"] else _confirm)
    ctx.exit(dub(context, request, as_json=flags["as_json"]))


def _confirm(offer: str) -> bool:
    """Show the price and ask. Raises `UsageError` without a terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{offer} There is no terminal to ask on.", "Add --yes to agree to the price.")
    return click.confirm(f"{offer}\nContinue?", default=False, err=True)


@command.command("get")
@click.argument("job")
@_out
@_timeout
@_json
@_practice
@config_flag
@click.pass_context
def get(ctx: click.Context, /, job: str, out: Path | None, timeout_s: float | None, as_json: bool, **_: object) -> None:
    """Wait for JOB and fetch its files.

    JOB is the job's name, the beginning of it, or last.
    """
    context = CliContext.of(ctx)
    from pinch_tui.cli.dub.run import get as fetch

    ctx.exit(fetch(context, job, out, timeout_s, as_json=as_json))


@command.command("status")
@click.argument("job")
@_json
@_practice
@config_flag
@click.pass_context
def status(ctx: click.Context, /, job: str, as_json: bool, **_flags: object) -> None:
    """Show the state of JOB.

    JOB is the job's name, the beginning of it, or last.
    """
    context = CliContext.of(ctx)
    from pinch_tui.cli.dub.run import status as tell

    ctx.exit(tell(context, job, as_json=as_json))


@command.command("list")
@_json
@click.pass_context
def list_all(ctx: click.Context, /, as_json: bool) -> None:
    """List the jobs that were created on this machine, newest first."""
    from pinch_tui.cli.dub.run import list_all as tell_all

    ctx.exit(tell_all(ctx.obj, as_json=as_json))
