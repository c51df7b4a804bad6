"""How a practice service is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pinch_tui.services.practice.faults import FaultPlan

EARS = ("auto", "phrasebook", "plain")
VOICES = ("auto", "espeak", "tones")


@dataclass(frozen=True, slots=True)
class PracticeOptions:
    """``port`` 0 takes a free one. ``ear`` and ``voice`` ``auto`` take the best that is installed; naming one that is
    not installed fails at the first session with an ``error`` frame and leaves the plain one."""

    port: int = 0
    record: Path | None = None
    phrasebook: Path | None = None
    fault: FaultPlan | None = None
    ear: str = "auto"
    voice: str = "auto"
    secret: str = field(default="", repr=False)
    """The one Bearer that is accepted; without one any is, and web pages of this machine may ask, too."""
    log: Callable[[str], None] | None = None
    """Called with one line for each request and each session. No line holds a key or a token."""
