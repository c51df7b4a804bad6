"""The line mode's terminal, and the names of the keys that it sends."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable

from pinch_tui.core.keynames import talk_key

KeyHandler = Callable[[str, float], None]
HANG_UP = "hang-up"
"""The key name that means that the terminal is gone."""

_MOVES = ("up", "down", "right", "left", "home", "end")
_NAMES = {
    **{chr(code): f"ctrl+{chr(code + 96)}" for code in range(1, 27)},
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x1b": "escape",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1c": "ctrl+backslash",
}
_SEQUENCES = {
    **{f"\x1b{lead}{letter}": name for lead in "[O" for letter, name in zip("ABCDHF", _MOVES, strict=True)},
    **{f"\x1bO{letter}": f"f{n}" for n, letter in enumerate("PQRS", start=1)},
    **{f"\x1b[{code}~": f"f{n}" for n, code in enumerate((11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24), start=1)},
    "\x1b[1~": "home",
    "\x1b[2~": "insert",
    "\x1b[3~": "delete",
    "\x1b[4~": "end",
    "\x1b[5~": "pageup",
    "\x1b[6~": "pagedown",
}
"""What common terminals send for keys without a character."""
_ASCII = frozenset(talk_key(chr(code)) or chr(code) for code in range(0x20, 0x7F))
_OTHERS: frozenset[str] = frozenset() if sys.platform == "win32" else frozenset(_SEQUENCES.values())
TYPED_KEYS = _ASCII | frozenset(_NAMES.values()) | _OTHERS
"""The names of the keys that can be read here. Letters beyond ASCII are read, too."""
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[ -Z\\^-~])")


def key_names(text: str) -> list[str]:
    """Textual's names of the keys that typed a text; unknown sequences are left out."""
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _SEQUENCE.match(text, at) if text[at] == "\x1b" else None
        if match is not None:
            at = match.end()
            if match[0] in _SEQUENCES:
                found.append(_SEQUENCES[match[0]])
            continue
        char = text[at]
        at += 1
        if char in _NAMES:
            found.append(_NAMES[char])
        elif char >= " " and char != "\x7f":
            found.append(talk_key(char) or char)
    return found


def print_line(line: str) -> None:
    """Print a line at once; if the reader has gone it is lost."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class Terminal:
    """The line mode's terminal; as such, stdout without a keyboard, for the demo."""

    has_keys = False
    """Whether there is a keyboard."""
    fd: int | None = None
    """The descriptor that keys are read from, None if there is none."""

    def open(self, on_key: KeyHandler) -> None:
        """Start to read keys."""

    def write(self, line: str) -> None:
        """Write a whole line."""
        print_line(line)

    async def ask(self, question: str) -> str:
        """Print a question and read a line, with echo and editing; "" at the end of input."""
        return ""

    def suspend(self) -> None:
        """Stop the process; returns when the shell continues it."""

    def close(self) -> None:
        """Restore the terminal."""
