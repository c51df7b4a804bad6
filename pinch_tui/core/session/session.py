"""One service session: allocate, open, be ready, fail, wait, try again. Pure: ``handle(fact, now)`` returns what to do.

This is the only place that decides about retries; `Delivery` decides what is sent when. Every fact is accepted in every
`SessionState`, facts of an older generation are ignored, and nothing opens after `StopRequested`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from pinch_tui.core.events import FinalizeMode, SessionParams
from pinch_tui.core.secrecy import hide, hide_in, redact, secrets_of
from pinch_tui.core.service_words import words
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.attribution.pace import Pace
from pinch_tui.core.session.delivery import Delivery
from pinch_tui.core.session.events import SessionState, Step
from pinch_tui.core.session.outbox import Outgoing
from pinch_tui.core.session.reactions import Failure, FailureKind, Policy, policy_of
from pinch_tui.core.session.retries import Retries
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.wire import (
    EndMessage,
    ErrorMessage,
    Malformed,
    MetadataAck,
    ReadyMessage,
    SpeechChunk,
    TranscriptMessage,
    UnknownMessage,
)

ALLOCATE_WITHIN_S = 15.0
STABLE_S = 3.0
"""After being ready this long, a session that fails is retried at once, and its tries are counted anew."""
PROVEN_S = 30.0
"""After being ready this long, or after settling an utterance, a session has no failures on record."""
LINGER_S = 3.0
"""A replaced session stays open this long after its last utterance settled: texts may be late."""

_PLAIN = ServiceTraits()


class Session:
    """The machine of one session, and of its successors with the same parameters."""

    def __init__(
        self,
        params: SessionParams,
        random: Callable[[], float],
        *,
        asked: SessionParams | None = None,
        traits: ServiceTraits = _PLAIN,
        reopens_idle: bool = True,
        has_checkpoints: bool = False,
        pace: Pace | None = None,
        is_spare: bool = False,
    ) -> None:
        """``pace``: shared by all sessions of the service. ``is_spare``: the session is opened ahead; until `use` is
        called, its first failure closes it for good."""
        self.asked = asked or params
        """The parameters that the user asked for; `params` leaves out what the service cannot do."""
        self.params = params
        self.traits = traits
        self.state = SessionState.IDLE
        self.session_id: str | None = None
        self.model_version_id: str | None = None
        self.failure: Failure | None = None
        self.delivery = Delivery(traits, has_checkpoints=has_checkpoints, pace=pace)
        self._random = random
        self._reopens_idle = reopens_idle
        self._is_spare = is_spare
        self._generation = 0
        self._secrets: tuple[str, ...] = ()  # the key and those in the socket's address: the service might repeat them
        self._is_closing = False
        self._lingers = False
        self._settled_at = float("-inf")
        self._deadline: float | None = None  # of allocating, opening, or the back-off
        self._ready_at = float("inf")
        self._is_proven = False
        self._retries = Retries()

    @property
    def is_active(self) -> bool:
        """Whether something is unsettled."""
        return self.delivery.is_active

    @property
    def retry_at(self) -> float | None:
        """When the next try begins, during a back-off."""
        return self._deadline if self.state is SessionState.WAITING else None

    def use(self) -> None:
        """The spare session becomes the one in use."""
        self._is_spare = False

    def handle(self, fact: ev.Fact, now: float) -> list[Step]:
        """What to do about a fact, in order; the last step may be a `WakeAt`."""
        if self._is_closed():
            return []
        steps = self._handle(fact, now)
        if any(isinstance(step, ev.Settled) for step in steps):
            self._settled_at = now
        if self._is_closing and not self.is_active and not self._is_closed() and now >= self._lingers_until():
            steps += self._close()
        wake = self._wake_at(now)
        if wake is not None:
            steps.append(ev.WakeAt(wake))
        return steps

    def _is_closed(self) -> bool:
        return self.state is SessionState.CLOSED

    # ---- dispatch ----

    def _handle(self, fact: ev.Fact, now: float) -> list[Step]:
        match fact:
            case ev.Allocated():
                return self._on_allocated(fact, now)
            case ev.AttemptFailed(generation, failure):
                is_trying = self.state in (SessionState.ALLOCATING, SessionState.OPENING)
                return self._fail(failure, now) if generation == self._generation and is_trying else []
            case ev.MessageReceived():
                return self._on_message(fact, now)
            case ev.Sent(generation):
                return self.delivery.taken(now) if self._is_live(generation) else []
            case ev.Progressed(generation, progress):
                if generation == self._generation:
                    self.delivery.link.look(progress, now)
                return []
            case ev.Ponged(generation):
                return self.delivery.ponged(now) if generation == self._generation else []
            case ev.SocketClosed(generation, code, failure, reason):
                is_open = self.state in (SessionState.OPENING, SessionState.READY)
                if generation != self._generation or not is_open:
                    return []
                return self._fail(failure or self.traits.closed(code, words(reason, self._secrets)), now)
            case ev.Woke():
                return self._on_woke(now)
            case ev.UtteranceStarted(number):
                return self._on_utterance_started(number, now)
            case ev.FrameTaken(number, frame):
                return self.delivery.frame(number, frame, now)
            case ev.UtteranceLatched(number):
                return self.delivery.latch(number)
            case ev.UtteranceEnded(number):
                return self.delivery.end(number, now)
            case ev.UtteranceCancelled(number):
                return self.delivery.cancel(number, now)
            case ev.UtterancesGiven(items):
                return [*self.delivery.take_over(items, now), *self._wanted(now)]
            case ev.OpenRequested():
                is_waiting = self.state in (SessionState.WAITING, SessionState.STOPPED, SessionState.IDLE)
                if not is_waiting or (self._is_closing and not self.is_active):
                    return []
                self._retries.clear()
                return self._begin(now)
            case ev.KeyReplaced():
                if not self.is_without_socket or (self._is_closing and not self.is_active):
                    return []
                self._retries.clear()
                return [ev.CloseSocket(self._generation, is_dead=True), *self._begin(now)]
            case ev.DrainRequested(lingers):
                self._is_closing, self._lingers = True, lingers
                return []
            case ev.StopRequested():
                return self._close()
            case _:
                assert_never(fact)

    @property
    def is_without_socket(self) -> bool:
        """Whether it is allocating, waiting for the next try, or refused."""
        return self.state in (SessionState.ALLOCATING, SessionState.WAITING, SessionState.STOPPED)

    def _is_live(self, generation: int) -> bool:
        return generation == self._generation and self.state is SessionState.READY

    # ---- opening ----

    def _begin(self, now: float) -> list[Step]:
        self._generation += 1
        self.state = SessionState.ALLOCATING
        self._deadline = now + ALLOCATE_WITHIN_S
        return [ev.Allocate(self._generation, self.params)]

    def _on_allocated(self, fact: ev.Allocated, now: float) -> list[Step]:
        if fact.generation != self._generation or self.state is not SessionState.ALLOCATING:
            return []
        got = fact.allocation
        self._secrets = (*secrets_of(got.ws_url), *filter(None, [got.token]), *fact.secrets)
        self.session_id = hide(got.session_id, self._secrets)
        self.model_version_id = hide(got.model_version_id or "", self._secrets) or None
        if got.expires_in <= 0:
            return self._fail(Failure(FailureKind.EXPIRED), now)
        self.state = SessionState.OPENING
        self.delivery.link.opened()
        self._deadline = now + self.traits.ready_within_s
        return [ev.OpenSocket(self._generation, got, has_sound=self.is_active)]

    def _on_message(self, fact: ev.MessageReceived, now: float) -> list[Step]:
        is_open = self.state in (SessionState.OPENING, SessionState.READY)
        if fact.generation != self._generation or not is_open:
            return []
        self.delivery.link.heard_at = now
        match event := hide_in(fact.event, self._secrets):
            case ReadyMessage(session_id):
                return self._on_ready(session_id, now) if self.state is SessionState.OPENING else []
            case TranscriptMessage():
                return self.delivery.text(event, now)
            case SpeechChunk():
                return self.delivery.speech(event, now)
            case EndMessage():
                steps = self.delivery.ended(now)
                if steps:
                    self._retries.clear()
                return steps
            case ErrorMessage():
                return self._on_error(event, now)
            case MetadataAck():
                return []
            case UnknownMessage():
                return [ev.MessageIgnored(is_unknown=True)]
            case Malformed():
                return [ev.MessageIgnored(is_unknown=False)]
            case _:
                assert_never(event)

    def _on_ready(self, session_id: str, now: float) -> list[Step]:
        self.session_id = session_id or self.session_id
        self.state = SessionState.READY
        self.failure = None
        self._deadline = None
        self._ready_at = now
        self.delivery.link.ready(now)
        self._is_proven = False
        ready = ev.SessionReady(self.session_id or "", self.model_version_id)
        has_sentences = self.params.two_way or self.params.finalize_mode is FinalizeMode.SENTENCE
        steps = self.delivery.connect(
            self._generation, expects_speech=self._expects_speech, now=now, has_sentences=has_sentences
        )
        return [ready, *steps]

    def _on_error(self, error: ErrorMessage, now: float) -> list[Step]:
        if not (error.is_unsupported_target and self.params.audio_output):
            return [ev.ServiceSaid(redact(error.text, self._secrets))]
        # The service does not speak this language: open the same session again, text only.
        old = self._generation
        self.params = replace(self.params, text_only=True)
        told = ev.SpeechUnavailable(self.params.target, error.supported)
        restarted = self.delivery.disconnect(now)
        return [told, ev.CloseSocket(old), *restarted, *self._begin(now)]

    # ---- utterances ----

    def _on_utterance_started(self, number: int, now: float) -> list[Step]:
        if not self.is_active:
            self.delivery.link.becomes_active(now)
        self.delivery.start(number)
        return self._wanted(now)

    def give_away(self) -> tuple[Outgoing, ...]:
        """Let go of what is unsettled, for another session to send; nothing while there is a connection."""
        is_connected = self.state in (SessionState.OPENING, SessionState.READY)
        return () if is_connected else self.delivery.give_away()

    def _wanted(self, now: float) -> list[Step]:
        """There is something to send: open an idle session; a refused one reports its failure again."""
        match self.state:
            case SessionState.IDLE:
                self._retries.clear()
                return self._begin(now)
            case SessionState.WAITING:
                return self._begin(now)
            case SessionState.STOPPED if self.failure is not None:
                return [ev.SessionFailed(self.failure, None, needs_cure=True, unsettled=len(self.delivery.outbox))]
            case _:
                return []

    @property
    def _expects_speech(self) -> bool:
        return self.params.audio_output and self.traits.speaks

    # ---- failing ----

    def _fail(self, failure: Failure, now: float) -> list[Step]:
        if self._is_spare:
            return self._close(is_dead=True)
        was_ready = self.state is SessionState.READY
        if was_ready and now - self._ready_at >= STABLE_S:
            self._retries.was_stable()
        self.failure = failure
        self._lingers = False
        steps: list[Step] = [ev.CloseSocket(self._generation, is_dead=True)]
        self._generation += 1
        self._deadline = None
        steps += self.delivery.disconnect(now)
        if self._is_closing and not self.is_active:
            return steps
        delay, needs_cure = self._delay(failure, now)
        if delay is None:
            self.state = SessionState.STOPPED if needs_cure else SessionState.IDLE
            return [*steps, ev.SessionFailed(failure, None, needs_cure, len(self.delivery.outbox))]
        self._deadline = now + delay
        told = ev.SessionFailed(failure, self._deadline, False, len(self.delivery.outbox))
        if delay <= 0:
            return [*steps, told, *self._begin(now)]
        self.state = SessionState.WAITING
        return [*steps, told]

    def _delay(self, failure: Failure, now: float) -> tuple[float | None, bool]:
        """Seconds to the next try (None for no automatic try), and whether a cure is needed first."""
        policy = policy_of(failure)
        if policy is Policy.STOP:
            return None, True
        if policy is Policy.BAD:
            return (0.0, False) if self._retries.has_another_bad() else (None, True)
        if not self.is_active and (policy is Policy.ENDED or (self._has_been_ready and not self._reopens_idle)):
            return None, False
        return self._retries.delay(policy, now, self._random()), False

    @property
    def _has_been_ready(self) -> bool:
        return self._ready_at < float("inf")

    # ---- closing ----

    def _close(self, *, is_dead: bool = False) -> list[Step]:
        had_socket = self.state in (SessionState.ALLOCATING, SessionState.OPENING, SessionState.READY)
        self.state = SessionState.CLOSED
        self._deadline = None
        closing: list[Step] = [ev.CloseSocket(self._generation, is_dead=is_dead)] if had_socket else []
        self._generation += 1
        return [*closing, ev.SessionClosed()]

    def _lingers_until(self) -> float:
        may_linger = self._is_closing and self._lingers and self.state is SessionState.READY and not self.is_active
        return self._settled_at + LINGER_S if may_linger else float("-inf")

    # ---- time ----

    def _on_woke(self, now: float) -> list[Step]:
        if self._deadline is not None and now >= self._deadline:
            match self.state:
                case SessionState.ALLOCATING:
                    return self._fail(Failure(FailureKind.NETWORK), now)
                case SessionState.OPENING:
                    return self._fail(Failure(FailureKind.NO_READY), now)
                case SessionState.WAITING:
                    return self._begin(now)
                case _:
                    self._deadline = None
        steps = self.delivery.due(now)
        if any(isinstance(step, ev.Settled) for step in steps):
            self._retries.clear()
        if self.state is SessionState.READY:
            steps += self._watch_connection(now)
        return steps

    def _watch_connection(self, now: float) -> list[Step]:
        if not self._is_proven and now >= self._ready_at + PROVEN_S:
            self._is_proven = True
            self._retries.clear()
        if now >= self._dead_at():
            return self._fail(Failure(FailureKind.STALL), now)
        if now >= self.delivery.next_ping_at():
            self.delivery.pinged(now)
            return [ev.SendPing(self._generation)]
        return []

    def _dead_at(self) -> float:
        return self.delivery.link.dead_at(is_active=self.is_active)

    def _wake_at(self, now: float) -> float | None:
        if self.state is SessionState.CLOSED:
            return None
        times = [self._deadline, self.delivery.wake_at(now)]
        if self.state is SessionState.READY:
            times += [self._dead_at(), self.delivery.next_ping_at()]
            times.append(self.delivery.link.next_look_at(now, is_active=self.is_active))
            if (until := self._lingers_until()) > now:
                times.append(until)
            if not self._is_proven:
                times.append(self._ready_at + PROVEN_S)
        return min((t for t in times if t is not None and t < float("inf")), default=None)
