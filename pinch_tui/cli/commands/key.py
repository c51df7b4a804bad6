"""``pinch-tui key``: keep the API key, say where it stands, remove it. Its value is neither shown nor an argument."""

from __future__ import annotations

import sys

import click

from pinch_tui.cli.context import CliContext
from pinch_tui.errors import EXIT_CREDENTIALS, EXIT_OK, UsageError
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.secrets import Keyring, KeySource, delete_key, lookup_key, store_key


def _keyring() -> Keyring:
    return ChildKeyring()


@click.group("key")
def command() -> None:
    """Keep the API key, say where it stands, or remove it.

    The key is looked up in PINCH_API_KEY, the system's keyring, a private file in the state folder, and config.toml,
    in that order; the first found is used.
    """


class _WithoutArguments(click.Command):
    """Refuses every argument without repeating it: it may be the key."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any(arg not in ctx.help_option_names for arg in args):
            raise UsageError(
                "The key is no argument: others could read it in the process list.",
                "Leave it away and paste it at the prompt, or pipe it in. If it was a real one, take it out of the"
                " shell's history.",
            )
        return super().parse_args(ctx, args)


@command.command("set", cls=_WithoutArguments)
@click.pass_obj
def set_key(context: CliContext) -> None:
    """Keep a key: it is asked for without echo, or read from stdin when that is no terminal."""
    if sys.stdin.isatty():
        value = click.prompt("API key", hide_input=True, err=True)
    else:
        value = sys.stdin.read(4096)
    source = store_key(value, context.paths.state, _keyring())
    place = "the system's keyring" if source is KeySource.KEYRING else str(context.paths.key_file)
    click.echo(f"The key is kept in {place}.")
    if any(context.env.get(name) for name in ("PINCH_API_KEY", "PINCH_TUI_API__KEY")):
        click.echo("The environment holds a key, too; that one is used.", err=True)


@command.command("status")
@click.pass_context
def status(ctx: click.Context) -> None:
    """Say whether there is a key and where it was found. Exit code 3 when there is none."""
    context: CliContext = ctx.obj
    key = lookup_key(context.load().settings, context.env, context.paths.state, _keyring())
    for warning in key.warnings:
        click.echo(f"pinch-tui: {warning}", err=True)
    if not key:
        click.echo("There is no API key. pinch-tui key set keeps one; without one the practice service answers.")
        ctx.exit(EXIT_CREDENTIALS)
    places = {
        KeySource.ENVIRONMENT: "the environment (PINCH_API_KEY)",
        KeySource.KEYRING: "the system's keyring",
        KeySource.FILE: str(context.paths.key_file),
        KeySource.CONFIG: "config.toml (api.key)",
    }
    click.echo(f"There is an API key, from {places[key.source]}.")
    ctx.exit(EXIT_OK)


@command.command("delete")
@click.pass_obj
def delete(context: CliContext) -> None:
    """Remove the key from the keyring and from its file."""
    removed = delete_key(context.paths.state, _keyring())
    if removed:
        click.echo(f"Removed from the {' and the '.join(str(source) for source in removed)}.")
    else:
        click.echo("There was none in the keyring or the key file.")
