"""Puts the one `Status` snapshot together from what the engine's parts know."""

from __future__ import annotations

from dataclasses import dataclass

from pinch_tui.core.events import Counters, MicState, StateWord, Status
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.reactions import describe
from pinch_tui.core.session.session import Session
from pinch_tui.core.talk.talk import TalkMachine, TalkState


@dataclass(slots=True)
class Board:
    """The parts of the status that nobody else remembers."""

    mic: MicState = MicState.CLOSED
    mic_name: str = ""
    mic_detail: str = ""
    has_speaker: bool = False
    speaker_name: str = ""
    volume: float = 1.0
    is_muted: bool = False
    draining_until: float | None = None
    lost_samples: int = 0
    malformed: int = 0
    unknown: int = 0
    refused: int = 0
    reconnects: int = 0
    speech_late_s: float = 0.0


def state_word(session: Session, talk: TalkMachine, *, is_waiting: bool, is_speaking: bool) -> StateWord:
    """The one honest word: what a person does comes first, then the link, then what comes back."""
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


def detail(session: Session, board: Board, *, is_talking: bool) -> str:
    """One sentence behind the word, or nothing."""
    if session.failure is not None and session.state is not SessionState.READY:
        title, _ = describe(session.failure)
        return title
    if session.state is SessionState.IDLE:
        return "The next press opens a session."
    if is_talking and board.mic is MicState.OPENING:
        return "Opening the microphone."
    if board.mic_detail and board.mic in (MicState.LOST, MicState.ABSENT):
        return board.mic_detail
    return ""


def counters(board: Board, sessions: list[Session], past: Counters, underruns: int, dropped_s: float) -> Counters:
    """All counts: those of ended sessions (``past``), of the living ones, and of the board."""
    deliveries = [session.delivery for session in sessions]
    return Counters(
        underruns=underruns,
        lost_samples=board.lost_samples,
        held_s=past.held_s + sum(d.held_s for d in deliveries),
        resent_s=past.resent_s + sum(d.resent_s for d in deliveries),
        forgotten_s=past.forgotten_s + sum(d.outbox.forgotten for d in deliveries) * 0.02,
        dropped_speech_s=dropped_s,
        malformed=board.malformed,
        unknown=board.unknown,
        refused=board.refused,
        reconnects=board.reconnects,
    )


def snapshot(
    board: Board, session: Session, talk: TalkMachine, base: Status, *, is_waiting: bool, behind_s: float
) -> Status:
    """``base`` carries what is already a status: counters, latency, the utterance being said."""
    is_talking = talk.state is TalkState.TALKING
    is_speaking = base.speaking_utterance is not None
    return Status(
        word=state_word(session, talk, is_waiting=is_waiting, is_speaking=is_speaking),
        detail=detail(session, board, is_talking=is_talking),
        retry_at=session.retry_at,
        params=session.params,
        session_id=session.session_id,
        model_version_id=session.model_version_id,
        service=session.traits,
        mic=board.mic,
        mic_name=board.mic_name,
        has_speaker=board.has_speaker,
        speaker_name=board.speaker_name,
        is_latched=talk.is_latched,
        is_soft_stopped=talk.is_soft_stopped,
        talking_since=talk.started_at,
        talk_source="" if talk.source is None else talk.source.value,
        limit_at=talk.limit_at,
        behind_s=behind_s,
        speech_late_s=board.speech_late_s,
        speaking_utterance=base.speaking_utterance,
        draining_until=board.draining_until,
        volume=board.volume,
        is_muted=board.is_muted,
        counters=base.counters,
        latency=base.latency,
    )
