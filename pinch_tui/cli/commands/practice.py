"""``pinch-tui practice``: the practice service as a standalone server, and ``practice phrases``.

The server is imported only to run it, so that ``--help`` stays fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pinch_tui.services.practice.faults import FAULTS
from pinch_tui.services.practice.options import EARS, VOICES

if TYPE_CHECKING:
    from pinch_tui.services.practice.options import PracticeOptions

_EPILOG = (
    "\b\nFaults to test a client with (they can be combined):\n"
    + "\n".join(f"  {name:<26} {text}" for name, text in FAULTS.items())
    + "\n\n\b\nExamples:\n"
    "  pinch-tui practice --port 8765 --record recordings\n"
    "  pinch-tui practice --fault 503:2 --fault close:4503:10:1\n"
    "  pinch-tui practice phrases --from en --to es"
)

_phrasebook = click.option(
    "--phrasebook", type=click.Path(path_type=Path), help="Your own phrasebook file, added to the built-in one."
)


@click.group(invoke_without_command=True, epilog=_EPILOG, context_settings={"max_content_width": 110})
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="Port on 127.0.0.1; 0: any.")
@click.option(
    "--record", type=click.Path(file_okay=False, path_type=Path), help="Save each session's audio as WAV here."
)
@click.option(
    "--fault", "faults", multiple=True, metavar="FAULT", help="Simulate a fault (see below). May be repeated."
)
@_phrasebook
@click.option("--ear", type=click.Choice(EARS), default="auto", show_default=True, help="The speech recogniser.")
@click.option("--voice", type=click.Choice(VOICES), default="auto", show_default=True, help="The speech synthesiser.")
@click.pass_context
def practice(
    context: click.Context,
    port: int,
    record: Path | None,
    faults: tuple[str, ...],
    phrasebook: Path | None,
    ear: str,
    voice: str,
) -> None:
    """Run a local Pinch-compatible server.

    It serves the v1 protocol on 127.0.0.1, accepts any API key, recognises the phrases of a phrasebook and speaks their
    translations. The first line on stdout is its base URL; requests are logged on stderr. Ctrl+C stops it.
    """
    if context.invoked_subcommand is not None:
        context.obj = phrasebook
        return
    from pinch_tui.services.practice.faults import FaultPlan
    from pinch_tui.services.practice.options import PracticeOptions
    from pinch_tui.services.practice.phrasebook import load

    load(phrasebook)
    options = PracticeOptions(port, record, phrasebook, FaultPlan.parse(faults), ear, voice, log=_log)
    asyncio.run(_serve(options))


async def _serve(options: PracticeOptions) -> None:
    from pinch_tui.services.practice.bounds import AUDIO_RATE, MAX_CLIENT_SESSIONS, MAX_SESSIONS
    from pinch_tui.services.practice.service import PracticeService

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # On Windows, loops have no signal handlers, and Ctrl+C raises KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with PracticeService(options) as service:
        click.echo(service.base_url)
        click.echo(
            f"Accepts any API key, from this machine only; at most {MAX_CLIENT_SESSIONS} sessions per key and "
            f"{MAX_SESSIONS} in all; audio at up to {AUDIO_RATE:g} times real time. Ctrl+C stops it.",
            err=True,
        )
        await stopped.wait()


def _log(line: str) -> None:
    with contextlib.suppress(OSError):  # stderr is closed
        click.echo(f"{time.strftime('%H:%M:%S')} {line}", err=True)


@practice.command()
@click.option("--from", "source", default="en", show_default=True, help="Language of the phrases.")
@click.option("--to", "target", default="es", show_default=True, help="Language of their translations.")
@_phrasebook
@click.pass_obj
def phrases(outer: Path | None, source: str, target: str, phrasebook: Path | None) -> None:
    """List the phrases that the practice service recognises.

    One phrase per line with its translation, separated by a tab; [... and ...] shows the first and the last value of
    a slot. Names ("my name is ...") cannot be recognised and are refused.
    """
    from pinch_tui.core.languages import understood
    from pinch_tui.errors import UsageError
    from pinch_tui.services.practice.phrasebook import load, practice_languages

    path = phrasebook or outer
    known = practice_languages(path)
    codes = []
    for language in (source, target):
        code = (understood(language) or language).split("-")[0]
        if code not in known:
            raise UsageError(f"The practice phrasebook does not cover {language}.", f"It covers {', '.join(known)}.")
        codes.append(code)
    for said, meant in load(path).patterns(*codes):
        click.echo(f"{said}\t{meant}")
