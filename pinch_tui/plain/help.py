"""The line mode's help: the actions that it offers, with their keys. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinch_tui.core.keynames import key_name
from pinch_tui.frontend.actions import ACTIONS, Action, Group

OWN = ("help", "settings", "details", "latest", "phrases")
"""Actions that the line mode implements itself. The others without a handler exist on the screen alone."""
OFFERED = frozenset(action.name for action in ACTIONS if action.handler is not None or action.name in OWN)

_WORDS: Mapping[str, str] = {
    "languages": "Type codes or names",
    "speak_language": "Type the language you speak",
    "cancel": "Discard what you are saying; stop the voice",
    "latest": "Print the newest line again",
    "settings": "Say which service is used, and choose another",
    "export": "Save the conversation to a text file",
    "phrases": "Print what practice understands",
    "details": "Show the state, the microphone and the delays",
}
"""Descriptions that differ from the screen's."""


def spoken_key(key: str) -> str:
    """A key in a form that screen readers pronounce: ``?`` is ``question mark``, ``N`` is ``Shift+N``."""
    if len(key) == 1:
        return f"Shift+{key}" if key.isupper() else key
    return key_name(key) if len(key_name(key)) > 1 else key.replace("_", " ")


def help_lines(keys: Mapping[str, tuple[str, ...]], how_to_talk: str, talk_key: str) -> Iterator[str]:
    """How to talk, then each action with its keys, in the groups of the table."""
    yield f"{how_to_talk}."
    for group in Group:
        offered = [action for action in ACTIONS if action.group is group and action.name in OFFERED]
        if group is Group.TALK:
            yield f"{group.value}. {spoken_key(talk_key)}: talk."
        elif offered:
            yield f"{group.value}."
        for action in offered:
            yield action_line(action, keys.get(action.name, ()))


def action_line(action: Action, keys: tuple[str, ...]) -> str:
    """``l: Choose languages. Type codes or names.``"""
    names = " or ".join(spoken_key(key) for key in keys) or "No key"
    return f"{names}: {action.title}. {_WORDS.get(action.name, action.description)}."
