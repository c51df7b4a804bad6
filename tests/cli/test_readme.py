"""The README and the help pages are held to the program: commands, flags, event kinds, keys, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from pinch_tui import errors
from pinch_tui.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "pinch_tui" / "help").glob("*.md")}
EVERYTHING = "\n".join((README, *PAGES.values()))
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pinch_tui").rglob("*.py"))


def _commands(group: click.Group) -> list[click.Command]:
    ctx = click.Context(group)
    found = [command for name in group.list_commands(ctx) if (command := group.get_command(ctx, name))]
    return found + [below for command in found if isinstance(command, click.Group) for below in _commands(command)]


def test_the_first_screen_has_both_commands() -> None:
    first = "\n".join(README.splitlines()[:24])
    assert README.splitlines()[2].startswith("![")
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[practice]' && .venv/bin/pinch-tui\n" in first
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest\n" in first
    assert "`uv run pinch-tui`" in first
    assert "`uv run pytest`" in first


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"pinch-tui ([a-z]+)(?=[ \n`)|])", EVERYTHING)) - {"is"}
    assert named <= set(COMMANDS), named - set(COMMANDS)
    assert set(COMMANDS) <= set(re.findall(r"pinch-tui ([a-z]+)", README))


def test_every_flag_it_names_exists() -> None:
    commands = [cli, *_commands(cli)]
    known = {option for command in commands for param in command.params for option in param.opts + param.secondary_opts}
    known |= {"--help", "--version"}
    others = r"^(?:python -m tests\.|pip |pipx |uvx ).*$"  # a measurement's own flags, and those of installers
    ours = re.sub(others, "", EVERYTHING, flags=re.MULTILINE)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    assert named <= known, named - known
    app = {option for param in cli.params for option in param.opts if option not in ("--version", "-h", "--help")}
    assert app <= named, app - named


def test_every_exit_code_stands_in_it() -> None:
    codes = [value for name, value in vars(errors).items() if name.startswith("EXIT_")]
    assert len(codes) == 7
    for code in codes:
        assert re.search(rf"^\| {code} +\|", PAGES["exit-codes"], re.MULTILINE)


def test_every_event_kind_it_names_is_written_somewhere() -> None:
    items = re.findall(r"^- (`.*?):", PAGES["events"], re.MULTILINE)
    kinds = {kind for item in items for kind in re.findall(r"`([a-z-]+)`", item)}
    assert len(kinds) > 20
    for kind in kinds:
        assert f'"{kind}"' in SOURCES, kind


def _keys(text: str) -> list[str]:
    """The keys in the first columns of its tables."""
    cells = re.findall(r"^\| (`[^|]*?) *\|", text, re.MULTILINE)
    return [key for cell in cells for key in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("text", [README.partition("## Ten keys")[2].partition("## ")[0], PAGES["keyboard"]])
def test_every_key_it_names_is_bound_to_something(text: str) -> None:
    actions = pytest.importorskip("pinch_tui.frontend.actions")
    names = {"?": "question_mark", "/": "slash", "+": "plus", "-": "minus", ",": "comma", "Esc": "escape"}
    bound = {key for action in actions.ACTIONS for key in action.keys.split(",")} | {"space"}
    keys = _keys(text)
    assert len(keys) >= 10
    for key in keys:
        assert names.get(key, key) in bound, key


def test_the_keyboard_page_has_every_action() -> None:
    actions = pytest.importorskip("pinch_tui.frontend.actions")
    names = {"?": "question_mark", "/": "slash", "+": "plus", "-": "minus", ",": "comma", "Esc": "escape"}
    told = {names.get(key, key) for key in _keys(PAGES["keyboard"])}
    missing = [one.name for one in actions.ACTIONS if one.keys and not told & set(one.keys.split(","))]
    assert not missing


def test_the_readme_links_to_every_page_and_to_nothing_that_is_not_there() -> None:
    links = set(re.findall(r"\]\(([^)]+)\)", README))
    local = {link for link in links if "://" not in link}
    assert all((ROOT / link).is_file() for link in local), local
    assert {f"pinch_tui/help/{name}.md" for name in PAGES} <= local


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_a_title_and_fits_a_terminal(name: str) -> None:
    lines = PAGES[name].splitlines()
    assert lines[0].startswith("# ")
    assert name not in COMMANDS, "help on the command of this name would be out of reach"
    assert max(map(len, lines)) <= 80


def test_it_speaks_of_no_machine_of_ours() -> None:
    for word in ("/work", "/farm", "/opt/", "shared/"):
        assert word not in EVERYTHING
