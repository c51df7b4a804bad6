"""``pinch-tui languages``: list the languages with their codes, and find one."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from pinch_tui.core.languages import LANGUAGES, Language, find
from pinch_tui.errors import UsageError

_json_flag = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


@click.group("languages", invoke_without_command=True)
@_json_flag
@click.pass_context
def command(ctx: click.Context, /, as_json: bool) -> None:
    """List languages with their codes, or find one by a part of its name."""
    if ctx.invoked_subcommand is None:
        _print(LANGUAGES, as_json=as_json)


@command.command("list")
@_json_flag
def list_all(as_json: bool) -> None:
    """List all languages."""
    _print(LANGUAGES, as_json=as_json)


@command.command("find")
@click.argument("words", nargs=-1, required=True)
@_json_flag
def find_some(words: tuple[str, ...], as_json: bool) -> None:
    """Find languages by code, English or native name; accents do not matter."""
    found = find(" ".join(words), with_auto=True)
    if not found:
        raise UsageError("No language matches that.", "pinch-tui languages lists all.")
    _print(found, as_json=as_json)


def _print(languages: Iterable[Language], *, as_json: bool) -> None:
    if as_json:
        for item in languages:
            fields = {
                "code": item.code,
                "name": item.name,
                "native": item.native,
                "is_rtl": item.is_rtl,
                "has_known_speech": item.known_speech,
            }
            click.echo(json.dumps(fields, ensure_ascii=False))
        return
    for item in languages:
        click.echo(f"{item.code:<9}{'*' if item.known_speech else ' '} {item.name:<30} {item.native}".rstrip())
    click.echo("* The service speaks this language; others may be text only.", err=True)
