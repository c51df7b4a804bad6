"""The empty conversation, and the line that offers a practice phrase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from pinch_tui.ui.ports import Host
from pinch_tui.ui.widgets.strip import parts_of

_EDGE = 2
_GUTTER = 5
"""Cells between a phrase and its translation."""


class Phrase(NamedTuple):
    """A phrase as it is spoken, and it and its translation in display order."""

    spoken: str
    original: str
    translation: str


class PhraseChosen(Message):
    """Asks for a phrase to be spoken as a sample."""

    def __init__(self, phrase: str) -> None:
        super().__init__()
        self.phrase = phrase


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

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host, self._services = host, host.front.services
        self._at = 0
        self._hint = ""
        self._phrases: Sequence[Phrase] = ()
        self._is_stacked = False

    def show(self, hint: str, phrases: Sequence[Phrase], width: int) -> None:
        """``hint``: how to talk, shown only to someone who never has. ``phrases``: in practice mode; those too
        long for a table of ``width`` cells, including the card's edges, are left out. Where none fits, the first
        stands above its translation."""
        can_speak = self._services.speak_phrase is not None
        phrases = phrases[:1] if self._is_first else phrases
        fitting = _that_fit(phrases, width - 2 * _EDGE - _GUTTER - can_speak)
        self._is_stacked = not fitting
        self._hint, self._phrases = hint, fitting or phrases[:1]
        self._at = min(self._at, max(0, len(self._phrases) - 1))
        self._draw()

    @property
    def _is_first(self) -> bool:
        """The user has not had anything translated yet, so the card has a single goal."""
        is_practice = self._host.front.engine.status.is_practice
        return is_practice and not (self._services.has_key or self._services.has_seen_welcome)

    def _draw(self) -> None:
        is_first, phrases = self._is_first, self._phrases
        can_speak = self._services.speak_phrase is not None
        parts: list[tuple[str, str]] = []
        if is_first:
            how = self._hint[:1].upper() + self._hint[1:]
            parts.append(("Welcome to pinch-tui, your interpreter in the terminal\n\n", "bold $accent"))
            parts.append((f"{how}. Say:\n" if phrases else how, "bold $foreground"))
        elif phrases:
            ask = "Say one, or press Enter to hear it as a sample:" if can_speak else "Say one:"
            parts.append(("Practice understands everyday phrases such as these.\n", "$foreground"))
            parts.append((f"{ask}\n", "$text-muted"))
        if phrases:
            parts += self._table(can_speak=can_speak)
            if is_first:
                sample = "No microphone? Press Enter to hear it as a sample.\n" if can_speak else ""
                parts.append((f"\n\n{sample}This is practice: nothing leaves your computer.", "$text-muted"))
            if not self._services.has_key and (key := self._host.front.key_named("welcome")):
                parts.append((f"\n\nHave a Pinch key? {key}", "$text-muted"))
        elif self._host.front.engine.status.is_practice:
            parts.append(("\n\n" * bool(parts) + "This is practice: nothing leaves your computer.", "$text-muted"))
        else:
            beside = ", the other language beside them" if self._host.front.engine.status.service.translates else ""
            parts.append((f"Your words appear here{beside}.", "$text-muted"))
        self.update(Content.assemble(*parts))

    def _table(self, *, can_speak: bool) -> Iterator[tuple[str, str]]:
        """Originals and translations side by side, or one above the other."""
        marks, order = self._host.marks, self._host.order
        left = 0 if self._is_stacked else max(cell_len(phrase.original) for phrase in self._phrases)
        right = 0 if self._is_stacked else max(cell_len(phrase.translation) for phrase in self._phrases)
        between = "\n" + " " * can_speak if self._is_stacked else f"  {marks.bar}  "
        for n, (_, original, translation) in enumerate(self._phrases):
            is_chosen = can_speak and self.has_focus and n == self._at
            edge = (marks.right if is_chosen else " ") if can_speak else ""
            yield f"\n{' ' * (left - cell_len(original))}{edge}", "$accent"
            yield from parts_of(original, "bold $accent" if is_chosen else "$accent", order)
            yield between, "$text-muted"
            yield from parts_of(translation, "$text-muted", order)
            yield " " * (right - cell_len(translation)), ""

    @property
    def can_be_played(self) -> bool:
        """Whether there is a phrase that a voice can speak."""
        return bool(self._phrases) and self._services.speak_phrase is not None

    def on_focus(self) -> None:
        self._draw()

    def on_blur(self) -> None:
        self._draw()

    def action_step(self, step: int) -> None:
        if self.can_be_played:
            self._at = (self._at + step) % len(self._phrases)
            self._draw()

    def action_speak(self) -> None:
        if self.can_be_played:
            self.post_message(PhraseChosen(self._phrases[self._at].spoken))


def _that_fit(phrases: Sequence[Phrase], room: int) -> list[Phrase]:
    """The phrases that fit side by side in ``room`` cells, each column as wide as its widest text."""
    fitting: list[Phrase] = []
    left = right = 0
    for phrase in phrases:
        wider = max(left, cell_len(phrase.original)), max(right, cell_len(phrase.translation))
        if sum(wider) <= room:
            left, right = wider
            fitting.append(phrase)
    return fitting


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

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._marks, self._order = host.marks, host.order
        self.can_focus = host.front.services.speak_phrase is not None
        self._phrases: Sequence[Phrase] = ()
        self._turn = self._at = 0

    def show(self, phrases: Sequence[Phrase], turn: int) -> None:
        """``turn``, the number of utterances so far, decides which one is shown."""
        if (phrases, turn) == (self._phrases, self._turn):
            return
        self._phrases = phrases
        self._turn = self._at = turn
        self.set_class(bool(phrases), "-any")
        self.refresh()

    def on_click(self) -> None:
        self.action_speak()

    def action_step(self, step: int) -> None:
        self._at += step
        self.refresh()

    def action_speak(self) -> None:
        if self.can_focus and self._phrases:
            self.post_message(PhraseChosen(self._phrases[self._at % len(self._phrases)].spoken))

    def render(self) -> Content:
        if not self._phrases:
            return Content("")
        _, original, translation = self._phrases[self._at % len(self._phrases)]
        room = max(1, self.content_size.width)
        line = Content.assemble(
            ("say this: ", "$text-muted"),
            *parts_of(original, "$accent", self._order),
            (self._marks.arrow, "$text-muted"),
            *parts_of(translation, "$text-muted", self._order),
        )
        how = "  Enter plays it" if self.has_focus else "  Tab, Enter plays it"
        if self.can_focus and line.cell_length + len(how) <= room:
            line = Content.assemble(line, (how, "$text-disabled"))
        return line.truncate(room, ellipsis=True)
