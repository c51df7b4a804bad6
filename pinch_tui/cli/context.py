"""Shared by the commands: the typed flags, the environment, and the resulting settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from pinch_tui.core import drawing
from pinch_tui.core.options import Option, Text
from pinch_tui.settings.load import LoadedSettings, load
from pinch_tui.settings.model import OPTIONS
from pinch_tui.settings.run import RunOptions
from pinch_tui.store.paths import Paths, expanded, resolve

F = TypeVar("F", bound=Callable[..., Any])


def needs_ascii(stream: TextIO | None, env: Mapping[str, str]) -> bool:
    """True if a stream or its terminal is limited to ASCII."""
    encoding = getattr(stream, "encoding", None) or ""
    if sys.platform == "win32":
        return not encoding.lower().startswith("utf")
    return drawing.needs_ascii(env, encoding, is_made_utf_8=bool(sys.flags.utf8_mode))


@dataclass(slots=True)
class CliContext:
    """``ctx.obj`` of every command. A subcommand's flags override those typed before it."""

    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    config: Path | None = None
    flags: dict[str, object] = field(default_factory=dict)
    """Typed flags that are settings, by dotted key."""
    run: dict[str, Any] = field(default_factory=dict)
    """Typed flags that are not settings, by their names in `RunOptions`."""

    @classmethod
    def of(cls, ctx: click.Context) -> CliContext:
        """The context, including the flags typed for the command of ``ctx``."""
        context = ctx.ensure_object(cls)
        context._take(ctx)
        return context

    @property
    def paths(self) -> Paths:
        return resolve(self.env)

    def load(self) -> LoadedSettings:
        """Load the settings and print their warnings on stderr. Raises `ConfigError`."""
        loaded = load(self.config, self.env, self.flags)
        for warning in loaded.warnings:
            click.echo(f"pinch-tui: {warning}", err=True)
        return loaded

    def _take(self, ctx: click.Context) -> None:
        for param in ctx.command.params:
            name = param.name or ""
            if ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
                continue
            value = ctx.params.get(name)
            if name == "config":
                self.config = value
            elif row := _FLAGS.get(param.opts[0]):
                self.flags[row.key] = value
            elif name in _RUN_FLAGS:
                self.run[name] = expanded(value) if isinstance(value, Path) else value


_RUN_FLAGS = {one.name for one in fields(RunOptions)} - {"loaded", "paths", "env"}
_FLAGS: dict[str, Option] = {row.flag: row for row in OPTIONS.values() if row.flag}


def codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Language codes with their names, for the shell's completion; in ``dub``, those that it dubs."""
    from pinch_tui.core.languages import AUTO, LANGUAGES, label
    from pinch_tui.dub.checks import LANGUAGES as DUBBED

    names = {AUTO: "whatever is spoken"} if param.opts[0] == "--from" else {}
    known = DUBBED if ctx.info_name == "dub" else [language.code for language in LANGUAGES]
    names |= {code: label(code) for code in known}
    return [CompletionItem(code, help=names[code]) for code in names if code.lower().startswith(incomplete.lower())]


def _flag(row: Option) -> Callable[[F], F]:
    """The click option of a row."""
    name = row.key.replace(".", "_")
    if row.kind is bool:
        if row.flag.startswith("--no-"):
            return click.option(row.flag, name, is_flag=True, flag_value=False, default=None, help=row.help)
        return click.option(f"{row.flag}/--no-{row.flag.removeprefix('--')}", name, default=None, help=row.help)
    if issubclass(row.kind, StrEnum):
        return click.option(
            row.flag,
            name,
            type=click.Choice([member.value for member in row.kind if member], case_sensitive=False),
            help=row.help,
        )
    complete = codes if row.text in (Text.LANGUAGE, Text.SPOKEN_LANGUAGE) else None
    return click.option(row.flag, name, metavar=row.metavar, shell_complete=complete, help=row.help)


def _flags_of(*sections: str) -> tuple[Callable[[F], F], ...]:
    return tuple(_flag(row) for row in _FLAGS.values() if row.key.partition(".")[0] in sections)


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator for several options."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_PATH = click.Path(dir_okay=False, path_type=Path)
_APP_ONLY = ("mic.shared", "speaker.other_sound")
"""Options of the microphone and the speaker that only the app uses."""

session_flags = _all(
    *(
        _flag(row)
        for row in _FLAGS.values()
        if row.key.partition(".")[0] in ("session", "mic", "speaker") and row.key not in _APP_ONLY
    )
)
"""The flags of a session."""
config_flag = click.option("--config", type=_PATH, metavar="FILE", help="Read this configuration file.")
run_flags = _all(
    config_flag,
    *_flags_of("service", "api"),
    click.option("--practice", "is_practice", is_flag=True, help="Use the built-in practice service."),
    click.option("--log-file", type=_PATH, metavar="FILE", help="Write the log here (no transcripts, no secrets)."),
    click.option("--events", type=_PATH, metavar="FILE", help="Append events for scripts, one JSON object per line."),
    click.option("--trace", type=_PATH, metavar="FILE", help="Write redacted wire traffic for support."),
    click.option("--trace-text", "trace_has_text", is_flag=True, help="Include spoken text in the trace."),
)
"""The flags of a run: configuration, service, logs."""
screen_flags = _all(
    click.option(
        "--demo", "is_demo", is_flag=True, help="Play a short conversation and quit; needs no account and no sound."
    ),
    click.option(
        "--continue",
        "continues",
        is_flag=False,
        flag_value="last",
        metavar="[ID]",
        help="Continue a past conversation: the last one, or the one with this ID.",
    ),
    click.option("--plain", "is_plain", is_flag=True, help="Lines instead of a screen, for screen readers."),
    *(_flag(OPTIONS[key]) for key in _APP_ONLY),
    *_flags_of("ui", "history"),
)
"""The flags of the interactive app."""
