"""Checks of the terminal: does it exist, can it draw, show colours, and report key releases.

The methods of detecting a release are those of the talk key's reference: exact (the terminal reports it), probe (the
system reports it), learned (a pause in the key's repeats), tap.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pinch_tui.diagnose import tty
from pinch_tui.diagnose.finding import Finding, ok, skip, warn
from pinch_tui.diagnose.tty import KeyAnswer

SMALLEST = (60, 15)
DUMB = frozenset({"", "dumb", "unknown"})
EVENT_TYPES = 2
"""The kitty protocol's flag for releases."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The terminal as it presents itself. ``answer`` is None if it was not asked about its keys."""

    has_terminal: bool  # there is one to draw on, even if streams are redirected
    is_stdin_tty: bool
    is_stdout_tty: bool
    columns: int
    lines: int
    encoding: str
    system: str  # as `platform.system` names it
    env: Mapping[str, str] = field(default_factory=dict)
    answer: KeyAnswer | None = None
    probe: str = ""  # the system that can be asked for the key's state, such as "X11" or "macOS", or ""

    @property
    def term(self) -> str:
        return self.env.get("TERM", "").lower()

    @property
    def is_dumb(self) -> bool:
        return self.system != "Windows" and self.term in DUMB

    @property
    def is_remote(self) -> bool:
        """True in an SSH session."""
        return bool(self.env.get("SSH_CONNECTION") or self.env.get("SSH_TTY"))


def look(env: Mapping[str, str], *, probe: str = "") -> Screen:
    """The terminal of this process, asked about its keys if possible."""
    is_stdin, is_stdout = sys.stdin is not None and sys.stdin.isatty(), sys.stdout.isatty()
    has_terminal, size = is_stdin and is_stdout, shutil.get_terminal_size()
    if sys.platform != "win32":
        try:
            with tty.terminal() as fd:
                has_terminal = True
                size = size if is_stdout else os.get_terminal_size(fd)
        except OSError:
            has_terminal = False
    screen = Screen(
        has_terminal, is_stdin, is_stdout, size.columns, size.lines, sys.stdout.encoding or "", platform.system(), env
    )
    answer = tty.ask_here(is_remote=screen.is_remote) if has_terminal and screen.term not in DUMB else None
    return replace(screen, answer=answer, probe=probe if has_terminal else "")


def checks(screen: Screen) -> Iterator[Finding]:
    """All checks of the terminal."""
    for check in (check_terminal, check_size, check_encoding, check_colours, check_hold):
        yield check(screen)


def check_terminal(screen: Screen) -> Finding:
    """There is a terminal, and it can move its cursor."""
    term = screen.env.get("TERM", "")
    details = {"TERM": term, "stdin": screen.is_stdin_tty, "stdout": screen.is_stdout_tty}
    if not screen.has_terminal:
        cure = (
            "Run pinch-tui in a terminal window; over SSH use `ssh -t`, in Docker `docker run -it`. "
            "`pinch-tui translate` needs none."
        )
        return warn("terminal", "There is no terminal here (no TTY): the screen cannot open.", cure, **details)
    if screen.is_dumb:
        name = f"TERM={term}" if term else "TERM is not set"
        sentence = f"This terminal reports that it can only print lines ({name}): the screen cannot be drawn."
        cure = "Use another terminal, or set TERM (xterm-256color suits most); `pinch-tui --plain` prints lines."
        return warn("terminal", sentence, cure, **details)
    inside = multiplexer(screen)
    where = f" inside {inside}" if inside else ""
    return ok("terminal", f"{terminal_name(screen)}{where}{' over SSH' if screen.is_remote else ''}.", **details)


def check_size(screen: Screen) -> Finding:
    """The window is large enough."""
    if not screen.has_terminal:
        return skip("size", "There is no terminal.")
    size, details = f"{screen.columns}x{screen.lines}", {"columns": screen.columns, "lines": screen.lines}
    if screen.columns < SMALLEST[0] or screen.lines < SMALLEST[1]:
        sentence = f"The window has {size} cells; the screen needs {SMALLEST[0]}x{SMALLEST[1]}."
        return warn("size", sentence, "Make the window larger or the font smaller.", **details)
    side = "both columns side by side" if screen.columns >= 80 else "one column below the other"
    return ok("size", f"{size} cells: {side}.", **details)


def check_encoding(screen: Screen) -> Finding:
    """The letters of all languages can be printed."""
    name = screen.encoding.lower().replace("-", "").replace("_", "")
    if name in ("utf8", "utf8sig", "cp65001"):
        return ok("encoding", "UTF-8: all languages can be shown.", encoding=screen.encoding)
    sentence = f"The encoding is {screen.encoding or 'unknown'}: many languages will show as question marks."
    cure = "Set a UTF-8 locale, such as `export LANG=C.UTF-8`, or PYTHONUTF8=1."
    return warn("encoding", sentence, cure, encoding=screen.encoding)


def check_colours(screen: Screen) -> Finding:
    """There are enough colours."""
    if not screen.has_terminal:
        return skip("colours", "There is no terminal.")
    n = n_colours(screen)
    if screen.env.get("NO_COLOR"):
        return ok("colours", "NO_COLOR is set: the screen is black and white.", colours=0)
    if n >= 1 << 24:
        return ok("colours", "True colour.", colours=n)
    if n >= 256:
        return ok("colours", "256 colours: the themes use the nearest ones.", colours=n)
    cure = "Set COLORTERM=truecolor if the terminal supports more; the theme pinch-contrast is the most readable."
    return warn("colours", f"{n} colours: the themes will look coarse.", cure, colours=n)


def check_hold(screen: Screen) -> Finding:
    """How the app will detect that the talk key is released."""
    if not screen.has_terminal:
        return skip("talk key", "There is no terminal.")
    if screen.is_dumb:
        return skip("talk key", "This terminal cannot be asked.")
    answer = screen.answer
    if screen.env.get("TEXTUAL_DISABLE_KITTY_KEY") == "1":
        why = "Key releases are switched off by TEXTUAL_DISABLE_KITTY_KEY"
    elif answer is None:
        why = "The terminal was not asked"
    elif answer.flags is not None and answer.flags & EVENT_TYPES:
        return ok(
            "talk key",
            f"Hold: exact. The terminal reports key releases (answered in {answer.waited_ms} ms).",
            method="exact",
            flags=answer.flags,
        )
    elif not answer.has_answered:
        why = "The terminal did not answer"
    else:
        why = "The terminal does not report key releases"
    flags = answer.flags if answer is not None else None
    if screen.probe and not screen.is_remote:
        probe = screen.probe[0].lower() + screen.probe[1:] if screen.probe.startswith("The ") else screen.probe
        sentence = f"Hold: exact through {probe}. {why}, but {probe} reports when the key is up."
        return ok("talk key", sentence, method="probe", flags=flags)
    if answer is None:
        return skip("talk key", f"{why}: this runs in the background, or the system has no way to ask.")
    cure = "kitty, foot, Ghostty, WezTerm, Alacritty 0.13+ or Windows Terminal report releases exactly."
    if multiplexer(screen):
        cure = f"Outside {multiplexer(screen)} the hold may be exact. {cure}"
    sentence = f"Hold: learned. {why}; a pause in the key's repeats ends a hold, and a short press is a tap."
    return warn("talk key", sentence, cure, method="learned", flags=flags)


# ---- from the environment -----------------------------------------------------------------------------------------


def n_colours(screen: Screen) -> int:
    """The number of colours, judged by the environment."""
    term = screen.term
    if screen.env.get("COLORTERM", "").lower() in ("truecolor", "24bit") or screen.env.get("WT_SESSION"):
        return 1 << 24
    if term in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm") or "direct" in term:
        return 1 << 24
    if "256" in term or screen.system == "Windows":
        return 256
    return 2 if term in DUMB or term.startswith("vt") else 16


def terminal_name(screen: Screen) -> str:
    """The terminal's name for itself."""
    program = screen.env.get("TERM_PROGRAM", "")
    term = screen.env.get("TERM", "")
    if screen.env.get("WT_SESSION"):
        return "Windows Terminal"
    return f"{program} ({term})" if program and term else program or term or "A console"


def multiplexer(screen: Screen) -> str:
    """tmux, screen or zellij, or ""."""
    names = {"TMUX": "tmux", "STY": "screen", "ZELLIJ": "zellij"}
    return next((name for variable, name in names.items() if screen.env.get(variable)), "")
