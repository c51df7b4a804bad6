"""Checks of the terminal: is there one, can it draw, colour, and tell when a key is up.

The ways of holding a key are those of the talk key's reference: exact (the terminal reports releases), probe (the
system tells), learned (the pause in the key's repeats), tap.
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
_UNASKED = "The terminal was not asked"
_TRUE_COLOUR = frozenset({"truecolor", "24bit"})


@dataclass(frozen=True, slots=True)
class Screen:
    """The terminal as it presents itself. ``answer`` None: it was not asked about its keys."""

    has_terminal: bool  # there is one to draw on, whatever is redirected
    is_stdin_tty: bool
    is_stdout_tty: bool
    columns: int
    lines: int
    encoding: str
    system: str  # as `platform.system` names it
    env: Mapping[str, str] = field(default_factory=dict)
    answer: KeyAnswer | None = None
    probe: str = ""  # the system's own key state that can be asked here: "X11", "macOS", "Windows" or ""

    @property
    def term(self) -> str:
        return self.env.get("TERM", "").lower()

    @property
    def is_dumb(self) -> bool:
        return self.system != "Windows" and self.term in DUMB

    @property
    def is_remote(self) -> bool:
        """Whether this is an SSH session."""
        return bool(self.env.get("SSH_CONNECTION") or self.env.get("SSH_TTY"))


def look(env: Mapping[str, str], *, probe: str = "") -> Screen:
    """The terminal of this process, asked about its keys where that is possible."""
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
        return warn(
            "terminal",
            "There is no terminal here (no TTY): the screen cannot open.",
            "Run pinch-tui in a terminal window; over SSH use `ssh -t`, in Docker `docker run -it`. "
            "`pinch-tui translate` needs none.",
            **details,
        )
    if screen.is_dumb:
        name = f"TERM={term}" if term else "TERM is not set"
        return warn(
            "terminal",
            f"This terminal says that it can only print lines ({name}): the screen cannot be drawn.",
            "Use another terminal, or set TERM (xterm-256color fits most); `pinch-tui --plain` prints lines.",
            **details,
        )
    inside = multiplexer(screen)
    where = f" inside {inside}" if inside else ""
    return ok("terminal", f"{terminal_name(screen)}{where}{' over SSH' if screen.is_remote else ''}.", **details)


def check_size(screen: Screen) -> Finding:
    """The window is large enough."""
    if not screen.has_terminal:
        return skip("size", "There is no terminal.")
    size = f"{screen.columns}x{screen.lines}"
    if screen.columns < SMALLEST[0] or screen.lines < SMALLEST[1]:
        return warn(
            "size",
            f"The window has {size} cells; the screen needs {SMALLEST[0]}x{SMALLEST[1]}.",
            "Make the window larger or the font smaller.",
            columns=screen.columns,
            lines=screen.lines,
        )
    side = "both columns side by side" if screen.columns >= 80 else "columns below one another"
    return ok("size", f"{size} cells: {side}.", columns=screen.columns, lines=screen.lines)


def check_encoding(screen: Screen) -> Finding:
    """Letters of all languages can be printed."""
    name = screen.encoding.lower().replace("-", "").replace("_", "")
    if name in ("utf8", "utf8sig", "cp65001"):
        return ok("encoding", "UTF-8: all languages can be shown.", encoding=screen.encoding)
    return warn(
        "encoding",
        f"The encoding is {screen.encoding or 'not known'}: many languages will show as question marks.",
        "Set a UTF-8 locale, such as `export LANG=C.UTF-8`, or PYTHONUTF8=1.",
        encoding=screen.encoding,
    )


def check_colours(screen: Screen) -> Finding:
    """How many colours there are."""
    if not screen.has_terminal:
        return skip("colours", "There is no terminal.")
    n = n_colours(screen)
    if screen.env.get("NO_COLOR"):
        return ok("colours", "NO_COLOR is set: the screen is black and white.", colours=0)
    if n >= 1 << 24:
        return ok("colours", "True colour.", colours=n)
    if n >= 256:
        return ok("colours", "256 colours: the themes are shown with the nearest ones.", colours=n)
    return warn(
        "colours",
        f"{n} colours: the themes will look coarse.",
        "Set COLORTERM=truecolor if the terminal knows more; the theme pinch-contrast reads best.",
        colours=n,
    )


def check_hold(screen: Screen) -> Finding:
    """How the app will know that the talk key is up."""
    if not screen.has_terminal:
        return skip("talk key", "There is no terminal.")
    if screen.is_dumb:
        return skip("talk key", "This terminal cannot be asked.")
    answer = screen.answer
    if screen.env.get("TEXTUAL_DISABLE_KITTY_KEY") == "1":
        why = "Key releases are switched off by TEXTUAL_DISABLE_KITTY_KEY"
    elif answer is None:
        why = _UNASKED
    elif answer.flags is not None and answer.flags & EVENT_TYPES:
        return ok(
            "talk key",
            f"Hold: exact. The terminal says that it reports key releases (answered in {answer.waited_ms} ms).",
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
        sentence = f"Hold: exact through {probe}. {why}, but {probe} tells when the key is up."
        return ok("talk key", sentence, method="probe", flags=flags)
    if answer is None:
        return skip(
            "talk key", "The terminal was not asked: this runs in the background, or the system has no way to ask."
        )
    cure = "kitty, foot, Ghostty, WezTerm, Alacritty 0.13+ or Windows Terminal report releases exactly."
    if multiplexer(screen):
        cure = f"Outside {multiplexer(screen)} the hold may be exact. {cure}"
    return warn(
        "talk key",
        f"Hold: learned. {why}; the end of a hold is told by the pause in the key's repeats, a short press is a tap.",
        cure,
        method="learned",
        flags=flags,
    )


# ---- what the environment tells -----------------------------------------------------------------------------------


def n_colours(screen: Screen) -> int:
    """Colours, as far as the environment tells."""
    term = screen.term
    if screen.env.get("COLORTERM", "").lower() in _TRUE_COLOUR or screen.env.get("WT_SESSION") or "direct" in term:
        return 1 << 24
    if term in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm"):
        return 1 << 24
    if "256" in term or screen.system == "Windows":
        return 256
    return 2 if term in DUMB or term.startswith("vt") else 16


def terminal_name(screen: Screen) -> str:
    """What the terminal calls itself."""
    program = screen.env.get("TERM_PROGRAM", "")
    term = screen.env.get("TERM", "")
    if screen.env.get("WT_SESSION"):
        return "Windows Terminal"
    return f"{program} ({term})" if program and term else program or term or "A console"


def multiplexer(screen: Screen) -> str:
    """tmux, screen or zellij, or ""."""
    names = {"TMUX": "tmux", "STY": "screen", "ZELLIJ": "zellij"}
    return next((name for variable, name in names.items() if screen.env.get(variable)), "")
