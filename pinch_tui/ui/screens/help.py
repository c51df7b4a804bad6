"""Help: how to talk in this terminal and why, and all keys, with those of the current screen first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from pinch_tui.core.keynames import key_name
from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.actions import ACTIONS, BY_NAME, Group
from pinch_tui.frontend.status_text import hold_text, talk_hint
from pinch_tui.ui.screens.list_panel import FilterField
from pinch_tui.ui.screens.panel import Panel
from pinch_tui.ui.transcript.search import fold

_KEY_CELLS = 12
_TITLE_CELLS = 26
_NAME_CELLS = 16
_TALK = ("Talk", "How to hold it: see the top")
_LEAST_ROOM = 24
"""Descriptions are left out if there are fewer cells than this."""


@dataclass(frozen=True, slots=True)
class Place:
    """The screen from which the help was opened."""

    title: str = ""
    """Heading of this screen's keys."""
    own: tuple[tuple[str, str], ...] = ()
    """Keys of this screen alone: their names, and what they do."""
    actions: tuple[str, ...] = ()
    """Actions of the table that work on this screen."""
    groups: tuple[Group, ...] = (Group.TALK, Group.LINE, Group.CONVERSATION, Group.LANGUAGES, Group.PROGRAM)


FIRST_SIGHT = Place(
    "Here, before the first words",
    (("Up Down", "Choose a phrase"), ("Enter", "Hear it as a sample")),
    groups=(Group.TALK, Group.LANGUAGES, Group.PROGRAM, Group.LINE, Group.CONVERSATION),
)


class _Row(NamedTuple):
    names: str
    title: str
    description: str = ""


def _sections(keys: Mapping[str, tuple[str, ...]], talk_key: str, place: Place) -> Iterator[tuple[str, list[_Row]]]:
    """Headings with their rows, those of ``place`` first."""

    def row(name: str) -> _Row:
        action = BY_NAME[name]
        return _Row(" ".join(key_name(key) for key in keys.get(name, ())), action.title, action.description)

    if place.title:
        yield place.title, [*(_Row(*own) for own in place.own), *map(row, place.actions)]
    for group in place.groups:
        rows = [_Row(key_name(talk_key), *_TALK)] if group is Group.TALK else []
        yield group.value, rows + [row(action.name) for action in ACTIONS if action.group is group]


def keys_text(
    keys: Mapping[str, tuple[str, ...]],
    width: int,
    talk_key: str = "space",
    place: Place = Place(),
    wanted: str = "",
) -> Content:
    """The table of actions with the user's keys, laid out for ``width`` cells. ``wanted``: show only rows with all of
    these words in their key, title, description or name."""
    words = fold(wanted).split()

    def has_all(*texts: str) -> bool:
        return all(word in fold(" ".join(texts)) for word in words)

    parts: list[str | tuple[str, str]] = []
    room = width - _KEY_CELLS - _TITLE_CELLS - 3
    for heading, all_rows in _sections(keys, talk_key, place):
        rows = [row for row in all_rows if has_all(*row)]
        if rows:
            parts.append((f"{heading}\n", "bold $accent"))
        for names, title, description in rows:
            # "no key" in words: a symbol could be mistaken for a key.
            parts.append((f" {names or 'no key':<{_KEY_CELLS}} ", "bold" if names else "$text-muted"))
            parts.append(f"{title:<{_TITLE_CELLS}} ")
            lines = wrap(description, room) if room >= _LEAST_ROOM else []
            indent = "\n" + " " * (width - room)
            parts.append((f"{indent.join(lines)}\n", "$text-muted"))
        if rows:
            parts.append("\n")
    named = [action for action in ACTIONS if not action.is_fixed and has_all(action.name, action.title)]
    if named:
        parts.append(("Names of the actions, for [ui.keys] in the configuration\n", "bold $accent"))
    for action in named:
        parts.append((f" {action.name:<{_NAME_CELLS}} ", "$foreground"))
        parts.append((f"{action.title}\n", "$text-muted"))
    return Content.assemble(*parts).rstrip() if parts else Content("No key does that.")


class KeysTable(Static):
    """All keys, laid out for the current width."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]], talk_key: str, place: Place) -> None:
        super().__init__()
        self._keys, self._talk_key, self._place = keys, talk_key, place
        self._wanted = ""

    def look_for(self, wanted: str) -> None:
        self._wanted = wanted
        self.on_resize()

    def on_resize(self) -> None:
        width = self.content_size.width
        self.update(keys_text(self._keys, width, self._talk_key, self._place, self._wanted))


class HelpScreen(Panel[None]):
    """Typing searches the keys. ``place``: the screen whose keys come first."""

    DEFAULT_CSS = """
    HelpScreen FilterField { margin-bottom: 1; }
    HelpScreen.-short FilterField { margin-bottom: 0; }
    HelpScreen.-searching #talking { display: none; }
    """
    TITLE, KEYS, SHEET = "Help", "Up and Down scroll, Esc closes", "panel -wide -full"
    ENDS_TALK = True
    OPENED_BY = "help"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("down", "scroll(1)"),
        ("up", "scroll(-1)"),
        ("pagedown", "scroll(10)"),
        ("pageup", "scroll(-10)"),
    ]

    def __init__(self, place: Place | None = None) -> None:
        super().__init__()
        self._place = place or Place()

    def body(self) -> Iterator[Widget]:
        yield FilterField("type to search", self._handle_key)
        with VerticalScroll(classes="body", can_focus=False):
            yield Static(id="talking", classes="panel-text")
            yield KeysTable(self.front.keys, self.front.settings.talk.key, self._place)

    def on_mount(self) -> None:
        self.query_one(FilterField).focus()
        self.host.hold_signal.subscribe(self, lambda _: self._draw_talking())
        self._draw_talking()

    def _draw_talking(self) -> None:
        """How to talk here, and why this way, which can change while the panel is open."""
        report = self.front.hold.report()
        hint = talk_hint(report.method, self.front.settings.talk.key)
        mouse = "" if report.method == "mouse" else " Holding the mouse button on the talk bar works in every terminal."
        drawn = Content.assemble(
            (f"{hint[:1].upper()}{hint[1:]}.", "bold"),
            f"{mouse}\n",
            (f"{hold_text(report.method)}", "$accent"),
            (f"  {clean(report.sentence)}", "$text-muted"),
        )
        self.query_one("#talking", Static).update(drawn)

    def _handle_key(self, event: events.Key) -> bool:
        """If the field is empty, the key that opened the help closes it, and Home and End scroll."""
        if self.query_one(FilterField).value:
            return False
        if event.key in self.front.keys[self.OPENED_BY]:
            self.action_close()
        elif event.key == "home":
            self.query_one(VerticalScroll).scroll_home(animate=False)
        elif event.key == "end":
            self.query_one(VerticalScroll).scroll_end(animate=False)
        else:
            return False
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.set_class(bool(event.value.strip()), "-searching")
        self.query_one(KeysTable).look_for(event.value)
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
