"""The names of the screen in the configuration: actions with their default keys, and themes. Pure.

They are here, so that the configuration can be checked without loading the screen. Keys have Textual's names
(``ctrl+r``, ``question_mark``), separated by commas. The user's map is ``[ui.keys]``: action name = keys, ``"none"``
for an action without a key.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pinch_tui.core.keynames import NAMED, SAME_BYTES, nearest_key, normal, talk_key
from pinch_tui.errors import ConfigError

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
    "catch_up": "ctrl+x",
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
    "send_again": "ctrl+g",
    "correct": "ctrl+e",
    "add_context": "ctrl+k",
    "line_up": "up",
    "line_down": "down",
    "page_up": "pageup",
    "page_down": "pagedown",
    "first": "home",
    "latest": "end,g",
    "next_star": "ctrl+n",
    "search": "slash,ctrl+f",
    "search_next": "n",
    "search_previous": "N",
    "export": "e",
    "conversations": "h",
    "continue": "ctrl+o",
    "phrases": "f4",
    "settings": "comma",
    "details": "d",
    "support": "f8",
    "theme": "f2",
    "welcome": "f3",
    "palette": "ctrl+p",
    "suspend": "ctrl+z",
    "quit": "ctrl+q",
    "interrupt": "ctrl+c",
}
"""Action -> its default keys, "" for none."""

FIXED = frozenset(("quit", "interrupt"))
"""Actions that work everywhere, also in text fields and panels, and stay on their keys."""

AUTO_THEME = "auto"
"""Dark or light, like the terminal."""
YIELDING = frozenset(("send_again", "catch_up", "continue", "phrases", "support"))
"""Newer or moved actions: their default keys give way to the talk key and to the user's map, which can be older."""

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
"""All themes: ours, and Textual's."""


class KeyMapError(ConfigError):
    """An invalid key map. ``key``: the dotted key of the faulty setting."""

    def __init__(self, key: str, title: str, hint: str) -> None:
        super().__init__(title, hint)
        self.key = key


def check_theme(name: str) -> None:
    """Raises `ConfigError` for an unknown theme, with the nearest name."""
    names = (AUTO_THEME, *THEMES)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Ours are {', '.join((AUTO_THEME, *OWN_THEMES))}."
        raise ConfigError(f"ui.theme: there is no theme {name!r}.", hint)


RESERVED: Mapping[str, str] = {
    "tab": "moves the focus",
    "shift+tab": "moves the focus",
}
"""Keys that no action can have, and what they do."""


def split_keys(keys: str) -> tuple[str, ...]:
    """The keys of a binding, each once; none for ``none`` and ""."""
    if keys.strip().lower() in ("", "none"):
        return ()
    return tuple(dict.fromkeys(normal(key.strip()) for key in keys.split(",") if key.strip()))


def first_key(keys: Mapping[str, tuple[str, ...]], action: str) -> str:
    """The key to show for an action, "" for none."""
    return next(iter(keys.get(action, ())), "")


def resolve_keys(user_keys: Mapping[str, str], talk_key: str) -> dict[str, tuple[str, ...]]:
    """Action name -> its keys, with the user's map applied.

    Raises `KeyMapError` for an unknown action or key (with the nearest name), a fixed action, a key with two uses, and
    a reserved key; further mistakes are its ``others``.
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
    taken = {normal(talk_key), *(key for name in user_keys for key in resolved.get(name, ()))}
    for name in YIELDING - user_keys.keys():
        resolved[name] = tuple(key for key in resolved[name] if key not in taken)
    mistakes += _conflicts(resolved, user_keys, talk_key)
    if mistakes:
        first, *others = mistakes
        first.others = tuple(others)
        raise first
    return resolved


def _user_keys(where: str, keys: str, mistakes: list[KeyMapError]) -> tuple[str, ...]:
    """The keys of one entry; adds a mistake for each key that does not exist."""
    found = []
    for key in split_keys(keys):
        known = talk_key(key)
        *modifiers, last = key.split("+")
        if known is None:
            near = nearest_key(key)
            hint = f"Did you mean {near!r}?" if near else "`pinch-tui keys` shows the names."
            mistakes.append(KeyMapError(where, f"{where}: there is no key {key!r}.", hint))
        elif modifiers == ["shift"] and last not in NAMED:
            hint = "Write the character that it types, such as '!'."
            mistakes.append(KeyMapError(where, f"{where}: {key!r} never arrives under that name.", hint))
        else:
            found.append(known)
    return tuple(dict.fromkeys(found))


def _conflicts(
    resolved: Mapping[str, tuple[str, ...]], user_keys: Mapping[str, str], talk_key: str
) -> list[KeyMapError]:
    talk = normal(talk_key)
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
