"""The conversation: one line-API view of any length.

Every utterance is a row, and only rows in view are laid out, so an interim text costs one row and not the conversation.
A view that shows the end follows it; in one that is scrolled up nothing moves, and a mark counts the new rows below.
It belongs to the event loop's thread. Keys are bound by the table of actions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pinch_tui.engine import facade
from pinch_tui.ui.throttle import Throttle
from pinch_tui.ui.transcript import moves as line_moves
from pinch_tui.ui.transcript.paint import COMPONENT_CLASSES, CSS, Painter
from pinch_tui.ui.transcript.row import RowStyle
from pinch_tui.ui.transcript.rows import Rows
from pinch_tui.ui.transcript.search import Found, Search


class TranscriptView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a conversation. Owns scroll position, selection and search; the engine owns the conversation."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENT_CLASSES)
    DEFAULT_CSS = CSS

    class Selected(Message):
        """The selection moved to this utterance."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Activated(Selected):
        """This utterance was opened by a double click."""

    def __init__(
        self,
        transcript: facade.TranscriptReader,
        style: RowStyle,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The view sets the width of ``style``, and its search the needle."""
        super().__init__()
        self._transcript = transcript
        self._rows = Rows(lambda: transcript.utterances, style)
        self._search = Search(lambda: transcript.utterances)
        self._painter: Painter | None = None
        self._dirty: set[int] = set()
        self._painting = Throttle(self, self._flush, clock)
        self._is_adjusting = False
        self.is_following = True
        """Whether the end is in view and stays there."""
        self._shown_height = 0
        self.cursor: int | None = None
        """The selected utterance's number; until one is selected, the newest that has, or can still get, a text."""
        self._cursor_follows = True
        self.unseen: set[int] = set()
        """New and changed utterances below the view."""
        self.latest_key = "End"
        """The key that the jump mark names; "" for none."""

    def like(self, transcript: facade.TranscriptReader) -> TranscriptView:
        """A view of another conversation with the same look."""
        return TranscriptView(transcript, replace(self._rows.style, width=0, folded=""))

    # ---- content and look ------------------------------------------------------------------------------------------

    def refresh_utterances(self, numbers: Iterable[int]) -> None:
        """These utterances changed or began: paint them soon, at most 20 times a second. Any task of the loop can call
        this."""
        numbers = set(numbers)
        if self._search.folded:
            self._search.update(map(self._transcript.utterance, numbers))
        self._dirty |= numbers
        self._painting.poke()

    def reload(self) -> None:
        """Lay out the conversation from scratch, and show its end."""
        self._search = Search(lambda: self._transcript.utterances)
        self.cursor = None
        self._cursor_follows = True
        self.is_following = True
        self._set_unseen(set())
        self._rows.clear()
        self._lay_out(replace(self._rows.style, folded=""))

    def set_stars(self, numbers: Iterable[int]) -> None:
        """Mark these utterances with a star."""
        old, self._rows.stars = self._rows.stars, frozenset(numbers)
        self._repaint(old ^ self._rows.stars)

    def toggle_star(self, number: int) -> bool:
        """Star an utterance or take its star back; returns whether it is starred now."""
        self.set_stars(self._rows.stars ^ {number})
        return number in self._rows.stars

    def set_speaking(self, number: int | None) -> None:
        """Mark the utterance whose translation is being spoken."""
        old, self._rows.speaking = self._rows.speaking, number
        if old != number:
            self._repaint(n for n in (old, number) if n is not None)

    def set_look(self, **changes: Any) -> None:
        """Change fields of the `RowStyle`."""
        self._painter = None
        self._lay_out(replace(self._rows.style, **changes))

    @property
    def moves(self) -> Mapping[str, Callable[[], object]]:
        """The actions that move the selection."""
        return {
            "line_up": lambda: self.select_next(-1),
            "line_down": self.select_next,
            "page_up": lambda: self.select_page(-1),
            "page_down": lambda: self.select_page(1),
            "first": self.select_first,
            "latest": self.select_last,
        }

    # ---- selection ------------------------------------------------------------------------------------------------

    def select(self, number: int) -> None:
        """Select an utterance and bring it into view."""
        row = self._rows.row_of(number)
        if row is not None:
            self._move_cursor(row, self._rows.view.show(row, self._top, self._height))

    def select_next(self, step: int = 1) -> None:
        """Select the next (1) or previous (-1) row; within a row that is too tall, scroll to its end first."""
        row = self._rows.row_of(self.cursor)
        if row is not None and self._is_placed:
            self._move_cursor(*line_moves.step(self._rows, row, step, self._top, self._height))

    def select_page(self, direction: int) -> None:
        """Scroll a page down (1) or up (-1) and select the last (first) row that is wholly in view."""
        if len(self._rows) and self._is_placed:
            self._move_cursor(*line_moves.page(self._rows, direction, self._top, self._height))

    def select_first(self) -> None:
        if len(self._rows):
            self._move_cursor(0, self._rows.view.settle(0, self._height))

    def select_last(self) -> None:
        """Select the newest utterance and follow the conversation again."""
        if len(self._rows):
            self._move_cursor(self._rows.newest(), self._rows.view.settle_end(self._height))

    def select_next_star(self) -> bool:
        """Select the next starred utterance, after the last one the first; returns False if none is starred."""
        starred = [u.number for u in self._transcript.utterances if u.number in self._rows.stars]
        if starred:
            self.select(next((n for n in starred if self.cursor is not None and n > self.cursor), starred[0]))
        return bool(starred)

    def _move_cursor(self, row: int, top: int | None = None) -> None:
        """Select a row, at the given scroll position if any."""
        self._cursor_follows = row == self._rows.newest()
        if top is not None and self._is_placed:
            self._apply(top)
            self._note_position()
            self._cursor_follows &= self._rows.view.top(row + 1) <= self._top + self._height
        self._set_cursor(self._rows.utterance(row).number)

    def _set_cursor(self, number: int) -> None:
        if number == self.cursor:
            return
        before, self.cursor = self.cursor, number
        for touched in (self._rows.row_of(before), self._rows.row_of(number)):
            self._refresh_row(touched)
        self.post_message(self.Selected(number))

    def _update_cursor(self) -> None:
        """After utterances came or went: keep the selection, or follow the newest."""
        if not len(self._rows):
            self.cursor = None
        elif self._cursor_follows or self._rows.row_of(self.cursor) is None:
            self._set_cursor(self._rows.utterance(self._rows.newest()).number)

    # ---- search ---------------------------------------------------------------------------------------------------

    def search(self, text: str) -> Found:
        """Mark every match and go to the nearest one at or before the selection; an empty text ends the search."""
        self._search.look_for(text)
        self._rows.mark_matches(self._search.folded)
        self.refresh()
        return self._go_to(self._search.nearest(self.cursor))

    def search_step(self, direction: int) -> Found:
        """Go to the next (1) or previous (-1) match, past the last one to the first."""
        return self._go_to(self._search.step(self.cursor, direction))

    @property
    def found(self) -> Found:
        """The selected utterance's place among the matches."""
        return self._search.count(self.cursor)

    def _go_to(self, found: Found) -> Found:
        row = self._rows.row_of(found.number)
        if row is not None:
            self._move_cursor(row, line_moves.to_match(self._rows, row, self._top, self._height, bool(self.unseen)))
        return found

    # ---- layout and position --------------------------------------------------------------------------------------

    @property
    def _top(self) -> int:
        return round(self.scroll_y)

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    @property
    def _is_placed(self) -> bool:
        return self._rows.is_laid_out and self._height > 0

    def _lay_out(self, style: RowStyle | None = None) -> None:
        style = replace(style or self._rows.style, width=self.scrollable_content_region.width)
        selected = self._selected_in_view()
        top = self._rows.lay_out(style, self._height, None if self.is_following else self._top)
        self._update_cursor()
        if self._is_placed:
            self._move_to(top, selected)

    def _selected_in_view(self) -> int | None:
        """The selected row if it is in view; call this before a new layout."""
        row = self._rows.row_of(self.cursor)
        # A view that grew can have moved up already; then only the new height covers the rows it showed before.
        height = max(self._shown_height, self._height)
        return row if row is not None and line_moves.is_in_view(self._rows, row, self._top, height) else None

    def _move_to(self, top: int, selected: int | None) -> None:
        """After a new layout: go to the end if the view follows it, else to ``top``, or nearby to keep the selected row
        in view."""
        if self.is_following:
            top = self._rows.view.settle_end(self._height)
        elif selected is not None and selected == self._rows.row_of(self.cursor):
            top = self._rows.view.show(selected, top, self._height, is_near=True)
        self._apply(top)
        self._note_position()
        self._shown_height = self._height
        self.refresh()

    def _apply(self, top: int) -> None:
        """Set size and scroll position; `watch_scroll_y` must not mistake this for scrolling by the user."""
        self._is_adjusting = True
        try:
            size = Size(self._rows.style.width, self._rows.view.total)
            if size != self.virtual_size:
                # Without a new layout of the whole screen: only the scrollbar changes.
                self.set_reactive(TranscriptView.virtual_size, size)
                self._scroll_update(size)
            if top != self.scroll_y:
                self.scroll_target_y = top
                self.scroll_y = top
        finally:
            self._is_adjusting = False

    def _note_position(self) -> None:
        """After a move: update whether the view follows the end, and which utterances have been seen."""
        end = self._top + self._height
        self.is_following = end >= self._rows.view.total
        if self.unseen:
            self._set_unseen(set() if self.is_following else {n for n in self.unseen if self._rows.bottom(n) > end})

    def _set_unseen(self, numbers: set[int]) -> None:
        if len(numbers) != len(self.unseen):
            self._refresh_lines(self._height - 1, 1)
        self.unseen = numbers

    # ---- changes --------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Paint the changes: single lines, or if a height changed, everything from the first such row down."""
        dirty, self._dirty = self._dirty, set()
        was_empty = not len(self._rows)
        fresh = self._rows.add_new()
        if fresh is None:
            self.reload()
            return
        dirty.update(fresh)
        if not self._rows.is_laid_out:
            return
        height = self._height
        changes = self._rows.change(dirty, self._top, height)
        self._update_cursor()
        if self.is_following:
            # A new row moves everything in view anyway; in a conversation shorter than the view nothing moves.
            if (fresh and self._rows.release()) or (self._rows.view.total <= height and self._rows.release_last()):
                self.refresh()
            self._apply(self._rows.view.settle_end(height))
        else:
            self._apply(self._rows.view.settle(changes.top, height))
            end = self._top + height
            self._set_unseen(self.unseen | {n for n in dirty if self._rows.bottom(n) > end})
        for line in changes.lines:
            self._refresh_lines(line - self._top, 1)
        if was_empty or changes.from_line is not None:
            self._refresh_lines(start := max(0, (changes.from_line or 0) - self._top), height - start)

    def _repaint(self, numbers: Iterable[int]) -> None:
        for row in self._rows.forget(numbers):
            self._refresh_row(row)

    def _refresh_row(self, row: int | None) -> None:
        if row is not None and row < len(self._rows):
            self._refresh_lines(self._rows.view.top(row) - self._top, self._rows.view.height(row))

    def _refresh_lines(self, y: int, n: int) -> None:
        if n > 0 and y + n > 0 and y < self._height:
            self.refresh(Region(0, y, self.size.width, n))

    # ---- the widget -----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        has_new_width = self.scrollable_content_region.width != self._rows.style.width
        if has_new_width or len(self._rows) != len(self._transcript.utterances):
            self._lay_out()
        elif self._height > 0:
            selected = self._selected_in_view()
            self._move_to(self._rows.view.settle(self._top, self._height), selected)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._is_adjusting and self._is_placed:
            self._apply(self._rows.view.settle(round(new_value), self._height))
            self._note_position()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter = None

    def on_click(self, event: events.Click) -> None:
        line = self._top + event.y
        if self.unseen and event.y == self._height - 1:
            self.select_last()
        elif line < self._rows.view.total:
            self._move_cursor(self._rows.view.row_at(line))
            if event.chain == 2 and self.cursor is not None:
                self.post_message(self.Activated(self.cursor))

    def render_line(self, y: int) -> Strip:
        if self._painter is None:
            self._painter = Painter(self.get_component_rich_style, self.rich_style, self._rows.style.shapes)
        cells = self._rows.style.width or self.size.width
        if self.unseen and y == self._height - 1:
            return self._painter.jump_mark(len(self.unseen), cells, self.latest_key)
        row, line = self._rows.line(self._top + y) if self._rows.is_laid_out else (None, None)
        return self._painter.line(line, cells, row is not None and row == self._rows.row_of(self.cursor))
