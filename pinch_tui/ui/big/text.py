"""One text as large as its widget allows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.message import Message
from textual.strip import Strip

from pinch_tui.ui.big.lettering import DrawLarge, Picture, Refusal, Request
from pinch_tui.ui.big.pages import Page, pages
from pinch_tui.ui.text.cells import drawable, width
from pinch_tui.ui.text.layout import Order
from pinch_tui.ui.widgets.mouse_hold import MouseHold

_MARGIN = 1
_GROWTH = 60
"""A text that grows by more characters than this at once has no reader who follows its end."""
_BLANK_S = 0.3
"""Longest time without a text, during the first drawing; then the text is shown at the usual size."""


class BigText(MouseHold):
    """A text, centred.

    ``draw`` is called on a worker thread, one request at a time and always the newest; `Drawn` is posted when its
    answer is on the screen. A text that cannot be drawn is shown upright, at the terminal's letter size.
    """

    DEFAULT_CSS = """
    BigText { width: 1fr; height: 1fr; background: $background; color: $foreground; text-style: bold; }
    """

    class Drawn(Message):
        """A drawing has arrived."""

    def __init__(
        self,
        *,
        is_ascii: bool,
        order: Order,
        draw: DrawLarge | None = None,
    ) -> None:
        super().__init__()
        self._text = self._language = ""
        self._is_ascii = is_ascii
        self._order = order
        self._draw = draw
        self._wanted: Request | None = None
        self._answered: Request | None = None
        self.is_drawing = False
        """Whether a drawing is under way."""
        self._pages: list[Page] = []
        self.refusal: Refusal | None = None
        """Why the text could not be drawn."""
        self.page = 0
        self.is_turned = False

    @property
    def can_turn(self) -> bool:
        """Whether the text can be turned upside down: it is drawn in dots, or would be on several pages."""
        answered = self._answered
        if answered is None or answered != self._wanted:
            return False
        if self.refusal is None:
            return True
        return self.refusal.lacks_room and not (answered.is_turned or self._is_ascii)

    @property
    def n_pages(self) -> int:
        return len(self._pages)

    def set_draw(self, draw: DrawLarge | None) -> None:
        """None: show the text at the usual size."""
        if draw is not self._draw:
            self._draw = draw
            self.show()

    def grow(self, text: str, language: str) -> None:
        """Show more words of the present text. If its last page is shown, go on to the page where it continues."""
        is_read = 0 < self.n_pages == self.page + 1 and 0 < len(text) - len(self._text) <= _GROWTH
        self.show(text, language=language, page=self.n_pages if is_read else None)

    def show(
        self,
        text: str | None = None,
        *,
        page: int | None = None,
        is_turned: bool | None = None,
        language: str | None = None,
    ) -> None:
        """Show another text, another page, or the text turned round. By default the page stays, or becomes the last."""
        self.page = self.page if page is None else page
        self._text = self._text if text is None else text
        self._language = self._language if language is None else language
        self.is_turned = self.is_turned if is_turned is None else is_turned
        request = self._request()
        if request is None:
            self._wanted = self._answered = self.refusal = None
            self._lay_out()
        elif request == self._answered:
            self._wanted = request
            if self.refusal is not None:
                self._lay_out()
            self._keep_page()
        elif request != self._wanted:
            self._wanted = request
            if not self._fits():
                self._pages = []
            if not self._pages:
                self.set_timer(_BLANK_S, self._stop_waiting)
            if not self.is_drawing:
                self.is_drawing = True
                self._keep_drawing()
        self.refresh()

    def _request(self) -> Request | None:
        """The drawing to ask for; None without a text, room or a way to draw."""
        columns, rows = self.size.width - 2 * _MARGIN, self.size.height
        text = drawable(self._text)
        if self._draw is None or not text or min(columns, rows) < 1:
            return None
        return Request(text, columns, rows, self._language, self.is_turned, self._is_ascii)

    def _lay_out(self) -> None:
        """Show the text at the usual size."""
        self._pages = pages(self._text, self.size.width - 2 * _MARGIN, self.size.height, self._order)
        self._keep_page()

    def _keep_page(self) -> None:
        self.page = max(0, min(self.page, len(self._pages) - 1))

    def _fits(self) -> bool:
        """Whether the present pages still fit, so that they can stay until the answer."""
        return all(
            len(page) <= self.size.height and all(width(row) <= self.size.width for row in page) for page in self._pages
        )

    def _stop_waiting(self) -> None:
        if not self._pages and self.is_drawing:
            self._lay_out()
            self.refresh()
            self.post_message(self.Drawn())

    @work
    async def _keep_drawing(self) -> None:
        draw = self._draw
        try:
            while draw is not None and self._wanted is not None and self._wanted != self._answered:
                request = self._wanted
                answer = await asyncio.to_thread(draw, request)
                self._show_answer(request, answer)
                draw = self._draw
        finally:
            self.is_drawing = False

    def _show_answer(self, request: Request, answer: Picture | Refusal) -> None:
        if self._wanted is None:
            return
        self._answered = request
        if replace(request, text=self._wanted.text, language=self._wanted.language) != self._wanted:
            return  # of another size, or not turned
        if isinstance(answer, Picture):
            self._pages, self.refusal = [answer.rows, *answer.more], None
            self._keep_page()
        else:
            self.refusal = answer
            self._lay_out()
        self.refresh()
        self.post_message(self.Drawn())

    def on_resize(self) -> None:
        self.show()

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        cells = self.size.width
        rows = self._pages[max(0, min(self.page, len(self._pages) - 1))] if self._pages else ()
        at = y - max(0, (self.size.height - len(rows)) // 2)
        if not 0 <= at < len(rows):
            return Strip.blank(cells, style)
        text = rows[at]
        left = max(0, (cells - width(text)) // 2)
        strip = Strip([Segment(" " * left, style), Segment(text, style + Style(bold=True))])
        return strip.adjust_cell_length(cells, style)
