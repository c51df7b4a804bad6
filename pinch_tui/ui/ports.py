"""What the panels need of the app, and what the app needs of the talk key. `pinch_tui.ui.app` and `pinch_tui.keys`
implement these; panels know the app only through its port."""

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
    """The talk key as the screen feeds it."""

    on_report_changed: Callable[[Any], None] | None
    on_hang_up: Callable[[], None] | None
    on_interrupt: Callable[[], None] | None
    dropped: Callable[[], int]

    def feed_key(self, key: str, t: float) -> bool: ...

    def mouse_down(self, t: float) -> None: ...

    def mouse_up(self, t: float) -> None: ...

    def blur(self, t: float) -> None: ...

    def focus(self, t: float) -> None: ...


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
        """Show a line as large as fits. ``is_running``: it is one of the running conversation, and may change."""

    def arm(self) -> None:
        """The focus or the screen has changed: decide again whether the talk key works."""

    def continue_past(self, id_: str) -> None:
        """Continue a past conversation: close all panels and show it."""

    def set_theme(self, name: str) -> None: ...

    def action_command_palette(self) -> None: ...
