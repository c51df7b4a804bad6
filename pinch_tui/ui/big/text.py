"""One text as large as its widget allows."""

from __future__ import annotations

import asyncio

from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.message import Message
from textual.strip import Strip

from pinch_tui.ui.big.lettering import DrawLarge, Picture, Refusal, Request, Why
from pinch_tui.ui.big.pages import Page, pages
from pinch_tui.ui.text.cells import drawable, width
from pinch_tui.ui.text.layout import Order
from pinch_tui.ui.widgets.mouse_hold import MouseHold

_MARGIN = 1
_GROWTH = 60
"""A change that adds more characters than this is not taken for words that are read as they come."""
_PATIENCE_S = 0.3
"""How long the widget stays empty during the first drawing; then the text is shown at the usual size."""


class BigText(MouseHold):
    """A text, centred.

    ``draw`` is called in a worker thread, with one request at a time and always the newest; `Drawn` is posted when its
    answer is on screen. A text that cannot be drawn is shown upright, at the terminal's own letter size.
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
        reorders: Order | bool,
        draw: DrawLarge | None = None,
    ) -> None:
        super().__init__()
        self._text = self._language = ""
        self._is_ascii = is_ascii
        self._reorders = reorders
        self._draw = draw
        self._wanted: Request | None = None
        self._answered: Request | None = None
        self.is_drawing = False
        """Whether it is not known yet how the text can be shown."""
        self._pages: list[Page] = []
        self.refusal: Refusal | None = None
        """Why the text could not be drawn, if there is something to say."""
        self.page = 0
        self.is_turned = False

    @property
    def can_turn(self) -> bool:
        """Whether the text can be turned upside down: it is drawn in dots, or could be on several pages."""
        answered = self._answered
        if answered is None or answered != self._wanted:
            return False
        is_long = self.refusal is not None and self.refusal.why is Why.NO_ROOM
        return self.refusal is None or (is_long and not (answered.is_turned or self._is_ascii))

    @property
    def n_pages(self) -> int:
        return len(self._pages)

    def set_draw(self, draw: DrawLarge | None) -> None:
        """None: the text has the usual size from now on."""
        if draw is not self._draw:
            self._draw = draw
            self.show()

    def grow(self, text: str, language: str) -> None:
        """More words of the text that is shown. A reader who sees its last page goes on to the page where they
        continue."""
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
        """Show another text, another page, or the text turned round. By default the page stays; one that is not there
        is the nearest."""
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
                self.set_timer(_PATIENCE_S, self._lose_patience)
            if not self.is_drawing:
                self.is_drawing = True
                self._keep_drawing()
        self.refresh()

    def _request(self) -> Request | None:
        """What has to be drawn; None when there is no text, or no way to draw it."""
        columns, rows = self.size.width - 2 * _MARGIN, self.size.height
        text = drawable(self._text)
        if self._draw is None or not text or min(columns, rows) < 1:
            return None
        return Request(text, columns, rows, self._language, self.is_turned, self._is_ascii)

    def _lay_out(self) -> None:
        """Show the text at the usual size."""
        self._pages = pages(self._text, self.size.width - 2 * _MARGIN, self.size.height, reorders=self._reorders)
        self._keep_page()

    def _keep_page(self) -> None:
        self.page = max(0, min(self.page, len(self._pages) - 1))

    def _fits(self) -> bool:
        """Whether the pages shown still fit, so that they may stay until the answer comes."""
        return all(
            len(page) <= self.size.height and all(width(row) <= self.size.width for row in page) for page in self._pages
        )

    def _lose_patience(self) -> None:
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
                self._take(request, answer)
                draw = self._draw
        finally:
            self.is_drawing = False

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
