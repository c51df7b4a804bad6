"""Notices: passing lines, and banners that stay until the problem is solved or the user closes them."""

from __future__ import annotations

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from pinch_tui.core.events import NoticePosted, Severity
from pinch_tui.core.transcript.clean import clean, printable

PASSING_S = 6.0
"""How long a passing line stays. A notice about a retry stays until it is withdrawn."""
OWN = "screen-"
"""Prefix of the topics of the screen's own lines, which answer the user's actions."""
_MARKS = {Severity.INFO: "i", Severity.WARNING: "!", Severity.ERROR: "x", Severity.FATAL: "x"}
_STYLES = {
    Severity.INFO: "$foreground",
    Severity.WARNING: "bold $warning",
    Severity.ERROR: "bold $error",
    Severity.FATAL: "bold $error",
}


class Notices(Widget):
    """Shows the most severe banner, with the result of the user's last action below it, or else the newest passing
    line. Without notices it takes no space.
    """

    DEFAULT_CSS = """
    Notices { height: auto; max-height: 6; background: $panel; padding: 0 1; display: none; }
    Notices.-any { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._by_topic: dict[str, NoticePosted] = {}
        self._timer: Timer | None = None
        self._passing = ""
        self._is_talking = False

    @property
    def current(self) -> NoticePosted | None:
        """The notice on the screen."""
        banners = [notice for notice in self._by_topic.values() if _stays(notice)]
        grave = [notice for notice in banners if notice.severity in (Severity.ERROR, Severity.FATAL)]
        if grave:
            return grave[-1]
        if self._passing in self._by_topic:
            return self._by_topic[self._passing]
        return banners[-1] if banners else None

    def post(self, notice: NoticePosted) -> None:
        """Show a notice, or withdraw its topic if the title is empty."""
        if not notice.title:
            self.withdraw(notice.topic)
            return
        self._by_topic.pop(notice.topic, None)
        self._by_topic[notice.topic] = notice
        if not _stays(notice):
            if self._passing != notice.topic:
                self._by_topic.pop(self._passing, None)
            self._passing = notice.topic
            self._restart()
        elif self._passing == notice.topic:
            self._passing = ""  # a passing line became a banner
        self._draw()

    def set_talking(self, is_talking: bool) -> None:
        """During an utterance Escape cancels the utterance, so notices do not offer it."""
        if is_talking != self._is_talking:
            self._is_talking = is_talking
            self._draw()

    def withdraw(self, topic: str) -> None:
        """Withdraw the notice of a topic."""
        if self._passing == topic:
            self._passing = ""
        if self._by_topic.pop(topic, None) is not None:
            self._draw()

    def dismiss(self) -> bool:
        """Dismiss the current notice; False if there is none."""
        shown = self.current
        if shown is None:
            return False
        self._by_topic.pop(shown.topic, None)
        self._draw()
        return True

    def _restart(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PASSING_S, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._by_topic.pop(self._passing, None)
        self._draw()

    def _draw(self) -> None:
        self.set_class(self.current is not None, "-any")
        self.refresh(layout=True)

    def render(self) -> Content:
        shown = self.current
        if shown is None:
            return Content("")
        passing = self._by_topic.get(self._passing)
        if passing is None or passing is shown or not passing.topic.startswith(OWN):
            return self._content(shown)
        return Content("\n").join((self._content(shown), self._content(passing)))

    def _content(self, notice: NoticePosted) -> Content:
        style = _STYLES[notice.severity]
        parts: list[tuple[str, str]] = [(f"{_MARKS[notice.severity]} ", style), (clean(notice.title), style)]
        if notice.path:
            parts.append((f" {printable(notice.path)}", style))
        if notice.hint:
            parts.append((f"  {clean(notice.hint)}", "$text-muted"))
        if notice.is_retrying:
            parts.append(("  Retrying.", "$text-muted"))
        if notice.severity is Severity.ERROR and not self._is_talking:
            parts.append(("  Esc closes", "$text-muted"))
        return Content.assemble(*parts)


def _stays(notice: NoticePosted) -> bool:
    return notice.is_retrying or notice.severity in (Severity.ERROR, Severity.FATAL)
