"""The card of an empty conversation, and the line that suggests a practice phrase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from pinch_tui.core.transcript.clean import clean
from pinch_tui.ui.ports import Host
from pinch_tui.ui.widgets.strip import displayed, parts_of

_EDGE = 2
_GUTTER = 5
"""Cells between a phrase and its translation."""


Phrase = tuple[str, str]
"""A phrase and its translation."""


class PhraseChooser(Widget, can_focus=True):
    """Offers phrases to be spoken as a sample. Subclasses draw them, and bind keys to ``step`` and ``speak``."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self.phrases: Sequence[Phrase] = ()
        self._at = 0

    def action_step(self, step: int) -> None:
        if self.phrases:
            self._at = (self._at + step) % len(self.phrases)
            self.refresh()

    def action_speak(self) -> None:
        if self.phrases:
            self._host.front.play_phrase(self.phrases[self._at][0])

    def _displayed(self, phrase: Phrase) -> Phrase:
        """The phrase in display order."""
        original, translation = (displayed(clean(text), self._host.order) for text in phrase)
        return original, translation


class EmptyCard(PhraseChooser):
    """The empty conversation: how to talk here, and phrases to try in practice mode.

    Up and Down choose a phrase, Enter has it spoken.
    """

    DEFAULT_CSS = """
    EmptyCard { width: 1fr; height: 1fr; content-align: center middle; padding: 0 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("up", "step(-1)"), ("down", "step(1)"), ("enter", "speak")]

    _hint = ""
    _is_stacked = False

    def show(self, hint: str, phrases: Sequence[Phrase], width: int) -> None:
        """``hint``: how to talk, shown on the user's first run. ``phrases``: in practice mode; those too long for a
        table of ``width`` cells, including the card's edges, are left out. If none fits, the first is shown above its
        translation."""
        phrases = phrases[:1] if self._is_first else phrases
        fitting = self._that_fit(phrases, width - 2 * _EDGE - _GUTTER - 1)
        self._is_stacked = not fitting
        self._hint, self.phrases = hint, fitting or phrases[:1]
        self._at = min(self._at, max(0, len(self.phrases) - 1))
        self.refresh()

    @property
    def _is_first(self) -> bool:
        """Nothing was ever translated for this user, so the card shows a single thing to do."""
        front = self._host.front
        return front.engine.status.is_practice and not (front.services.has_key or front.services.has_seen_welcome)

    def render(self) -> Content:
        is_first, phrases, front = self._is_first, self.phrases, self._host.front
        parts: list[tuple[str, str]] = []
        if is_first:
            how = self._hint[:1].upper() + self._hint[1:]
            parts.append(("Welcome to pinch-tui, your interpreter in the terminal\n\n", "bold $accent"))
            parts.append((f"{how}. Say:\n" if phrases else how, "bold $foreground"))
        elif phrases:
            parts.append(("Practice understands everyday phrases such as these.\n", "$foreground"))
            parts.append(("Say one, or press Enter to hear it as a sample:\n", "$text-muted"))
        if phrases:
            parts += self._table()
            if is_first:
                sample = "No microphone? Press Enter to hear it as a sample.\n"
                parts.append((f"\n\n{sample}This is practice: nothing leaves your computer.", "$text-muted"))
            if not front.services.has_key and (key := front.key_named("welcome")):
                parts.append((f"\n\nHave a Pinch key? {key}", "$text-muted"))
        elif front.engine.status.is_practice:
            parts.append(("\n\n" * bool(parts) + "This is practice: nothing leaves your computer.", "$text-muted"))
        else:
            translation = " and their translation" if front.engine.status.service.translates else ""
            parts.append((f"Your words{translation} appear here.", "$text-muted"))
        return Content.assemble(*parts)

    def _table(self) -> Iterator[tuple[str, str]]:
        """Originals and translations side by side, or one above the other."""
        marks, order = self._host.marks, self._host.order
        shown = [self._displayed(phrase) for phrase in self.phrases]
        left, right = (0 if self._is_stacked else max(map(cell_len, texts)) for texts in zip(*shown, strict=True))
        between = "\n " if self._is_stacked else f"  {marks.bar}  "
        for n, (original, translation) in enumerate(shown):
            is_chosen = self.has_focus and n == self._at
            yield f"\n{' ' * (left - cell_len(original))}{marks.right if is_chosen else ' '}", "$accent"
            yield from parts_of(original, "bold $accent" if is_chosen else "$accent", order)
            yield between, "$text-muted"
            yield from parts_of(translation, "$text-muted", order)
            yield " " * (right - cell_len(translation)), ""

    def _that_fit(self, phrases: Sequence[Phrase], room: int) -> list[Phrase]:
        """The phrases that fit side by side in ``room`` cells, each column as wide as its widest text."""
        fitting: list[Phrase] = []
        left = right = 0
        for phrase in phrases:
            original, translation = map(cell_len, self._displayed(phrase))
            if max(left, original) + max(right, translation) <= room:
                left, right = max(left, original), max(right, translation)
                fitting.append(phrase)
        return fitting


class SayThis(PhraseChooser):
    """In practice mode, one line with the next phrase to say and its translation.

    With the focus, Left and Right choose another phrase; Enter, or a click, has it spoken.
    """

    DEFAULT_CSS = """
    SayThis { height: 1; padding: 0 1; color: $text-muted; display: none; }
    SayThis.-any { display: block; }
    SayThis:focus { background: $panel; }
    SayThis:focus:nocolor { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("left", "step(-1)"), ("right", "step(1)"), ("enter", "speak")]

    _turn = 0

    def show(self, phrases: Sequence[Phrase], turn: int) -> None:
        """``turn``, the number of utterances so far, decides which phrase is shown."""
        if (phrases, turn) == (self.phrases, self._turn):
            return
        self.phrases, self._turn = phrases, turn
        self._at = turn % len(phrases) if phrases else 0
        self.set_class(bool(phrases), "-any")
        self.refresh()

    def on_click(self) -> None:
        self.action_speak()

    def render(self) -> Content:
        if not self.phrases:
            return Content("")
        original, translation = self._displayed(self.phrases[self._at])
        room = max(1, self.content_size.width)
        line = Content.assemble(
            ("say this: ", "$text-muted"),
            *parts_of(original, "$accent", self._host.order),
            (self._host.marks.arrow, "$text-muted"),
            *parts_of(translation, "$text-muted", self._host.order),
        )
        how = "  Enter plays it" if self.has_focus else "  Tab, Enter plays it"
        if line.cell_length + len(how) <= room:
            line = Content.assemble(line, (how, "$text-disabled"))
        return line.truncate(room, ellipsis=True)
