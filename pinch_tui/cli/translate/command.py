"""``pinch-tui translate``: sound files, stdin or the microphone through the app's engine."""

from __future__ import annotations

import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from pinch_tui.audio.recordings.source import check_path, display_name
from pinch_tui.cli.commands.app import run_options
from pinch_tui.cli.context import CliContext, run_flags, session_flags
from pinch_tui.errors import UsageError
from pinch_tui.settings.run import TextFormat, TranslateOptions

_EPILOG = """\b
Examples:
  pinch-tui translate --from en --to es talk.wav
  pinch-tui translate --to fr --format srt talk.flac > talk.srt
  arecord -f S16_LE -r 16000 -c 1 -t raw | pinch-tui translate -
  pinch-tui translate --listen --format jsonl

The translation goes to stdout, everything else to stderr. Audio is sent in real time. Ctrl-C waits for the last
words; a second one quits at once. Exit codes: 0 done (with --listen also after Ctrl-C), 2 usage or a file that cannot
be read, 3 no API key or a refused one (--practice needs none), 4 sound, 5 network or service, 130 interrupted."""


@click.command("translate", epilog=_EPILOG)
@click.argument("inputs", nargs=-1, type=click.Path(allow_dash=True), metavar="[AUDIO]...")
@click.option("--listen", "is_listening", is_flag=True, help="Translate the microphone, hands-free, until Ctrl-C.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, readable=False, path_type=Path),
    help="Write the speech as a WAV file; - streams it to stdout, and the text goes to stderr.",
)
@click.option(
    "--format",
    type=click.Choice([str(kind) for kind in TextFormat], case_sensitive=False),
    default="text",
    show_default=True,
    help="text: one line per segment. jsonl: one object per segment. srt, vtt, md: a document at the end.",
)
@click.option("--batch", "is_batch", is_flag=True, help="Send each file in one request (cartesia and smallest).")
@click.option("--both", "has_both", is_flag=True, help="Also print the original.")
@click.option(
    "--interim",
    "has_interim",
    is_flag=True,
    help="Also print texts that may still change (jsonl: on stdout, else on stderr).",
)
@click.option(
    "--all-finals", "has_all_finals", is_flag=True, help="jsonl: also print finals of segments that may still grow."
)
@session_flags
@run_flags
@click.pass_context
def command(ctx: click.Context, /, **flags: Any) -> None:
    """Translate AUDIO: sound files or pipes in order, - for stdin.

    WAV, FLAC, OGG, MP3 and AIFF are read directly; M4A, WebM, MP4 and others need ffmpeg. A pipe or stdin may also
    carry raw 16 kHz mono PCM16.
    """
    context = CliContext.of(ctx)
    named = {field.name: flags[field.name] for field in fields(TranslateOptions) if field.name in flags}
    named["format"] = TextFormat(flags["format"].lower())
    _check_inputs(flags["inputs"], is_listening=flags["is_listening"])
    if flags["has_all_finals"] and named["format"] is not TextFormat.JSONL:
        raise UsageError("--all-finals is for --format jsonl.", "The other formats print each segment once.")
    if flags["is_batch"] and (flags["is_listening"] or "-" in flags["inputs"]):
        raise UsageError("--batch is for files.", "Name sound files, or leave out --batch.")
    if flags["out"] is not None:
        _check_out(flags["out"])
    options = TranslateOptions(run_options(context), **named)

    from pinch_tui.cli.translate.inputs import run_inputs

    ctx.exit(run_inputs(options))


def _check_inputs(inputs: tuple[str, ...], *, is_listening: bool) -> None:
    """Refuse inputs that cannot work before anything is opened. Raises `UsageError`, `InputFileError`."""
    if is_listening and inputs:
        raise UsageError("--listen uses the microphone, not files.", "Use only one of them.")
    if not is_listening and not inputs:
        raise UsageError("There is nothing to translate.", "Name sound files, - for stdin, or --listen.")
    if inputs.count("-") > 1:
        raise UsageError("Stdin can be read only once.", "Give - once.")
    if "-" in inputs and sys.stdin is None:
        raise UsageError("Standard input is closed.", "Pipe sound into it, or name a file.")
    if "-" in inputs and sys.stdin.isatty():
        raise UsageError("Stdin is a terminal.", "Pipe sound into it, or use --listen.")
    for name in inputs:
        if name != "-":
            check_path(Path(name))


def _check_out(out: Path) -> None:
    """Refuse an output that cannot take the speech. Raises `UsageError`."""
    if str(out) == "-" and (sys.stdout is None or sys.stdout.isatty()):
        raise UsageError("Standard output is a terminal.", "Pipe it into a player: --out - | aplay, or name a file.")
    if str(out) != "-" and os.path.isfile(out):  # noqa: PTH113 - never raises; opening it gives the reason
        raise UsageError(f"{display_name(out)} already exists and was not changed.", "Name another file after --out.")
