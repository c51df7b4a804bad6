"""The options of one run that are not settings."""

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
    """The settings and flags of one program run."""

    loaded: LoadedSettings = field(repr=False)
    paths: Paths = field(default_factory=lambda: resolve(os.environ))
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    is_practice: bool = False
    """``--practice``: use the built-in practice service even if there is a key."""
    log_file: Path | None = None
    """``--log-file``; None is the default file in the state folder."""
    events: Path | None = None
    """``--events``: the event log."""
    trace: Path | None = None
    """``--trace``: redacted wire traffic with timing."""
    trace_has_text: bool = False
    """``--trace-text``: the trace includes spoken text."""
    is_plain: bool = False
    """``--plain``: lines instead of a screen, for screen readers and dumb terminals."""
    continues: str = ""
    """``--continue``: a reference for `History.find`; "" begins a new conversation."""
    is_demo: bool = False
    """``--demo``: play a short conversation and quit."""

    @property
    def keeps_history(self) -> bool:
        return self.loaded.settings.history.enabled


class TextFormat(StrEnum):
    """The output formats of ``translate``."""

    TEXT = "text"
    JSONL = "jsonl"
    SRT = "srt"
    VTT = "vtt"
    MD = "md"


@dataclass(frozen=True, slots=True)
class TranslateOptions:
    """The options of ``pinch-tui translate``."""

    run: RunOptions
    inputs: tuple[str, ...] = ()
    """Sound files in order; ``-`` is 16 kHz mono PCM16 on stdin. Empty if ``is_listening``."""
    is_listening: bool = False
    """``--listen``: the microphone, hands-free, until Ctrl-C."""
    out: Path | None = None
    """``--out``: a 24 kHz mono float32 WAV of exactly the speech that the service sent."""
    format: TextFormat = TextFormat.TEXT
    has_both: bool = False
    """``--both``: the original together with the translation."""
    has_interim: bool = False
    """``--interim``: also texts that can still change."""
    is_batch: bool = False
    """``--batch``: each file in one request, if the service supports that."""
    has_all_finals: bool = False
    """``--all-finals``: also the finals of segments that are not settled yet."""
