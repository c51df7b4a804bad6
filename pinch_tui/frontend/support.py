"""The report for a service's support: ids, times, codes and the doctor's findings; no transcripts, no keys."""

from __future__ import annotations

import platform
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from pinch_tui import __version__
from pinch_tui.core.events import Logged, Status
from pinch_tui.core.transcript.clean import clean

KEPT: Final = 40
"""How many of the latest connection events are kept."""
_LINE: Final = 200
"""Maximum characters of a line."""


class SupportNotes:
    """Keeps when sessions opened, and what ended them."""

    def __init__(self, wall_minus_clock: float | None = None) -> None:
        """``wall_minus_clock``: Unix time minus the event log's clock, in seconds."""
        self._offset = time.time() - time.monotonic() if wall_minus_clock is None else wall_minus_clock
        self._last_code = ""
        self._events: deque[tuple[float, str]] = deque(maxlen=KEPT)

    def add(self, event: Logged) -> None:
        fields = event.fields
        code = f" [{fields['code']}]" if fields.get("code") is not None else ""
        if code and (event.kind == "reconnecting" or fields.get("topic") == "link"):
            self._last_code = f"{fields.get('failure') or 'code'} {fields['code']}, {self._when(event.t)}"
        match event.kind:
            case "session":
                text = f"session {fields.get('session_id')}, model {fields.get('model_version_id') or 'not reported'}"
            case "reconnecting":
                text = f"reconnecting{code}: {fields.get('reason')}"
            case "error" if fields.get("topic") == "link":
                text = f"error{code}: {fields.get('title')}"
            case _:
                return
        if event.kind != "session" and fields.get("session_id"):
            text = f"{text} (session {fields['session_id']})"
        self._events.append((event.t, clean(text, _LINE)))

    def text(self, status: Status, doctor: Sequence[str], now: float) -> str:
        """The report. ``now``: the event log's clock, in seconds."""
        traits = status.service
        lines = [
            f"pinch-tui {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
            f"time: {self._when(now)}",
            f"service: {traits.label or traits.name}",
            f"session: {status.session_id or 'none'}",
            f"model version: {status.model_version_id or 'not reported'}",
            f"languages: {status.params.source} to {status.params.target}",
            f"state: {status.word.value}{f', {status.detail}' if status.detail else ''}",
            f"last code: {clean(self._last_code, _LINE) or 'none'}",
            "what happened:",
            *(f"- {self._when(t)} {text}" for t, text in self._events),
        ]
        if not self._events:
            lines.append("- nothing")
        lines += ["doctor:", *(f"- {clean(line, _LINE)}" for line in doctor or ("was not run",))]
        if traits.support:
            lines.append(f"write to: {traits.support}")
        return "\n".join(clean(line, 2 * _LINE) for line in lines) + "\n"

    def _when(self, t: float) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(t + self._offset))
