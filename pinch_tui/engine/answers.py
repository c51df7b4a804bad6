"""Turns the answers to utterances into rows, speech and log lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, assert_never

from pinch_tui.core.events import Frame, Severity
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.kept import KeptSound
from pinch_tui.core.session.outbox import Outgoing
from pinch_tui.core.session.session import Session
from pinch_tui.core.transcript.unheard import Unheard, sentences
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.core.wire import TranscriptKind
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.microphone.listening import Listening
from pinch_tui.engine.sessions.runner import SessionRunner
from pinch_tui.engine.speech_player import SpeechPlayer


class Answers:
    """`take` handles what a session reports of an utterance."""

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
            return  # of a conversation that was left for another one
        match answer:
            case ev.TextReceived():
                if not self._text(session, answer):
                    return
            case ev.TextMoved():
                self._moved(answer)
            case ev.SpeechReceived(number, _, chunk):
                self._player.chunk(number, chunk.data)
                if not self._transcript.utterance(number).has_speech:
                    self._transcript.mark_speech(number)
                    self._notifier.changed(number)
                return
            case ev.FirstFrameQueued(number, attempt):
                params, target = session.params, session.traits.target_of(session.params)
                self._transcript.retarget(number, params.source, target, session.session_id)
                self._notifier.log("first-sent", utterance=number, attempt=attempt)
            case ev.FinalizeQueued(number):
                self._notifier.log("finalize", utterance=number)
            case ev.Restarted(number, attempt, kept, kept_speech):
                self._transcript.restart(number, attempt, session.session_id, kept)
                self._player.restarted(number, 4 * kept_speech)
                self._conversation.latency.forget(number)
                self._notifier.log("resend", utterance=number, attempt=attempt)
                self._notifier.changed(number)
            case ev.Settled(number, sound):
                self._settled(number, sound)
            case _:
                assert_never(answer)
        self._conversation.refresh()

    def _text(self, session: Session, answer: ev.TextReceived) -> bool:
        """Show it. Whether the status may be another now; most interim texts change nothing that it tells."""
        number, message = answer.number, answer.message
        now = self._conversation.now()
        refused, measured = self._transcript.refused, self._conversation.latency.latency()
        is_news = self._conversation.latency.first_text(number, now) is not measured or message.is_final
        traits = session.traits
        if message.is_final and (message.kind is TranscriptKind.TRANSLATED or not traits.translates):
            self._conversation.latency.final(number, now)
            if not traits.acknowledges_end:
                self._conversation.awaited.discard(number)
        is_changed = self._transcript.apply(number, answer.attempt, message, self._conversation.ms())
        is_news = is_news or self._transcript.refused != refused
        if not is_changed:
            return is_news
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
        return is_news

    def _moved(self, answer: ev.TextMoved) -> None:
        ms = self._conversation.ms()
        if self._transcript.move(answer.source, answer.id, answer.target, answer.attempt, ms, answer.before):
            self._notifier.log("moved", utterance=answer.source, to=answer.target, id=answer.id)
            if not self._transcript.utterance(answer.source).has_text and self._player.moved(
                answer.source, answer.target
            ):
                self._transcript.mark_speech(answer.source, has_speech=False)
                self._transcript.mark_speech(answer.target)
            self._notifier.changed(answer.source, answer.target)

    def forget(self) -> None:
        """Another conversation takes the place of the one up to now."""
        self._kept = KeptSound()

    def taken_again(self, number: int) -> Outgoing | None:
        """The kept sound of an empty row as a new attempt; None where none is kept."""
        frames = self._kept.take(number)
        if not frames:
            return None
        utterance = self._transcript.utterance(number)
        attempt = utterance.attempt + 1
        self._transcript.restart(number, attempt, utterance.session_id)
        self._conversation.latency.forget(number)
        self._conversation.awaited.add(number)
        self._notifier.clear("heard")
        self._notifier.log("resend", utterance=number, attempt=attempt, asked=True)
        self._notifier.changed(number)
        peak = max(frame.peak for frame in frames)
        return Outgoing(number, deque(frames), attempt=attempt, is_ended=True, peak=peak)

    def _keep(self, utterance: Utterance, sound: Sequence[Frame]) -> None:
        """The sound of a row without text, where sending it again may help."""
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
            utterance = self._transcript.utterance(number)
        if is_empty and not utterance.has_note and not self._listening.is_failing:  # the cause is told already
            self._tell_unheard(utterance)
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
