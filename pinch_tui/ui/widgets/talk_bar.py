"""The talk bar: state, level meter and microphone; it is also a button to hold with the mouse.

Repaints only if its content has changed, so that polling a silent microphone costs nothing.
"""

from __future__ import annotations

from dataclasses import replace

from textual.content import Content

from pinch_tui.core.events import Levels, MicState, StateWord, Status
from pinch_tui.core.transcript.clean import clean
from pinch_tui.frontend import status_text as text
from pinch_tui.ui.ports import Host
from pinch_tui.ui.widgets.line_widget import LineWidget
from pinch_tui.ui.widgets.meter import meter
from pinch_tui.ui.widgets.mouse_hold import MouseHold
from pinch_tui.ui.widgets.strip import Piece, cells, lay_out

_WORD_STYLES = {
    StateWord.OFFLINE: "bold $warning",
    StateWord.CONNECTING: "bold $foreground",
    StateWord.READY: "bold $foreground",
    StateWord.TALKING: "bold $accent",
    StateWord.FINALIZING: "bold $foreground",
    StateWord.SPEAKING: "bold $foreground",
    StateWord.RECONNECTING: "bold $warning",
}
_NARROW = 80
_LEAST_NAME = 9
"""A microphone's name is left out if there are fewer cells than this."""
_MIC_STYLES = {MicState.OPEN: "$foreground", MicState.LOST: "$warning", MicState.ABSENT: "$warning"}


def has_clock(status: Status) -> bool:
    """Whether the bar shows a running time."""
    times = (status.draining_until, status.retry_at, status.talking_since, status.limit_at)
    return status.word is StateWord.TALKING or any(t is not None for t in times)


class TalkBar(MouseHold, LineWidget):
    """Two lines of state above the footer. Holding a mouse button on them counts as holding the talk key."""

    DEFAULT_CSS = """
    TalkBar { height: 2; background: $surface; color: $foreground; }
    TalkBar.-talking { background: $accent 16%; }
    """

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._front, self._hold, self._marks = host.front, host.hold, host.marks
        self.hold_with(host.hold.mouse_down, host.hold.mouse_up)
        self._status, self._levels = Status(), Levels()
        self._method = "tap"
        self._shown: object = None

    def show(self, *, is_typing: bool = False) -> None:
        """Draw the engine's present state. ``is_typing``: a text field has the focus."""
        status, levels = self._front.engine.status, self._front.engine.levels()
        self._status, self._levels = status, levels
        self._method = "typing" if is_typing else self._hold.report().method
        is_silent = text.is_silent(status, levels, self._front.clock())
        shown = (status, replace(levels, zeros_s=0.0), is_silent, self._method, self._front.settings.talk.key)
        if shown == self._shown and not has_clock(status):
            return
        self._shown = shown
        self.set_class(status.word is StateWord.TALKING, "-talking")
        self.redraw()

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def compose_line(self, width: int) -> Content:
        return Content("\n").join([self._state_line(width), self._mic_line(width)]) if width > 0 else Content("")

    def _edge(self) -> Piece:
        style = "$accent" if self._status.word in (StateWord.TALKING, StateWord.READY) else "$text-disabled"
        return Piece(f"{self._marks.edge} ", style)

    def _state_line(self, width: int) -> Content:
        status, marks = self._status, self._marks
        style = _WORD_STYLES[status.word]
        is_narrow = width < _NARROW
        key = self._front.settings.talk.key
        line = text.state_line(status, self._front.clock(), method=self._method, key=key, is_narrow=is_narrow)
        word = [
            self._edge(),
            Piece(f"{marks.states[status.word]} ", style),
            Piece(f"{clean(line.word)}  ", style),
        ]
        hint = [Piece(clean(line.hint), "$text-muted")] if line.hint else []
        warning = [Piece(f" {clean(line.warning)} ", "bold $warning")] if line.warning else []
        late = text.backlog_text(status, is_narrow=is_narrow, catch_up=self._front.key_named("catch_up"))
        right = warning or ([Piece(f"{late} ", "$text-muted")] if late else [])
        return lay_out(width, [*word, *hint], right)

    def _mic_line(self, width: int) -> Content:
        status, levels, marks = self._status, self._levels, self._marks
        mic = text.mic_line(status, levels, self._front.clock())
        is_open = status.mic is MicState.OPEN
        mark = marks.mic_open if is_open else marks.mic_lost if mic.problem else marks.mic_closed
        style = _MIC_STYLES.get(status.mic, "$text-muted")
        left = [self._edge(), Piece(f"{mark} {mic.state}  ", style)]
        volume = text.volume_text(status)
        right = [Piece(f"{volume} ", "$text-muted")] if volume else []
        if is_open:
            words = [Piece(f" {text.dbfs_text(levels.peak_dbfs)} ", "$text-muted")]
            problem = [Piece(f" {clean(mic.problem)}", "bold $warning")] if mic.problem else []
            room = width - cells([*left, *words, *problem, *right])
            bar = meter(levels, max(8, min(32, room - 1)), marks, is_live=status.word is StateWord.TALKING)
            name = [Piece(f" {clean(mic.name)}", "$text-muted")] if mic.name and not problem else []
            if cells(name) > (left_over := width - cells([*left, *bar, *words, *right])) and left_over < _LEAST_NAME:
                name = []
            if room < 10:
                return lay_out(width, [*left, *bar, *problem])
            return lay_out(width, [*left, *bar, *words, *problem, *name], right)
        problem = [Piece(clean(mic.problem), "bold $warning")] if mic.problem else []
        return lay_out(width, [*left, *problem], right)
