"""State shared by all parts of the engine: the transcript, its latency, and the notifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pinch_tui.core.clock import Clock
from pinch_tui.core.latency import LatencyMeter
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.notifier import Notifier


@dataclass(slots=True)
class Conversation:
    """``began_at``: monotonic seconds. ``refresh``: call it when the status might have changed."""

    clock: Clock
    began_at: float
    notifier: Notifier
    refresh: Callable[[], None]
    transcript: Transcript = field(default_factory=Transcript)
    latency: LatencyMeter = field(default_factory=LatencyMeter)
    awaited: set[int] = field(default_factory=set)
    """Utterances that still await their last words."""

    def now(self) -> float:
        return self.clock.monotonic()

    def resume(self, utterances: Sequence[Utterance]) -> None:
        """Continue an earlier conversation, whose time resumes one second after its last line."""
        self.transcript.resume(utterances)
        self.began_at = self.now() - self.transcript.end_ms / 1000 - 1.0

    def ms(self, t: float | None = None) -> int:
        """Milliseconds from the beginning to ``t`` (now by default)."""
        return max(0, round(((self.now() if t is None else t) - self.began_at) * 1000))
