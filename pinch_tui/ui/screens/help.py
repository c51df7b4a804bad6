"""Help: how to talk in this very terminal and why so, and every key."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import cast

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from pinch_tui.core.keynames import key_name
from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.actions import ACTIONS, Group
from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.frontend.ports import HoldReport
from pinch_tui.frontend.status_text import hold_text, talk_hint
from pinch_tui.ui.ports import Host
from pinch_tui.ui.screens.panel import Panel

_KEY_CELLS = 12
_TITLE_CELLS = 26
_NAME_CELLS = 16
_TALK = ("Talk", "How to hold it: see above")
_LEAST_ROOM = 24
"""Descriptions are left out where they would get less room than this."""


def talking_lines(report: HoldReport, talk_key: str, *, is_brief: bool = False) -> Content:
    """How to talk here, and why this way; ``is_brief``: the first sentence of the reason alone."""
    hint = talk_hint(report.method, talk_key)
    mouse = "" if report.method == "mouse" else " Holding the mouse button on the talk bar works in every terminal."
    why = report.sentence
    if is_brief:
        first, dot, _ = why.partition(". ")
        why = first + dot.strip()
    return Content.assemble(
        (f"{hint[:1].upper()}{hint[1:]}.", "bold"),
        f" {clean(mouse)}\n" if mouse else "\n",
        (f"{hold_text(report.method)}", "$accent"),
        (f"  {clean(why)}", "$text-muted"),
    )


class TalkingLines(Static):
    """`talking_lines`, kept true: how the key is held may be found out while they are read."""

    def __init__(self, *, is_brief: bool = False, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._is_brief = is_brief

    def on_mount(self) -> None:
        host = cast("Host", self.app)
        host.hold_signal.subscribe(self, lambda _: self._draw(host.front))
        self._draw(host.front)

    def _draw(self, front: FrontEnd) -> None:
        self.update(talking_lines(front.hold.report(), front.settings.talk.key, is_brief=self._is_brief))


def keys_text(keys: Mapping[str, tuple[str, ...]], width: int, talk_key: str = "space") -> Content:
    """The table of actions with the keys in force, the talk key first, laid out for ``width`` cells."""
    parts: list[str | tuple[str, str]] = []
    room = width - _KEY_CELLS - _TITLE_CELLS - 3
    for group in Group:
        parts.append((f"{group.value}\n", "bold $accent"))
        rows = [(key_name(talk_key), *_TALK)] if group is Group.TALK else []
        for action in ACTIONS:
            if action.group is group:
                names = " ".join(key_name(key) for key in keys.get(action.name, ()))
                rows.append((names, action.title, action.description))
        for names, title, description in rows:
            # In words: a sign could be taken for a key.
            parts.append((f" {names or 'no key':<{_KEY_CELLS}} ", "bold" if names else "$text-muted"))
            parts.append(f"{title:<{_TITLE_CELLS}} ")
            lines = wrap(description, room) if room >= _LEAST_ROOM else []
            indent = "\n" + " " * (width - room)
            parts.append((f"{indent.join(lines)}\n", "$text-muted"))
        parts.append("\n")
    parts.append(("Names of the actions, for [ui.keys] in the configuration\n", "bold $accent"))
    for action in ACTIONS:
        if not action.is_fixed:
            parts.append((f" {action.name:<{_NAME_CELLS}} ", "$foreground"))
            parts.append((f"{action.title}\n", "$text-muted"))
    return Content.assemble(*parts)


class KeysTable(Static):
    """All keys, laid out anew at every width."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]], talk_key: str) -> None:
        super().__init__()
        self._keys = keys
        self._talk_key = talk_key

    def on_resize(self) -> None:
        self.update(keys_text(self._keys, self.content_size.width, self._talk_key))


class HelpScreen(Panel[None]):
    """Scrolls when it does not fit."""

    ENDS_TALK = True
    OPENED_BY = "help"

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel -wide -full"):
            yield Static(Content("Help"), classes="panel-title")
            yield TalkingLines(classes="panel-text")
            with VerticalScroll(classes="body"):
                yield KeysTable(self.front.keys, self.front.settings.talk.key)
            yield Static(Content("Up and Down scroll, Esc closes"), classes="panel-keys")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
