"""``pinch-tui help`` on commands and topics, the manual page, and the versions of the libraries."""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
import platform
from importlib.resources import files

import click
from click.shell_completion import CompletionItem

from pinch_tui import __version__

STANDS_ON = (
    "textual",
    "websockets",
    "httpx",
    "sounddevice",
    "soxr",
    "soundfile",
    "numpy",
    "pillow",
    "click",
    "keyring",
)
OPTIONAL = ("pocketsphinx", "espeakng-loader", "livekit")


def topics() -> dict[str, str]:
    """Topic -> the title of its page in ``help/``, sorted by name."""
    pages = sorted(files("pinch_tui").joinpath("help").iterdir(), key=lambda page: page.name)
    return {
        page.name[:-3]: page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        for page in pages
        if page.name.endswith(".md")
    }


def version_lines() -> list[str]:
    """The versions of the program, Python, the libraries and the system, without importing any of them."""
    parts = [f"Python {platform.python_version()}"]
    for name in (*STANDS_ON, *OPTIONAL):
        try:
            parts.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            if name not in OPTIONAL:
                parts.append(f"{name} missing")
    return [
        f"pinch-tui {__version__}",
        ", ".join(parts),
        f"{platform.system()} {platform.release()} {platform.machine()}",
    ]


def _roff(text: str) -> str:
    """Text escaped for roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in escaped.splitlines())


def _prose(text: str) -> list[str]:
    """A command's help as roff; paragraphs after click's ``\\b`` mark keep their line breaks."""
    lines: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            lines += [".PP", ".nf", _roff(paragraph.lstrip("\b\n")), ".fi"]
        else:
            lines += [".PP", _roff(" ".join(paragraph.split()))]
    return lines[1:]


_FILES = (
    ("config.toml", "The settings (pinch-tui config path prints its path); never changed by the program."),
    ("state.json", "Choices made in the app: languages, devices, theme."),
    ("key", "The API key, if there is no keyring; only its owner can read it."),
    ("history/*.jsonl", "One file per conversation; pinch-tui history reads them."),
    ("dub/*.json", "One file per dubbing job; pinch-tui dub list reads them."),
    ("pinch-tui.log", "The log: no transcripts, no secrets."),
)
_ENVIRONMENT = (
    ("PINCH_API_KEY", "The API key."),
    ("PINCH_BASE_URL", "The service: https, or http to loopback."),
    ("PINCH_TUI_CONFIG", "Another configuration file."),
    ("PINCH_TUI_HOME", "One folder for all files of the program."),
    ("PINCH_TUI_SECTION__KEY", "Any setting: [talk] mode is PINCH_TUI_TALK__MODE."),
)


def _terms(items: tuple[tuple[str, str], ...]) -> list[str]:
    return [line for name, text in items for line in (".TP", f".B {_roff(name)}", _roff(text))]


def manual_page(root: click.Group, ctx: click.Context) -> str:
    """The whole manual in roff (``man -l``), generated from the commands' help."""
    lines = [
        f'.TH PINCH\\-TUI 1 "" "pinch-tui {__version__}" "User Commands"',
        ".SH NAME",
        "pinch\\-tui \\- a push\\-to\\-talk interpreter in the terminal",
        ".SH SYNOPSIS",
        ".B pinch\\-tui",
        "[\\fIoptions\\fR] [\\fIcommand\\fR ...]",
        ".SH DESCRIPTION",
        *_prose(root.help or ""),
        ".SH OPTIONS",
        *_options(root, ctx),
        ".SH COMMANDS",
    ]
    for name in root.list_commands(ctx):
        command = root.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        lines += _command(command, click.Context(command, info_name=f"pinch-tui {name}", parent=None))
    lines += [".SH TOPICS", "pinch\\-tui help TOPIC prints a page on:", *_terms(tuple(topics().items()))]
    lines += [".SH ENVIRONMENT", *_terms(_ENVIRONMENT), ".SH FILES", *_terms(_FILES)]
    lines += [".SH EXIT STATUS", ".nf", _roff((root.epilog or "").removeprefix("\b\n").partition("\n")[2]), ".fi"]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, ctx: click.Context) -> list[str]:
    usage = " ".join(command.collect_usage_pieces(ctx))
    lines = [f".SS {_roff(str(ctx.info_name))} {_roff(usage)}", *_prose(command.help or "")]
    lines += _options(command, ctx)
    if command.epilog:
        lines += [".PP", *_prose(command.epilog)]
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            if below is not None and not below.hidden:
                lines += _command(below, click.Context(below, info_name=f"{ctx.info_name} {name}", parent=None))
    return lines


def _options(command: click.Command, ctx: click.Context) -> list[str]:
    records = [record for param in command.get_params(ctx) if (record := param.get_help_record(ctx))]
    return [line for names, text in records for line in (".TP", f".B {_roff(names)}", _roff(text))]


def _words(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Commands and topics, for the shell's completion."""
    root = ctx.find_root()
    names = root.command.list_commands(root) if isinstance(root.command, click.Group) else []
    return [CompletionItem(name) for name in (*names, *topics()) if name.startswith(incomplete)]


@click.command("help", short_help="Help on a command or a topic, or the manual page.")
@click.option("--man", is_flag=True, help="Print the whole manual page in roff: pinch-tui help --man | man -l -")
@click.argument("words", nargs=-1, metavar="[COMMAND|TOPIC]...", shell_complete=_words)
@click.pass_context
def command(ctx: click.Context, man: bool, words: tuple[str, ...]) -> None:
    """Help on a command, such as ``pinch-tui help translate``, or on a topic, such as ``pinch-tui help terminals``."""
    root = ctx.find_root()
    if man:
        assert isinstance(root.command, click.Group)
        click.echo(manual_page(root.command, root), nl=False)
        return
    if len(words) == 1 and words[0] in topics():
        click.echo(files("pinch_tui").joinpath("help", f"{words[0]}.md").read_text(encoding="utf-8"), nl=False)
        return
    current, current_ctx = root.command, root
    for word in words:
        below = current.get_command(current_ctx, word) if isinstance(current, click.Group) else None
        if below is None:
            raise click.UsageError(_nothing_on(word, current, current_ctx), ctx)
        current, current_ctx = below, click.Context(below, info_name=word, parent=current_ctx)
    click.echo(current.get_help(current_ctx))
    if not words:
        click.echo("\nTopics (pinch-tui help TOPIC):")
        width = max(map(len, topics())) + 2
        for name, title in topics().items():
            click.echo(f"  {name:<{width}}{title}")


def _nothing_on(word: str, current: click.Command, ctx: click.Context) -> str:
    names = current.list_commands(ctx) if isinstance(current, click.Group) else []
    near = difflib.get_close_matches(word, [*names, *topics()], n=1, cutoff=0.5)
    return f"There is no command or topic {word!r}." + (f" Did you mean {near[0]}?" if near else "")
