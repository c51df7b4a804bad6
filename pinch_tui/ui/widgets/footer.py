"""The bottom line: the most used keys, and how the talk key works here."""

from __future__ import annotations

from textual.content import Content

from pinch_tui.frontend.actions import ACTIONS
from pinch_tui.frontend.status_text import hold_text
from pinch_tui.ui.ports import Host
from pinch_tui.ui.widgets.line_widget import LineWidget
from pinch_tui.ui.widgets.strip import Piece, cells, lay_out


class Footer(LineWidget):
    """As many of the footer's actions as fit, always with help and quit. A click runs one."""

    DEFAULT_CSS = """
    Footer { background: $panel; color: $text-muted; dock: bottom; }
    """

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._front, self._hold = host.front, host.hold

    def compose_line(self, width: int) -> Content:
        right = [Piece(f" {hold_text(self._hold.report().method)} ", "$foreground", "help")]
        room = width - cells(right)
        chosen: dict[str, list[Piece]] = {}
        service = self._front.engine.status.service
        offered = (a for a in ACTIONS if a.footer and a.is_offered(service))
        for action in sorted(offered, key=lambda a: a.name not in ("help", "quit")):
            key = self._front.key_named(action.name)
            pieces = [Piece(f" {key}", "bold $accent", action.name), Piece(f" {action.footer} ", "", action.name)]
            if key and cells(pieces) <= room:
                room -= cells(pieces)
                chosen[action.name] = pieces
        ordered = [piece for action in ACTIONS if action.name in chosen for piece in chosen[action.name]]
        return lay_out(width, ordered, right)
