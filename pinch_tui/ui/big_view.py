"""The big view: one text as large as the screen allows, to be shown to the person across the table."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from pinch_tui.ui.layout_text import Order, cut, width
from pinch_tui.ui.line_blocks import Page, pages

_MARGIN = 1


class BigText(Widget):
    """The text itself, centred in its whole place."""

    DEFAULT_CSS = """
    BigText { width: 1fr; height: 1fr; background: $background; color: $foreground; text-style: bold; }
    """

    def __init__(self, text: str, *, is_ascii: bool, reorders: Order | bool) -> None:
        super().__init__()
        self._text = text
        self._is_ascii = is_ascii
        self._reorders = reorders
        self._pages: list[Page] = []
        self.page = 0
        self.is_turned = False

    @property
    def n_pages(self) -> int:
        return len(self._pages)

    @property
    def can_turn(self) -> bool:
        """Whether what is shown are block letters, which can be turned upside down."""
        return bool(self._pages) and self._pages[self.page].is_block

    def show(self, text: str | None = None, *, page: int = 0, is_turned: bool | None = None) -> None:
        """Draw anew: another text, another page, or turned round."""
        self._text = self._text if text is None else text
        self.is_turned = self.is_turned if is_turned is None else is_turned
        self._pages = pages(
            self._text,
            self.size.width - 2 * _MARGIN,
            self.size.height,
            is_turned=self.is_turned,
            is_ascii=self._is_ascii,
            reorders=self._reorders,
        )
        self.page = max(0, min(page, len(self._pages) - 1))
        self.refresh()

    def on_resize(self) -> None:
        self.show(page=self.page)

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        cells = self.size.width
        rows = self._pages[self.page].rows if self._pages else ()
        at = y - max(0, (self.size.height - len(rows)) // 2)
        if not 0 <= at < len(rows):
            return Strip.blank(cells, style)
        text = rows[at]
        left = max(0, (cells - width(text)) // 2)
        strip = Strip([Segment(" " * left, style), Segment(text, style + Style(bold=True))])
        return strip.adjust_cell_length(cells, style)


class _Hints(Widget):
    """The keys, in the last line."""

    DEFAULT_CSS = "_Hints { width: 1fr; height: 1; background: $background; color: $text-muted; }"

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def render_line(self, y: int) -> Strip:
        text = cut(self.text, self.size.width)
        left = (self.size.width - width(text)) // 2
        style = self.rich_style
        return Strip([Segment(" " * left + text, style)]).adjust_cell_length(self.size.width, style)


class BigView(ModalScreen[None]):
    """Shows a text as large as fits; Esc, Enter, a click or the key that opened it closes it again."""

    DEFAULT_CSS = "BigView { background: $background; layout: vertical; padding: 1 0 0 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close", show=False),
        Binding("u,t", "turn", "Turn round", show=False),
        Binding("down,right,pagedown,space", "page(1)", "Next page", show=False),
        Binding("up,left,pageup", "page(-1)", "Page before", show=False),
    ]

    def __init__(
        self,
        text: str,
        *,
        is_ascii: bool = False,
        reorders: Order | bool = Order.LETTERS,
        closing_keys: tuple[str, ...] = (),
    ) -> None:
        """``closing_keys``: the keys that opened it, which close it too."""
        super().__init__()
        for key in closing_keys:
            self._bindings.bind(key, "close", "Close", show=False)
        self._big = BigText(text, is_ascii=is_ascii, reorders=reorders)
        self._hints = _Hints()

    def compose(self) -> ComposeResult:
        yield self._big
        yield self._hints

    def show(self, text: str) -> None:
        """Show another text, such as the words that came meanwhile."""
        self._big.show(text)
        self._say_keys()

    def _say_keys(self) -> None:
        parts = ["Esc close"]
        if self._big.can_turn:
            parts.append("U turn back" if self._big.is_turned else "U turn upside down")
        if self._big.n_pages > 1:
            parts.append(f"page {self._big.page + 1} of {self._big.n_pages}, arrows turn it")
        self._hints.text = "   ".join(parts)
        self._hints.refresh()

    def on_mount(self) -> None:
        self.call_after_refresh(self._say_keys)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._say_keys)

    def on_click(self) -> None:
        self.action_close()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_turn(self) -> None:
        """Upside down, for the person across the table; only block letters can be."""
        if self._big.can_turn:
            self._big.show(is_turned=not self._big.is_turned)
        self._say_keys()

    def action_page(self, step: int) -> None:
        self._big.show(page=self._big.page + step)
        self._say_keys()
