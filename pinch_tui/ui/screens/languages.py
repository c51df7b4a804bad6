"""The language menu: one side of the pair at a time, with recent pairs at the top.

Typing searches; any language code is accepted. After ``l``, Enter chooses the previous pair, and 2 the one before it.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.languages_text import Entry, LanguageChoices, Pair, entries, full_name, why_none
from pinch_tui.ui.screens.list_panel import ListPanel
from pinch_tui.ui.widgets.strip import displayed

_CODE_CELLS = 7
"""Wide enough for ``zh-Hans``; a longer code pushes its language's name to the right."""


class LanguageScreen(ListPanel[Pair | None]):
    """Returns the chosen pair, or None."""

    DEFAULT_CSS = "LanguageScreen .panel.-full { max-height: 30; }"
    SHEET = "panel -full"
    PLACEHOLDER = "type a language or a code"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "side", priority=True),
        Binding("shift+tab", "side", priority=True),
    ]

    def __init__(self, choices: LanguageChoices, *, is_source_side: bool = False) -> None:
        super().__init__()
        self._choices = choices
        self._is_source_side = is_source_side
        self._entries: list[Entry] = []

    # ---- choosing --------------------------------------------------------------------------------------------------

    def action_side(self) -> None:
        """Choose the other language: the one to speak, or the one to translate into."""
        if self._choices.has_target:
            self._is_source_side = not self._is_source_side
            self.find()

    def field_key(self, event: events.Key) -> bool:
        """Digits choose a recent pair if the field is empty."""
        recents = self._choices.other_recents()
        digit = event.character or ""
        if self.field.value or not digit or digit not in "123456789"[: len(recents)]:
            return False
        self.dismiss(recents[int(digit) - 1])
        return True

    def choose(self, at: int) -> None:
        self.dismiss(self._entries[at].pair)

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def find(self) -> None:
        query = self.field.value
        self._entries = entries(self._choices, query, is_source_side=self._is_source_side)
        self.fill(map(self._line, self._entries), self._first_choice())
        digits = "1-9 recent pair, " if self._entries and self._entries[0].is_pair else ""
        sides = "Tab other side, " if self._choices.has_target else ""
        keys = Content(f"Enter chooses, {digits}{sides}Esc closes")
        none = "" if self._entries else why_none(query, is_source_side=self._is_source_side)
        self.set_texts(self._title(), keys, none)

    @property
    def _code_now(self) -> str:
        """The current language of the side being chosen."""
        return self._choices.pair[0 if self._is_source_side else 1]

    def _first_choice(self) -> int:
        """The row that Enter would choose: the previous pair, the best match, or else the current language, so that a
        stray Enter changes nothing."""
        if self.field.value.strip() or (self._entries and self._entries[0].is_pair):
            return 0
        return next((at for at, entry in enumerate(self._entries) if entry.code == self._code_now), 0)

    def _shown(self, text: str) -> str:
        return displayed(clean(text), self.host.order)

    def _title(self) -> Content:
        source, target = self._choices.pair
        arrow = self.host.marks.arrow
        chosen, other = "bold $accent underline", "$text-muted"
        spoken = Content.assemble(
            ("you speak ", "$text-muted"),
            (self._shown(full_name(source)), chosen if self._is_source_side else other),
        )
        if not self._choices.has_target:
            return spoken
        return Content.assemble(
            spoken,
            (arrow, "$text-disabled"),
            ("translated into ", "$text-muted"),
            (self._shown(full_name(target)), other if self._is_source_side else chosen),
        )

    def _line(self, entry: Entry) -> Content:
        if entry.is_pair:
            source, target = entry.pair
            names = self.host.marks.arrow.join(self._shown(full_name(code)) for code in (source, target))
            key = f" {entry.hotkey:<{_CODE_CELLS}} "
            recent = f"  recent, {entry.note}" if entry.note else "  recent"
            return Content.assemble((key, "bold $accent"), names, (recent, "$text-muted"))
        code = f" {clean(entry.code):<{_CODE_CELLS}} "
        now = ("  now", "$accent") if entry.code == self._code_now else ""
        note = (f"  {entry.note}", "italic $text-muted") if entry.note else ""
        return Content.assemble((code, "$text-muted"), self._shown(entry.title), now, note)
