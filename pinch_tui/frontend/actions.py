"""The table of actions, for key bindings, footer, palette, help, and the user's own key map.

Nothing else binds a key, except the editing keys of lists and text fields and ``Esc`` on panels. The keys and their
rules are in `pinch_tui.core.keymap`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pinch_tui.core.events import CatchUp, RetryNow, StopSpeech
from pinch_tui.core.keymap import DEFAULT_KEYS, FIXED
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.frontend import handlers as run
from pinch_tui.frontend.frontend import FrontEnd


class Group(StrEnum):
    """Headings of the help and prefixes of the palette, in the order shown."""

    TALK = "Talking"
    LANGUAGES = "Languages"
    LINE = "This line"
    CONVERSATION = "Conversation"
    PROGRAM = "Program"


@dataclass(frozen=True, slots=True)
class Action:
    """Something the user can do.

    ``handler`` None: each face implements the action itself, or lacks it. ``footer``: the label in the footer, "" to
    leave it out.
    """

    name: str
    title: str
    group: Group
    description: str
    handler: run.Handler | None = None
    footer: str = ""
    in_palette: bool = True
    needs: str = ""
    """The trait that the service must have, "" for none."""

    def is_offered(self, service: ServiceTraits) -> bool:
        return not self.needs or bool(getattr(service, self.needs))

    @property
    def keys(self) -> str:
        """The default keys."""
        return DEFAULT_KEYS[self.name]

    @property
    def is_fixed(self) -> bool:
        """Whether it works everywhere, even in text fields and panels, and cannot be moved to another key."""
        return self.name in FIXED


_T, _L, _I, _C, _P = Group.TALK, Group.LANGUAGES, Group.LINE, Group.CONVERSATION, Group.PROGRAM

ACTIONS: tuple[Action, ...] = (
    Action("help", "Help", _P, "All keys, and how to talk in this terminal", footer="help"),
    Action("languages", "Choose languages", _L, "Type to find a language, or pick a recent pair", run.choose_languages,
           "languages"),
    Action("swap", "Swap languages", _L, "Speak the other language from now on", run.swap, "swap", needs="translates"),
    Action("previous_pair", "Previous pair", _L, "Back to the pair used before this one", run.previous_pair),
    Action("speak_language", "Choose the spoken language", _L, "The language you speak",
           lambda f: run.choose_languages(f, is_source_side=True)),
    Action("two_way", "Two-way conversation", _L, "Speak either language; it translates into the other",
           run.two_way, needs="has_two_way"),
    Action("text_only", "Text only, or with speech", _L, "Receive text alone, or speech as well", run.text_only,
           needs="speaks"),
    Action("voice", "The other voice", _L, "Switch between female and male, from the next utterance", run.voice,
           needs="speaks"),
    Action("cancel", "Throw away, close", _T, "Discard what you are saying; close a message or the search",
           run.cancel, in_palette=False),
    Action("stop_speech", "Stop the voice", _T, "Stop playback and clear the queue",
           run.posting(StopSpeech(), "Voice stopped.")),
    Action("skip_speech", "Skip this line's voice", _T, "Skip to the next line's speech",
           run.posting(StopSpeech(skip=True), "Skipped this line's voice.")),
    Action("catch_up", "Catch up", _T, "Skip to the newest line's speech",
           run.posting(CatchUp(), "Catching up."), needs="speaks"),
    Action("mute", "Mute the voice", _T, "Mute or unmute the translated speech", run.mute, "mute",
           needs="speaks"),
    Action("volume_up", "Louder", _T, "Translated speech 10 % louder", lambda f: run.turn(f, run.VOLUME_STEP)),
    Action("volume_down", "Quieter", _T, "Translated speech 10 % quieter", lambda f: run.turn(f, -run.VOLUME_STEP)),
    Action("retry", "Connect now", _T, "Stop waiting and reconnect now", run.posting(RetryNow(), "Connecting now.")),
    Action("replay", "Say it again", _I, "Play the line's translation again", lambda f: f.lines.replay(1.0), "again"),
    Action("replay_slower", "Say it slower", _I, "Play the line's translation again, slower",
           lambda f: f.lines.replay(run.SLOW_SPEED)),
    Action("big", "Table view", _I, "Both languages in large letters, to talk across a table", footer="big"),
    Action("copy", "Copy the translation", _I, "To the clipboard",
           lambda f: f.lines.copy("translation"), "copy"),
    Action("copy_original", "Copy the original", _I, "To the clipboard", lambda f: f.lines.copy("original")),
    Action("copy_both", "Copy both", _I, "Original and translation, to the clipboard",
           lambda f: f.lines.copy("line")),
    Action("save_speech", "Save the voice", _I, "The line's translated speech as a WAV file",
           lambda f: f.lines.save_speech()),
    Action("star", "Star", _I, "Star the line, or remove the star"),
    Action("send_again", "Send it again", _I, "Resend the recording of a line without text",
           lambda f: f.lines.send_again()),
    Action("correct", "Correct", _I, "Edit the original or the translation; the first wording is kept",
           lambda f: f.lines.correct()),
    Action("add_context", "Tell the translator", _I, "Add the words you just corrected to the context",
           lambda f: run.add_context(f, f.lines)),
    Action("line_up", "Line up", _C, "Select the line above", in_palette=False),
    Action("line_down", "Line down", _C, "Select the line below", in_palette=False),
    Action("page_up", "Page up", _C, "Scroll back", in_palette=False),
    Action("page_down", "Page down", _C, "Scroll forward", in_palette=False),
    Action("first", "First line", _C, "Go to the first line"),
    Action("latest", "Latest line", _C, "Go to the newest line and follow it"),
    Action("next_star", "Next star", _C, "Go to the next starred line"),
    Action("search", "Search", _C, "Search this conversation", footer="search"),
    Action("search_next", "Next match", _C, "Go to the next match"),
    Action("search_previous", "Previous match", _C, "Go to the previous match"),
    Action("export", "Export", _C, "Save the conversation to a file", lambda f: f.lines.export(), "export"),
    Action("conversations", "Past conversations", _C, "Find, read, correct, export or delete what was said before"),
    Action("continue", "Continue a conversation", _C, "In past conversations: continue the selected one",
           in_palette=False),
    Action("phrases", "Practice phrases", _P, "Find a phrase that practice understands, and play it", footer="phrases",
           needs="is_practice"),
    Action("settings", "Settings", _P, "Voice, devices, theme and more", footer="settings"),
    Action("details", "Details", _P, "Delays, session, counters"),
    Action("support", "Copy for support", _P, "Service, session, model, times, codes; no words, no key", run.support),
    Action("theme", "Next theme", _P, "Dark, light, high contrast"),
    Action("welcome", "Pinch key", _P, "Enter a key, or go back to practice"),
    Action("palette", "All actions", _P, "Find an action by its name", in_palette=False),
    Action("suspend", "To the shell", _P, "Put the program in the background", lambda f: f.leaving.suspend()),
    Action("quit", "Quit", _P, "Wait for the last words, then leave", lambda f: f.leaving.ask(), "quit"),
    Action("interrupt", "Leave", _P, "Once: wait for the last words and leave. Twice: leave at once",
           lambda f: f.leaving.interrupt(), in_palette=False),
)  # fmt: skip

BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS}


_LACKS = {
    "translates": "does not translate",
    "speaks": "does not speak",
    "is_practice": "has no practice phrases",
    "has_two_way": "does not support two-way conversations",
}


def do(front: FrontEnd, name: str) -> None:
    """Run one action of the table."""
    action = BY_NAME[name]
    service = front.engine.status.service
    if not action.is_offered(service):
        front.face.say("service", f"{service.label} {_LACKS[action.needs]}.")
        return
    handler = action.handler
    if handler is None:
        front.face.do(name)
    else:
        handler(front)
