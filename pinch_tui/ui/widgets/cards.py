"""What stands where nothing was said yet, and the line that offers a practice phrase."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from pinch_tui.ui.app.theme import Marks
from pinch_tui.ui.text.layout import Order
from pinch_tui.ui.widgets.strip import parts_of

_EDGE = 2
_GUTTER = 5
"""Cells between a phrase and its translation."""


class EmptyCard(Static):
    """The empty conversation: how to talk here, and in practice mode phrases to try."""

    DEFAULT_CSS = """
    EmptyCard { width: 1fr; height: 1fr; content-align: center middle; padding: 0 2; }
    """

    def show(
        self,
        hint: str,
        phrases: Sequence[tuple[str, str]],
        *,
        is_practice: bool,
        marks: Marks,
        order: Order,
        width: int,
    ) -> None:
        """``hint``: how to talk. ``phrases``: originals and translations in display order, in practice mode.

        Phrases that would break the table in ``width`` cells, the card's edges included, are left out.
        """
        parts: list[tuple[str, str]] = [(hint[:1].upper() + hint[1:], "bold $foreground")]
        phrases, left, right = _that_fit(phrases, width - 2 * _EDGE - _GUTTER)
        if phrases:
            parts.append(("\n\nPractice hears these phrases among others. Say one:\n", "$text-muted"))
            for original, translation in phrases:
                parts.append(("\n" + " " * (left - cell_len(original)), ""))
                parts += parts_of(original, "$accent", order)
                parts.append((f"  {marks.bar}  ", "$text-muted"))
                parts += parts_of(translation, "$text-muted", order)
                parts.append((" " * (right - cell_len(translation)), ""))
        elif is_practice:
            parts.append(("\n\nThis is practice: nothing leaves this computer.", "$text-muted"))
        else:
            parts.append(("\n\nYour words appear here, the other language beside them.", "$text-muted"))
        self.update(Content.assemble(*parts))


def _that_fit(phrases: Sequence[tuple[str, str]], room: int) -> tuple[list[tuple[str, str]], int, int]:
    """The phrases that stand side by side in ``room`` cells, and how wide both columns get."""
    fitting: list[tuple[str, str]] = []
    left = right = 0
    for original, translation in phrases:
        wider = max(left, cell_len(original)), max(right, cell_len(translation))
        if sum(wider) <= room:
            left, right = wider
            fitting.append((original, translation))
    return fitting, left, right


class SayThis(Widget):
    """One line of practice mode: the next phrase to say, and what ought to come out."""

    DEFAULT_CSS = """
    SayThis { height: 1; padding: 0 1; color: $text-muted; display: none; }
    SayThis.-any { display: block; }
    """

    def __init__(self, marks: Marks, *, order: Order) -> None:
        super().__init__()
        self._marks, self._order = marks, order
        self._phrases: Sequence[tuple[str, str]] = ()
        self._at = 0

    def show(self, phrases: Sequence[tuple[str, str]], turn: int) -> None:
        """Phrases in display order. ``turn`` chooses one: the number of utterances up to now."""
        if (phrases, turn) == (self._phrases, self._at):
            return
        self._phrases, self._at = phrases, turn
        self.set_class(bool(phrases), "-any")
        self.refresh()

    def render(self) -> Content:
        if not self._phrases:
            return Content("")
        original, translation = self._phrases[self._at % len(self._phrases)]
        return Content.assemble(
            ("say this: ", "$text-muted"),
            *parts_of(original, "$accent", self._order),
            (self._marks.arrow, "$text-muted"),
            *parts_of(translation, "$text-muted", self._order),
        ).truncate(max(1, self.content_size.width), ellipsis=True)
