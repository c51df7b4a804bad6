"""Shared by all parts of the engine: the rows, their latency, and the notifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pinch_tui.core.clock import Clock
from pinch_tui.core.latency import LatencyMeter
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.notifier import Notifier

GAP_MS = 1000
"""Between the last line of a conversation and the moment in which it is resumed, in its own time."""


@dataclass(slots=True)
class Conversation:
    """``began_at``: monotonic seconds. ``refresh`` says that the status may have changed."""

    clock: Clock
    began_at: float
    notifier: Notifier
    refresh: Callable[[], None]
    transcript: Transcript = field(default_factory=Transcript)
    latency: LatencyMeter = field(default_factory=LatencyMeter)
    awaited: set[int] = field(default_factory=set)
    """Utterances whose last words are awaited."""

    def now(self) -> float:
        return self.clock.monotonic()

    def resume(self, utterances: Sequence[Utterance]) -> None:
        """Go on with an earlier conversation: its time goes on where it ended, however long ago that was."""
        self.transcript.resume(utterances)
        self.began_at = self.now() - (self.transcript.end_ms + GAP_MS) / 1000

    def ms(self, t: float | None = None) -> int:
        """Milliseconds from the beginning to ``t``, or to now."""
        return max(0, round(((self.now() if t is None else t) - self.began_at) * 1000))
