"""The conversation: header, transcript, notices, talk bar, footer. Draws the engine's state, and owns the scroll
position and the search. Levels are polled at `polling_rate`, or at most twice a second below a panel.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Input

from pinch_tui.core.events import Status
from pinch_tui.frontend.status_text import talk_hint
from pinch_tui.ui.ports import Host
from pinch_tui.ui.transcript.view import TranscriptView
from pinch_tui.ui.widgets.cards import EmptyCard, Phrase, SayThis
from pinch_tui.ui.widgets.footer import Footer
from pinch_tui.ui.widgets.header import Header
from pinch_tui.ui.widgets.kept_lines import keep_lines
from pinch_tui.ui.widgets.notices import Notices
from pinch_tui.ui.widgets.polling import Poller, polling_rate
from pinch_tui.ui.widgets.search_bar import SearchBar
from pinch_tui.ui.widgets.talk_bar import TalkBar

BELOW_HZ = 2.0
"""Polling rate below a panel that leaves the talk bar in view, in Hz: enough to count seconds."""
TALL_ROWS = 20
"""From this height the talk bar has padding, and practice mode suggests a phrase."""
N_PHRASES = 6


class MainScreen(Screen[None]):
    """The screen below all others."""

    DEFAULT_CSS = """
    MainScreen { background: $background; layout: vertical; }
    MainScreen TranscriptView { height: 1fr; display: none; }
    MainScreen.-tall TranscriptView { margin-top: 1; }
    MainScreen.-spoken TranscriptView { display: block; }
    MainScreen.-spoken EmptyCard { display: none; }
    MainScreen.-tall TalkBar { height: 4; padding: 1 0; }
    """

    def __init__(self, host: Host, view: TranscriptView) -> None:
        super().__init__()
        front = host.front
        self._host = host
        self._engine = front.engine
        self._poller = Poller(self, self._draw_bar)
        self._phrases_for: tuple[str, str, bool] | None = None
        self._phrases: Sequence[Phrase] = ()
        self.lines = view
        self.header = Header(host)
        self.notices = Notices()
        self.search_bar = SearchBar(view)
        self.say_this = SayThis(host)
        self.empty = EmptyCard(host)
        self.footer = Footer(host)
        self.talk_bar = TalkBar(host)

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.empty
        yield self.lines
        yield self.search_bar
        yield self.notices
        yield self.say_this
        yield self.talk_bar
        yield self.footer

    def on_mount(self) -> None:
        keep_lines(self, self.header, self.empty, self.lines, self.lines.vertical_scrollbar, self.notices)
        keep_lines(self.say_this, self.talk_bar, self.footer)
        self.search_bar.field.cursor_blink = self.app.animation_level != "none"
        self.redraw_talk()
        self.redraw()
        (self.empty if self._phrases else self.lines).focus()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height >= TALL_ROWS, "-tall")
        self._draw_say_this(self._engine.status)
        self._draw_empty(self._engine.status)
        if self.app.screen is not self:
            self.app.screen.call_after_refresh(self._poll)

    def on_descendant_focus(self) -> None:
        self._host.arm()
        self._draw_bar()

    def on_descendant_blur(self) -> None:
        self._host.arm()

    def on_screen_resume(self) -> None:
        self._host.arm()
        self.redraw()

    def on_screen_suspend(self) -> None:
        self._poller.set_rate(0.0)
        self.app.screen.call_after_refresh(self._poll)  # which rows it covers is known only after its layout

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draw the engine's present status."""
        if not self.is_attached or not self.is_current:
            return
        status = self._engine.status
        self.header.redraw()
        self.lines.set_speaking(status.speaking_utterance)
        self.footer.redraw()
        self.notices.set_talking(status.talking_since is not None)
        self._draw_bar()
        self._draw_empty(status)
        self._draw_say_this(status)
        self._poll()

    def redraw_hold(self) -> None:
        """How the talk key is held has changed. Drawn below a panel, too, since the panel might show it as well."""
        if not self.is_attached:
            return
        self.footer.redraw()
        self._draw_bar()
        self._draw_empty(self._engine.status)

    def redraw_talk(self) -> None:
        """The conversation changed: redraw everything around its lines. Their view is updated separately."""
        if not self.is_attached:
            return
        self.set_class(bool(self._engine.transcript.utterances), "-spoken")
        self._draw_say_this(self._engine.status)
        if self.has_class("-spoken") and self.empty.has_focus:
            (self.say_this if self.say_this.has_class("-any") else self.lines).focus()

    def begin_anew(self) -> None:
        """Another conversation has replaced this one."""
        self.close_search()
        self.lines.reload()
        self.redraw_talk()

    def _draw_bar(self) -> None:
        self.talk_bar.show(is_typing=self.is_typing)

    def _practice_phrases(self, status: Status) -> Sequence[Phrase]:
        """Phrases to try in the current languages; looked up once per pair."""
        wanted = (status.params.source, status.params.target, status.is_practice)
        if wanted != self._phrases_for:
            self._phrases_for = wanted
            source, target, is_practice = wanted
            phrases = self._host.front.services.practice_phrases
            self._phrases = phrases(source, target, N_PHRASES) if is_practice else ()
        return self._phrases

    def _draw_empty(self, status: Status) -> None:
        if self.has_class("-spoken"):
            return
        phrases = self._practice_phrases(status)
        hint = talk_hint(self._host.hold.report().method, self._host.front.settings.talk.key, is_on_bar=False)
        self.empty.show(hint, phrases[: max(0, self.size.height - 10)], self.size.width)

    def _draw_say_this(self, status: Status) -> None:
        utterances = self._engine.transcript.utterances
        has_room = self.size.height >= TALL_ROWS
        phrases = self._practice_phrases(status) if utterances and has_room else ()
        self.say_this.show(phrases, len(utterances))

    # ---- polling ---------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        """Set the polling rate for the present state."""
        rate = polling_rate(self._engine.status)
        if self.is_attached and self.app.screen is not self:
            rate = min(rate, BELOW_HZ) if self._is_bar_seen() else 0.0
        self._poller.set_rate(rate)

    def _is_bar_seen(self) -> bool:
        """Whether no panel hides the talk bar."""
        stack = self.app.screen_stack
        above = stack[stack.index(self) + 1 :] if self in stack else stack
        if any(screen.styles.background.a == 1 for screen in above):
            return False
        sheets = [sheet.region for screen in above for sheet in screen.query(".panel")]
        return not any(sheet.contains_region(self.talk_bar.region) for sheet in sheets)

    # ---- searching -------------------------------------------------------------------------------------------------

    def open_search(self) -> None:
        """Show the search line and type into it."""
        self.search_bar.open()
        self._host.arm()
        self._draw_bar()

    def close_search(self) -> bool:
        """Close the search line; False when it was not open."""
        was_open = self.search_bar.close()
        self._host.arm()
        return was_open

    def on_transcript_view_selected(self) -> None:
        self.search_bar.follow()

    @property
    def offers_phrases(self) -> bool:
        """Whether the empty card is on the screen, with phrases to play."""
        return bool(self.empty.phrases) and not self.has_class("-spoken")

    @property
    def is_typing(self) -> bool:
        """Whether a text field has the focus."""
        return isinstance(self.focused, Input)  # this screen has no other kind
