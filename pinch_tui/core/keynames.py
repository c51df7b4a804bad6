"""Names of keys, and the keys that a plain terminal can report. Pure.

Keys have Textual's names: ``ctrl+r``, ``question_mark``, ``N``.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Mapping

MODIFIERS = frozenset(
    [f"{side}_{name}" for side in ("left", "right") for name in ("shift", "control", "alt", "super", "hyper", "meta")]
    + ["iso_level3_shift", "iso_level5_shift", "caps_lock", "num_lock", "scroll_lock"]
)
"""Modifiers and locks. Their release says nothing about other keys, and ends no hold."""
BY_CHARACTER = {
    "?": "question_mark",
    "/": "slash",
    ".": "full_stop",
    "*": "asterisk",
    "+": "plus",
    "-": "minus",
    "=": "equals_sign",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    "#": "number_sign",
    " ": "space",
    ";": "semicolon",
    ":": "colon",
    "!": "exclamation_mark",
    "@": "at",
    "&": "ampersand",
    "_": "underscore",
    "\\": "backslash",
}
"""Characters whose key has another name."""

NAMED = frozenset(
    (
        *("space", "enter", "tab", "escape", "backspace", "insert", "delete", "home", "end", "pageup", "pagedown"),
        *("up", "down", "left", "right", "kp_begin", "menu", "pause", "print_screen"),
        *("add", "subtract", "multiply", "divide", "decimal", "separator", "equal"),
        *("media_play", "media_pause", "media_play_pause", "media_stop", "media_record", "media_reverse"),
        *("media_fast_forward", "media_rewind", "media_track_next", "media_track_previous"),
        *("lower_volume", "raise_volume", "mute_volume"),
        *MODIFIERS,
        *(f"f{n}" for n in range(1, 36)),
    )
)
"""Every key with a name and no character, and space."""
_MODIFIERS = frozenset(("alt", "ctrl", "hyper", "meta", "shift", "super"))
_OTHER_NAMES = {
    "return": "enter",
    "esc": "escape",
    "del": "delete",
    "ins": "insert",
    "bs": "backspace",
    "spacebar": "space",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "prior": "pageup",
    "next": "pagedown",
    "control": "ctrl",
    "option": "alt",
    "cmd": "super",
    "command": "super",
    "win": "super",
}
"""Other names that people write."""


def normal(key: str) -> str:
    """The Textual name of a key. A character names its key (``?`` is ``question_mark``); Shift and a letter is the
    capital letter."""
    if key in BY_CHARACTER:
        return BY_CHARACTER[key]
    *modifiers, last = [*key[:-2].split("+"), "+"] if key.endswith("++") else key.split("+")
    if not modifiers:
        return key if len(key) == 1 else key.lower()
    modifiers = sorted(m.lower() for m in modifiers)
    if modifiers == ["shift"] and len(last) == 1 and last.isalpha():
        return last.upper()
    return "+".join([*modifiers, BY_CHARACTER.get(last, last.lower())])


def talk_key(name: str) -> str | None:
    """A key's name in key events (``F9`` is ``f9``, ``ctrl+alt+t`` is ``alt+ctrl+t``), None if there is no such key.

    A character names its key, by itself or by its Unicode name.
    """
    *modifiers, last = normal(name).split("+")
    known = _known_key(last)
    if known is None or not _MODIFIERS.issuperset(modifiers):
        return None
    return "+".join([*modifiers, known])


def nearest_key(name: str) -> str:
    """The key with the most similar name, "" if none is similar."""
    *modifiers, last = normal(name).split("+")
    held = [_nearest(modifier, _MODIFIERS) for modifier in modifiers]
    if not modifiers or not all(held):
        controls = (f"ctrl+{letter}" for letter in "abcdefghijklmnopqrstuvwxyz" if f"ctrl+{letter}" not in SAME_BYTES)
        return _nearest(normal(name), {*NAMED, *BY_CHARACTER.values(), *controls})
    near = _known_key(last) or _nearest(last, {*NAMED, *BY_CHARACTER.values()})
    return "+".join([*sorted(held), near]) if near else ""


def _nearest(name: str, names: Collection[str]) -> str:
    if name in names:
        return name
    if (other := _OTHER_NAMES.get(name)) in names and other:
        return other
    near = difflib.get_close_matches(name, sorted(names), n=1)
    return near[0] if near else ""


def _known_key(name: str) -> str | None:
    if name in NAMED or name in BY_CHARACTER.values():
        return name
    try:
        character = name if len(name) == 1 else unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return None
    if len(character) != 1 or character.isalnum():
        return character if len(character) == 1 else None
    named = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return BY_CHARACTER.get(character, named) or None


# ---- names for people ---------------------------------------------------------------------------------------------

_SHOWN = {name: character for character, name in BY_CHARACTER.items() if name != "space"} | {
    "comma": ",",
    "escape": "Esc",
    "space": "space",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}


def key_name(key: str) -> str:
    """The name of a key for people: ``ctrl+q`` -> ``Ctrl+Q``, ``question_mark`` -> ``?``."""
    *modifiers, last = key.split("+")
    name = _part_name(last)
    if modifiers and len(name) == 1:
        name = name.upper()
    return "+".join([*(_part_name(part) for part in modifiers), name])


def _part_name(part: str) -> str:
    if part in _SHOWN:
        return _SHOWN[part]
    return part if len(part) == 1 else part.replace("_", " ").capitalize()


# ---- terminals ----------------------------------------------------------------------------------------------------

SAME_BYTES: Mapping[str, str] = {
    "ctrl+i": "is the Tab key in ordinary terminals",
    "ctrl+m": "is the Enter key in ordinary terminals",
    "ctrl+left_square_bracket": "is the Escape key in ordinary terminals",
}
"""Keys that no action can have, and why. The talk key can."""
LEGACY_NAMES = {"ctrl+@": "ctrl+space"}
"""Other names of keys that arrive as a byte shared with another key."""
_SPECIAL = frozenset(
    ["up", "down", "left", "right", "home", "end", "insert", "delete", "pageup", "pagedown"]
    + [f"f{n}" for n in range(1, 21)]
)
_ONE_BYTE = frozenset(["space", "enter", "tab", "escape", "backspace"])
_ONLY_PROTOCOL = frozenset([*MODIFIERS, *(f"f{n}" for n in range(21, 36)), "menu", "pause", "print_screen"])
_CONTROL_BYTES = frozenset(["space", "backslash", "right_square_bracket", "circumflex_accent", "underscore"]) | (
    frozenset("abcdefghijklmnopqrstuvwxyz") - frozenset("him")  # which are Backspace, Tab and Enter
)


def needs_protocol(key: str) -> bool:
    """Whether only a terminal with the keyboard protocol can report this key (a Textual name)."""
    *modifiers, last = key.split("+")
    if not modifiers:
        return last in _ONLY_PROTOCOL or last.startswith("media_")
    if last in _SPECIAL:
        return False
    match modifiers:
        case ["ctrl"]:
            return last not in _CONTROL_BYTES
        case ["alt"]:
            return last in _ONE_BYTE or last in MODIFIERS
        case ["shift"]:
            return last != "tab"
        case _:
            return True
