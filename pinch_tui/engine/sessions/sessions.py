"""The sessions of one conversation: the newest takes the next words, the others drain."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from pinch_tui.core.events import FRAME_S, Counters, SessionParams, Severity
from pinch_tui.core.said import quoted
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.credit import Pace
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.outbox import Outgoing
from pinch_tui.core.session.reactions import Failure, FailureKind, Policy, describe, policy_of
from pinch_tui.core.session.session import Session
from pinch_tui.engine.boundary import of_adapter
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.sessions.runner import OnReport, SessionRunner
from pinch_tui.engine.sessions.spare import SpareSession
from pinch_tui.errors import PinchError
from pinch_tui.services.ports import Service

_SAFE = "Your words are safe."
_RESTING = (SessionState.IDLE, SessionState.STOPPED, SessionState.CLOSED)


class Sessions:
    """Runs `Session` machines. `attach` it before `open`."""

    def __init__(
        self,
        service: Service,
        conversation: Conversation,
        random: Callable[[], float],
        *,
        reopens_idle: bool,
        has_spare: bool,
        is_continuous: bool,
    ) -> None:
        self.service = service
        self._old_services: list[Service] = []  # may still be asked for a draining session
        self._conversation = conversation
        self._notifier = conversation.notifier
        self._random = random
        self._reopens_idle = reopens_idle
        self._has_spare = has_spare
        self._is_continuous = is_continuous
        self._runners: list[SessionRunner] = []
        self._pace = Pace()
        self._counted = Counters()  # of closed sessions, and what no session counts
        self._farewells: set[asyncio.Task[None]] = set()  # sockets that are being closed
        self._failing: SessionRunner | None = None  # what was said last about a failing session is about this one
        self._is_ending = False

    def attach(
        self,
        answer: Callable[[SessionRunner, ev.Answer], None],
        cue: Callable[[str], None],
        all_closed: Callable[[], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        """``answer`` takes all that comes back for utterances."""
        self._answer, self._cue, self._all_closed = answer, cue, all_closed
        self._tasks = tasks
        make = partial(self._make, is_spare=True)
        self._spare = SpareSession(self._conversation, self._random, make, self._wanted_spare)

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
        """Nothing is under way, so nothing will come."""
        return all(runner.session.state in _RESTING for runner in self._runners)

    @property
    def behind_s(self) -> float:
        """Seconds of speech that wait to be sent."""
        return round(sum(runner.session.delivery.outbox.behind_s for runner in self._runners), 1)

    def unsettled(self) -> list[int]:
        return [item.number for runner in self._runners for item in runner.session.delivery.outbox]

    def unfinished(self) -> int:
        """How many utterances lack a final text."""
        return sum(runner.session.delivery.unfinished for runner in self._runners)

    def counters(self) -> Counters:
        """Of all sessions, the closed ones included."""
        return self._counted_with(self._runners)

    def _counted_with(self, runners: Iterable[SessionRunner]) -> Counters:
        """What was counted up to now, and the sound that these have held back, sent again or let go."""
        counted, deliveries = self._counted, [runner.session.delivery for runner in runners]
        return replace(
            counted,
            held_s=counted.held_s + sum(d.held_s for d in deliveries),
            resent_s=counted.resent_s + sum(d.resent_s for d in deliveries),
            forgotten_s=counted.forgotten_s + sum(d.outbox.forgotten for d in deliveries) * FRAME_S,
        )

    # ---- opening and changing ----

    def open(self, params: SessionParams) -> None:
        """The next words go to a new session; `drain_former` lets the one before finish."""
        spare = self._spare.take(params)
        if spare is None:
            runner = self._make(params, self._report)
            self._runners.append(runner)
            runner.feed(ev.Started())
            return
        runner, reports = spare
        runner.on_report = self._report
        self._runners.append(runner)
        for report in reports:
            self._report(runner, report)

    def _make(self, params: SessionParams, on_report: OnReport, *, is_spare: bool = False) -> SessionRunner:
        traits = self.service.traits
        session = Session(
            traits.fitted(params)[0],
            self._random,
            asked=params,
            traits=traits,
            reopens_idle=self._reopens_idle,
            has_checkpoints=self._is_continuous,
            pace=self._pace,
            is_spare=is_spare,
        )
        clock = self._conversation.clock
        return SessionRunner(session, self.service, clock, self._tasks, on_report, self._farewells)

    # ---- the spare one ----

    def keep_spare(self, is_on: bool) -> None:
        """Whether a session for the swapped pair is held open."""
        self._has_spare = is_on
        self._spare.look()

    def talked(self) -> None:
        """An utterance began."""
        self._spare.used()

    def _wanted_spare(self) -> SessionParams | None:
        """What a swap would ask for; None where no spare session is held open now."""
        if not self._has_spare or self._is_ending or self._is_continuous or not self._runners:
            return None
        session = self.current().session
        may_keep = self.service.traits.may_keep_spare and session.state is SessionState.READY
        return session.asked.swapped() if may_keep and not session.asked.two_way else None

    def hand_over(self, *, is_other_service: bool) -> tuple[int, ...]:
        """The current session takes what the former ones keep and cannot send; the numbers of the utterances.

        What was refused for its settings is sent with others, and everything without a connection to another service.
        A refused key refuses these settings as well as others: its cure sends what was said under the old ones.
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
        """Whether these parameters ask for another session than the current one."""
        return self.service.traits.fitted(params)[0] != self.current().session.params

    def replace_service(self, service: Service) -> SessionParams | None:
        """Use another service, or the same one with another key. Returns what to open a session with, if anything."""
        self._old_services.append(self.service)
        is_same = service.traits.name == self.service.traits.name
        self.service = service
        self._pace = Pace()
        if not self._runners or self._is_ending:
            return None
        self._spare.drop()
        was_trying = self.current().session.is_without_socket
        for runner in self.all():  # an older one, too, may keep words
            runner.replace_service(service)
        self._notifier.clear("link")
        return None if was_trying and is_same else self.current().session.asked

    def retry(self) -> None:
        for runner in self.all():
            runner.feed(ev.RetryRequested())

    # ---- the end ----

    def finish(self) -> None:
        """Let what is under way finish, in a hurry."""
        self._is_ending = True
        self._spare.end()
        for runner in self.all():
            runner.session.delivery.hurry()
            runner.feed(ev.DrainRequested())

    def stop(self) -> None:
        self._is_ending = True
        self._spare.end()
        for runner in self._runners:
            runner.feed(ev.StopRequested())

    def end_timers(self) -> None:
        for runner in self._runners:
            runner.end()

    def end_farewells(self) -> None:
        for task in list(self._farewells):
            task.cancel()

    async def aclose(self) -> None:
        for service in (*self._old_services, self.service):
            with contextlib.suppress(PinchError):
                await of_adapter(service.api.aclose())

    def _closed(self, runner: SessionRunner) -> None:
        """A session is closed for good."""
        if self._is_ending:
            if all(other.session.state is SessionState.CLOSED for other in self._runners):
                self._all_closed()
            return
        if runner not in self._runners or runner is self.current():
            return
        self._counted = self._counted_with([runner])
        self._runners.remove(runner)

    # ---- what they report ----

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
                counted = self._counted
                self._counted = (
                    replace(counted, unknown=counted.unknown + 1)
                    if is_unknown
                    else replace(counted, malformed=counted.malformed + 1)
                )
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
        if runner is self.current():  # the service is back: those that gave up try again
            self._spare.ready()
            for former in self.draining():
                if former.session.is_active and former.session.state in (SessionState.IDLE, SessionState.STOPPED):
                    former.feed(ev.RetryRequested())

    def _failed(self, runner: SessionRunner, report: ev.SessionFailed) -> None:
        self._failing = runner
        title, hint = describe(report.failure)
        policy = policy_of(report.failure)
        session = runner.session
        if runner is self.current():
            (self._spare.refused if policy is Policy.BUSY else self._spare.look)()
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
            # The service's own fault, or no capacity in a minute of tries: to be reported there.
            hint = f"Press the talk key to retry; if this continues, {_report(session)}. {_SAFE}"
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
    """The actions that cure a refusal, or help to report it."""
    if failure.kind is FailureKind.HTTP and failure.is_credential:
        return ("welcome", "support") if failure.code == 403 else ("welcome",)
    if failure.kind is FailureKind.HTTP:
        return "languages", "settings", "retry"
    return ("retry", "support") if session.session_id else ("retry",)


def _ids(session: Session) -> str:
    """What the service finds a session by, in brackets."""
    model = f", model {session.model_version_id}" if session.model_version_id else ""
    return f" (session {session.session_id}{model})" if session.session_id else ""


def _report(session: Session) -> str:
    where = session.traits.support
    to = f" {'to' if '@' in where else 'through'} {where}" if where else ""
    return f"report it{to}{_ids(session)}"
