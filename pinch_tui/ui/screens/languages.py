"""The language menu: one side of the pair at a time, with recent pairs at the top.

Typing searches; any code may be typed. After ``l``, Enter goes back to the previous pair, and 2 takes the second recent
pair.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend.languages_text import Entry, LanguageChoices, Pair, entries, full_name, why_none
from pinch_tui.ui.screens.panel import Panel
from pinch_tui.ui.widgets.strip import displayed

_CODE_CELLS = 7
"""Wide enough for ``zh-Hans``; a longer code pushes its language's name to the right."""


class _Filter(Input):
    """A plain text field; digits choose a recent pair while nothing is typed."""

    def on_key(self, event: events.Key) -> None:
        screen = self.screen
        if (
            isinstance(screen, LanguageScreen)
            and not self.value
            and event.character
            and event.character in "123456789"
            and screen.take_recent(int(event.character))
        ):
            event.stop()
            event.prevent_default()


class LanguageScreen(Panel[Pair | None]):
    """Ends with the pair chosen, or None."""

    DEFAULT_CSS = """
    LanguageScreen .panel.-full { max-height: 30; }
    LanguageScreen OptionList { height: 1fr; margin-top: 1; }
    LanguageScreen .none { height: 1fr; margin-top: 1; padding: 0 1; display: none; }
    LanguageScreen.-none .none { display: block; }
    LanguageScreen.-none OptionList { display: none; }
    LanguageScreen.-short OptionList { margin-top: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("tab", "side", show=False, priority=True),
        Binding("shift+tab", "side", show=False, priority=True),
    ]

    def __init__(self, choices: LanguageChoices, *, is_source_side: bool = False) -> None:
        super().__init__()
        self._choices = choices
        self._is_source_side = is_source_side
        self._entries: list[Entry] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel -full"):
            yield Static(classes="panel-title")
            yield _Filter(placeholder="type a language or a code", compact=True)
            yield OptionList(markup=False, compact=True)
            yield Static(classes="panel-muted none")
            yield Static(classes="panel-keys")

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._fill()

    # ---- choosing --------------------------------------------------------------------------------------------------

    def action_side(self) -> None:
        """Go to the other side: the language spoken, or the language translated into."""
        self._is_source_side = not self._is_source_side
        self._fill()

    def action_move(self, step: int) -> None:
        listed = self.query_one(OptionList)
        if listed.option_count:
            at = listed.highlighted if listed.highlighted is not None else -1
            listed.highlighted = max(0, min(listed.option_count - 1, at + step))

    def take_recent(self, number: int) -> bool:
        """Take a recent pair by its number; False when there is none."""
        recents = self._choices.other_recents()
        if number > len(recents):
            return False
        self.dismiss(recents[number - 1])
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._entries):
            self.dismiss(self._entries[at].pair)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._entries[event.option_index].pair)

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        query = self.query_one(Input).value
        self._entries = entries(self._choices, query, is_source_side=self._is_source_side)
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options([Option(self._line(entry)) for entry in self._entries])
        listed.highlighted = self._first_choice() if self._entries else None
        why = "" if self._entries else why_none(query, is_source_side=self._is_source_side)
        none = self.query_one(".none", Static)
        self.set_class(bool(why), "-none")
        none.update(Content(why))
        self.query_one(".panel-title", Static).update(self._title())
        digits = "1-9 recent pair, " if self._entries and self._entries[0].is_pair else ""
        self.query_one(".panel-keys", Static).update(Content(f"Enter chooses, {digits}Tab other side, Esc closes"))

    @property
    def _code_now(self) -> str:
        """The language in force on the side that is being chosen."""
        return self._choices.pair[0 if self._is_source_side else 1]

    def _first_choice(self) -> int:
        """What Enter would take: the previous pair, the best match, or else what is in force, so that a stray Enter
        changes nothing."""
        if self._entries[0].is_pair or self.query_one(Input).value.strip():
            return 0
        return next((at for at, entry in enumerate(self._entries) if entry.code == self._code_now), 0)

    def _shown(self, text: str) -> str:
        return displayed(clean(text), self.host.order)

    def _title(self) -> Content:
        source, target = self._choices.pair
        arrow = self.host.marks.arrow
        chosen, other = "bold $accent underline", "$text-muted"
        return Content.assemble(
            ("you speak ", "$text-muted"),
            (self._shown(full_name(source)), chosen if self._is_source_side else other),
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
