"""``pinch-tui key``: store, locate and remove the API keys. A key is never shown, and never an argument."""

from __future__ import annotations

import sys

import click

from pinch_tui.cli.context import CliContext
from pinch_tui.errors import EXIT_CREDENTIALS, EXIT_OK, UsageError
from pinch_tui.store.keyring_child import ChildKeyring
from pinch_tui.store.secrets import KEYS, PINCH, KeyName, Keyring, KeySource, delete_key, lookup_key, store_key


def _keyring(name: KeyName) -> Keyring:
    return ChildKeyring(account=name.account)


NAMES = {"pinch": PINCH.name, "pinch-beta1": PINCH.name, **{name: name for name in KEYS}}
"""Service -> the name of its key."""


def _key_name(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    if value != NAMES[value]:
        click.echo("pinch-tui: Pinch and Pinch beta1 share one key.", err=True)
    return NAMES[value]


_service = click.option(
    "--service",
    "name",
    type=click.Choice(list(NAMES)),
    default=PINCH.name,
    show_default=True,
    callback=_key_name,
    help="The service. Pinch's key is also used for pinch-beta1 and dub.",
)


@click.group("key")
def command() -> None:
    """Store, locate or remove the API keys.

    A key is looked up in its variable (PINCH_API_KEY, CARTESIA_API_KEY, SMALLEST_API_KEY), the system's keyring, a
    private file in the state folder, and config.toml, in that order. The first one found is used.
    """


class _WithoutArguments(click.Command):
    """Refuses every argument without repeating it, since it might be the key."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = iter(args)
        for arg in given:
            if arg == "--service":
                is_key = (next(given, "") or "pinch") not in NAMES
            else:
                is_key = arg.removeprefix("--service=") not in NAMES and arg not in ctx.help_option_names
            if is_key:
                raise UsageError(
                    "Do not pass the key as an argument: others could read it in the process list.",
                    "Paste it at the prompt, or pipe it in. If it was a real key, remove it from the shell's history.",
                )
        return super().parse_args(ctx, args)


@command.command("set", cls=_WithoutArguments)
@_service
@click.pass_obj
def set_key(context: CliContext, name: str) -> None:
    """Store a key, entered without echo, or read from stdin if that is not a terminal."""
    names = KEYS[name]
    if sys.stdin.isatty():
        value = click.prompt("API key" if names is PINCH else f"{names.label} API key", hide_input=True, err=True)
    else:
        value = sys.stdin.read(4096)
    source = store_key(value, context.paths.state, _keyring(names), names)
    place = "the system's keyring" if source is KeySource.KEYRING else str(context.paths.state / names.file)
    click.echo(f"The key is kept in {place}.")
    if any(context.env.get(variable) for variable in names.variables):
        click.echo("The environment also holds a key, which is used instead.", err=True)


@command.command("status")
@_service
@click.pass_context
def status(ctx: click.Context, name: str) -> None:
    """Report whether there is a key, and where. Exit code 3 if there is none."""
    context: CliContext = ctx.obj
    names = KEYS[name]
    key = lookup_key(context.load().settings, context.env, context.paths.state, _keyring(names), names)
    for warning in key.warnings:
        click.echo(f"pinch-tui: {warning}", err=True)
    if not key:
        click.echo(
            "There is no API key. Store one with pinch-tui key set; without one, the practice service is used."
            if names is PINCH
            else f"There is no {names.label} API key. Store one with pinch-tui key set --service {name}."
        )
        ctx.exit(EXIT_CREDENTIALS)
    places = {
        KeySource.ENVIRONMENT: f"the environment ({names.variables[0]})",
        KeySource.KEYRING: "the system's keyring",
        KeySource.FILE: str(context.paths.state / names.file),
        KeySource.CONFIG: f"config.toml ({names.config})",
    }
    click.echo(f"There is {'an API' if names is PINCH else f'a {names.label} API'} key, from {places[key.source]}.")
    ctx.exit(EXIT_OK)


@command.command("delete")
@_service
@click.pass_obj
def delete(context: CliContext, name: str) -> None:
    """Remove the key from the keyring and from its file."""
    removed = delete_key(context.paths.state, _keyring(KEYS[name]), KEYS[name])
    if removed:
        click.echo(f"Removed from the {' and the '.join(str(source) for source in removed)}.")
    else:
        click.echo("There was none in the keyring or the key file.")
