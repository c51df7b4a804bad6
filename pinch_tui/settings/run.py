"""What a command was asked to do beside the settings: the values that `pinch_tui.wiring` is called with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pinch_tui.settings.load import LoadedSettings
from pinch_tui.store.paths import Paths, resolve


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a program run was started."""

    loaded: LoadedSettings = field(repr=False)
    """The settings with their file, warnings and origins; ``loaded.settings`` is what run_app gets first."""
    paths: Paths = field(default_factory=lambda: resolve(os.environ))
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    is_practice: bool = False
    """``--practice``: use the built-in practice service even when there is a key."""
    log_file: Path | None = None
    """``--log-file``; None is the state folder's own."""
    events: Path | None = None
    """``--events``: the event log."""
    trace: Path | None = None
    """``--trace``: redacted wire traffic with timing."""
    trace_has_text: bool = False
    """``--trace-text``: the trace keeps what was said."""
    is_plain: bool = False
    """``--plain``: lines instead of a screen, for screen readers and dumb terminals."""
    continues: str = ""
    """``--continue``: go on with this conversation, as `History.find` takes it; "" begins one."""
    is_demo: bool = False
    """``--demo``: play a short conversation and leave."""

    @property
    def keeps_history(self) -> bool:
        """Whether this run's conversation is kept on disk."""
        return self.loaded.settings.history.enabled


class TextFormat(StrEnum):
    """What ``translate`` prints."""

    TEXT = "text"
    JSONL = "jsonl"
    SRT = "srt"
    VTT = "vtt"
    MD = "md"


@dataclass(frozen=True, slots=True)
class TranslateOptions:
    """``pinch-tui translate``: what goes in and what comes out."""

    run: RunOptions
    inputs: tuple[str, ...] = ()
    """Sound files in order; ``-`` is 16 kHz mono PCM16 on stdin. Empty when ``is_listening``."""
    is_listening: bool = False
    """``--listen``: the microphone, hands-free, until Ctrl-C."""
    out: Path | None = None
    """``--out``: a 24 kHz mono float32 WAV of exactly what was sent."""
    format: TextFormat = TextFormat.TEXT
    has_both: bool = False
    """``--both``: the original stands above the translation."""
    has_interim: bool = False
    """``--interim``: texts that may still change, too."""
    is_batch: bool = False
    """``--batch``: whole files in one request each, where the service hears them so."""
    has_all_finals: bool = False
    """``--all-finals``: finals of segments that are not settled yet, too."""
