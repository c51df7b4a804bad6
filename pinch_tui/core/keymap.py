"""The names that a configuration may use of the screen: actions with their usual keys, and themes. Pure.

They stand here, and not in the screen's own room, so that a configuration is checked before the screen is loaded.
Keys are Textual's names (``ctrl+r``, ``question_mark``), several separated by commas. The user's map is ``[ui.keys]``:
action name = keys, ``"none"`` to take an action off the keyboard. `resolve_keys` refuses what cannot work. The talk
key's name is brought into its usual spelling by `talk_key`.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Mapping

from pinch_tui.errors import ConfigError

NO_KEY = "none"
"""What the user writes to take an action off the keyboard."""

DEFAULT_KEYS: Mapping[str, str] = {
    "help": "question_mark,f1",
    "languages": "l",
    "swap": "s",
    "previous_pair": "p",
    "speak_language": "k",
    "two_way": "t",
    "text_only": "",
    "voice": "",
    "cancel": "escape",
    "stop_speech": "x",
    "skip_speech": "z",
    "mute": "m",
    "volume_up": "plus,equals_sign",
    "volume_down": "minus",
    "retry": "ctrl+r",
    "replay": "r",
    "replay_slower": "w",
    "big": "v,enter",
    "copy": "c",
    "copy_original": "o",
    "copy_both": "b",
    "save_speech": "a",
    "star": "asterisk,f",
    "line_up": "up",
    "line_down": "down",
    "page_up": "pageup",
    "page_down": "pagedown",
    "first": "home",
    "latest": "end,g",
    "search": "slash,ctrl+f",
    "search_next": "n",
    "search_previous": "N",
    "export": "e",
    "settings": "comma",
    "details": "d",
    "theme": "f2",
    "welcome": "f3",
    "palette": "ctrl+p",
    "suspend": "ctrl+z",
    "quit": "ctrl+q",
    "interrupt": "ctrl+c",
}
"""Action -> its usual keys, "" for none."""

FIXED = frozenset(("quit", "interrupt"))
"""Actions that work everywhere, text fields and panels included, and cannot be moved to another key."""

OWN_THEMES = ("pinch-dark", "pinch-light", "pinch-contrast")
THEMES: tuple[str, ...] = (
    *OWN_THEMES,
    "ansi-dark",
    "ansi-light",
    "atom-one-dark",
    "atom-one-light",
    "catppuccin-frappe",
    "catppuccin-latte",
    "catppuccin-macchiato",
    "catppuccin-mocha",
    "dracula",
    "flexoki",
    "gruvbox",
    "monokai",
    "nord",
    "rose-pine",
    "rose-pine-dawn",
    "rose-pine-moon",
    "solarized-dark",
    "solarized-light",
    "textual-dark",
    "textual-light",
    "tokyo-night",
)
"""Every theme that may be named: ours, and those that Textual brings."""


class KeyMapError(ConfigError):
    """A key map that cannot work. ``key``: the dotted key of the setting at fault."""

    def __init__(self, key: str, title: str, hint: str) -> None:
        super().__init__(title, hint)
        self.key = key


def check_theme(name: str) -> None:
    """Raises `ConfigError` for a theme that is not there, with the nearest name."""
    if name not in THEMES:
        near = difflib.get_close_matches(name, THEMES, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Ours are {', '.join(OWN_THEMES)}."
        raise ConfigError(f"ui.theme: there is no theme {name!r}.", hint)


RESERVED: Mapping[str, str] = {
    "tab": "moves the focus",
    "shift+tab": "moves the focus",
}
"""Keys that nothing may take, and what they do."""

SAME_BYTES: Mapping[str, str] = {
    "ctrl+i": "is the Tab key in ordinary terminals",
    "ctrl+m": "is the Enter key in ordinary terminals",
    "ctrl+left_square_bracket": "is the Escape key in ordinary terminals",
}
"""Keys that no action may take, and why. As the talk key they may do: how it is held is found out later."""


def split_keys(keys: str) -> tuple[str, ...]:
    """The single keys of a binding, each once; ``none`` and "" have none."""
    if keys.strip().lower() in ("", NO_KEY):
        return ()
    return tuple(dict.fromkeys(_normal(key.strip()) for key in keys.split(",") if key.strip()))


_BY_CHARACTER = {
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


def _normal(key: str) -> str:
    """A key as Textual names it; single characters are understood, so ``"?"`` may be written for ``question_mark``.

    Shift and a letter is the capital letter.
    """
    if key in _BY_CHARACTER:
        return _BY_CHARACTER[key]
    *modifiers, last = [*key[:-2].split("+"), "+"] if key.endswith("++") else key.split("+")
    if not modifiers:
        return key if len(key) == 1 else key.lower()
    modifiers = sorted(m.lower() for m in modifiers)
    if modifiers == ["shift"] and len(last) == 1 and last.isalpha():
        return last.upper()
    return "+".join([*modifiers, _BY_CHARACTER.get(last, last.lower())])


_NAMED = frozenset(
    (
        *("space", "enter", "tab", "escape", "backspace", "insert", "delete", "home", "end", "pageup", "pagedown"),
        *("up", "down", "left", "right", "kp_begin", "menu", "pause", "print_screen"),
        *("caps_lock", "num_lock", "scroll_lock", "iso_level3_shift", "iso_level5_shift"),
        *("add", "subtract", "multiply", "divide", "decimal", "separator", "equal"),
        *("media_play", "media_pause", "media_play_pause", "media_stop", "media_record", "media_reverse"),
        *("media_fast_forward", "media_rewind", "media_track_next", "media_track_previous"),
        *("lower_volume", "raise_volume", "mute_volume"),
        *(f"{side}_{name}" for side in ("left", "right") for name in ("shift", "control", "alt")),
        *(f"{side}_{name}" for side in ("left", "right") for name in ("super", "hyper", "meta")),
        *(f"f{n}" for n in range(1, 36)),
    )
)
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
"""What keys are called elsewhere."""


def talk_key(name: str) -> str | None:
    """The talk key as key events name it (``F9`` is ``f9``, ``ctrl+alt+t`` is ``alt+ctrl+t``), None for no key's name.

    A character stands for its key, by itself or by its Unicode name.
    """
    *modifiers, last = _normal(name).split("+")
    known = _known_key(last)
    if known is None or not _MODIFIERS.issuperset(modifiers):
        return None
    return "+".join([*modifiers, known])


def nearest_key(name: str) -> str:
    """The key whose name is most like this one, "" when none is."""
    *modifiers, last = _normal(name).split("+")
    held = [_nearest(modifier, _MODIFIERS) for modifier in modifiers]
    if not modifiers or not all(held):
        controls = (f"ctrl+{letter}" for letter in "abcdefghijklmnopqrstuvwxyz" if f"ctrl+{letter}" not in SAME_BYTES)
        return _nearest(_normal(name), {*_NAMED, *_BY_CHARACTER.values(), *controls})
    near = _known_key(last) or _nearest(last, {*_NAMED, *_BY_CHARACTER.values()})
    return "+".join([*sorted(held), near]) if near else ""


def _nearest(name: str, names: Collection[str]) -> str:
    if name in names:
        return name
    if (other := _OTHER_NAMES.get(name)) in names and other:
        return other
    near = difflib.get_close_matches(name, sorted(names), n=1)
    return near[0] if near else ""


def _known_key(name: str) -> str | None:
    if name in _NAMED or name in _BY_CHARACTER.values():
        return name
    try:
        character = name if len(name) == 1 else unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return None
    if len(character) != 1 or character.isalnum():
        return character if len(character) == 1 else None
    named = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _BY_CHARACTER.get(character, named) or None


# ---- names for people ---------------------------------------------------------------------------------------------

_SHOWN = {name: character for character, name in _BY_CHARACTER.items() if name != "space"} | {
    "comma": ",",
    "escape": "Esc",
    "space": "space",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}


def key_name(key: str) -> str:
    """A key as people write it: ``ctrl+q`` -> ``Ctrl+Q``, ``question_mark`` -> ``?``."""
    *modifiers, last = key.split("+")
    name = _part_name(last)
    if modifiers and len(name) == 1:
        name = name.upper()
    return "+".join([*(_part_name(part) for part in modifiers), name])


def _part_name(part: str) -> str:
    if part in _SHOWN:
        return _SHOWN[part]
    return part if len(part) == 1 else part.replace("_", " ").capitalize()


def first_key(keys: Mapping[str, tuple[str, ...]], action: str) -> str:
    """The key to show for an action; "" when it has none."""
    return next(iter(keys.get(action, ())), "")


# ---- the user's map -----------------------------------------------------------------------------------------------


def resolve_keys(user_keys: Mapping[str, str], talk_key: str) -> dict[str, tuple[str, ...]]:
    """Action name -> its keys, the user's map applied.

    Raises `KeyMapError` for an unknown action or key (with the nearest name), an action that cannot be moved, a key
    that two actions or the talk key want, and a reserved key; further mistakes are its ``others``.
    """
    resolved = {name: split_keys(keys) for name, keys in DEFAULT_KEYS.items()}
    mistakes: list[KeyMapError] = []
    for name, keys in user_keys.items():
        if name not in DEFAULT_KEYS:
            near = difflib.get_close_matches(name, DEFAULT_KEYS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "`pinch-tui keys --actions` lists the actions."
            mistakes.append(KeyMapError(f"ui.keys.{name}", f"ui.keys: there is no action {name!r}.", hint))
        elif name in FIXED:
            hint = f"It stays on {DEFAULT_KEYS[name]}."
            mistakes.append(KeyMapError(f"ui.keys.{name}", f"ui.keys.{name} cannot be changed.", hint))
        else:
            resolved[name] = _user_keys(f"ui.keys.{name}", keys, mistakes)
    mistakes += _conflicts(resolved, user_keys, talk_key)
    if mistakes:
        first, *others = mistakes
        first.others = tuple(others)
        raise first
    return resolved


def _user_keys(where: str, keys: str, mistakes: list[KeyMapError]) -> tuple[str, ...]:
    """The keys of one entry; those that no keyboard has go to the mistakes."""
    found = []
    for key in split_keys(keys):
        known = talk_key(key)
        *modifiers, last = key.split("+")
        if known is None:
            near = nearest_key(key)
            hint = f"Did you mean {near!r}?" if near else "`pinch-tui keys` shows the names."
            mistakes.append(KeyMapError(where, f"{where}: there is no key {key!r}.", hint))
        elif modifiers == ["shift"] and last not in _NAMED:
            hint = "Write the character that comes of it, such as '!'."
            mistakes.append(KeyMapError(where, f"{where}: {key!r} is never heard of by that name.", hint))
        else:
            found.append(known)
    return tuple(dict.fromkeys(found))


def _conflicts(
    resolved: Mapping[str, tuple[str, ...]], user_keys: Mapping[str, str], talk_key: str
) -> list[KeyMapError]:
    talk = _normal(talk_key)
    if talk in RESERVED:
        return [KeyMapError("talk.key", f"talk.key: {talk!r} {RESERVED[talk]}.", "Choose another key.")]
    found = []
    owners: dict[str, str] = {talk: "the talk key"}
    for name in sorted(resolved, key=lambda n: n in user_keys):  # the user's own entries are the ones to name
        for key in resolved[name]:
            if reason := RESERVED.get(key) or SAME_BYTES.get(key):
                where = f"ui.keys.{name}"
                found.append(KeyMapError(where, f"{where}: {key!r} {reason}.", "Choose another key."))
            elif key in owners:
                where = "talk.key" if name not in user_keys and owners[key] == "the talk key" else f"ui.keys.{name}"
                other = f"action {name!r}" if where == "talk.key" else owners[key]
                title = f"{where}: the key {key!r} is taken by {other}."
                found.append(KeyMapError(where, title, "Choose another key, or give the other one a new key too."))
            else:
                owners[key] = f"action {name!r}"
    return found
