"""``pinch-tui`` without a command: open the app."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from pinch_tui.cli.context import CliContext, needs_ascii
from pinch_tui.errors import UsageError
from pinch_tui.settings.model import OPTIONS, Switch
from pinch_tui.settings.run import RunOptions


def run_options(context: CliContext) -> RunOptions:
    """The settings and the flags of this run. Raises `ConfigError`."""
    return RunOptions(context.load(), context.paths, context.env, **context.run)


def needs_terminal(env: Mapping[str, str]) -> None:
    """Raises `UsageError` without a terminal: the screen is drawn on stderr, and keys are read from stdin."""
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError(
            "The app needs a terminal for its keys and its screen (stdin and stderr).",
            "For files and pipes, use pinch-tui translate.",
        )
    if env.get("TERM", "") in ("dumb", "unknown") and os.name == "posix":
        raise UsageError("This terminal cannot draw (TERM=dumb).", "Use pinch-tui --plain.")


def _for_demo(options: RunOptions) -> RunOptions:
    """The demo uses the practice service, and line mode if no screen can be drawn, such as in a container."""
    can_draw = sys.stdin.isatty() and sys.stderr.isatty() and options.env.get("TERM", "") not in ("dumb", "unknown")
    return replace(options, is_practice=True, is_plain=options.is_plain or not can_draw)


def drawable(options: RunOptions) -> RunOptions:
    """Resolve ``ui.ascii = auto`` for the stream in use: stderr for the screen, else stdout."""
    loaded = options.loaded
    if loaded.settings.ui.ascii is not Switch.AUTO:
        return options
    is_needed = needs_ascii(sys.stdout if options.is_plain else sys.stderr, options.env)
    ui = replace(loaded.settings.ui, ascii=Switch.ON if is_needed else Switch.OFF)
    return replace(options, loaded=replace(loaded, settings=replace(loaded.settings, ui=ui)))


def open_app(context: CliContext) -> int:
    """Run the app until it quits; returns its exit code."""
    options = run_options(context)
    if options.is_demo:
        if others := [key for key in context.flags if key.startswith(("session.", "service."))]:
            raise UsageError(f"--demo cannot be combined with {OPTIONS[others[0]].flag}.", "Use only one of them.")
        if options.continues:
            raise UsageError("--demo cannot be combined with --continue.", "Use only one of them.")
        options = _for_demo(options)
    if options.continues and not options.keeps_history:
        raise UsageError("--continue needs the history, which is off.", "Leave out --no-history.")
    if not options.is_plain:
        needs_terminal(context.env)
    options = drawable(options)

    from pinch_tui.wiring.app import run_app

    return int(run_app(options.loaded.settings, options) or 0)
