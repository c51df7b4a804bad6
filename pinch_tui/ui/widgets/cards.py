"""The empty conversation, and the line that offers a practice phrase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from pinch_tui.ui.app.theme import Marks
from pinch_tui.ui.text.layout import Order
from pinch_tui.ui.widgets.strip import parts_of

_EDGE = 2
_GUTTER = 5
"""Cells between a phrase and its translation."""


class PhraseChosen(Message):
    """Asks for a phrase to be spoken as a sample. ``index``: its place among the phrases shown."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


class EmptyCard(Static, can_focus=True):
    """The empty conversation: how to talk here, and in practice mode phrases to try.

    Up and Down choose a phrase, Enter has it spoken.
    """

    DEFAULT_CSS = """
    EmptyCard { width: 1fr; height: 1fr; content-align: center middle; padding: 0 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("enter", "speak", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._playable: list[int] = []
        self._redraw: Callable[[], None] = lambda: None

    def show(
        self,
        hint: str,
        phrases: Sequence[tuple[str, str]],
        *,
        is_practice: bool,
        is_first: bool,
        key: str,
        can_speak: bool,
        marks: Marks,
        order: Order,
        width: int,
    ) -> None:
        """``hint``: how to talk, shown only to somebody who never did. ``phrases``: in practice mode, originals and
        translations in display order. ``can_speak``: there is a voice that can speak them. ``is_first``: the user has
        not had anything translated yet, so the card has a single goal. ``key``: the key that opens the screen for an
        API key, "" where one is in use.
        Phrases too long for a table of ``width`` cells, including the card's edges, are left out; where none fits, the
        first stands above its translation.
        """
        if is_first:
            phrases = phrases[:1]
        shown, left, right = _that_fit(phrases, width - 2 * _EDGE - _GUTTER - can_speak)
        is_stacked = bool(phrases) and not shown
        if is_stacked:
            shown, left, right = [0], 0, 0
        phrases = [phrases[index] for index in shown]
        self._playable = shown if can_speak else []
        self._at = min(self._at, max(0, len(self._playable) - 1))

        def draw() -> None:
            parts: list[tuple[str, str]] = []
            if is_first:
                how = hint[:1].upper() + hint[1:]
                parts.append(("Welcome to pinch-tui, your interpreter in the terminal\n\n", "bold $accent"))
                parts.append((f"{how}. Say:\n" if phrases else how, "bold $foreground"))
            elif phrases:
                ask = "Say one, or press Enter to hear it as a sample:" if can_speak else "Say one:"
                parts.append(("Practice understands everyday phrases such as these.\n", "$foreground"))
                parts.append((f"{ask}\n", "$text-muted"))
            if phrases:
                for n, (original, translation) in enumerate(phrases):
                    is_chosen = can_speak and self.has_focus and n == self._at
                    pad = " " * (left - cell_len(original))
                    edge = marks.right if is_chosen else " "
                    parts.append((f"\n{pad}{edge}" if can_speak else f"\n{pad}", "$accent"))
                    parts += parts_of(original, "bold $accent" if is_chosen else "$accent", order)
                    between = "\n" + " " * can_speak if is_stacked else f"  {marks.bar}  "
                    parts.append((between, "$text-muted"))
                    parts += parts_of(translation, "$text-muted", order)
                    parts.append((" " * (right - cell_len(translation)), ""))
                if is_first:
                    sample = "No microphone? Press Enter to hear it as a sample.\n" if can_speak else ""
                    parts.append((f"\n\n{sample}This is practice: nothing leaves your computer.", "$text-muted"))
                if key:
                    parts.append((f"\n\nHave a Pinch key? {key}", "$text-muted"))
            elif is_practice:
                parts.append(("\n\n" * bool(parts) + "This is practice: nothing leaves your computer.", "$text-muted"))
            else:
                parts.append(("Your words appear here, the other language beside them.", "$text-muted"))
            self.update(Content.assemble(*parts))

        self._redraw = draw
        draw()

    @property
    def can_be_played(self) -> bool:
        """Whether there is a phrase that a voice can speak."""
        return bool(self._playable)

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def action_step(self, step: int) -> None:
        if self._playable:
            self._at = (self._at + step) % len(self._playable)
            self._redraw()

    def action_speak(self) -> None:
        if self._playable:
            self.post_message(PhraseChosen(self._playable[self._at]))


def _that_fit(phrases: Sequence[tuple[str, str]], room: int) -> tuple[list[int], int, int]:
    """The indexes of the phrases that fit side by side in ``room`` cells, and the widths of both columns."""
    fitting: list[int] = []
    left = right = 0
    for index, (original, translation) in enumerate(phrases):
        wider = max(left, cell_len(original)), max(right, cell_len(translation))
        if sum(wider) <= room:
            left, right = wider
            fitting.append(index)
    return fitting, left, right


class SayThis(Widget, can_focus=True):
    """In practice mode: one line with the next phrase to say and its translation.

    While it has the focus, Left and Right choose another phrase; Enter, or a click, has it spoken.
    """

    DEFAULT_CSS = """
    SayThis { height: 1; padding: 0 1; color: $text-muted; display: none; }
    SayThis.-any { display: block; }
    SayThis:focus { background: $panel; }
    SayThis:focus:nocolor { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", show=False),
        Binding("right", "step(1)", show=False),
        Binding("enter", "speak", show=False),
    ]

    def __init__(self, marks: Marks, *, order: Order) -> None:
        super().__init__()
        self._marks, self._order = marks, order
        self._phrases: Sequence[tuple[str, str]] = ()
        self._turn = self._at = 0
        self._can_speak = False

    def show(self, phrases: Sequence[tuple[str, str]], turn: int, *, can_speak: bool = False) -> None:
        """Phrases in display order. ``turn``, the number of utterances so far, decides which one is shown.
        ``can_speak``: there is a voice that can speak them."""
        if (phrases, turn, can_speak) == (self._phrases, self._turn, self._can_speak):
            return
        self._phrases, self._can_speak = phrases, can_speak
        self._turn = self._at = turn
        self.can_focus = can_speak
        self.set_class(bool(phrases), "-any")
        self.refresh()

    def on_click(self) -> None:
        self.action_speak()

    def action_step(self, step: int) -> None:
        self._at += step
        self.refresh()

    def action_speak(self) -> None:
        if self._can_speak and self._phrases:
            self.post_message(PhraseChosen(self._at % len(self._phrases)))

    def render(self) -> Content:
        if not self._phrases:
            return Content("")
        original, translation = self._phrases[self._at % len(self._phrases)]
        room = max(1, self.content_size.width)
        line = Content.assemble(
            ("say this: ", "$text-muted"),
            *parts_of(original, "$accent", self._order),
            (self._marks.arrow, "$text-muted"),
            *parts_of(translation, "$text-muted", self._order),
        )
        how = "  Enter plays it" if self.has_focus else "  Tab, Enter plays it"
        if self._can_speak and line.cell_length + len(how) <= room:
            line = Content.assemble(line, (how, "$text-disabled"))
        return line.truncate(room, ellipsis=True)
