"""The parts that the app and ``translate`` share: children, the pair, the service's ports, the engine's settings."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from pinch_tui import __version__
from pinch_tui.core.events import (
    EngineEvent,
    Logged,
    SessionParams,
)
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.engine.engine import EngineConfig
from pinch_tui.services.ports import Service
from pinch_tui.services.registry import make
from pinch_tui.services.setup import ServiceSetup
from pinch_tui.settings.load import Source
from pinch_tui.settings.model import Reopen, Settings, Switch
from pinch_tui.settings.run import RunOptions
from pinch_tui.store.state import StateFile
from pinch_tui.wiring.choosing import Chosen

if TYPE_CHECKING:
    from pinch_tui.services.wirelog import WireLog
    from pinch_tui.store.trace import TraceWriter

log = logging.getLogger("pinch_tui")


def watch_children() -> None:
    """Wait for child processes without a thread for each one, as Python 3.12 and later do by default on Linux."""
    if sys.version_info >= (3, 12) or sys.platform == "win32" or not hasattr(os, "pidfd_open"):
        return
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return
    asyncio.set_child_watcher(asyncio.PidfdChildWatcher())


def remembered_pair(options: RunOptions, state: StateFile) -> tuple[str, str] | None:
    """The pair of the last run, unless the file, the environment or a flag names one."""
    if any(options.loaded.origin(key).source is not Source.DEFAULT for key in ("session.source", "session.target")):
        return None
    return state.state.last_pair


class Wire:
    """Makes the service's ports, traced if the options ask for it."""

    def __init__(self, options: RunOptions, stack: AsyncExitStack, *, is_continuous: bool = False) -> None:
        self._is_continuous = is_continuous
        self._trace: TraceWriter | None = None
        self._log: WireLog | None = None
        self._untold: list[str] = []
        self._tell: Callable[[str], None] = self._untold.append
        if options.trace is not None:
            from pinch_tui.services.wirelog import WireLog
            from pinch_tui.store.trace import TraceWriter

            self._trace = TraceWriter(
                options.trace,
                t=time.monotonic(),
                wall=time.time(),
                version=__version__,
                with_text=options.trace_has_text,
                is_continuous=is_continuous,
                on_failure=lambda sentence: self._tell(sentence),
            )
            self._log = WireLog(self._trace.write, with_text=options.trace_has_text)
            stack.callback(self._trace.close)

    def tell_through(self, tell: Callable[[str], None]) -> None:
        """Report failures to write the trace to ``tell``, earlier ones included."""
        self._tell = tell
        while self._untold:
            tell(self._untold.pop(0))

    def service(self, chosen: Chosen, settings: Settings, *, is_hands_free: bool = False) -> Service:
        """The ports of the chosen service. Raises `ConfigError`."""
        setup = ServiceSetup(
            settings,
            chosen.key.value,
            chosen.key_place,
            chosen.practice.start,
            chosen.practice.secret,
            is_continuous=self._is_continuous,
            is_hands_free=is_hands_free,
        )
        return make(chosen.name, setup, self._log)

    def hear(self, event: EngineEvent) -> None:
        if self._trace is not None and self._log is not None and isinstance(event, Logged):
            fields = dict(event.fields)
            if isinstance(id_ := fields.get("session_id"), str):
                fields["session_id"] = self._log.alias(id_)
            self._trace.log(event.t, event.kind, fields)


def engine_config(settings: Settings, params: SessionParams) -> EngineConfig:
    """The engine's part of the settings."""
    talk, speaker = settings.talk, settings.speaker
    return EngineConfig(
        params=params,
        talk=TalkConfig(talk.preroll_ms / 1000, talk.tail_ms / 1000, float(talk.limit_s)),
        keep_open=settings.mic.keep_open,
        shares_microphone=settings.mic.shared,
        barge_in=speaker.barge_in,
        reopens_idle=settings.session.reopen is Reopen.EAGER,
        volume=speaker.volume,
        is_muted=speaker.muted,
        has_cues={Switch.ON: True, Switch.OFF: False, Switch.AUTO: None}[speaker.cues],
    )
