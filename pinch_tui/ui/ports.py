"""Ports of the screen: the app as the panels see it, and the talk key as the app sees it. `pinch_tui.ui.app` and
`pinch_tui.keys` implement them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from textual.screen import Screen
from textual.signal import Signal

from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.frontend.ports import TalkKey
from pinch_tui.ui.app.looks import Looks
from pinch_tui.ui.app.theme import Marks
from pinch_tui.ui.text.layout import Order


class ScreenTalkKey(TalkKey, Protocol):
    """The talk key, which also takes the screen's keys, mouse and focus."""

    on_report_changed: Callable[[Any], None] | None
    on_hang_up: Callable[[], None] | None
    on_interrupt: Callable[[], None] | None
    dropped: Callable[[], int]

    def feed_key(self, key: str, t: float) -> bool: ...

    def feed_focus(self, has_focus: bool, t: float) -> None: ...

    def mouse_down(self, t: float) -> None: ...

    def mouse_up(self, t: float) -> None: ...


class Host(Protocol):
    """The app, as panels see it."""

    front: FrontEnd
    hold: ScreenTalkKey
    marks: Marks
    order: Order
    hold_signal: Signal[None]
    theme: str
    looks: Looks

    def push_screen(self, screen: Screen[Any], callback: Callable[[Any], None] | None = None) -> Any: ...

    def show_big(self, utterance: Utterance, *, is_running: bool = True) -> None:
        """Show a line as large as fits. ``is_running``: the line belongs to the running conversation and can change."""

    def arm(self) -> None:
        """Decide again whether the talk key works, after the focus or the screen has changed."""

    def continue_past(self, id_: str) -> None:
        """Continue a past conversation: close all panels and show it."""

    def set_theme(self, name: str) -> None:
        """Change the theme, now and for the next start."""

    def action_command_palette(self) -> None: ...
