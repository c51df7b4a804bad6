"""The sessions of one conversation: the newest takes the next words, the others drain."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from pinch_tui.core.events import FRAME_S, Counters, SessionParams, Severity
from pinch_tui.core.service_words import quoted
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.attribution.pace import Pace
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.outbox import Outgoing
from pinch_tui.core.session.reactions import Failure, FailureKind, Policy, describe, policy_of
from pinch_tui.core.session.session import Session
from pinch_tui.engine.boundary import of_adapter
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.sessions.runner import OnReport, SessionRunner
from pinch_tui.engine.sessions.spare import SpareSession
from pinch_tui.engine.setup import EngineConfig
from pinch_tui.errors import PinchError
from pinch_tui.services.ports import Service

_SAFE = "Your words are safe."
_RESTING = (SessionState.IDLE, SessionState.STOPPED, SessionState.CLOSED)


class Sessions:
    """Runs `Session` machines. `start` it before anything else.

    ``answer`` gets every answer to an utterance; ``all_closed`` is called when the last session has closed at the end.
    """

    def __init__(
        self,
        service: Service,
        conversation: Conversation,
        random: Callable[[], float],
        config: EngineConfig,
        answer: Callable[[SessionRunner, ev.Answer], None],
        cue: Callable[[str], None],
        all_closed: Callable[[], None],
    ) -> None:
        self.service = service
        self.spare = SpareSession(conversation, random, partial(self._make, is_spare=True), self._wanted_spare)
        self._old_services: list[Service] = []  # draining sessions can still need them
        self._conversation = conversation
        self._notifier = conversation.notifier
        self._random = random
        self._config = config
        self._answer, self._cue, self._all_closed = answer, cue, all_closed
        self._has_spare = config.has_spare
        self._runners: list[SessionRunner] = []
        self._pace = Pace()
        self._counted = Counters()  # of closed sessions, and everything that is not counted per session
        self._farewells: set[asyncio.Task[None]] = set()  # sockets that are being closed
        self._failing: SessionRunner | None = None  # the session of the newest failure notice
        self._is_ending = False

    def start(self, params: SessionParams, tasks: asyncio.TaskGroup) -> None:
        """Open the first session."""
        self._tasks = tasks
        self.open(params)

    # ---- which there are ----

    def current(self) -> SessionRunner:
        """The one that takes the next words."""
        return self._runners[-1]

    def draining(self) -> list[SessionRunner]:
        return self._runners[:-1]

    def all(self) -> list[SessionRunner]:
        return list(self._runners)

    @property
    def is_resting(self) -> bool:
        """Whether no session is open or being opened."""
        return all(runner.session.state in _RESTING for runner in self._runners)

    @property
    def behind_s(self) -> float:
        """Seconds of speech waiting to be sent."""
        return round(sum(runner.session.delivery.outbox.behind_s for runner in self._runners), 1)

    def unsettled(self) -> list[int]:
        return [item.number for runner in self._runners for item in runner.session.delivery.outbox]

    def unfinished(self) -> int:
        """How many utterances lack a final text."""
        return sum(runner.session.delivery.unfinished for runner in self._runners)

    def counters(self) -> Counters:
        """The counters of all sessions, closed ones included."""
        return self._counted_with(self._runners)

    def _counted_with(self, runners: Iterable[SessionRunner]) -> Counters:
        counted, deliveries = self._counted, [runner.session.delivery for runner in runners]
        return replace(
            counted,
            held_s=counted.held_s + sum(d.held_s for d in deliveries),
            resent_s=counted.resent_s + sum(d.resent_s for d in deliveries),
            forgotten_s=counted.forgotten_s + sum(d.outbox.forgotten for d in deliveries) * FRAME_S,
        )

    # ---- opening and changing ----

    def open(self, params: SessionParams) -> None:
        """Send the next words to a new session; `drain_former` lets the previous one finish."""
        spare = self.spare.take(params)
        runner, reports = spare or (self._make(params, self._report), [])
        runner.on_report = self._report
        self._runners.append(runner)
        if spare is None:
            runner.feed(ev.OpenRequested())
        for report in reports:
            self._report(runner, report)

    def _make(self, params: SessionParams, on_report: OnReport, *, is_spare: bool = False) -> SessionRunner:
        traits = self.service.traits
        session = Session(
            traits.fitted(params)[0],
            self._random,
            asked=params,
            traits=traits,
            reopens_idle=self._config.reopens_idle,
            has_checkpoints=self._config.is_continuous,
            pace=self._pace,
            is_spare=is_spare,
        )
        clock = self._conversation.clock
        return SessionRunner(session, self.service, clock, self._tasks, on_report, self._farewells)

    def keep_spare(self, is_on: bool) -> None:
        """Whether to hold a session for the swapped pair open."""
        self._has_spare = is_on
        self.spare.look()

    def _wanted_spare(self) -> SessionParams | None:
        """The parameters of the spare session, None if there should be none now."""
        if not self._has_spare or self._is_ending or self._config.is_continuous or not self._runners:
            return None
        session = self.current().session
        may_keep = self.service.traits.may_keep_spare and session.state is SessionState.READY
        return session.asked.swapped() if may_keep and not session.asked.two_way else None

    def hand_over(self, *, is_other_service: bool) -> tuple[int, ...]:
        """Give the current session the utterances that earlier ones cannot send; returns their numbers.

        Utterances refused because of the session's settings go out with the new settings. To another service go all
        utterances of sessions without a connection. A refused key is no reason: once it is replaced, their own session
        sends them.
        """
        items: list[Outgoing] = []
        for former in self.draining():
            session = former.session
            is_refused = session.state is SessionState.STOPPED
            is_cured = is_refused and session.failure is not None and not session.failure.is_credential
            if is_other_service or is_cured:
                items += session.give_away()
        if items:
            self.current().feed(ev.UtterancesGiven(tuple(items)))
        return tuple(item.number for item in items)

    def drain_former(self) -> None:
        self._runners[-2].feed(ev.DrainRequested(lingers=True))

    def differs(self, params: SessionParams) -> bool:
        """Whether these parameters need a new session."""
        return self.service.traits.fitted(params)[0] != self.current().session.params

    def replace_service(self, service: Service) -> SessionParams | None:
        """Use another service, or the same one with another key. Returns the parameters to open a session with."""
        self._old_services.append(self.service)
        is_same = service.traits.name == self.service.traits.name
        self.service = service
        self._pace = Pace()
        if not self._runners or self._is_ending:
            return None
        self.spare.drop()
        was_trying = self.current().session.is_without_socket
        for runner in self.all():  # earlier sessions can hold words too
            runner.replace_service(service)
        self._notifier.clear("link")
        return None if was_trying and is_same else self.current().session.asked

    def retry(self) -> None:
        for runner in self.all():
            runner.feed(ev.OpenRequested())

    # ---- the end ----

    def finish(self) -> None:
        """Close every session as soon as its utterances are settled."""
        self._is_ending = True
        self.spare.end()
        for runner in self.all():
            runner.session.delivery.hurry()
            runner.feed(ev.DrainRequested())

    def stop(self) -> None:
        """Close every session now."""
        self._is_ending = True
        self.spare.end()
        for runner in self._runners:
            runner.feed(ev.StopRequested())

    def end(self) -> None:
        """Cancel the timers and attempts of all sessions."""
        for runner in self._runners:
            runner.end()

    def end_farewells(self) -> None:
        """Wait no longer for the service's answer to a close."""
        for task in list(self._farewells):
            task.cancel()

    async def aclose(self) -> None:
        for service in (*self._old_services, self.service):
            with contextlib.suppress(PinchError):
                await of_adapter(service.api.aclose())

    def _closed(self, runner: SessionRunner) -> None:
        if self._is_ending:
            if all(other.session.state is SessionState.CLOSED for other in self._runners):
                self._all_closed()
        elif runner in self.draining():
            self._counted = self._counted_with([runner])
            self._runners.remove(runner)

    # ---- reports ----

    def _report(self, runner: SessionRunner, report: ev.Report) -> None:
        match report:
            case ev.SessionReady(session_id, model):
                self._ready(runner, session_id, model)
            case ev.SessionFailed():
                self._failed(runner, report)
            case ev.SessionClosed():
                self._closed(runner)
            case ev.ServiceSaid(text):
                title = f"The service says: {text[:300]}" if text else "The service reported an error without details."
                self._notifier.notice("service", Severity.WARNING, title)
                self._notifier.log("error", topic="service")
            case ev.SpeechUnavailable(target, supported):
                self._no_speech(target, supported)
            case ev.MessageIgnored(is_unknown):
                unknown, malformed = self._counted.unknown + is_unknown, self._counted.malformed + (not is_unknown)
                self._counted = replace(self._counted, unknown=unknown, malformed=malformed)
            case _:
                self._answer(runner, report)
                return
        self._conversation.refresh()

    def _ready(self, runner: SessionRunner, session_id: str, model: str | None) -> None:
        params = runner.session.params
        self._notifier.log(
            "session",
            session_id=session_id,
            model_version_id=model,
            source=params.source,
            target=runner.session.traits.target_of(params),
            audio=params.audio_output,
        )
        if runner is self.current() or self._failing is runner:
            self._notifier.clear("link")
        if runner is self.current():  # the service is back: sessions that gave up try again
            self.spare.ready()
            for former in self.draining():
                if former.session.is_active and former.session.state in (SessionState.IDLE, SessionState.STOPPED):
                    former.feed(ev.OpenRequested())

    def _failed(self, runner: SessionRunner, report: ev.SessionFailed) -> None:
        self._failing = runner
        title, hint = describe(report.failure)
        policy = policy_of(report.failure)
        session = runner.session
        if runner is self.current():
            (self.spare.refused if policy is Policy.BUSY else self.spare.look)()
        if report.retry_at is not None:
            delay = max(0.0, report.retry_at - self._conversation.now())
            self._counted = replace(self._counted, reconnects=self._counted.reconnects + 1)
            self._notifier.log(
                "reconnecting",
                delay_s=round(delay, 3),
                reason=title,
                code=report.failure.code,
                failure=report.failure.kind.value,
                session_id=session.session_id,
            )
            self._notifier.notice("link", Severity.WARNING, title, hint, is_retrying=True)
            return
        if report.unsettled and "words are safe" not in hint:
            hint = f"{hint} {_SAFE}".strip()
        if report.unsettled:
            self._cue("error")
        if report.needs_cure:
            self._notifier.clear("link")  # so that each press shows it again
            offers = _cures(report.failure, session)
            self._notifier.notice("link", Severity.ERROR, title, hint + _ids(session), offers=offers)
        elif policy is Policy.FAULT or (policy is Policy.BUSY and session.traits.support):
            # The service's own fault, or a minute of tries without capacity: its support should know.
            where = session.traits.support
            to = f" {'to' if '@' in where else 'through'} {where}" if where else ""
            hint = f"Press the talk key to retry; if this continues, report it{to}{_ids(session)}. {_SAFE}"
            hint = f"{hint} {quoted(report.failure.words)}".strip()
            self._notifier.notice("link", Severity.WARNING, title, hint, offers=("support",))
        elif report.unsettled or policy is not Policy.ENDED:
            self._notifier.notice("link", Severity.WARNING, title, f"{hint} Press the talk key to retry.".strip())
        self._notifier.log(
            "error",
            topic="link",
            title=title,
            code=report.failure.code,
            failure=report.failure.kind.value,
            session_id=session.session_id,
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


def _cures(failure: Failure, session: Session) -> tuple[str, ...]:
    """Names of the actions that cure a refusal, or help to report it."""
    if failure.kind is FailureKind.HTTP and failure.is_credential:
        return ("welcome", "support") if failure.code == 403 else ("welcome",)
    if failure.kind is FailureKind.HTTP:
        return "languages", "settings", "retry"
    return ("retry", "support") if session.session_id else ("retry",)


def _ids(session: Session) -> str:
    """The ids by which the service's support finds the session, in brackets."""
    model = f", model {session.model_version_id}" if session.model_version_id else ""
    return f" (session {session.session_id}{model})" if session.session_id else ""
