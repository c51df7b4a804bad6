"""The phrases that practice understands: type to find one in either language, Enter plays it as a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from pinch_tui.core.languages import label
from pinch_tui.core.transcript.clean import clean
from pinch_tui.ui.screens.panel import Panel
from pinch_tui.ui.text.layout import cut, width
from pinch_tui.ui.transcript.search import find, fold
from pinch_tui.ui.widgets.strip import displayed

_LEAST_CELLS = 12
"""A translation with less room than this is left out."""


class PhrasesScreen(Panel[str]):
    """Ends with the phrase to be spoken, or None. ``phrases``: originals and translations, as they are spoken.

    ``can_speak``: a voice can speak them; else they are there to be read.
    """

    OPENED_BY = "phrases"
    DEFAULT_CSS = """
    PhrasesScreen OptionList { height: 1fr; margin-top: 1; text-wrap: nowrap; }
    PhrasesScreen .none { height: 1fr; margin-top: 1; padding: 0 1; display: none; }
    PhrasesScreen.-none .none { display: block; }
    PhrasesScreen.-none OptionList { display: none; }
    PhrasesScreen.-short OptionList { margin-top: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    def __init__(self, phrases: Sequence[tuple[str, str]], pair: tuple[str, str], *, can_speak: bool) -> None:
        super().__init__()
        self._phrases, self._pair, self._can_speak = phrases, pair, can_speak
        self._found: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel -wide -full"):
            yield Static(classes="panel-title")
            yield Input(placeholder="type to search in both languages", compact=True)
            yield OptionList(markup=False, compact=True)
            yield Static(classes="panel-muted none")
            keys = "Enter plays it as a sample, Esc closes" if self._can_speak else "Esc closes; then say one"
            yield Static(Content(keys), classes="panel-keys")

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        source, target = self._pair
        none = f"Practice has no phrases from {label(source)} to {label(target)}." if not self._phrases else ""
        self.query_one(".none", Static).update(Content(none or "No phrase has that."))

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._fill)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    def _fill(self) -> None:
        needle = fold(self.query_one(Input).value.strip())
        self._found = [pair for pair in self._phrases if not needle or any(find(text, needle) for text in pair)]
        listed = self.query_one(OptionList)
        listed.clear_options()
        room = listed.scrollable_content_region.width - 2
        left = min(max((width(clean(one)) for one, _ in self._found), default=0), max(8, room // 2))
        listed.add_options([Option(self._row(*pair, needle, left, room)) for pair in self._found])
        if self._found:
            listed.highlighted = 0
        self.set_class(not self._found, "-none")
        counted = f"  {len(self._found)}" if self._found else ""
        self.query_one(".panel-title", Static).update(
            Content.assemble("Practice phrases", (counted, "not bold $text-muted"))
        )

    def _row(self, original: str, translation: str, needle: str, left: int, room: int) -> Content:
        """The phrase, and its translation where there is room for both."""
        rest = room - left - 3
        first = cut(displayed(clean(original), self.host.order), left if rest >= _LEAST_CELLS else room)
        parts = [self._marked(f" {first}", needle)]
        if rest >= _LEAST_CELLS:
            other = cut(displayed(clean(translation), self.host.order), rest)
            parts += [Content(" " * (left - width(first) + 3)), self._marked(other, needle).stylize("$text-muted")]
        return Content("").join(parts)

    def _marked(self, text: str, needle: str) -> Content:
        content = Content(text)
        for start, end in find(text, needle) if needle else ():
            content = content.stylize("reverse", start, end)
        return content

    # ---- choosing --------------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        listed = self.query_one(OptionList)
        if listed.option_count:
            listed.highlighted = max(0, min(listed.option_count - 1, (listed.highlighted or 0) + step))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option_index)

    def _choose(self, at: int | None) -> None:
        if self._can_speak and at is not None and at < len(self._found):
            self.dismiss(self._found[at][0])
