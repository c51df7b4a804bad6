"""The README is held to the program: commands, flags, event kinds, keys, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from pinch_tui import errors
from pinch_tui.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pinch_tui").rglob("*.py"))


def _commands(group: click.Group) -> list[click.Command]:
    ctx = click.Context(group)
    found = [command for name in group.list_commands(ctx) if (command := group.get_command(ctx, name))]
    return found + [below for command in found if isinstance(command, click.Group) for below in _commands(command)]


def test_the_first_screen_has_both_commands() -> None:
    first = "\n".join(README.splitlines()[:24])
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[practice]' && .venv/bin/pinch-tui\n" in first
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest\n" in first
    assert "`uv run pinch-tui`" in first
    assert "`uv run pytest`" in first


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"pinch-tui ([a-z]+)(?=[ \n`)|])", README)) - {"is", "with"}
    assert named <= set(COMMANDS), named - set(COMMANDS)
    assert set(COMMANDS) <= named


def test_every_flag_it_names_exists() -> None:
    commands = [cli, *_commands(cli)]
    known = {option for command in commands for param in command.params for option in param.opts + param.secondary_opts}
    known |= {"--help", "--version"}
    ours = re.sub(r"`python -m tests\.[^`]*`", "", README)  # a measurement's own flags
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    assert named <= known, named - known
    app = {option for param in cli.params for option in param.opts if option not in ("--version", "-h", "--help")}
    assert app <= named, app - named


def test_every_exit_code_stands_in_it() -> None:
    for name in ("EXIT_OK", "EXIT_USAGE", "EXIT_CREDENTIALS", "EXIT_AUDIO", "EXIT_LINK", "EXIT_INTERRUPTED"):
        assert re.search(rf"^\| {getattr(errors, name)} \|", README, re.MULTILINE)


def test_every_event_kind_it_names_is_written_somewhere() -> None:
    table = README.partition("## Events")[2].partition("## ")[0]
    kinds = {
        kind
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for kind in re.findall(r"`([a-z-]+)`", row.partition(" | ")[0])
    }
    assert len(kinds) > 20
    for kind in kinds:
        assert f'"{kind}"' in SOURCES, kind


def test_every_key_it_names_is_bound_to_something() -> None:
    actions = pytest.importorskip("pinch_tui.ui.actions")
    names = {"?": "question_mark", "/": "slash", "+": "plus", "-": "minus", ",": "comma"}
    bound = {key for action in actions.ACTIONS for key in action.keys.split(",")}
    table = README.partition("## Keys")[2].partition("## ")[0]
    keys = re.findall(r"`([^`]{1,6})`(?=[, |])", table)
    assert len(keys) > 15
    for key in keys:
        assert names.get(key, key) in bound, key


def test_it_speaks_of_no_machine_of_ours() -> None:
    for word in ("/work", "/farm", "/opt/", "shared/"):
        assert word not in README
