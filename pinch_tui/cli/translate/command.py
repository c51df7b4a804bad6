"""``pinch-tui translate``: sound files, stdin or the microphone through the very engine of the app."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pinch_tui.cli.commands.app import run_options
from pinch_tui.cli.context import CliContext, run_flags, session_flags
from pinch_tui.cli.options import TextFormat, TranslateOptions
from pinch_tui.errors import InputFileError, UsageError

_EPILOG = """\b
Examples:
  pinch-tui translate --from en --to es talk.wav
  pinch-tui translate --to fr --format srt talk.flac > talk.srt
  ffmpeg -i film.mkv -f s16le -ar 16000 -ac 1 - | pinch-tui translate -
  pinch-tui translate --listen --format jsonl

The translation goes to stdout, everything else to stderr. Sound is sent at real-time pace. Ctrl-C lets the last words
come, a second one leaves at once. Exit codes: 0 done (with --listen also after Ctrl-C), 2 usage or a file that cannot
be read, 3 no API key or a refused one (--practice needs none), 4 sound, 5 network or service, 130 interrupted."""


@click.command("translate", epilog=_EPILOG)
@click.argument("audio", nargs=-1, type=click.Path(allow_dash=True))
@click.option("--listen", is_flag=True, help="Translate the microphone, hands-free, until Ctrl-C.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the speech as a WAV file.")
@click.option(
    "--format",
    "kind",
    type=click.Choice([str(kind) for kind in TextFormat], case_sensitive=False),
    default="text",
    show_default=True,
    help="text: a line a segment. jsonl: an object a final. srt, vtt, md: a document at the end.",
)
@click.option("--both", is_flag=True, help="The original, too.")
@click.option("--interim", is_flag=True, help="Texts that may still change, too (jsonl: on stdout, else on stderr).")
@session_flags
@run_flags
@click.pass_context
def command(
    ctx: click.Context,
    /,
    audio: tuple[str, ...],
    listen: bool,
    out: Path | None,
    kind: str,
    both: bool,
    interim: bool,
    **_flags: object,
) -> None:
    """Translate AUDIO: sound files in order, or - for 16 kHz mono PCM16 on stdin."""
    context: CliContext = ctx.obj
    context.take(ctx)
    check_inputs(audio, is_listening=listen)
    if out is not None and out.exists() and out.is_file():
        raise UsageError(f"{out} exists and is left as it is.", "Name another file after --out.")
    options = TranslateOptions(
        run=run_options(context),
        inputs=audio,
        is_listening=listen,
        out=out,
        format=TextFormat(kind.lower()),
        has_both=both,
        has_interim=interim,
    )

    from pinch_tui.wiring import run_translate

    ctx.exit(int(run_translate(options.run.loaded.settings, options) or 0))


def check_inputs(inputs: tuple[str, ...], *, is_listening: bool) -> None:
    """Refuse what cannot work before anything is opened. Raises `UsageError`, `InputFileError`."""
    if is_listening and inputs:
        raise UsageError("--listen takes the microphone, not files.", "Leave one of them away.")
    if not is_listening and not inputs:
        raise UsageError("There is nothing to translate.", "Name sound files, - for stdin, or --listen.")
    if inputs.count("-") > 1:
        raise UsageError("Stdin can be read once.", "Give - once.")
    if "-" in inputs and sys.stdin.isatty():
        raise UsageError("Stdin is a terminal.", "Pipe 16 kHz mono PCM16 into it, or use --listen.")
    for name in inputs:
        path = Path(name)
        if name != "-" and not path.is_file() and not path.is_fifo():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise InputFileError(f"{name} {what}.", "Name a WAV, FLAC, OGG or MP3 file.")
