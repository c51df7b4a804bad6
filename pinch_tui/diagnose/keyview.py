"""What a terminal's bytes say, for people: one line a sequence. Pure.

This is a reading of its own, apart from the one that the app goes by: it shows what came, also where the app's reading
would be wrong. Forms are those of the talk key's reference, section 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

REPEAT_WITHIN_S = 1.1
"""An untyped key that comes again within this time is probably a repeat (delays before the first go up to a second)."""

_SEQUENCE = re.compile(
    r"\x1b\[\[[A-E]|\x1b\[M[\s\S]{3}|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[ -~]|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -~]|[\s\S]"
)
_UNFINISHED = re.compile(r"\x1b(?:O|\[M[\s\S]{0,2}|\[\[?|\[[0-?]+[ -/]*|\[[ -/]+)?\Z")
_TYPED = re.compile(
    r"\x1b\[(?P<code>\d*)(?::[\d:]*)?(?:;(?P<mods>\d*)(?::(?P<type>\d))?)?(?:;[\d:]*)?(?P<end>[u~A-HPQRS])"
)
_FLAGS = re.compile(r"\x1b\[\?(\d+)u")
_ATTRIBUTES = re.compile(r"\x1b\[\?[\d;]*c")
_MODIFIERS = ("shift", "alt", "ctrl", "super", "hyper", "meta", "caps lock", "num lock")
_CODES = {
    9: "tab", 13: "enter", 27: "escape", 32: "space", 127: "backspace",
    57358: "caps lock", 57359: "scroll lock", 57360: "num lock", 57361: "print screen", 57362: "pause", 57363: "menu",
    57441: "left shift", 57442: "left ctrl", 57443: "left alt", 57444: "left super", 57445: "left hyper",
    57446: "left meta", 57447: "right shift", 57448: "right ctrl", 57449: "right alt", 57450: "right super",
    57451: "right hyper", 57452: "right meta", 57453: "level 3 shift", 57454: "level 5 shift",
}  # fmt: skip
_LETTERS = {
    "A": "up", "B": "down", "C": "right", "D": "left", "E": "begin", "F": "end", "H": "home",
    "P": "F1", "Q": "F2", "R": "F3", "S": "F4",
}  # fmt: skip
_TILDES = {
    1: "home", 2: "insert", 3: "delete", 4: "end", 5: "page up", 6: "page down", 7: "home", 8: "end",
    11: "F1", 12: "F2", 13: "F3", 14: "F4", 15: "F5", 17: "F6", 18: "F7", 19: "F8", 20: "F9", 21: "F10",
    23: "F11", 24: "F12",
}  # fmt: skip
_CONTROLS = {"\r": "enter", "\n": "ctrl+j", "\t": "tab", "\x1b": "escape", "\x7f": "backspace", "\x08": "ctrl+h",
             "\x00": "ctrl+space"}  # fmt: skip


class Kind(StrEnum):
    PRESS = "press"
    REPEAT = "repeat"
    RELEASE = "release"
    AGAIN = "repeat?"  # untyped, and the same key came a moment ago
    FOCUS = "focus"
    BLUR = "blur"
    ANSWER = "answer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Seen:
    """One sequence: its bytes made visible, what it says, which key, and how long after the one before."""

    raw: str
    kind: Kind
    key: str
    since_s: float | None = None

    @property
    def is_typed(self) -> bool:
        return self.kind in (Kind.REPEAT, Kind.RELEASE)


class KeyView:
    """Reads chunks of input; `feed` returns what they say. Remembers just enough to tell repeats from presses."""

    def __init__(self) -> None:
        self._rest = ""
        self._last: tuple[str, float] | None = None
        self._at: float | None = None

    def feed(self, text: str, t: float) -> list[Seen]:
        """Read on. An unfinished sequence at the end is kept for `flush`."""
        text = self._rest + text
        cut = _UNFINISHED.search(text)
        end = cut.start() if cut is not None else len(text)
        self._rest = text[end:]
        return [self._see(sequence, t) for sequence in _split(text[:end])]

    def flush(self, t: float) -> list[Seen]:
        """Nothing more came: what was unfinished is what it is."""
        rest, self._rest = self._rest, ""
        return [self._see(sequence, t) for sequence in _split(rest)]

    def _see(self, sequence: str, t: float) -> Seen:
        since = None if self._at is None else t - self._at
        self._at = t
        kind, key = read(sequence)
        if kind is Kind.PRESS:
            if self._last is not None and self._last[0] == sequence and t - self._last[1] < REPEAT_WITHIN_S:
                kind = Kind.AGAIN
            self._last = (sequence, t)
        elif kind is Kind.RELEASE:
            self._last = None
        return Seen(visible(sequence), kind, key, since)


def read(sequence: str) -> tuple[Kind, str]:
    """What one sequence says, and of which key."""
    if sequence in ("\x1b[I", "\x1b[O"):
        return (Kind.FOCUS if sequence.endswith("I") else Kind.BLUR), "the window"
    if found := _FLAGS.fullmatch(sequence):
        return Kind.ANSWER, f"key protocol flags {found[1]}"
    if _ATTRIBUTES.fullmatch(sequence):
        return Kind.ANSWER, "device attributes"
    if found := _TYPED.fullmatch(sequence):
        kinds = {"2": Kind.REPEAT, "3": Kind.RELEASE}
        name = _name(found["code"], found["end"])
        return (kinds.get(found["type"] or "1", Kind.PRESS), _with(found["mods"], name)) if name else (Kind.OTHER, "?")
    if sequence.startswith("\x1bO") and len(sequence) == 3:
        return Kind.PRESS, _LETTERS.get(sequence[2], "?")
    if len(sequence) == 2 and sequence[0] == "\x1b":
        return Kind.PRESS, f"alt+{_plain(sequence[1])}"
    if len(sequence) == 1:
        return Kind.PRESS, _plain(sequence)
    return Kind.OTHER, "?"


def visible(sequence: str) -> str:
    """The bytes as text that harms no terminal: ``ESC[32;1:3u``."""
    out = []
    for char in sequence:
        if char == "\x1b":
            out.append("ESC")
        elif char == " ":
            out.append("SPACE")
        elif char < " " or char == "\x7f":
            out.append(f"^{chr(ord(char) ^ 0x40)}")
        else:
            out.append(char if char.isprintable() else f"\\u{ord(char):04x}")
    return "".join(out)[:80]


def _plain(char: str) -> str:
    if char == " ":
        return "space"
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char < " ":
        return f"ctrl+{chr(ord(char) ^ 0x40).lower()}"
    return char if char.isprintable() else f"\\u{ord(char):04x}"


def _name(code: str, end: str) -> str:
    number = int(code or "1") if len(code) <= 7 else 0
    if end == "~":
        return _TILDES.get(number, "")
    if end != "u":
        return _LETTERS.get(end, "")
    if number in _CODES:
        return _CODES[number]
    if 57344 <= number <= 63743:
        return f"key {number}"
    return _plain(chr(number)) if 0 < number < 0x110000 else ""


def _with(modifiers: str | None, name: str) -> str:
    bits = int(modifiers) - 1 if modifiers and len(modifiers) < 5 else 0
    held = [label for bit, label in enumerate(_MODIFIERS[:6]) if bits > 0 and bits >> bit & 1]
    return "+".join([*held, name])


def _split(text: str) -> Iterator[str]:
    for found in _SEQUENCE.finditer(text):
        yield found[0]
