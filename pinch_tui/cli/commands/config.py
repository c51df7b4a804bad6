"""``pinch-tui config``: show the settings and their origins, print the file's path, write an example."""

from __future__ import annotations

import importlib.resources
import json
import os
import re
from pathlib import Path

import click

from pinch_tui.cli.context import CliContext, config_flag, run_flags, session_flags
from pinch_tui.errors import UsageError
from pinch_tui.settings.load import SECRET_KEYS, LoadedSettings, Source, config_file, value_of
from pinch_tui.settings.model import OPTIONS
from pinch_tui.store.paths import private_folder

EXAMPLE = "config.example.toml"


@click.group("config")
def command() -> None:
    """Show the settings, print the path of their file, or write an example."""


def shown(loaded: LoadedSettings, key: str) -> str:
    """A setting's value as TOML; for a secret, only whether it is set."""
    value = value_of(loaded.settings, key)
    if key in SECRET_KEYS:
        return "<set, not shown>" if value else '""'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {json.dumps(item)}" for name, item in sorted(value.items())) + "}"
    return json.dumps(value, ensure_ascii=False)


@command.command("show")
@session_flags
@run_flags
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--changed", is_flag=True, help="Show only settings that differ from the defaults.")
@click.pass_context
def show(ctx: click.Context, /, as_json: bool, changed: bool, **_flags: object) -> None:
    """Show every setting with its value and its origin."""
    context = CliContext.of(ctx)
    loaded = context.load()
    keys = [key for key in OPTIONS if not changed or loaded.origins[key].source is not Source.DEFAULT]
    if as_json:
        rows = {}
        for key in keys:
            value, origin = value_of(loaded.settings, key), loaded.origins[key]
            value = bool(value) if key in SECRET_KEYS else value
            rows[key] = {"value": value, "source": str(origin.source), "place": origin.place}
        click.echo(json.dumps({"file": str(loaded.config_file), "settings": rows}, indent=1, ensure_ascii=False))
        return
    exists = "" if loaded.config_file.exists() else " (does not exist)"
    click.echo(f"# {loaded.config_file}{exists}")
    section = ""
    for key in keys:
        this, _, name = key.partition(".")
        if this != section:
            click.echo(f"\n[{this}]")
            section = this
        click.echo(f"{name} = {shown(loaded, key)}  # {loaded.origins[key]}")


@command.command("path")
@config_flag
@click.pass_context
def path(ctx: click.Context, /, **_flags: object) -> None:
    """Print the path of the configuration file."""
    context = CliContext.of(ctx)
    click.echo(str(config_file(context.config, context.env)[0]))


@command.command("init")
@config_flag
@click.pass_context
def init(ctx: click.Context, /, **_flags: object) -> None:
    """Create the configuration file from the example, with everything commented out.

    An existing file is not changed.
    """
    context = CliContext.of(ctx)
    target, _ = config_file(context.config, context.env)
    try:
        private_folder(target.parent)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as exc:
        raise UsageError(
            f"{target} already exists and was not changed.", "Edit it, or name another with --config."
        ) from exc
    except OSError as exc:
        raise UsageError(f"{target} cannot be written: {exc.strerror}.", "Name another with --config.") from exc
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(commented_out(example_text()))
    click.echo(str(target))


def commented_out(example: str) -> str:
    """The example with nothing set: a setting would override the choices that the app remembers."""
    body = re.sub(r"^(?=[a-z_]+ = )", "#", example, flags=re.MULTILINE)
    return f"# Remove the # before a setting to set it.\n#\n{body}"


def example_text() -> str:
    """The commented example: from the installed package, or from the checkout."""
    for place in (importlib.resources.files("pinch_tui").joinpath(EXAMPLE), Path(__file__).parents[3] / EXAMPLE):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise UsageError(f"The example {EXAMPLE} is missing from this installation.", "Reinstall pinch-tui.")
