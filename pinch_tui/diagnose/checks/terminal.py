"""Checks of the terminal: is there one, can it draw, colour, and tell when a key is up. Pure.

The ways of holding a key are those of the talk key's reference: exact (the terminal reports releases), probe (the
system tells), learned (the pause in the key's repeats), tap.
"""

from __future__ import annotations

from pinch_tui.diagnose.facts import TerminalFacts
from pinch_tui.diagnose.finding import Finding, ok, skip, warn

SMALLEST = (60, 15)
DUMB = frozenset({"", "dumb", "unknown"})
EVENT_TYPES = 2
"""The kitty protocol's flag for releases."""
_UNASKED = "The terminal was not asked"
_TRUE_COLOUR = frozenset({"truecolor", "24bit"})


def check_terminal(facts: TerminalFacts) -> Finding:
    """There is a terminal, and it can move its cursor."""
    term = facts.env.get("TERM", "")
    details = {"TERM": term, "stdin": facts.is_stdin_tty, "stdout": facts.is_stdout_tty}
    if not facts.has_terminal:
        return warn(
            "terminal",
            "There is no terminal here (no TTY): the screen cannot open.",
            "Run pinch-tui in a terminal window; over SSH use `ssh -t`, in Docker `docker run -it`. "
            "`pinch-tui translate` needs none.",
            **details,
        )
    if facts.system != "Windows" and term.lower() in DUMB:
        name = f"TERM={term}" if term else "TERM is not set"
        return warn(
            "terminal",
            f"This terminal says that it can only print lines ({name}): the screen cannot be drawn.",
            "Use another terminal, or set TERM (xterm-256color fits most); `pinch-tui --plain` prints lines.",
            **details,
        )
    inside = multiplexer(facts)
    where = f" inside {inside}" if inside else ""
    return ok("terminal", f"{terminal_name(facts)}{where}{' over SSH' if is_remote(facts) else ''}.", **details)


def check_size(facts: TerminalFacts) -> Finding:
    """The window is large enough."""
    if not facts.has_terminal:
        return skip("size", "There is no terminal.")
    size = f"{facts.columns}x{facts.lines}"
    if facts.columns < SMALLEST[0] or facts.lines < SMALLEST[1]:
        return warn(
            "size",
            f"The window has {size} cells; the screen needs {SMALLEST[0]}x{SMALLEST[1]}.",
            "Make the window larger or the font smaller.",
            columns=facts.columns,
            lines=facts.lines,
        )
    side = "both columns side by side" if facts.columns >= 80 else "columns below one another"
    return ok("size", f"{size} cells: {side}.", columns=facts.columns, lines=facts.lines)


def check_encoding(facts: TerminalFacts) -> Finding:
    """Letters of all languages can be printed."""
    name = facts.encoding.lower().replace("-", "").replace("_", "")
    if name in ("utf8", "utf8sig", "cp65001"):
        return ok("encoding", "UTF-8: all languages can be shown.", encoding=facts.encoding)
    return warn(
        "encoding",
        f"The encoding is {facts.encoding or 'not known'}: many languages will show as question marks.",
        "Set a UTF-8 locale, such as `export LANG=C.UTF-8`, or PYTHONUTF8=1.",
        encoding=facts.encoding,
    )


def check_colours(facts: TerminalFacts) -> Finding:
    """How many colours there are."""
    if not facts.has_terminal:
        return skip("colours", "There is no terminal.")
    n = n_colours(facts)
    if facts.env.get("NO_COLOR"):
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


def check_hold(facts: TerminalFacts) -> Finding:
    """How the app will know that the talk key is up."""
    if not facts.has_terminal:
        return skip("talk key", "There is no terminal.")
    if facts.env.get("TERM", "").lower() in DUMB and facts.system != "Windows":
        return skip("talk key", "This terminal cannot be asked.")
    answer = facts.answer
    if facts.env.get("TEXTUAL_DISABLE_KITTY_KEY") == "1":
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
    if facts.probe and not is_remote(facts):
        probe = facts.probe[0].lower() + facts.probe[1:] if facts.probe.startswith("The ") else facts.probe
        sentence = f"Hold: exact through {probe}. {why}, but {probe} tells when the key is up."
        return ok("talk key", sentence, method="probe", flags=flags)
    if answer is None:
        return skip(
            "talk key", "The terminal was not asked: this runs in the background, or the system has no way to ask."
        )
    cure = "kitty, foot, Ghostty, WezTerm, Alacritty 0.13+ or Windows Terminal report releases exactly."
    if multiplexer(facts):
        cure = f"Outside {multiplexer(facts)} the hold may be exact. {cure}"
    return warn(
        "talk key",
        f"Hold: learned. {why}; the end of a hold is told by the pause in the key's repeats, a short press is a tap.",
        cure,
        method="learned",
        flags=flags,
    )


# ---- what the environment tells -----------------------------------------------------------------------------------


def n_colours(facts: TerminalFacts) -> int:
    """Colours, as far as the environment tells."""
    term = facts.env.get("TERM", "").lower()
    if facts.env.get("COLORTERM", "").lower() in _TRUE_COLOUR or facts.env.get("WT_SESSION") or "direct" in term:
        return 1 << 24
    if term in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm"):
        return 1 << 24
    if "256" in term or facts.system == "Windows":
        return 256
    return 2 if term in DUMB or term.startswith("vt") else 16


def terminal_name(facts: TerminalFacts) -> str:
    """What the terminal calls itself."""
    program = facts.env.get("TERM_PROGRAM", "")
    term = facts.env.get("TERM", "")
    if facts.env.get("WT_SESSION"):
        return "Windows Terminal"
    return f"{program} ({term})" if program and term else program or term or "A console"


def multiplexer(facts: TerminalFacts) -> str:
    """tmux, screen or zellij, or ""."""
    for variable, name in (("TMUX", "tmux"), ("STY", "screen"), ("ZELLIJ", "zellij")):
        if facts.env.get(variable):
            return name
    return ""


def is_remote(facts: TerminalFacts) -> bool:
    """Whether this is an SSH session."""
    return bool(facts.env.get("SSH_CONNECTION") or facts.env.get("SSH_TTY"))
