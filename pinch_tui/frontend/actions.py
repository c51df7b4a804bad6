"""The one table of actions: it feeds key bindings, footer, palette, help, and the user's own key map.

An action is a name, a title, its keys, and a handler that takes the app. Nothing in the screen binds a key beside
this table, the lists' and text fields' own editing keys and ``Esc`` of the panels excepted.

The keys and their rules stand in `pinch_tui.core.keymap`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pinch_tui.core.keymap import DEFAULT_KEYS, FIXED
from pinch_tui.frontend import handlers as do
from pinch_tui.frontend import handlers_line as line

if TYPE_CHECKING:
    from pinch_tui.ui.app.app import PinchApp

Handler = Callable[["PinchApp"], None]


class Group(StrEnum):
    """Headings of the help and prefixes of the palette, in the order shown."""

    TALK = "Talking"
    LANGUAGES = "Languages"
    LINE = "This line"
    CONVERSATION = "Conversation"
    PROGRAM = "Program"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done. ``footer``: its short label there, "" to leave it out; the order is the table's."""

    name: str
    title: str
    group: Group
    description: str
    handler: Handler
    footer: str = ""
    in_palette: bool = True

    @property
    def keys(self) -> str:
        """The usual keys."""
        return DEFAULT_KEYS[self.name]

    @property
    def is_fixed(self) -> bool:
        """It works everywhere, text fields and panels included, and cannot be moved to another key."""
        return self.name in FIXED


_T, _L, _I, _C, _P = Group.TALK, Group.LANGUAGES, Group.LINE, Group.CONVERSATION, Group.PROGRAM

ACTIONS: tuple[Action, ...] = (
    Action("help", "Help", _P, "All keys, and how to talk in this terminal", do.help_, "help"),
    Action("languages", "Choose languages", _L, "Type to find a language, or take a recent pair", do.languages,
           "languages"),
    Action("swap", "Swap languages", _L, "Speak the other language from now on", do.swap, "swap"),
    Action("previous_pair", "Previous pair", _L, "Back to the pair used before this one", do.previous_pair),
    Action("speak_language", "Choose the spoken language", _L, "The language you speak", do.speak_language),
    Action("two_way", "Two-way conversation", _L, "Either language may be spoken; the other comes out",
           do.two_way),
    Action("text_only", "Text only, or with speech", _L, "Ask for text alone, or for speech too", do.text_only),
    Action("voice", "The other voice", _L, "Female or male, from the next utterance on", do.voice),
    Action("cancel", "Throw away, close", _T, "Drop what is said; close a message or the search",
           do.cancel, in_palette=False),
    Action("stop_speech", "Stop the voice", _T, "Silence what is being said and all that waits", do.stop_speech),
    Action("skip_speech", "Skip this line's voice", _T, "Go on with the next line's speech", do.skip_speech),
    Action("mute", "Mute the voice", _T, "Mute or unmute the translated speech", do.mute, "mute"),
    Action("volume_up", "Louder", _T, "Translated speech 10 % louder", do.louder),
    Action("volume_down", "Quieter", _T, "Translated speech 10 % quieter", do.quieter),
    Action("retry", "Connect now", _T, "End the wait and try the service at once", do.retry),
    Action("replay", "Say it again", _I, "Play the line's translation again", line.replay, "again"),
    Action("replay_slower", "Say it slower", _I, "Play the line's translation again, slower", line.replay_slower),
    Action("big", "Big view", _I, "The translation as large as fits, to show to somebody", line.big, "big"),
    Action("copy", "Copy the translation", _I, "To the clipboard", line.copy_translation, "copy"),
    Action("copy_original", "Copy the original", _I, "To the clipboard", line.copy_original),
    Action("copy_both", "Copy both", _I, "Original and translation, to the clipboard", line.copy_both),
    Action("save_speech", "Save the voice", _I, "The line's translated speech as a WAV file", line.save_speech),
    Action("star", "Star", _I, "Mark the line, or take its mark away", line.star),
    Action("line_up", "Line up", _C, "Select the line above", line.line_up, in_palette=False),
    Action("line_down", "Line down", _C, "Select the line below", line.line_down, in_palette=False),
    Action("page_up", "Page up", _C, "Scroll back", line.page_up, in_palette=False),
    Action("page_down", "Page down", _C, "Scroll on", line.page_down, in_palette=False),
    Action("first", "First line", _C, "To the beginning of the conversation", line.first),
    Action("latest", "Latest line", _C, "To the newest line, and follow it", line.latest),
    Action("search", "Search", _C, "Find a text in this conversation", line.search, "search"),
    Action("search_next", "Next match", _C, "To the next place that was found", line.search_next),
    Action("search_previous", "Previous match", _C, "To the place found before", line.search_previous),
    Action("export", "Export", _C, "Write the conversation to a file", do.export, "export"),
    Action("settings", "Settings", _P, "Voice, devices, theme and the rest", do.settings, "settings"),
    Action("details", "Details", _P, "Delays, session, counters", do.details),
    Action("theme", "Next theme", _P, "Dark, light, high contrast", do.next_theme),
    Action("welcome", "Set up again", _P, "Key, talk key and microphone test", do.welcome),
    Action("palette", "All actions", _P, "Find an action by its name", do.palette, in_palette=False),
    Action("suspend", "To the shell", _P, "Put the program in the background", do.suspend),
    Action("quit", "Quit", _P, "Wait for the last words, then leave", do.quit_, "quit"),
    Action("interrupt", "Leave", _P, "Once: wait for the last words and leave. Twice: leave at once",
           do.interrupt, in_palette=False),
)  # fmt: skip

BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS}


def first_key(keys: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The key to show for an action; "" when it has none."""
    found = keys.get(name, ())
    return found[0] if found else ""
