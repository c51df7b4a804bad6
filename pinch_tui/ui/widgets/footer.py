"""The bottom line: the commonest keys, and how the talk key is held here."""

from __future__ import annotations

from collections.abc import Mapping

from pinch_tui.core.keymap import first_key
from pinch_tui.core.keynames import key_name
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.frontend.actions import ACTIONS
from pinch_tui.frontend.status_text import hold_text
from pinch_tui.ui.widgets.line_widget import LineWidget
from pinch_tui.ui.widgets.strip import Piece, Strip, cells, lay_out


class Footer(LineWidget):
    """As many actions of the table as fit, always with help and quit; a click runs one."""

    DEFAULT_CSS = """
    Footer { background: $panel; color: $text-muted; dock: bottom; }
    """

    def __init__(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__()
        self._keys = keys
        self._method = "tap"
        self._service = ServiceTraits()

    def show(self, method: str, service: ServiceTraits) -> None:
        """``method``: how the talk key is held; ``service``: the service in use, which decides which actions are
        offered."""
        self._method, self._service = method, service
        self.redraw()

    def compose_strip(self, width: int) -> Strip:
        right = [Piece(f" {hold_text(self._method)} ", "$foreground", "help")]
        room = width - cells(right)
        chosen: dict[str, list[Piece]] = {}
        offered = (a for a in ACTIONS if a.footer and a.is_offered(self._service))
        for action in sorted(offered, key=lambda a: a.name not in ("help", "quit")):
            key = first_key(self._keys, action.name)
            if not key:
                continue
            pieces = [
                Piece(f" {key_name(key)}", "bold $accent", action.name),
                Piece(f" {action.footer} ", "", action.name),
            ]
            if cells(pieces) > room:
                continue
            room -= cells(pieces)
            chosen[action.name] = pieces
        ordered = [piece for action in ACTIONS if action.name in chosen for piece in chosen[action.name]]
        return lay_out(width, ordered, right)
