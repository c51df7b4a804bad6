"""Tells the listeners: facts, lines of the event log, notices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pinch_tui.boundary import note_unexpected, quietly
from pinch_tui.core.clock import Clock
from pinch_tui.core.events import EngineEvent, Logged, NoticePosted, Severity, TranscriptChanged
from pinch_tui.engine.facade import Listener


class Notifier:
    """All events leave the engine through it. What a listener raises goes no further, and is told once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[Listener] = []
        self._shown: dict[str, NoticePosted] = {}
        self._faults: set[tuple[int, str]] = set()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear everything from now on; returns the way to stop."""
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
            hint = "What is shown or kept may be incomplete. Save what you need, then start the program again."
            self.notice(
                "listener", Severity.ERROR, f"A part of the program failed in an unexpected way ({name}).", hint
            )

    def log(self, kind: str, t: float | None = None, **fields: object) -> None:
        """A line of the event log; ``t`` is when it happened (now, if not given)."""
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
        """Post a notice. A lasting one is posted once until it is cleared; a passing one is posted each time."""
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
        """These utterances changed."""
        self.emit(TranscriptChanged(numbers))
