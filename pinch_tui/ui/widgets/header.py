"""The top line: which languages, whether connected, and whether this is practice."""

from __future__ import annotations

from collections.abc import Iterator

from pinch_tui.core.events import StateWord, Status
from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.languages_text import full_name
from pinch_tui.frontend.status_text import link_word
from pinch_tui.ui.app.theme import Marks
from pinch_tui.ui.text.layout import Order
from pinch_tui.ui.widgets.line_widget import LineWidget
from pinch_tui.ui.widgets.strip import Piece, Strip, displayed, first_fit

_LINK_WORDS = {
    StateWord.OFFLINE: ("offline", "$warning"),
    StateWord.CONNECTING: ("connecting", "$foreground"),
    StateWord.RECONNECTING: ("reconnecting", "$warning"),
    StateWord.READY: ("connected", "$foreground"),
}


class Header(LineWidget):
    """Draws a `Status`; the language pair opens the language menu, the connection the details."""

    DEFAULT_CSS = """
    Header { background: $panel; color: $foreground; dock: top; }
    """

    def __init__(self, marks: Marks, *, order: Order) -> None:
        super().__init__()
        self._marks = marks
        self._order = order
        self._status = Status()

    def show(self, status: Status) -> None:
        """Show this status."""
        self._status = status
        self.redraw()

    def compose_strip(self, width: int) -> Strip:
        return first_fit(width, self._choices())

    def _choices(self) -> Iterator[tuple[list[Piece], list[Piece]]]:
        status, marks = self._status, self._marks
        state = link_word(status)
        word, colour = _LINK_WORDS[state]
        mark = marks.states[state]
        link = [Piece(f"{mark} ", colour), Piece(f"{word} ", colour, "details")]
        badge = [Piece(" PRACTICE ", "$background on $warning", "welcome"), Piece("  ")] if status.is_practice else []
        brand = [Piece(f" {self._brand()} ", "bold $text-muted"), Piece(marks.bar, "$text-disabled")]
        full, short = self._pair(is_short=False), self._pair(is_short=True)
        yield [*brand, *full], [*badge, *link]
        yield full, [*badge, *link]
        yield full, [*badge[:1], Piece(f" {mark} ", colour, "details")]
        yield short, [*badge[:1], Piece(f" {mark} ", colour, "details")]
        yield short, badge[:1]

    def _brand(self) -> str:
        """The service in use; the practice service has a badge of its own."""
        return "pinch" if self._status.is_practice else clean(self._status.service.label.lower())

    def _pair(self, *, is_short: bool) -> list[Piece]:
        params = self._status.params
        names = (clean(code if is_short else full_name(code)) for code in (params.source, params.target))
        source, target = (displayed(name, self._order) for name in names)
        if not self._status.service.translates:
            return [Piece(f" {source} ", "bold $accent", "speak_language")]
        arrow = self._marks.both if params.two_way else self._marks.arrow
        return [
            Piece(f" {source}", "bold $accent", "speak_language"),
            Piece(arrow, "bold $accent", "swap"),
            Piece(f"{target} ", "bold $accent", "languages"),
        ]
