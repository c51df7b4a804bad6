"""Past conversations, the newest first. Typing searches all of them, Enter opens one, Del deletes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from textual import events, work
from textual.content import Content
from textual.widget import Widget
from textual.widgets.option_list import Option

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.errors import PinchError
from pinch_tui.frontend.past import PastEntry, counted, when
from pinch_tui.ui.screens.list_panel import ListPanel, marked
from pinch_tui.ui.screens.past import MakeView, PastScreen, pairs_text
from pinch_tui.ui.text.cells import width
from pinch_tui.ui.text.layout import cut
from pinch_tui.ui.transcript.search import find, fold
from pinch_tui.ui.widgets.notices import Notices
from pinch_tui.ui.widgets.strip import displayed

TYPING_S = 0.15
"""A search starts after this pause in typing."""
MAX_FOUND = 300
"""A search ends after about this many lines."""
_DELETES = ("delete", "ctrl+d")
_NONE = "There are no past conversations yet. They are kept from the first translation on."


class ConversationsScreen(ListPanel[None]):
    """``make_view`` makes the widget that shows an opened conversation."""

    DEFAULT_CSS = """
    ConversationsScreen OptionList { text-wrap: nowrap; }
    ConversationsScreen.-short .none { margin-top: 0; }
    """
    PLACEHOLDER = "type to search all conversations"
    PAGE_ROWS = 5

    def __init__(self, make_view: MakeView) -> None:
        super().__init__()
        self._make_view = make_view
        self.notices = Notices()
        self._entries: list[PastEntry] = []
        """The rows of the list."""
        self._has_results = False
        """Whether the list shows results for the text in the field, not for an earlier text."""
        self._is_done = False
        """Whether these results are complete."""
        self._needle = ""
        """The folded text that the list was searched for."""
        self._opens_first = False
        """Whether Enter was pressed before there was a result."""
        self._back_to: tuple[str, int | None] | None = None
        """Id and line of the row to select again once it is listed."""
        self._to_delete: PastEntry | None = None
        """The conversation to delete at the next press."""
        self._trouble = ""
        """Why the list is incomplete, "" if it is not."""

    def body(self) -> Iterator[Widget]:
        yield from super().body()
        yield self.notices

    # ---- finding ---------------------------------------------------------------------------------------------------

    @property
    def _text(self) -> str:
        return self.field.value.strip()

    def find(self, back_to: PastEntry | None = None) -> None:
        """Refill the list; ``back_to``: the row to select, if it still exists."""
        self._back_to = None if back_to is None else (back_to.id, back_to.line)
        self._has_results = self._is_done = self._opens_first = False
        self._trouble = ""
        self._find(self._text)
        self._write_texts()

    @work(group="find", exclusive=True)
    async def _find(self, text: str) -> None:
        if text:
            await asyncio.sleep(TYPING_S)
        try:
            async with aclosing(self.front.services.past.find(text)) as parts:
                async for part in parts:
                    if part:
                        self._add(part, text)
                    if text and len(self._entries) >= MAX_FOUND and self._has_results:
                        break
        except PinchError as error:
            self._trouble = f"{error.title} {error.hint}"
        self._is_done = True
        self._add((), text)

    def _add(self, part: Sequence[PastEntry], text: str) -> None:
        """List more results; the first ones replace those of an earlier search."""
        listed = self.listed
        if not self._has_results:
            self._has_results = True
            self._needle = fold(text)
            self._entries = []
            listed.clear_options()
        self._entries += part
        listed.add_options([Option(self._row(entry)) for entry in part])
        for at, entry in enumerate(self._entries):
            if (entry.id, entry.line) == self._back_to:
                listed.highlighted, self._back_to = at, None
        if listed.highlighted is None and self._entries:
            listed.highlighted = 0
        self._write_texts()
        if self._opens_first and self._entries:
            self._open(self._entries[0])

    # ---- choosing --------------------------------------------------------------------------------------------------

    @property
    def _selected(self) -> PastEntry | None:
        at = self.listed.highlighted
        return self._entries[at] if self._has_results and at is not None and at < len(self._entries) else None

    def action_move(self, step: int) -> None:
        self.cancel_delete()
        super().action_move(step)

    def submit(self) -> None:
        if self._has_results:
            super().submit()
        else:
            self._opens_first = True

    def choose(self, at: int) -> None:
        self.cancel_delete()
        if self._has_results:
            self._open(self._entries[at])

    def field_key(self, event: events.Key) -> bool:
        """Delete, with the cursor at the end of the text, deletes a conversation; any other key cancels that."""
        if event.key in _DELETES and self.field.cursor_position >= len(self.field.value):
            self._delete_pressed()
        elif event.key in self.front.keys["continue"] and not event.is_printable:
            self._continue()
        else:
            self.cancel_delete()
            return False
        return True

    @work(group="open", exclusive=True)
    async def _open(self, entry: PastEntry) -> None:
        self._opens_first = False
        try:
            conversation = await self.front.services.past.open(entry.id)
        except PinchError as error:
            self.front.face.warn("past", error.title, error.hint)
            return
        text = self._text if entry.line is not None else ""
        screen = PastScreen(conversation, self._make_view, line=entry.line, needle=text)
        self.host.push_screen(screen, partial(self._after_reading, conversation))

    def _after_reading(self, before: PastConversation, now: PastConversation | None) -> None:
        """The conversation might have changed while it was open: its stars, or its texts and so the matching lines."""
        if now is None:
            return
        if now.utterances != before.utterances:
            self.find(self._selected)
            return
        listed = self.listed
        for at, entry in enumerate(self._entries):
            if entry.id == now.id and entry.n_stars != len(now.stars):
                self._entries[at] = replace(entry, n_stars=len(now.stars))
                listed.replace_option_prompt_at_index(at, self._row(self._entries[at]))

    def _continue(self) -> None:
        """Continue the selected conversation."""
        self.cancel_delete()
        if self._selected is not None:
            self.host.continue_past(self._selected.id)

    # ---- deleting --------------------------------------------------------------------------------------------------

    def _delete_pressed(self) -> None:
        """The first press asks, the second one deletes."""
        entry = self._selected
        if entry is None:
            return
        if self._to_delete is None or self._to_delete.id != entry.id:
            self._to_delete = entry
            self._write_texts()
            return
        self._to_delete = None
        self.front.face.begin("delete", self._delete(entry))

    def cancel_delete(self) -> None:
        """Cancel the deletion."""
        if self._to_delete is not None:
            self._to_delete = None
            self._write_texts()

    async def _delete(self, entry: PastEntry) -> None:
        await self.front.services.past.delete(entry.id)
        if not self.is_attached:
            return
        listed = self.listed
        at = listed.highlighted or 0
        before = sum(other.id == entry.id for other in self._entries[:at])
        self._entries = [other for other in self._entries if other.id != entry.id]
        self._draw()
        if self._entries:
            listed.highlighted = min(at - before, len(self._entries) - 1)
        self._write_texts()

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        self.fill(map(self._row, self._entries), min(self.listed.highlighted or 0, len(self._entries) - 1))

    def _write_texts(self) -> None:
        if not self.is_attached:
            return
        if self._to_delete is not None:
            what = f"{when(self._to_delete.started)}, {counted(self._to_delete.n_lines, 'line')}"
            keys = Content.styled(f"Del again deletes {what}, for good.", "bold $warning")
        else:
            key = self.front.key_named("continue")
            keys = Content(f"Enter opens{f', {key} continues' if key else ''}, Del deletes, Esc closes")
        none = ""
        if self._is_done and not self._entries:
            none = clean(self._trouble or ("Nothing was found." if self._text else _NONE))
        title = Content.assemble("Past conversations", (f"  {self._state()}", "not bold $text-muted"))
        self.set_texts(title, keys, none)

    def _state(self) -> str:
        if not self._has_results:
            return "searching..."
        n = len(self._entries)
        if not self._text:
            return "" if not n else f"{n}" if self._is_done else f"{n}, still reading..."
        if n >= MAX_FOUND:
            return f"the newest {n} lines"
        return f"{counted(n, 'line')} found" + ("" if self._is_done else ", still searching...")

    def _row(self, entry: PastEntry) -> Content:
        """Two lines: time, length and languages; below, what was said."""
        room = self.listed.scrollable_content_region.width - 2
        marks = self.host.marks
        about = [when(entry.started)]
        if entry.problem:
            about.append("cannot be read")
        else:
            about.append(counted(entry.n_lines, "line") if entry.line is None else f"line {entry.line}")
        if entry.n_stars and entry.line is None:
            about.append(f"{marks.star} {entry.n_stars}")
        if entry.is_practice:
            about.append("practice")
        head = "  ".join(about)
        pairs = cut(pairs_text(entry.pairs, marks.arrow, self.host.order), max(1, room - width(head) - 2))
        words = marked(self._words(clean(entry.problem or entry.words), max(8, room)), self._needle)
        return Content.assemble(" ", (head, "bold"), f"  {pairs}\n ", words)

    def _words(self, text: str, room: int) -> str:
        """As much of the text around the match as fits."""
        start, end = next(iter(find(text, self._needle)), (0, 0))
        if width(text[:end]) >= room:
            text = self.host.marks.ellipsis + text[max(0, start - room // 3) :]
        return displayed(cut(text, room), self.host.order)
