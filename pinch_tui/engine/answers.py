"""Turns a session's answers to utterances into rows, speech and log lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, assert_never

from pinch_tui.core.events import Frame, Severity
from pinch_tui.core.latency import Span
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.outbox import KeptSound, Outgoing
from pinch_tui.core.session.session import Session
from pinch_tui.core.transcript.unheard import Unheard, sentences
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.core.wire import TranscriptKind
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.microphone.listening import Listening
from pinch_tui.engine.sessions.runner import SessionRunner
from pinch_tui.engine.speech_player import SpeechPlayer


class Answers:
    """`take` handles every `ev.Answer`."""

    def __init__(self, conversation: Conversation, player: SpeechPlayer, listening: Listening) -> None:
        self._conversation = conversation
        self._transcript = conversation.transcript
        self._notifier = conversation.notifier
        self._player = player
        self._listening = listening
        self._kept = KeptSound()

    def take(self, runner: SessionRunner, answer: ev.Answer) -> None:
        session = runner.session
        if not self._transcript.is_open(answer.source if isinstance(answer, ev.TextMoved) else answer.number):
            return  # for a conversation that was replaced by another one
        match answer:
            case ev.TextReceived():
                self._text(session, answer)
            case ev.TextMoved():
                self._moved(answer)
            case ev.SpeechReceived(number, _, chunk):
                self._player.chunk(number, chunk.data)
                if not self._transcript.utterance(number).has_speech:
                    self._transcript.mark_speech(number)
                    self._notifier.changed(number)
                return  # chunks are frequent, and the player's own events refresh the status
            case ev.FirstFrameQueued(number, attempt):
                params, target = session.params, session.traits.target_of(session.params)
                self._transcript.retarget(number, params.source, target, session.session_id)
                self._notifier.log("first-sent", utterance=number, attempt=attempt)
            case ev.FinalizeQueued(number):
                self._notifier.log("finalize", utterance=number)
            case ev.Restarted(number, attempt, kept, kept_speech):
                self._player.restarted(number, 4 * kept_speech)
                self._restart(number, attempt, session.session_id, kept)
            case ev.Settled(number, sound):
                self._settled(number, sound)
            case _:
                assert_never(answer)
        self._conversation.refresh()

    def _text(self, session: Session, answer: ev.TextReceived) -> None:
        number, message = answer.number, answer.message
        now, latency, traits = self._conversation.now(), self._conversation.latency, session.traits
        latency.measure(Span.FIRST_TEXT, number, now)
        if message.is_final and (message.kind is TranscriptKind.TRANSLATED or not traits.translates):
            latency.measure(Span.FINAL, number, now)
            if not traits.acknowledges_end:
                self._conversation.awaited.discard(number)
        if not self._transcript.apply(number, answer.attempt, message, self._conversation.ms()):
            return
        self._notifier.changed(number)
        utterance = self._transcript.utterance(number)
        segment = self._transcript.segment_of(number, message.id)
        self._notifier.log(
            "final" if message.is_final else "interim",
            now,
            utterance=number,
            attempt=answer.attempt,
            id=message.id,
            side=message.kind.value,
            text=message.text,
            original=segment.original if segment else "",
            translation=segment.translation if segment else "",
            source_language=utterance.source,
            target_language=utterance.target,
            detected_language=message.detected_language,
            start_ms=segment.start_ms if segment else utterance.start_ms,
            end_ms=segment.end_ms if segment else self._conversation.ms(),
            revision=segment.revision if segment else 0,
            session_id=session.session_id,
            **({"note": message.note} if message.note else {}),
        )

    def _moved(self, answer: ev.TextMoved) -> None:
        source, target = answer.source, answer.target
        if self._transcript.move(source, answer.id, target, answer.attempt, self._conversation.ms(), answer.before):
            self._notifier.log("moved", utterance=source, to=target, id=answer.id)
            if not self._transcript.utterance(source).has_text and self._player.moved(source, target):
                self._transcript.mark_speech(source, has_speech=False)
                self._transcript.mark_speech(target)
            self._notifier.changed(source, target)

    def _restart(self, number: int, attempt: int, session_id: str | None, kept: int = 0, **fields: bool) -> None:
        self._transcript.restart(number, attempt, session_id, kept)
        self._conversation.latency.forget(number)
        self._notifier.log("resend", None, utterance=number, attempt=attempt, **fields)
        self._notifier.changed(number)

    def forget(self) -> None:
        """Another conversation replaces this one."""
        self._kept = KeptSound()

    def send_again(self, number: int) -> Outgoing | None:
        """The kept sound of an empty row as a new attempt; None if there is none."""
        frames = self._kept.take(number)
        if not frames:
            return None
        utterance = self._transcript.utterance(number)
        attempt = utterance.attempt + 1
        self._conversation.awaited.add(number)
        self._notifier.clear("heard")
        self._restart(number, attempt, utterance.session_id, asked=True)
        peak = max(frame.peak for frame in frames)
        return Outgoing(number, deque(frames), attempt=attempt, is_ended=True, peak=peak)

    def _keep(self, utterance: Utterance, sound: Sequence[Frame]) -> None:
        """Keep the sound of a row without text, if sending it again might help."""
        cause = utterance.unheard
        if not sound or not (utterance.has_note or (cause is not None and cause.may_help_again)):
            return
        for number in self._kept.put(utterance.number, sound):
            self._transcript.mark_kept(number, is_kept=False)
            self._notifier.changed(number)
        if utterance.number in self._kept:
            self._transcript.mark_kept(utterance.number, is_kept=True)

    def _settled(self, number: int, sound: Sequence[Frame]) -> None:
        self._conversation.awaited.discard(number)
        self._transcript.settle(number, self._conversation.ms())
        self._player.settled(number)
        self._notifier.changed(number)
        utterance = self._transcript.utterance(number)
        is_empty = utterance.state is UtteranceState.EMPTY
        if is_empty:
            self._keep(utterance, sound)
            if not utterance.has_note and not self._listening.is_failing:  # otherwise the cause is already shown
                self._tell_unheard(self._transcript.utterance(number))
        fields: dict[str, Any] = {"utterance": number, "empty": is_empty}
        if utterance.unheard is not None:
            fields["why"] = utterance.unheard.value
        self._notifier.log("settled", **fields)

    def _tell_unheard(self, utterance: Utterance) -> None:
        title, hint = sentences(
            utterance.unheard,
            utterance.source,
            utterance.target,
            is_two_way=utterance.is_two_way,
            detected=utterance.heard_as,
            is_recording=self._listening.is_recording,
        )
        offers = ("languages",) if utterance.unheard is Unheard.NO_TEXT else ()
        if utterance.can_send_again:
            offers = (*offers, "send_again")
        self._notifier.notice("heard", Severity.INFO, title, hint, offers=offers)
