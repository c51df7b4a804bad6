"""The big view: a line as large as the screen allows, in both languages, for a person across the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Rule

from pinch_tui.ui.big.halves import HalfText, Halves
from pinch_tui.ui.big.lettering import DrawLarge
from pinch_tui.ui.big.text import BigText
from pinch_tui.ui.closing import ClosesOnce
from pinch_tui.ui.ports import Host
from pinch_tui.ui.text.cells import width
from pinch_tui.ui.text.layout import cut

_EVEN_ROWS = 18
"""From this height on both languages get half of the rows; below it, the far one gets two thirds."""
_LARGE_ROWS = 6
"""On fewer rows the near text keeps the usual size, since its reader sits close to the screen."""


@dataclass(slots=True)
class Arrangement:
    """The arrangement of the view, kept from one opening to the next."""

    has_both: bool = True
    """Both languages, or the translation alone."""
    is_turned: bool = False
    """Whether the far text is upside down."""


class Hints(Widget):
    """One dim line: keys, which can be clicked, or a remark."""

    DEFAULT_CSS = "Hints { width: 1fr; height: 1; background: $background; color: $text-muted; }"
    _GAP = "   "

    def __init__(self) -> None:
        super().__init__()
        self._long: Sequence[tuple[str, str]] = ()
        self._short: Sequence[tuple[str, str]] = ()

    def say(self, *parts: tuple[str, str], short: Sequence[tuple[str, str]] = ()) -> None:
        """Pairs of a text and the action of the screen that a click runs, "" for none. ``short``: used if ``parts`` do
        not fit."""
        self._long, self._short = parts, short or parts
        self.refresh()

    @property
    def _parts(self) -> Sequence[tuple[str, str]]:
        return self._long if width(self._joined(self._long)) <= self.size.width else self._short

    def _joined(self, parts: Sequence[tuple[str, str]]) -> str:
        return self._GAP.join(text for text, _ in parts)

    @property
    def text(self) -> str:
        return cut(self._joined(self._parts), self.size.width)

    def render(self) -> Content:
        left = (self.size.width - width(self.text)) // 2
        return Content(" " * left + self.text)

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        x = event.x - (self.size.width - width(self.text)) // 2
        for text, action in self._parts:
            if action and 0 <= x < width(text):
                await self.run_action(f"screen.{action}")
            x -= width(text) + len(self._GAP)


class BigView(ClosesOnce, ModalScreen[None]):
    """Shows a line as large as fits; Esc, Enter, a click or the key that opened it closes it again.

    The far text, above, can be turned upside down; the near one is below it.
    """

    DEFAULT_CSS = """
    BigView { background: $background; layout: vertical; padding: 1 0 0 0; }
    BigView Rule.-horizontal { margin: 0; color: $text-disabled; }
    """
    ENDS_TALK = True
    TALKS: ClassVar[bool] = False
    """Whether the talk key and the mouse talk here."""
    rows_below: ClassVar[int] = 2
    """Rows taken by the rule and the hints."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Close", show=False),
        Binding("enter,q", "close", "Close", show=False),
        Binding("u,t", "turn", "Turn round", show=False),
        Binding("b", "both", "Both languages, or one", show=False),
        Binding("down,right,pagedown,space", "page(1)", "Next page", show=False),
        Binding("up,left,pageup", "page(-1)", "Page before", show=False),
    ]

    def __init__(self, host: Host, halves: Halves, arrangement: Arrangement, draw: DrawLarge | None) -> None:
        """``draw`` draws large type, on a worker thread; None: texts keep the usual size."""
        super().__init__()
        self._host, self._front = host, host.front
        for key in self._front.keys["big"]:
            self._bindings.bind(key, "close", "Close", show=False)
        self._halves, self._kept, self._draw = halves, arrangement, draw
        self._page = 0
        is_ascii = self._front.settings.ui.is_ascii
        self.far = BigText(is_ascii=is_ascii, order=host.order, draw=draw)
        self.near = BigText(is_ascii=is_ascii, order=host.order, draw=draw)
        self.far.is_turned = self._kept.is_turned
        self._rule = Rule(line_style="ascii" if is_ascii else "solid")
        self._remark = Hints()
        self._remark.display = False
        self._hints = Hints()

    def compose(self) -> ComposeResult:
        yield self.far
        yield self._rule
        yield self.near
        yield self._remark
        yield self._hints

    @property
    def _shown(self) -> tuple[HalfText, HalfText | None]:
        """The texts of the far and the near half in the present arrangement."""
        if self._kept.has_both and self._halves.near is not None:
            return self._halves.far, self._halves.near
        return self._halves.translation, None

    def show(self, halves: Halves, *, is_new: bool = False) -> None:
        """Show more words of this line, or (``is_new``) another line from its first page on."""
        self._halves = halves
        self._arrange()
        far, near = self._shown
        for half, said in ((self.far, far), (self.near, near)):
            if said is None:
                continue
            if is_new:
                half.show(said.text, language=said.language, page=0)
            else:
                half.grow(said.text, said.language)
        self._page = max(self.far.page, self.near.page if near else 0)
        self._say_keys()

    def _arrange(self) -> None:
        """Give each half its rows."""
        _, near = self._shown
        self.near.display = self._rule.display = near is not None
        rows = self.size.height - self.rows_below
        share = rows // 2 if rows >= _EVEN_ROWS else max(1, rows // 3)
        self.near.styles.height = share
        self.near.set_draw(self._draw if share >= _LARGE_ROWS else None)

    def on_big_text_drawn(self) -> None:
        self._say_keys()

    @property
    def _n_pages(self) -> int:
        return max(self.far.n_pages, self.near.n_pages if self.near.display else 0)

    def _say_keys(self) -> None:
        self._page = max(0, min(self._page, self._n_pages - 1))
        self._hints.say(*self._keys(is_short=False), short=self._keys(is_short=True))
        refusal = self.far.refusal or (self.near.refusal if self.near.display else None)
        self._say_remark("" if refusal is None else refusal.remark(self.size.width))

    def _keys(self, *, is_short: bool) -> list[tuple[str, str]]:
        parts = [("Esc close", "close")]
        if self.far.is_turned:
            parts.append(("U turn back", "turn"))
        elif self.far.can_turn:
            half = " the far half" if self.near.display and not is_short else ""
            parts.append((f"U turn{half} upside down", "turn"))
        if self._halves.near is not None:
            number = "one" if self._kept.has_both else "both"
            parts.append((f"B {number}" if is_short else f"B {number} language{'s' * (number == 'both')}", "both"))
        if self._n_pages > 1:
            how = "" if is_short else ", arrows turn it"
            parts.append((f"page {self._page + 1} of {self._n_pages}{how}", "page(1)"))
        return parts

    def _say_remark(self, text: str) -> None:
        self._remark.say((text, ""))
        self._remark.display = bool(text)

    def on_mount(self) -> None:
        self._arrange()
        self.show(self._halves)
        self.call_after_refresh(self._say_keys)

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()
        self.call_after_refresh(self._say_keys)

    def on_click(self) -> None:
        if not self.TALKS:
            self.action_close()

    def on_mouse_scroll_down(self) -> None:
        self.action_page(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_page(-1)

    def action_back(self) -> None:
        self.action_close()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_turn(self) -> None:
        """Turn the far half upside down for the person across the table; only drawn text can be turned."""
        if self.far.can_turn or self.far.is_turned or self.far.is_drawing:
            self._kept.is_turned = not self.far.is_turned
            self.far.show(is_turned=self._kept.is_turned, page=0)
            self._page = 0
        self._say_keys()

    def action_both(self) -> None:
        """Both languages, or the translation alone."""
        if self._halves.near is not None:
            self._kept.has_both = not self._kept.has_both
            self.show(self._halves, is_new=True)

    def action_page(self, step: int) -> None:
        """Turn the pages of both halves."""
        self._page = max(0, min(self._page + step, self._n_pages - 1))
        for half in (self.far, self.near):
            half.show(page=self._page)
        self._say_keys()
