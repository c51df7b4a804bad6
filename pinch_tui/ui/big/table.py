"""The big view of the running conversation: it follows the newest line, and one can talk there."""

from __future__ import annotations

from collections.abc import Collection

from textual import events
from textual.app import ComposeResult

from pinch_tui.core.events import StateWord
from pinch_tui.core.languages import AUTO, same_language
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.frontend.actions import do
from pinch_tui.ui.big.halves import Halves, halves
from pinch_tui.ui.big.lettering import DrawLarge
from pinch_tui.ui.big.view import Arrangement, BigView
from pinch_tui.ui.ports import Host
from pinch_tui.ui.widgets.polling import Poller, polling_rate
from pinch_tui.ui.widgets.talk_bar import TalkBar

SAID_S = 4.0
"""How long a passing line stays, in seconds."""
_ACTIONS = (
    "swap",
    "two_way",
    "catch_up",
    "mute",
    "volume_up",
    "volume_down",
    "stop_speech",
    "skip_speech",
    "replay",
    "replay_slower",
    "retry",
)
"""Actions whose usual keys work here, too."""
_OWN = (
    ("Esc", "Throw away, close"),
    ("Enter q", "Close"),
    ("u t", "Turn upside down"),
    ("b", "Both languages, or one"),
    ("Down PgDn", "Next page"),
    ("Up PgUp", "Page before"),
)


class TableView(BigView):
    """The talk key works as in the conversation, and so does holding the mouse button on the texts or the bar.

    The view starts with one line, and shows each newer line once that has words.
    """

    DEFAULT_CSS = "TableView TalkBar { height: 2; }"
    TALKS = True
    rows_below = 4

    def __init__(self, host: Host, line: Utterance, arrangement: Arrangement, draw: DrawLarge | None) -> None:
        engine = host.front.engine
        source = engine.status.params.source
        self._side = source if source != AUTO else ""
        self._line = line.number
        self._newest = max((one.number for one in engine.transcript.utterances), default=line.number)
        super().__init__(host, self._halves_of(line), arrangement, draw)
        self.bar = TalkBar(host)
        for half in (self.far, self.near):
            half.hold_with(host.hold.mouse_down, host.hold.mouse_up)
        self._poller = Poller(self, self.bar.show)

    def compose(self) -> ComposeResult:
        *texts, hints = super().compose()
        yield from texts
        yield self.bar
        yield hints

    def _halves_of(self, line: Utterance) -> Halves:
        side = self._side
        if not line.is_two_way and not any(same_language(side, code) for code in (line.source, line.target)):
            side = self._side = line.source if line.source != AUTO else ""
        return halves(line, side)

    def on_mount(self) -> None:
        self.redraw()

    # ---- what happens ----------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """The status changed."""
        self.bar.show()
        self._poller.set_rate(polling_rate(self._front.engine.status))

    def lines_changed(self, numbers: Collection[int]) -> None:
        """These lines changed: show the newest one with words."""
        utterances = self._front.engine.transcript.utterances
        newest = next((one for one in reversed(utterances) if one.has_text), None)
        if newest is not None and newest.number > self._newest:
            is_new = newest.number != self._line
            self._line = self._newest = newest.number
            self.show(self._halves_of(newest), is_new=is_new)
        elif self._line in numbers:
            self.show(self._halves_of(self._front.engine.transcript.utterance(self._line)))

    def say(self, text: str) -> None:
        """Show a passing line in place of a remark about the letters."""
        self._say_remark(clean(text))
        self.set_timer(SAID_S, self._say_keys)

    # ---- keys and mouse --------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        if event.key in self._front.keys["help"]:
            event.stop()
            self._help()
        for name in _ACTIONS:
            if event.key in self._front.keys[name] and event.key not in self._bindings.key_to_bindings:
                event.stop()
                do(self._front, name)
                return

    def _help(self) -> None:
        from pinch_tui.ui.screens.help import HelpScreen, Place

        self._host.push_screen(HelpScreen(Place("Here, in the big view", _OWN, _ACTIONS)))

    def action_back(self) -> None:
        """During an utterance Escape cancels it and leaves the view open."""
        status = self._front.engine.status
        if status.talking_since is not None or status.word is StateWord.TALKING:
            do(self._front, "cancel")
        else:
            self.action_close()
