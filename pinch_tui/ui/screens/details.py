"""The details panel: delays, session, microphone and speaker, and counters of what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from pinch_tui.core.events import Delay, Status
from pinch_tui.core.transcript.clean import clean
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.frontend.status_text import mic_line
from pinch_tui.settings.model import OPTIONS
from pinch_tui.ui.screens.panel import Panel

REFRESH_S = 0.5
_NAME_CELLS = 16
"""Narrow enough for a whole session id beside it in 60 columns."""
_MANY = 20
"""The number of measurements is shown if there are fewer than this."""
_AWAITED, _NONE, _BEFORE, _NOT_YET = "awaited", "none", "before release", "not measured yet"
_MODES = dict(OPTIONS["session.finalize_mode"].offers)
Section = tuple[str, Sequence[tuple[str, str]]]


def _delay_text(delay: Delay, without: str) -> str:
    """``without``: shown if the last utterance has no figure."""
    text = without if delay.ms is None else f"{delay.ms:.0f} ms"
    if delay.p50_p95 is None:
        return text
    few = f" (n {delay.n})" if 0 < delay.n < _MANY else ""
    return f"{text}, p50 {delay.p50_p95[0]:.0f} ms, p95 {delay.p50_p95[1]:.0f} ms{few}"


def last_released(utterances: Sequence[Utterance]) -> Utterance | None:
    """The newest utterance that has ended and was not cancelled: its delays are shown."""
    unmeasured = (UtteranceState.TALKING, UtteranceState.CANCELLED)
    return next((u for u in reversed(utterances) if u.state not in unmeasured), None)


def unmeasured(status: Status, utterance: Utterance | None) -> tuple[str, str, str]:
    """Why an utterance has no figure, for its first text, its last text and its first sound."""
    if utterance is None:
        return _NOT_YET, _NOT_YET, _NOT_YET
    if utterance.state is UtteranceState.EMPTY:
        return _NONE, _NONE, _NONE
    is_awaited = utterance.state is UtteranceState.WAITING
    lacking = _AWAITED if is_awaited else _NONE
    has_final = not is_awaited and any(s.translation and s.translation_is_final for s in utterance.segments)
    is_queued = status.speech_late_s > 0 and status.speaking_utterance != utterance.number
    if not utterance.has_speech:
        sound = lacking if status.params.audio_output else _NONE
    else:
        sound = _AWAITED if is_queued else "before release, or not played"
    return _BEFORE if utterance.has_text else lacking, _BEFORE if has_final else lacking, sound


def sections(
    status: Status, extra: Sequence[tuple[str, str]] = (), utterance: Utterance | None = None
) -> Iterator[Section]:
    """Headings, each with its rows of name and value, in plain text. ``utterance``: the `last_released`."""
    counters, params = status.counters, status.params
    delays, without = status.latency, unmeasured(status, utterance)
    yield (
        "Delays after release",
        [
            ("first text", _delay_text(delays.first_text, without[0])),
            ("last text", _delay_text(delays.final, without[1])),
            ("first sound", _delay_text(delays.first_sound, without[2])),
            ("last sound", _delay_text(delays.last_sound, without[2])),
        ],
    )
    yield (
        "Session",
        [
            ("service", "practice, on this computer" if status.is_practice else status.service.label),
            ("session", status.session_id or "none"),
            ("model version", status.model_version_id or "not reported"),
            ("languages", f"{params.source} to {params.target}" + (", two-way" if params.two_way else "")),
            ("results", f"{_MODES[params.finalize_mode]}, {'with speech' if params.audio_output else 'text only'}"),
        ],
    )
    yield (
        "Sound",
        [
            ("microphone", ", ".join(part for part in (status.mic.value, status.mic_name) if part)),
            ("speaker", status.speaker_name or ("open" if status.has_speaker else "none")),
            ("speech waiting", f"{status.behind_s:.1f} s to send, {status.speech_late_s:.1f} s to play"),
        ],
    )
    yield (
        "Counters",
        [
            ("reconnects", str(counters.reconnects)),
            ("speech held", f"{counters.held_s:.1f} s"),
            ("audio resent", f"{counters.resent_s:.1f} s"),
            ("audio dropped", f"{counters.forgotten_s:.1f} s"),
            ("voice dropped", f"{counters.dropped_speech_s:.1f} s"),
            ("playback gaps", f"{counters.underruns}, {counters.gap_s:.1f} s" if counters.underruns else "0"),
            ("samples lost", str(counters.lost_samples)),
            ("unreadable", f"{counters.malformed} messages, and {counters.unknown} of an unknown kind"),
            ("too long", f"{counters.refused} messages"),
        ],
    )
    if extra:
        yield "More", list(extra)


class DetailsScreen(Panel[None]):
    """Refreshed twice a second while it is open."""

    TITLE, SHEET = "Details", "panel -full"
    ENDS_TALK = True
    OPENED_BY = "details"

    def body(self) -> Iterator[Widget]:
        yield VerticalScroll(Static(id="facts"), classes="body")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._fill()
        self.set_interval(REFRESH_S, self._fill)

    def _fill(self) -> None:
        engine = self.front.engine
        parts: list[str | tuple[str, str]] = []
        extra = list(self.front.services.details())
        if n_dropped := self.host.hold.dropped():
            extra.append(("keys dropped", f"{n_dropped} that came faster than anyone types"))
        for heading, rows in sections(engine.status, extra, last_released(engine.transcript.utterances)):
            parts.append((f"{heading}\n", "bold $accent"))
            for name, value in rows:
                parts.append((f"  {clean(name):<{_NAME_CELLS}}", "$text-muted"))
                parts.append(f" {clean(value)}\n")
            parts.append("\n")
        problem = mic_line(engine.status, engine.levels(), self.front.clock()).problem
        if problem:
            parts.append((f"{problem}\n", "bold $warning"))
        self.query_one("#facts", Static).update(Content.assemble(*parts).rstrip())
