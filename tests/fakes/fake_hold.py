"""The talk key as the screen sees it: calls are recorded, the report is what the test says."""

from __future__ import annotations

from collections.abc import Callable

from pinch_tui.core.choices import HoldReport, TalkMode
from pinch_tui.core.events import TalkSource

SENTENCES = {
    "tap": "The talk mode is set to tap: press to start, press again to stop.",
    "learned": (
        "This terminal does not report key releases. The end of a hold is learned from the pause in the key's repeats. "
        "A press shorter than the keyboard's first repeat counts as a tap."
    ),
}
"""What the real report says, for other ways of holding than the exact one."""


class FakeHold:
    """Swallows ``key`` while armed, as the real one does under a driver that is not ours."""

    def __init__(self, method: str = "exact", key: str = "space") -> None:
        self.armed = False
        self.on_report_changed: Callable[[object], None] | None = None
        self.on_hang_up: Callable[[], None] | None = None
        self.on_interrupt: Callable[[], None] | None = None
        self.dropped: Callable[[], int] = lambda: 0
        self.now_report = HoldReport(method, SENTENCES.get(method, "This terminal reports when a key is let go."))
        self.key = key
        self.calls: list[tuple[object, ...]] = []

    def feed_key(self, key: str, t: float) -> bool:
        if key != self.key or not self.armed:
            return False
        self.calls.append(("key",))
        return True

    def mouse_down(self, t: float) -> None:
        self.calls.append(("mouse_down",))

    def mouse_up(self, t: float) -> None:
        self.calls.append(("mouse_up",))

    def feed_focus(self, has_focus: bool, t: float) -> None:
        self.calls.append(("focus",) if has_focus else ("blur",))

    def end(self, source: TalkSource, t: float) -> None:
        self.calls.append(("end", source))

    def escape(self, t: float) -> None:
        self.calls.append(("escape",))

    def set_mode(self, mode: TalkMode) -> None:
        self.calls.append(("mode", mode))

    def report(self) -> HoldReport:
        return self.now_report

    def start(self) -> None:
        self.calls.append(("start",))

    def stop(self) -> None:
        self.calls.append(("stop",))
