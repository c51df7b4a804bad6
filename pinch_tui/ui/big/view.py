"""The big view: one text as large as the screen allows, for the person across the table."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from pinch_tui.ui.big.lettering import DrawLarge, Picture, Refusal, Request
from pinch_tui.ui.big.pages import Page, pages
from pinch_tui.ui.text.layout import Order, cut, drawable, width

_MARGIN = 1
_PATIENCE_S = 0.3
"""How long the widget stays empty during the first drawing; then the text is shown at the usual size."""


class BigText(Widget):
    """The text, centred in its widget.

    ``draw`` draws it in a worker thread, one request at a time and always the newest; `Drawn` is posted when the
    answer is on screen. A text that cannot be drawn is shown at the terminal's own letter size.
    """

    DEFAULT_CSS = """
    BigText { width: 1fr; height: 1fr; background: $background; color: $foreground; text-style: bold; }
    """

    class Drawn(Message):
        """A drawing has arrived."""

    def __init__(
        self,
        text: str,
        *,
        is_ascii: bool,
        reorders: Order | bool,
        language: str = "",
        draw: DrawLarge | None = None,
    ) -> None:
        super().__init__()
        self._text = text
        self._language = language
        self._is_ascii = is_ascii
        self._reorders = reorders
        self._draw = draw
        self._wanted: Request | None = None
        self._answered: Request | None = None
        self._is_drawing = False
        self._pages: list[Page] = []
        self.refusal: Refusal | None = None
        """Why the text has the usual size, if that has a reason."""
        self.page = 0
        self.is_turned = False
        self.can_turn = False
        """Whether the text is drawn in dots, which can be turned upside down."""

    @property
    def n_pages(self) -> int:
        return len(self._pages)

    def show(
        self,
        text: str | None = None,
        *,
        page: int | None = None,
        is_turned: bool | None = None,
        language: str | None = None,
    ) -> None:
        """Show another text, another page, or the text turned round. By default the page stays."""
        page = self.page if page is None else page
        self._text = self._text if text is None else text
        self._language = self._language if language is None else language
        self.is_turned = self.is_turned if is_turned is None else is_turned
        request = self._request()
        if request is None:
            self._wanted = self._answered = self.refusal = None
            self._lay_out(page)
        elif request == self._answered and self.refusal is not None:
            self._lay_out(page)
        elif request != self._wanted:
            self._wanted = request
            if not self._fits():
                self._pages = []
            if not self._pages:
                self.set_timer(_PATIENCE_S, self._lose_patience)
            if not self._is_drawing:
                self._is_drawing = True
                self.run_worker(self._keep_drawing(), name="draw")
        self.refresh()

    def _request(self) -> Request | None:
        """What has to be drawn; None: there is nothing to draw, or nothing to draw with."""
        columns, rows = self.size.width - 2 * _MARGIN, self.size.height
        text = drawable(self._text)
        if self._draw is None or not text or min(columns, rows) < 1:
            return None
        return Request(text, columns, rows, self._language, self.is_turned, self._is_ascii)

    def _lay_out(self, page: int = 0) -> None:
        """Show the text at the usual size."""
        self._pages = pages(self._text, self.size.width - 2 * _MARGIN, self.size.height, reorders=self._reorders)
        self.can_turn = False
        self.page = max(0, min(page, len(self._pages) - 1))

    def _fits(self) -> bool:
        """Whether the pages shown still fit, so that they may stay until the answer comes."""
        return all(
            len(page) <= self.size.height and all(width(row) <= self.size.width for row in page) for page in self._pages
        )

    def _lose_patience(self) -> None:
        if not self._pages and self._is_drawing:
            self._lay_out()
            self.refresh()
            self.post_message(self.Drawn())

    async def _keep_drawing(self) -> None:
        draw = self._draw
        try:
            while draw is not None and self._wanted is not None and self._wanted != self._answered:
                request = self._wanted
                answer = await asyncio.to_thread(draw, request)
                self._take(request, answer)
        finally:
            self._is_drawing = False

    def _take(self, request: Request, answer: Picture | Refusal) -> None:
        if self._wanted is None:
            return
        self._answered = request
        if (request.columns, request.rows, request.is_turned) != (
            self._wanted.columns,
            self._wanted.rows,
            self._wanted.is_turned,
        ):
            return
        if isinstance(answer, Picture):
            self._pages, self.page, self.refusal, self.can_turn = [answer.rows], 0, None, True
        else:
            self.refusal = answer
            self._lay_out(self.page)
        self.refresh()
        self.post_message(self.Drawn())

    def on_resize(self) -> None:
        self.show(page=self.page)

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        cells = self.size.width
        rows = self._pages[self.page] if self._pages else ()
        at = y - max(0, (self.size.height - len(rows)) // 2)
        if not 0 <= at < len(rows):
            return Strip.blank(cells, style)
        text = rows[at]
        left = max(0, (cells - width(text)) // 2)
        strip = Strip([Segment(" " * left, style), Segment(text, style + Style(bold=True))])
        return strip.adjust_cell_length(cells, style)


class _Hints(Widget):
    """One quiet line: the keys, or why the text is not larger."""

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
    ENDS_TALK = True
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
        language: str = "",
        draw: DrawLarge | None = None,
    ) -> None:
        """``closing_keys``: the keys that opened it, which close it too. ``draw``: draws large type, in a worker
        thread; ``language``: the text's own, where it is known."""
        super().__init__()
        for key in closing_keys:
            self._bindings.bind(key, "close", "Close", show=False)
        self._big = BigText(text, is_ascii=is_ascii, reorders=reorders, language=language, draw=draw)
        self._remark = _Hints()
        self._remark.display = False
        self._hints = _Hints()

    def compose(self) -> ComposeResult:
        yield self._big
        yield self._remark
        yield self._hints

    def show(self, text: str, language: str = "") -> None:
        """Show another text, such as the words that came meanwhile."""
        self._big.show(text, language=language)
        self._say_keys()

    def on_big_text_drawn(self) -> None:
        self._say_keys()

    def _say_keys(self) -> None:
        parts = ["Esc close"]
        if self._big.can_turn:
            parts.append("U turn back" if self._big.is_turned else "U turn upside down")
        if self._big.n_pages > 1:
            parts.append(f"page {self._big.page + 1} of {self._big.n_pages}, arrows turn it")
        self._hints.text = "   ".join(parts)
        self._hints.refresh()
        self._remark.text = "" if self._big.refusal is None else self._big.refusal.remark(self.size.width)
        self._remark.display = bool(self._remark.text)
        self._remark.refresh()

    def on_mount(self) -> None:
        self.call_after_refresh(self._say_keys)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._say_keys)

    def on_click(self) -> None:
        self.action_close()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_turn(self) -> None:
        """Upside down, for the person across the table; only what is drawn in dots can be."""
        if self._big.can_turn:
            self._big.show(is_turned=not self._big.is_turned)
        self._say_keys()

    def action_page(self, step: int) -> None:
        self._big.show(page=self._big.page + step)
        self._say_keys()
