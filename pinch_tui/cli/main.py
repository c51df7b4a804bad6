"""The command line: ``pinch-tui`` opens the app, its subcommands do one thing each.

A subcommand's module is imported only when it is called, like everything else that is slow to import: ``--help``
imports neither textual nor numpy, sounddevice or httpx. `run` turns every outcome into an exit code.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import gc
import importlib
import io
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TypeVar

import click

from pinch_tui.cli.context import CliContext, run_flags, screen_flags, session_flags
from pinch_tui.core.secrecy import redact
from pinch_tui.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, ConfigError, PinchError
from pinch_tui.outlet import say_briefly

Failure = TypeVar("Failure", bound=BaseException)

_EXHAUSTED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE)

COMMANDS: dict[str, tuple[str, str]] = {
    "translate": ("pinch_tui.cli.translate.command", "Translate sound files, stdin or the microphone."),
    "dub": ("pinch_tui.cli.dub.command", "Dub a recording into another language."),
    "practice": ("pinch_tui.cli.commands.practice", "Run the practice service, or list its phrases."),
    "doctor": ("pinch_tui.cli.doctor.command", "Check everything, and say how to fix what is wrong."),
    "keys": ("pinch_tui.cli.commands.keys", "Show what this terminal sends for keys."),
    "devices": ("pinch_tui.cli.commands.devices", "List the sound devices, and test them."),
    "talk": ("pinch_tui.cli.commands.talk", "Start and stop talking in the running app."),
    "languages": ("pinch_tui.cli.commands.languages", "List and find languages."),
    "history": ("pinch_tui.cli.commands.history", "List, show, search, export and delete conversations."),
    "config": ("pinch_tui.cli.commands.config", "Show the settings, their file, or write an example."),
    "key": ("pinch_tui.cli.commands.key", "Store, locate or remove the API keys."),
    "replay": ("pinch_tui.cli.commands.replay", "Run a trace through the program again."),
    "completion": ("pinch_tui.cli.commands.completion", "Print the completion script of a shell."),
    "help": ("pinch_tui.cli.commands.manual", "Help on a command or a topic, or the manual page."),
}
"""Subcommand -> its module, which has the click command as ``command`` or under its own name, and its one-line help."""

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
"""Failures of a write to stdout, apart from a closed pipe."""

EPILOG = """\b
Exit codes:
  0    done
  1    a fault in the program itself
  2    usage or configuration
  3    no API key, or one that is refused or not entitled
  4    sound: PortAudio, a device, a permission
  5    network or service
  6    a dubbing job is still running
  130  interrupted"""


class LazyGroup(click.Group):
    """Imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        found = getattr(module, "command", None) or getattr(module, cmd_name)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click's, but suggests the nearest name for an unknown command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Like click's, but from the table, so that help imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from pinch_tui.cli.commands.manual import version_lines

        click.echo("\n".join(version_lines()))
        ctx.exit()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@session_flags
@run_flags
@screen_flags
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the versions."
)
@click.pass_context
def cli(ctx: click.Context, /, **_flags: object) -> None:
    """A push-to-talk interpreter in the terminal: hold space, speak, let go.

    Without a command, the app opens. It shows your words beside their translation and speaks the translation. Without
    an API key, it uses the built-in practice service.
    """
    # Without a handler, the warnings of libraries would be printed on stderr, in the middle of a screen.
    logging.getLogger().addHandler(logging.NullHandler())
    context = CliContext.of(ctx)
    if ctx.invoked_subcommand is None:
        from pinch_tui.cli.commands.app import open_app

        ctx.exit(open_app(context))
    gc.enable()  # `pinch_tui.__main__` has disabled it


def run(args: Sequence[str] | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run one command line and return its exit code; every failure is one line on stderr.

    ``env`` is the environment for settings and the key; None is the process's own.
    """
    _settle_encodings()
    try:
        outcome = cli.main(
            args=list(args) if args is not None else None,
            prog_name="pinch-tui",
            standalone_mode=False,
            obj=CliContext() if env is None else CliContext(env),
        )
    except PinchError as exc:
        for error in (exc, *(exc.others if isinstance(exc, ConfigError) else ())):
            say(f"{error}")
        return exc.exit_code
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted.")
        return EXIT_INTERRUPTED
    except click.ClickException as exc:
        hint = ""
        if isinstance(exc, click.UsageError) and exc.ctx is not None:
            hint = f" See {exc.ctx.command_path} --help."
        say(f"{exc.format_message()}{hint}")
        return EXIT_USAGE
    except BrokenPipeError:
        _abandon_stdout()
        return EXIT_OK
    except SystemExit as exc:  # raised by click: after shell completion, and with 1 if the reader of stdout has gone
        if exc.code != 1 or os.environ.get("_PINCH_TUI_COMPLETE"):
            raise
        _abandon_stdout()
        return EXIT_OK
    except BaseExceptionGroup as group:
        known = group.subgroup(PinchError)
        if known is not None:
            first = _first(known)
            say(f"{first}")
            return first.exit_code
        exhausted = group.subgroup(lambda exc: isinstance(exc, OSError) and exc.errno in _EXHAUSTED)
        if exhausted is None:
            raise
        return _exhausted(_first(exhausted))
    except OSError as exc:
        if exc.errno not in _EXHAUSTED and not (exc.filename is None and exc.errno in _FULL):
            raise
        return _exhausted(exc)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
    except OSError as exc:
        return _exhausted(exc)
    return outcome if isinstance(outcome, int) else EXIT_OK


def _first(group: BaseExceptionGroup[Failure]) -> Failure:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _exhausted(exc: BaseException) -> int:
    """Report that a resource of this machine has run out."""
    assert isinstance(exc, OSError)
    _abandon_stdout()
    hint = "Free some space, or write elsewhere."
    if exc.errno in (errno.EMFILE, errno.ENFILE):
        hint = "Close other programs, or raise the limit: ulimit -n 256."
    if exc.filename is None and exc.errno in _FULL:
        what = "The output cannot be written"
    else:
        what = f"This machine cannot continue{f' with {exc.filename}' if isinstance(exc.filename, str) else ''}"
    say(f"{what}: {exc.strerror}. {hint}")
    return EXIT_USAGE


def say(sentence: str) -> None:
    """Print one line on stderr, without secrets or control characters."""
    line = " ".join(redact(sentence).encode("utf-8", "replace").decode().split())  # file names need not be UTF-8
    with contextlib.suppress(OSError):
        said = "pinch-tui: " + "".join(char for char in line if char.isprintable())
        if sys.stderr.isatty():  # it might have stopped reading
            say_briefly(sys.stderr.fileno(), said + "\n")
        else:
            click.echo(said, err=True)


def _settle_encodings() -> None:
    """Write UTF-8 to files and pipes, and replace characters that a terminal cannot encode."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_ours = not stream.isatty() and "PYTHONIOENCODING" not in os.environ
            stream.reconfigure(encoding="utf-8" if is_ours else None, errors="replace")


def _abandon_stdout() -> None:
    """Discard all further output, so that the interpreter's final flush does not fail."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
