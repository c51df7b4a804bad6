"""The phrases that practice understands: type to find one in either language, Enter plays it as a sample."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content

from pinch_tui.core.languages import label
from pinch_tui.core.transcript.clean import clean
from pinch_tui.ui.screens.list_panel import ListPanel, marked
from pinch_tui.ui.text.cells import width
from pinch_tui.ui.text.layout import cut
from pinch_tui.ui.transcript.search import find, fold
from pinch_tui.ui.widgets.strip import displayed

_LEAST_CELLS = 12
"""A translation is left out if there is less room than this."""


class PhrasesScreen(ListPanel[str]):
    """Returns the phrase to be spoken, or None."""

    OPENED_BY = "phrases"
    DEFAULT_CSS = "PhrasesScreen OptionList { text-wrap: nowrap; }"
    PLACEHOLDER = "type to search in both languages"

    def __init__(self, phrases: Sequence[tuple[str, str]], pair: tuple[str, str]) -> None:
        """``phrases``: originals and translations. ``pair``: their languages."""
        super().__init__()
        self._phrases, self._pair = phrases, pair
        self._found: list[tuple[str, str]] = []

    def on_resize(self, _event: events.Resize) -> None:
        self.call_after_refresh(self.find)  # rows are laid out for the list's width

    def find(self) -> None:
        needle = fold(self.field.value.strip())
        self._found = [pair for pair in self._phrases if not needle or any(find(text, needle) for text in pair)]
        room = max(1, self.listed.scrollable_content_region.width - 2)
        left = min(max((width(clean(one)) for one, _ in self._found), default=0), max(8, room // 2))
        self.fill((self._row(*pair, needle, left, room) for pair in self._found), 0)
        counted = f"  {len(self._found)}" if self._found else ""
        source, target = self._pair
        none = f"Practice has no phrases from {label(source)} to {label(target)}."
        if self._phrases:
            none = "" if self._found else "No phrase matches."
        self.set_texts(
            Content.assemble("Practice phrases", (counted, "not bold $text-muted")),
            Content("Enter plays it as a sample, Esc closes"),
            none,
        )

    def _row(self, original: str, translation: str, needle: str, left: int, room: int) -> Content:
        """The phrase, and its translation if there is room for both."""
        rest = room - left - 3
        first = cut(displayed(clean(original), self.host.order), left if rest >= _LEAST_CELLS else room)
        parts = [marked(f" {first}", needle)]
        if rest >= _LEAST_CELLS:
            other = cut(displayed(clean(translation), self.host.order), rest)
            parts += [Content(" " * (left - width(first) + 3)), marked(other, needle).stylize("$text-muted")]
        return Content("").join(parts)

    def choose(self, at: int) -> None:
        self.dismiss(self._found[at][0])
