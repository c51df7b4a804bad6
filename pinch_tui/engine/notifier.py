"""Delivers the engine's events to its listeners: changes, lines of the event log, notices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pinch_tui.boundary import note_unexpected, quietly
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import EngineEvent, Logged, NoticePosted, Severity, TranscriptChanged
from pinch_tui.engine.facade import Listener


class Notifier:
    """Every event leaves the engine through it. A listener's exception stops here and is reported once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[Listener] = []
        self._shown: dict[str, NoticePosted] = {}
        self._faults: set[tuple[int, str]] = set()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Deliver every event from now on; returns a function that unsubscribes."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def emit(self, event: EngineEvent) -> None:
        for listener in list(self._listeners):
            quietly(partial(listener, event), None, partial(self._broke, listener))

    def _broke(self, listener: Listener, exc: Exception) -> None:
        name = type(exc).__name__
        if (fault := (id(listener), name)) not in self._faults:
            self._faults.add(fault)
            note_unexpected(exc)
            title = f"A part of the program failed in an unexpected way ({name})."
            hint = "What is shown or kept may be incomplete. Save what you need, then start the program again."
            self.notice("listener", Severity.ERROR, title, hint)

    def log(self, kind: str, t: float | None = None, **fields: object) -> None:
        """Add a line to the event log; ``t`` is when it happened (now by default)."""
        self.emit(Logged(self._clock.monotonic() if t is None else t, kind, fields))

    def notice(
        self,
        topic: str,
        severity: Severity,
        title: str,
        hint: str = "",
        *,
        is_retrying: bool = False,
        offers: tuple[str, ...] = (),
    ) -> None:
        """Post a notice. A repeated error or retry is posted once until it is cleared; other notices every time."""
        posted = NoticePosted(topic, severity, title, hint, is_retrying, offers=offers)
        if (is_retrying or severity is Severity.ERROR) and self._shown.get(topic) == posted:
            return
        self._shown[topic] = posted
        self.emit(posted)

    def clear(self, *topics: str) -> None:
        """Withdraw the notices of these topics."""
        for topic in topics:
            if self._shown.pop(topic, None) is not None:
                self.emit(NoticePosted(topic, Severity.INFO, ""))

    def changed(self, *numbers: int) -> None:
        """Report that these utterances changed."""
        self.emit(TranscriptChanged(numbers))
