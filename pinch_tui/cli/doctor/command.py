"""``pinch-tui doctor``: check everything, and say how to fix what is wrong."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from typing import TYPE_CHECKING

import click

from pinch_tui import __version__
from pinch_tui.cli.context import CliContext, config_flag, needs_ascii
from pinch_tui.settings.model import ServiceName

if TYPE_CHECKING:
    from pinch_tui.diagnose.finding import Finding

_EPILOG = """\b
The exit code is that of the first failure, in the order shown. Fix that one first.
  0  nothing is broken (there may be warnings)
  2  Python, packages, configuration or the service's address
  3  an API key that is refused or not entitled (a missing key is a warning)
  4  sound
  5  network or service"""


@click.command(epilog=_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option("--offline", is_flag=True, help="Skip everything that needs a network.")
@click.option("--silent", is_flag=True, help="Skip the microphone and the test tone.")
@click.option("--practice", "is_practice", is_flag=True, help="Check the built-in practice service instead.")
@click.option("--service", type=click.Choice([name.value for name in ServiceName if name]), help="Check this service.")
@click.option("--base-url", metavar="URL", help="Ask this service for a session.")
@config_flag
@click.option("--input-device", metavar="NAME", help="Listen to this microphone.")
@click.option("--output-device", metavar="NAME", help="Play the tone on this loudspeaker.")
@click.pass_context
def doctor(ctx: click.Context, /, as_json: bool, offline: bool, silent: bool, **_flags: object) -> None:
    """Check everything, and say how to fix what is wrong.

    Records one second from the microphone, plays a short tone, and opens and closes one session of the service.
    Neither the API key nor the recording is shown or kept.
    """
    from pinch_tui.cli.doctor.examination import findings
    from pinch_tui.diagnose.finding import as_object, exit_code, lines, summary

    context = CliContext.of(ctx)
    width = min(100, max(60, shutil.get_terminal_size().columns))
    is_ascii = needs_ascii(sys.stdout, context.env)

    async def run() -> list[Finding]:
        found = []
        async for finding in findings(context, is_offline=offline, is_silent=silent):
            found.append(finding)
            for number, line in enumerate(() if as_json else lines(finding, width, is_ascii=is_ascii)):
                click.echo(_coloured(line, finding) if number == 0 else line)
        return found

    found = asyncio.run(run())
    click.echo(json.dumps(as_object(found, __version__)) if as_json else f"\n{summary(found)}")
    ctx.exit(exit_code(found))


def _coloured(line: str, finding: Finding) -> str:
    colour = {"ok": "green", "warn": "yellow", "fail": "red"}.get(finding.verdict.value)
    mark, space, rest = line.partition(" ")
    return f"{click.style(mark, fg=colour, bold=True)}{space}{rest}" if colour else line
