"""What the commands share: the flags that were really typed, the environment, and the settings made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from pinch_tui.settings.load import Flag, LoadedSettings, load
from pinch_tui.store.paths import Paths, resolve

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class CliContext:
    """``ctx.obj`` of every command. Flags typed before a subcommand hold for it, its own beat them."""

    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    config: Path | None = None
    flags: dict[str, Flag] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    """Typed flags that are no settings: practice, log_file, events, trace, trace_text, plain."""

    @property
    def paths(self) -> Paths:
        return resolve(self.env)

    def load(self) -> LoadedSettings:
        """The settings. Warnings are printed once, on stderr. Raises `ConfigError`."""
        loaded = load(self.config, self.env, self.flags)
        for warning in loaded.warnings:
            click.echo(f"pinch-tui: {warning}", err=True)
        return loaded

    def take(self, ctx: click.Context) -> None:
        """Note what was typed for the command of ``ctx``."""
        for param in ctx.command.params:
            name = param.name or ""
            if ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
                continue
            value = ctx.params.get(name)
            if name == "config":
                self.config = None if value is None else Path(value)
            elif name in FLAGS:
                key, convert = FLAGS[name]
                flag = next((option for option in param.opts if option.startswith("--")), param.opts[0])
                self.flags[key] = Flag(flag, convert(value))
            elif name in EXTRA:
                self.extra[name] = value


def _same(value: object) -> object:
    return value


FLAGS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "source": ("session.source", _same),
    "target": ("session.target", _same),
    "voice": ("session.voice", _same),
    "text_only": ("session.text_only", _same),
    "two_way": ("session.two_way", _same),
    "finalize_mode": ("session.finalize_mode", _same),
    "source_label": ("session.source_label", _same),
    "target_label": ("session.target_label", _same),
    "context": ("session.context", _same),
    "input_device": ("mic.device", _same),
    "output_device": ("speaker.device", _same),
    "base_url": ("api.base_url", _same),
    "no_history": ("history.enabled", lambda value: not value),
}
"""Parameter name -> the setting that it beats."""

EXTRA = frozenset({"practice", "log_file", "events", "trace", "trace_text", "plain"})


def _codes(_ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Language codes for the shell's completion, with their names."""
    from pinch_tui.core.languages import AUTO, LANGUAGES

    names = {AUTO: "whatever is spoken"} if param.name == "source" else {}
    names |= {language.code: language.name for language in LANGUAGES}
    return [CompletionItem(code, help=names[code]) for code in names if code.lower().startswith(incomplete.lower())]


_PATH = click.Path(dir_okay=False, path_type=Path)

_SESSION = (
    click.option(
        *("--from", "source"),
        metavar="LANG",
        shell_complete=_codes,
        help="Language that is spoken, such as en or english, or auto.",
    ),
    click.option(
        *("--to", "target"),
        metavar="LANG",
        shell_complete=_codes,
        help="Language that is wanted, such as es or spanish.",
    ),
    click.option("--voice", type=click.Choice(["male", "female"], case_sensitive=False), help="Voice of the speech."),
    click.option("--text-only/--no-text-only", default=None, help="Ask for text alone, no speech."),
    click.option("--two-way/--no-two-way", default=None, help="Either language may be spoken."),
    click.option(
        "--finalize-mode",
        type=click.Choice(["stable", "sentence"], case_sensitive=False),
        help="Finals grow word by word, or come by the sentence.",
    ),
    click.option("--source-label", metavar="TEXT", help="Describes the spoken language to the translator."),
    click.option("--target-label", metavar="TEXT", help="Describes how to say it, such as casual."),
    click.option("--context", metavar="TEXT", help="What the talk is about, up to 2,000 characters."),
    click.option("--input-device", metavar="NAME", help="Microphone: a name, a part of it, or a number."),
    click.option("--output-device", metavar="NAME", help="Loudspeaker: a name, a part of it, or a number."),
)
_RUN = (
    click.option("--config", type=_PATH, metavar="FILE", help="Read this configuration file."),
    click.option("--base-url", metavar="URL", help="Ask this service for sessions: https, or http to loopback."),
    click.option("--practice", is_flag=True, help="Use the built-in practice service."),
    click.option("--log-file", type=_PATH, metavar="FILE", help="Write the log here (no transcripts, no secrets)."),
    click.option("--events", type=_PATH, metavar="FILE", help="Append one JSON object a line for scripts."),
    click.option("--trace", type=_PATH, metavar="FILE", help="Write redacted wire traffic for support."),
    click.option("--trace-text", is_flag=True, help="Keep what was said in the trace."),
)
_SCREEN = (
    click.option("--plain", is_flag=True, help="Lines instead of a screen, for screen readers."),
    click.option("--no-history", is_flag=True, help="Keep nothing of this conversation on disk."),
)


def session_flags(function: F) -> F:
    """The flags that shape a session."""
    return _with(function, _SESSION)


def run_flags(function: F) -> F:
    """The flags of a run: configuration, service, logs."""
    return _with(function, _RUN)


def config_flag(function: F) -> F:
    """``--config`` alone."""
    return _with(function, _RUN[:1])


def screen_flags(function: F) -> F:
    """The flags of the interactive app."""
    return _with(function, _SCREEN)


def _with(function: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        function = option(function)
    return function
