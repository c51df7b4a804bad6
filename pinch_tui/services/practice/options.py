"""Options of a practice service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pinch_tui.services.practice.faults import FaultPlan

EARS = ("auto", "phrasebook", "plain")
VOICES = ("auto", "espeak", "tones")


@dataclass(frozen=True, slots=True)
class PracticeOptions:
    """``port`` 0: any free one. ``ear`` and ``voice`` ``auto``: the best that is installed; if a named one is not
    installed, sessions get an ``error`` frame and the plain one."""

    port: int = 0
    record: Path | None = None
    phrasebook: Path | None = None
    fault: FaultPlan = field(default_factory=FaultPlan)
    ear: str = "auto"
    voice: str = "auto"
    secret: str = field(default="", repr=False)
    """The only accepted Bearer; if empty, any is accepted, also from web pages of this machine."""
    log: Callable[[str], None] = lambda _: None
    """Called with one line per request and session. No line contains a key or a token."""
