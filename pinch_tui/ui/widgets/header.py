"""The top line: the languages, the connection, and whether this is practice."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from pinch_tui.core.events import StateWord, Status
from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.languages_text import full_name
from pinch_tui.frontend.status_text import link_word
from pinch_tui.ui.ports import Host
from pinch_tui.ui.widgets.line_widget import LineWidget
from pinch_tui.ui.widgets.strip import Piece, displayed, first_fit

_LINK_WORDS = {
    StateWord.OFFLINE: ("offline", "$warning"),
    StateWord.CONNECTING: ("connecting", "$foreground"),
    StateWord.RECONNECTING: ("reconnecting", "$warning"),
    StateWord.READY: ("connected", "$foreground"),
}


class Header(LineWidget):
    """A click on the language pair opens the language menu, on the connection the details."""

    DEFAULT_CSS = """
    Header { background: $panel; color: $foreground; dock: top; }
    """

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._engine, self._marks, self._order = host.front.engine, host.marks, host.order

    def compose_line(self, width: int) -> Content:
        return first_fit(width, self._choices())

    def _choices(self) -> Iterator[tuple[list[Piece], list[Piece]]]:
        status, marks = self._engine.status, self._marks
        state = link_word(status)
        word, colour = _LINK_WORDS[state]
        mark = marks.states[state]
        link = [Piece(f"{mark} ", colour), Piece(f"{word} ", colour, "details")]
        badge = [Piece(" PRACTICE ", "$background on $warning", "welcome"), Piece("  ")] if status.is_practice else []
        name = "pinch" if status.is_practice else clean(status.service.label.lower())  # practice has its badge
        brand = [Piece(f" {name} ", "bold $text-muted"), Piece(marks.bar, "$text-disabled")]
        full, short = self._pair(status, is_short=False), self._pair(status, is_short=True)
        yield [*brand, *full], [*badge, *link]
        yield full, [*badge, *link]
        yield full, [*badge[:1], Piece(f" {mark} ", colour, "details")]
        yield short, [*badge[:1], Piece(f" {mark} ", colour, "details")]
        yield short, badge[:1]

    def _pair(self, status: Status, *, is_short: bool) -> list[Piece]:
        params = status.params
        names = (clean(code if is_short else full_name(code)) for code in (params.source, params.target))
        source, target = (displayed(name, self._order) for name in names)
        if not status.service.translates:
            return [Piece(f" {source} ", "bold $accent", "speak_language")]
        arrow = self._marks.both if params.two_way else self._marks.arrow
        return [
            Piece(f" {source}", "bold $accent", "speak_language"),
            Piece(arrow, "bold $accent", "swap"),
            Piece(f"{target} ", "bold $accent", "languages"),
        ]
