"""Key names: which are modifiers, and which keys a terminal without the keyboard protocol can show at all."""

from __future__ import annotations

MODIFIERS = frozenset(
    [f"{side}_{name}" for side in ("left", "right") for name in ("shift", "control", "alt", "super", "hyper", "meta")]
    + ["iso_level3_shift", "iso_level5_shift", "caps_lock", "num_lock", "scroll_lock"]
)
"""Modifiers and locks: their release proves nothing about other keys, and they end no hold."""
LEGACY_NAMES = {"ctrl+@": "ctrl+space"}
"""What a key is called where it comes as a byte that it shares with another."""
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
    """Whether only a terminal with the keyboard protocol can show this key (a Textual name)."""
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
