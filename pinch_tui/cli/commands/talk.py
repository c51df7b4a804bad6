"""``pinch-tui talk start|stop|toggle|status``: control the talk key of the running app.

Meant for the key bindings of a window manager, so it imports little and exits at once.
"""

from __future__ import annotations

import json

import click

from pinch_tui.cli.context import CliContext
from pinch_tui.control.messages import ControlCommand
from pinch_tui.core.transcript.clean import clean

_GONE = ("absent", "lost")
_EPILOG = """\b
To hold a key under any terminal, bind one whose press and release your window manager reports:
  sway:  bindsym --no-repeat F9 exec pinch-tui talk start
         bindsym --release   F9 exec pinch-tui talk stop
Without a stop, talking ends at the limit of an utterance (talk.limit_s)."""


@click.command(epilog=_EPILOG)
@click.argument(
    "what", type=click.Choice([command.value for command in ControlCommand]), metavar="start|stop|toggle|status"
)
@click.option("--json", "as_json", is_flag=True, help="Print the app's answer as one JSON object.")
@click.pass_context
def talk(ctx: click.Context, what: str, as_json: bool) -> None:
    """Start and stop talking in the running app."""
    from pinch_tui.control.client import send

    context = ctx.ensure_object(CliContext)
    reply = send(ControlCommand(what), context.paths.control_socket)
    if as_json:
        click.echo(json.dumps(reply))
    elif reply.get("talking") is True and what != ControlCommand.STATUS and reply.get("microphone") in _GONE:
        click.echo("pinch-tui has no microphone, so nothing is recorded.", err=True)
    elif what == ControlCommand.STATUS:
        click.echo(sentence(reply))


def sentence(reply: dict[str, object]) -> str:
    """The app's state in one line, without control characters."""
    parts = [f"{reply.get('state', 'running')}", f"{reply.get('source', '?')} to {reply.get('target', '?')}"]
    seconds = reply.get("talking_s")
    if isinstance(seconds, int | float):
        parts.append(f"talking for {seconds:.1f} s")
    if reply.get("practice") is True:
        parts.append("practice")
    if reply.get("detail"):
        parts.append(str(reply["detail"]))
    parts.append(f"process {reply.get('pid', '?')}")
    return clean(", ".join(parts))
