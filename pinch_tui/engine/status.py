"""Builds the `Status` snapshot from the engine's parts."""

from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.events import MicState, StateWord, Status
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.reactions import describe
from pinch_tui.core.session.session import Session
from pinch_tui.core.talk.talk import TalkMachine, TalkState
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.microphone.listening import Listening
from pinch_tui.engine.sessions.sessions import Sessions
from pinch_tui.engine.speech_player import SpeechPlayer


def state_word(session: Session, talk: TalkMachine, *, is_waiting: bool, is_speaking: bool) -> StateWord:
    """The state word: the user's action comes first, then the session, then the answers."""
    if talk.state is TalkState.TALKING and talk.has_sound:
        return StateWord.TALKING
    match session.state:
        case SessionState.WAITING:
            return StateWord.RECONNECTING
        case SessionState.ALLOCATING | SessionState.OPENING:
            return StateWord.CONNECTING
        case SessionState.IDLE | SessionState.STOPPED | SessionState.CLOSED:
            return StateWord.OFFLINE
        case SessionState.READY:
            pass
    if is_speaking:
        return StateWord.SPEAKING
    if talk.state is TalkState.TAIL or is_waiting:
        return StateWord.FINALIZING
    return StateWord.READY


def detail(session: Session, mic: MicState, mic_detail: str, *, is_talking: bool) -> str:
    """One sentence behind the word, or nothing. ``mic_detail``: the problem with the microphone."""
    if session.failure is not None and session.state is not SessionState.READY:
        title, _ = describe(session.failure)
        return title
    if session.state is SessionState.IDLE:
        return "Press the talk key to connect."
    if is_talking and mic is MicState.OPENING:
        return "Opening the microphone."
    return mic_detail if mic in (MicState.LOST, MicState.ABSENT) else ""


def snapshot(
    conversation: Conversation,
    sessions: Sessions,
    talk: TalkMachine,
    listening: Listening,
    player: SpeechPlayer,
    draining_until: float | None,
) -> Status:
    """The status now."""
    session = sessions.current().session
    is_talking = talk.state is TalkState.TALKING
    is_speaking = player.speaking is not None
    return Status(
        word=state_word(session, talk, is_waiting=bool(conversation.awaited), is_speaking=is_speaking),
        detail=detail(session, listening.state, listening.detail, is_talking=is_talking),
        retry_at=session.retry_at,
        params=session.params,
        session_id=session.session_id,
        model_version_id=session.model_version_id,
        service=session.traits,
        mic=listening.state,
        mic_name=listening.name,
        mic_is_muted=listening.is_muted,
        mic_is_taken=listening.is_taken,
        has_speaker=player.is_there,
        speaker_name=player.name,
        is_latched=talk.is_latched,
        is_soft_stopped=talk.is_soft_stopped,
        talking_since=talk.started_at,
        talk_source="" if talk.source is None else talk.source.value,
        limit_at=talk.limit_at,
        behind_s=sessions.behind_s,
        speech_late_s=player.late_s,
        speaking_utterance=player.speaking,
        speech_gaps=player.gaps,
        draining_until=draining_until,
        volume=player.volume,
        is_muted=player.is_muted,
        counters=replace(
            sessions.counters(),
            underruns=player.underruns,
            gap_s=round(player.gap_s, 1),
            dropped_speech_s=player.unplayed_s,
            lost_samples=listening.lost_samples,
            refused=conversation.transcript.refused,
        ),
        latency=conversation.latency.latency(),
    )
