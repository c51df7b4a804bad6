"""``pinch-tui keys``: show what this terminal sends for keys, and how the talk key interprets it.

Each line shows the bytes and what the app's parser makes of them; the steps of the hold machine are printed as
"talk: ...". The terminal's mode is always restored.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from pinch_tui.cli.context import CliContext
from pinch_tui.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from pinch_tui.core.events import TalkEdge
    from pinch_tui.keys.hold_input import HoldInput
    from pinch_tui.keys.view import Seen
    from pinch_tui.settings.model import Settings

_QUIT = frozenset({"ctrl+c", "ctrl+q", "ctrl+d"})
_ON, _OFF = b"\x1b[?1004h", b"\x1b[?1004l"
_POLL_S = 0.1


@click.command()
@click.option("--seconds", type=click.FloatRange(0.1, 3600), help="Exit after this many seconds.")
@click.option("--actions", is_flag=True, help="List the actions, their names for [ui.keys], and their keys, then exit.")
@click.pass_context
def keys(ctx: click.Context, seconds: float | None, actions: bool) -> None:
    """Show what this terminal sends for keys.

    Press, hold and release keys: each line shows the bytes and the key that they stand for, and the steps of the talk
    key. Ctrl+C quits.
    """
    if actions:
        _list_actions(ctx.ensure_object(CliContext))
        return
    if sys.platform == "win32":
        raise UsageError(
            "Windows consoles report key presses and releases as events, so there are no bytes to show.",
            "`pinch-tui doctor` shows how releases are detected.",
        )
    settings = ctx.ensure_object(CliContext).load().settings

    from pinch_tui.diagnose import tty

    try:
        with tty.terminal() as fd:
            if os.tcgetpgrp(fd) != os.getpgrp():
                raise UsageError("This process runs in the background.", "Run `pinch-tui keys` in the foreground.")
            with tty.raw(fd):
                _show(fd, settings, seconds)
    except OSError as exc:
        raise UsageError(
            "There is no terminal here (no TTY), so there are no keys to show.",
            "Run it in a terminal window; over SSH use `ssh -t`.",
        ) from exc


def _list_actions(context: CliContext) -> None:
    """Print names, keys and titles. A broken [ui.keys] is reported last, since correcting it needs the names."""
    from pinch_tui.core.keymap import DEFAULT_KEYS, resolve_keys
    from pinch_tui.frontend.actions import ACTIONS

    wrong: ConfigError | None = None
    try:
        settings = context.load().settings
        table = resolve_keys(settings.ui.keys, settings.talk.key)
    except ConfigError as exc:
        wrong, table = exc, {name: tuple(filter(None, keys.split(","))) for name, keys in DEFAULT_KEYS.items()}
    for action in ACTIONS:
        names = ",".join(table[action.name]) or "none"
        fixed = " (cannot be changed)" if action.is_fixed else ""
        click.echo(f"{action.name:<16} {names:<24} {action.title}{fixed}")
    if wrong is not None:
        raise wrong


def _show(fd: int, settings: Settings, seconds: float | None) -> None:
    from pinch_tui.diagnose import tty
    from pinch_tui.keys.driver_filter import ASK, collecting
    from pinch_tui.keys.hold_input import HoldInput
    from pinch_tui.keys.view import KeyView

    read, write = tty.reader(fd), tty.writer(fd)
    lock = threading.Lock()

    def say(line: str) -> None:
        with lock, contextlib.suppress(OSError):
            write(line.encode("utf-8", "replace") + b"\r\n")

    talk_started = 0.0

    def on_edge(edge: TalkEdge) -> None:
        nonlocal talk_started
        if edge.kind.value == "start":
            talk_started = edge.t
        length = f" after {(edge.t - talk_started) * 1000:.0f} ms" if edge.t > talk_started > 0 else ""
        say(f"{edge.t - started:7.3f}            talk: {edge.kind.value}{length} ({edge.source.value})")

    hold = HoldInput(settings.talk, on_edge)
    clock = hold.clock
    started = clock()
    with collecting(), _listening(hold, fd, write, say):
        if settings.talk.exact and os.environ.get("TEXTUAL_DISABLE_KITTY_KEY") != "1":
            write(b"\x1b[>25u" + ASK.encode("ascii"))
            hold.asked(clock())
        else:
            hold.asked(clock(), is_disabled=settings.talk.exact)
        view, decode = KeyView(hold), codecs.getincrementaldecoder("utf-8")("replace").decode
        end = None if seconds is None else clock() + seconds
        while end is None or clock() < end:
            data = read(_POLL_S if end is None else min(_POLL_S, max(0.0, end - clock())))
            t = clock()
            seen = view.feed(decode(data), t)
            for one in seen:
                say(_seen_line(one, t - started))
            if any(one.key in _QUIT for one in seen):
                return


@contextlib.contextmanager
def _listening(hold: HoldInput, fd: int, write: Callable[[bytes], None], say: Callable[[str], None]) -> Iterator[None]:
    """Run the hold machine on this terminal, and restore both afterwards."""
    from pinch_tui.diagnose import tty
    from pinch_tui.frontend.status_text import hold_text

    hold.on_report_changed = lambda report: say(f"        {hold_text(report.method)}. {report.sentence}")
    say(f"Press, hold and release keys. The talk key is {hold.settings.key}. Ctrl+C quits.")
    hold.attach(fd)
    hold.start()
    write(_ON)
    try:
        yield
    finally:
        hold.on_report_changed = None
        hold.stop()
        write(_OFF + tty.POP)


def _seen_line(seen: Seen, t: float) -> str:
    since = f"+{seen.since_s * 1000:5.0f} ms" if seen.since_s is not None and seen.since_s < 10 else " " * 9
    return f"{t:7.3f} {since}  {seen.kind.value:<8} {seen.key:<14} {seen.raw}"
