"""One past conversation, over the whole screen, with the keys of the running one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.past import PastConversation
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine import facade
from pinch_tui.errors import PinchError
from pinch_tui.frontend.handlers import add_context
from pinch_tui.frontend.languages_text import full_name
from pinch_tui.frontend.lines import LineWork
from pinch_tui.frontend.past import Pairs, counted, when
from pinch_tui.frontend.ports import Wording
from pinch_tui.ui.screens.help import HelpScreen, Place
from pinch_tui.ui.screens.panel import Panel
from pinch_tui.ui.text.cells import width
from pinch_tui.ui.text.layout import Order, cut
from pinch_tui.ui.transcript.view import TranscriptView
from pinch_tui.ui.widgets.notices import Notices
from pinch_tui.ui.widgets.search_bar import SearchBar
from pinch_tui.ui.widgets.strip import displayed

MakeView = Callable[[facade.TranscriptReader], TranscriptView]
_HINTS = (
    ("continue", "continue"),
    ("search", "search"),
    ("copy", "copy"),
    ("star", "star"),
    ("next_star", "next star"),
    ("big", "big"),
    ("correct", "correct"),
    ("export", "export"),
    ("copy_original", "original"),
    ("copy_both", "both"),
)
"""The actions in the bottom line, as many as fit."""


def pairs_text(pairs: Pairs, arrow: str, order: Order) -> str:
    """The languages by their own names, each in the order that this terminal needs."""
    return ", ".join(arrow.join(displayed(clean(full_name(code)), order) for code in pair) for pair in pairs)


class _Lines:
    """The lines of a past conversation: a `facade.TranscriptReader`."""

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self.utterances = list(utterances)

    def utterance(self, number: int) -> Utterance:
        return next(one for one in self.utterances if one.number == number)

    def update(self, utterances: Sequence[Utterance]) -> list[int]:
        """Replace the utterances; returns the numbers of those that changed. The list stays the same object, since
        views keep a reference to it."""
        changed = [new.number for old, new in zip(self.utterances, utterances, strict=False) if old != new]
        self.utterances[:] = utterances
        return changed


class PastScreen(Panel[PastConversation]):
    """Returns the conversation as it is on closing. ``line``: the line to select first; ``needle``: the text searched
    for."""

    DEFAULT_CSS = """
    PastScreen { background: $background; layout: vertical; align: left top; }
    PastScreen .past-head { height: 1; background: $panel; padding: 0 1; }
    PastScreen .past-foot { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
    PastScreen TranscriptView { height: 1fr; margin-top: 1; }
    PastScreen.-short TranscriptView { margin-top: 0; }
    """

    def __init__(
        self, conversation: PastConversation, make_view: MakeView, *, line: int | None = None, needle: str = ""
    ) -> None:
        super().__init__()
        self._conversation = conversation
        self._line, self._needle = line, needle
        self._said = _Lines(conversation.utterances)
        self.lines = make_view(self._said)
        self.notices = Notices()
        self.search_bar = SearchBar(self.lines)
        self._actions: Mapping[str, Callable[[], object]] = {}

    def compose(self) -> ComposeResult:
        yield Static(classes="past-head")
        yield self.lines
        yield self.search_bar
        yield self.notices
        yield Static(classes="past-foot")

    def on_mount(self) -> None:
        front, lines = self.front, self.lines
        work = LineWork(
            self._said,
            front.services,
            front.face,
            selected=lambda: lines.cursor,
            rewrite=self._rewrite,
            export=partial(front.services.past.export, self._conversation.id),
            offer=front.offer_context,
        )
        self._actions = {
            "copy": lambda: work.copy("translation"),
            "copy_original": lambda: work.copy("original"),
            "copy_both": lambda: work.copy("line"),
            "correct": work.correct,
            "add_context": lambda: add_context(front, work),
            "export": work.export,
            "star": lambda: self._star(work.chosen()),
            "next_star": self._next_star,
            "big": lambda: self._show_big(work.chosen()),
            "search": self.search_bar.open,
            "search_next": lambda: self.search_bar.action_step(1),
            "search_previous": lambda: self.search_bar.action_step(-1),
            **lines.moves,
            "continue": lambda: self.host.continue_past(self._conversation.id),
            "cancel": self.action_close,
            "conversations": self.action_close,
            "help": self._help,
        }
        lines.latest_key = front.key_named("latest")
        lines.set_stars(self._conversation.stars)
        lines.focus()
        self.call_after_refresh(self._begin)

    def _help(self) -> None:
        here = tuple(name for name in self._actions if name != "conversations")
        self.host.push_screen(HelpScreen(Place("Here, in a past conversation", actions=here)))

    def _begin(self) -> None:
        if self._line is not None:
            self.lines.select(self._line)
            self.lines.search(self._needle)
        if n := self._conversation.unreadable:
            self.front.face.warn("past", f"{counted(n, 'line')} of its file cannot be read.")

    # ---- keys ------------------------------------------------------------------------------------------------------

    @property
    def is_typing(self) -> bool:
        return isinstance(self.focused, Input)

    def on_key(self, event: events.Key) -> None:
        if self.is_typing:
            return
        for name, run in self._actions.items():
            if event.key in self.front.keys[name]:
                event.stop()
                run()
                return

    def action_close(self) -> None:
        """Close the search if it is open, else the conversation."""
        if not self.search_bar.close():
            self.dismiss(self._conversation)

    # ---- the lines -------------------------------------------------------------------------------------------------

    def _star(self, line: Utterance | None) -> None:
        if line is not None:
            self.front.face.begin("star", self._keep_star(line.number, is_on=self.lines.toggle_star(line.number)))

    async def _keep_star(self, number: int, *, is_on: bool) -> None:
        try:
            self._update(await self.front.services.past.star(self._conversation.id, number, is_on=is_on))
        except PinchError:
            self.lines.toggle_star(number)
            raise
        self.front.face.say("star", "Starred" if is_on else "No longer starred")

    def _next_star(self) -> None:
        if not self.lines.select_next_star():
            self.front.face.say("star", f"No line is starred. {self.front.key_named('star')} stars one.")

    async def _rewrite(self, number: int, wording: Wording) -> None:
        self._update(await self.front.services.past.correct(self._conversation.id, number, wording))

    def _update(self, now: PastConversation) -> None:
        """The conversation as it is on disk now."""
        self._conversation = now
        self.lines.refresh_utterances(self._said.update(now.utterances))

    def _show_big(self, line: Utterance | None) -> None:
        if line is not None:
            self.host.show_big(line, is_running=False)

    def on_transcript_view_activated(self, event: TranscriptView.Activated) -> None:
        event.stop()
        self._show_big(self._said.utterance(event.number))

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        room = event.size.width - 2
        self.query_one(".past-head", Static).update(self._head(room))
        self.query_one(".past-foot", Static).update(self._foot(room))

    def _head(self, room: int) -> Content:
        item = self._conversation
        head = when(item.started)
        about = f"  {counted(len(item.utterances), 'line')}{'  practice' if item.is_practice else ''}"
        pairs = pairs_text(item.pairs, self.host.marks.arrow, self.host.order)
        shown = cut(pairs, max(1, room - len(head) - len(about) - 2))
        return Content.assemble((head, "bold $accent"), (about, "$text-muted"), f"  {shown}")

    def _foot(self, room: int) -> Content:
        parts: list[tuple[str, str]] = [("Esc", "bold $accent"), (" back", "")]
        room -= len("Esc back")
        for name, label in _HINTS:
            if key := self.front.key_named(name):
                text = f"  {key} {label}"
                if width(text) > room:
                    break
                room -= width(text)
                parts += [(f"  {key}", "bold $accent"), (f" {label}", "")]
        return Content.assemble(*parts)
