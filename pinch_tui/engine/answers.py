"""What the sessions report, turned into transcript, playout, notices and log lines."""

from __future__ import annotations

from typing import Protocol, assert_never

from pinch_tui.core.events import MicState, Severity
from pinch_tui.core.latency import LatencyMeter
from pinch_tui.core.said import quoted
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.reactions import FailureKind, Policy, describe, policy_of
from pinch_tui.core.session.session import Session
from pinch_tui.core.transcript.transcript import Transcript, UtteranceState
from pinch_tui.core.wire import TranscriptKind
from pinch_tui.engine.notifier import Notifier
from pinch_tui.engine.ports import Clock
from pinch_tui.engine.session_runner import SessionRunner
from pinch_tui.engine.speech_player import SpeechPlayer
from pinch_tui.engine.status import Board
from pinch_tui.engine.talking import Talking


class LinkKeeper(Protocol):
    """Whoever keeps the links."""

    def is_current(self, link: SessionRunner) -> bool: ...

    def forget_link(self, link: SessionRunner) -> None: ...

    def cue(self, name: str) -> None: ...

    def refresh(self) -> None: ...


class Answers:
    """One method: `report`."""

    def __init__(
        self,
        links: LinkKeeper,
        floor: Talking,
        speech: SpeechPlayer,
        transcript: Transcript,
        latency: LatencyMeter,
        board: Board,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._links = links
        self._floor = floor
        self._speech = speech
        self._transcript = transcript
        self._latency = latency
        self._board = board
        self._notifier = notifier
        self._clock = clock
        self._failed_link: SessionRunner | None = None  # what was said last about a failing link is about this one

    def report(self, link: SessionRunner, report: ev.Report) -> None:
        match report:
            case ev.TextReceived():
                self._text(link, report)
            case ev.TextMoved():
                self._moved(report)
            case ev.SpeechReceived(number, _, chunk):
                self._speech.chunk(number, chunk.data)
                if not self._transcript.utterance(number).has_speech:
                    self._transcript.mark_speech(number)
                    self._notifier.changed(number)
                return
            case ev.FirstFrameSent():
                self._first_frame_sent(link, report)
            case ev.FinalizeSent(number):
                self._notifier.log("finalize", utterance=number)
            case ev.Restarted(number, attempt, kept, kept_speech):
                self._transcript.restart(number, attempt, link.session.session_id, kept)
                self._speech.restarted(number, 4 * kept_speech)
                self._latency.forget(number)
                self._notifier.log("resend", utterance=number, attempt=attempt)
                self._notifier.changed(number)
            case ev.Settled(number):
                self._settled(number)
            case ev.SessionReady(session_id, model):
                self._ready(link, session_id, model)
            case ev.SessionFailed():
                self._failed(link, report)
            case ev.SessionClosed():
                self._links.forget_link(link)
            case ev.ServiceSaid(text):
                title = f"The service says: {text[:300]}" if text else "The service reports an error without words."
                self._notifier.notice("service", Severity.WARNING, title)
                self._notifier.log("error", topic="service")
            case ev.SpeechUnavailable(target, supported):
                self._no_speech(target, supported)
            case ev.MessageIgnored(is_unknown):
                if is_unknown:
                    self._board.unknown += 1
                else:
                    self._board.malformed += 1
            case _:
                assert_never(report)
        self._links.refresh()

    def _text(self, link: SessionRunner, report: ev.TextReceived) -> None:
        number, message = report.number, report.message
        now = self._clock.monotonic()
        self._latency.first_text(number, now)
        traits = link.session.traits
        if message.is_final and (message.kind is TranscriptKind.TRANSLATED or not traits.translates):
            self._latency.final(number, now)
            if not traits.acknowledges_end:
                self._floor.awaited.discard(number)
        is_changed = self._transcript.apply(number, report.attempt, message, self._floor.ms())
        self._board.refused = self._transcript.refused
        if not is_changed:
            return
        self._notifier.changed(number)
        utterance = self._transcript.utterance(number)
        segment = self._transcript.segment_of(number, message.id)
        self._notifier.log(
            "final" if message.is_final else "interim",
            now,
            utterance=number,
            attempt=report.attempt,
            id=message.id,
            side=message.kind.value,
            text=message.text,
            original=segment.original if segment else "",
            translation=segment.translation if segment else "",
            source_language=utterance.source,
            target_language=utterance.target,
            detected_language=message.detected_language,
            start_ms=segment.start_ms if segment else utterance.start_ms,
            end_ms=segment.end_ms if segment else self._floor.ms(),
            revision=segment.revision if segment else 0,
            session_id=link.session.session_id,
        )

    def _moved(self, report: ev.TextMoved) -> None:
        if self._transcript.move(report.source, report.id, report.target, report.attempt, self._floor.ms()):
            self._notifier.log("moved", utterance=report.source, to=report.target, id=report.id)
            if not self._transcript.utterance(report.source).has_text and self._speech.moved(
                report.source, report.target
            ):
                self._transcript.mark_speech(report.source, has_speech=False)
                self._transcript.mark_speech(report.target)
            self._notifier.changed(report.source, report.target)

    def _first_frame_sent(self, link: SessionRunner, report: ev.FirstFrameSent) -> None:
        session = link.session
        if report.attempt == 1:
            params = session.params
            target = session.traits.target_of(params)
            self._transcript.retarget(report.number, params.source, target, session.session_id)
        self._notifier.log("first-sent", utterance=report.number, attempt=report.attempt)

    def _settled(self, number: int) -> None:
        self._floor.awaited.discard(number)
        self._transcript.settle(number, self._floor.ms())
        self._speech.settled(number)
        self._notifier.changed(number)
        is_empty = self._transcript.utterance(number).state is UtteranceState.EMPTY
        if is_empty and self._board.mic not in (MicState.LOST, MicState.ABSENT):  # the cause is told already
            self._notifier.notice("heard", Severity.INFO, "Nothing was heard.")
        self._notifier.log("settled", utterance=number, empty=is_empty)

    def _ready(self, link: SessionRunner, session_id: str, model: str | None) -> None:
        params = link.session.params
        self._notifier.log(
            "session",
            session_id=session_id,
            model_version_id=model,
            source=params.source,
            target=link.session.traits.target_of(params),
            audio=params.audio_output,
        )
        if self._links.is_current(link) or self._failed_link is link:
            self._notifier.clear("link")

    def _failed(self, link: SessionRunner, report: ev.SessionFailed) -> None:
        self._failed_link = link
        title, hint = describe(report.failure)
        policy = policy_of(report.failure)
        session = link.session
        if report.retry_at is not None:
            delay = max(0.0, report.retry_at - self._clock.monotonic())
            self._board.reconnects += 1
            self._notifier.log("reconnecting", delay_s=round(delay, 3), reason=title, code=report.failure.code)
            self._notifier.notice("link", Severity.WARNING, title, hint, is_retrying=True)
            return
        if report.unsettled and "kept" not in hint:
            hint = f"{hint} Your words are kept.".strip()
        if report.unsettled:
            self._links.cue("error")
        ids = _ids(session)
        if report.needs_cure:
            self._notifier.clear("link")  # a press asks again, so it is said again
            self._notifier.notice("link", Severity.ERROR, title, hint + ids)
        elif policy is Policy.FAULT or (policy is Policy.BUSY and session.traits.support):
            # The service's own fault, or no capacity in a minute of tries: to be reported there.
            hint = f"The next press tries again; if this stays, {_report(session)}. Your words are kept."
            self._notifier.notice("link", Severity.WARNING, title, f"{hint} {quoted(report.failure.words)}".strip())
        elif report.unsettled or policy is not Policy.ENDED:
            self._notifier.notice("link", Severity.WARNING, title, f"{hint} The next press tries again.".strip())
        self._notifier.log(
            "error",
            topic="link",
            title=title,
            code=report.failure.code,
            failure=report.failure.kind.value,
            ended=policy is Policy.ENDED,
            needs_cure=report.needs_cure,
            credential=report.failure.kind is FailureKind.HTTP and report.failure.is_credential,
        )

    def _no_speech(self, target: str, supported: tuple[str, ...]) -> None:
        known = f" Speech is available in: {', '.join(supported)}." if supported else ""
        self._notifier.notice(
            "speech",
            Severity.WARNING,
            f"The service cannot speak {target}; the translation is shown as text.",
            f"Choose another language to hear it.{known}",
        )
        self._notifier.log("text-only", target=target, supported=list(supported))


def _ids(session: Session) -> str:
    """What the service finds a session by, in brackets."""
    model = f", model {session.model_version_id}" if session.model_version_id else ""
    return f" (session {session.session_id}{model})" if session.session_id else ""


def _report(session: Session) -> str:
    to = f" to {session.traits.support}" if session.traits.support else ""
    return f"report it{to}{_ids(session)}"
