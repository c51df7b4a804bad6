"""A trace runs again: its lines through the wire codec, the session machine and the transcript. Pure.

What the wire brought is taken from the trace; what the client did in between is decided anew by the machines, and
compared with what the trace says it sent. So a fault of the machines shows again, and a fault of the network does not.
Sound is zeros of the right length, and texts are the trace's placeholders.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pinch_tui.core.events import FRAME_BYTES, Frame
from pinch_tui.core.options import SessionParams, from_trace
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.reactions import Failure, FailureKind
from pinch_tui.core.session.session import Session
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.transcript.transcript import Transcript, Utterance
from pinch_tui.core.wire import ErrorMessage, Malformed, UnknownMessage, WireEvent
from pinch_tui.store.trace import TraceLine

SETTLE_WITHIN_S = 20.0
"""How long the machines may go on after the last line."""
MAX_WAKES = 100_000
"""How often a machine is woken between two lines; a day of its pings is less."""
VOICE = 0.5
"""The peak that replayed frames have: a trace does not say how loud they were."""


@dataclass(slots=True)
class Timing:
    """Monotonic times of one utterance as the trace has them; None: it did not come."""

    started: float
    finalized: float | None = None
    first_text: float | None = None
    last_final: float | None = None
    first_speech: float | None = None


@dataclass(slots=True)
class Replayed:
    """What came out of one run."""

    program: str = ""
    lines: int = 0
    duration_s: float = 0.0
    sessions: list[tuple[str, str]] = field(default_factory=list)  # session id, model version id
    counts: dict[str, int] = field(default_factory=dict)
    utterances: tuple[Utterance, ...] = ()
    timings: dict[int, Timing] = field(default_factory=dict)
    speech_samples: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)  # failed attempts and closed sockets, in order
    differences: list[str] = field(default_factory=list)  # where machine and trace disagree

    def count(self, name: str, n: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + n


@dataclass(slots=True)
class _Lane:
    """One session machine, and how far it and the trace have sent: ``owed`` > 0 means that the machine is ahead."""

    session: Session
    generation: int = 0
    number: int | None = None  # the utterance being sent
    owed_frames: int = 0
    owed_finalizes: int = 0
    wake: float | None = None


Decode = Callable[[bytes | str], WireEvent]


def replay(lines: Iterable[TraceLine], traits: ServiceTraits, decode: Decode) -> Replayed:
    """Run one run's lines again, as those of the service with these traits, whose messages ``decode`` reads.

    Total: lines that make no sense are counted, never raised.
    """
    run = _Run(traits, decode)
    for line in lines:
        run.take(line)
    return run.finish()


class _Run:
    def __init__(self, traits: ServiceTraits, decode: Decode) -> None:
        self.out = Replayed()
        self._traits, self._decode = traits, decode
        self._transcript = Transcript()
        self._lanes: list[_Lane] = []
        self._by_connection: dict[int, tuple[_Lane, int]] = {}
        self._first = self._now = 0.0
        self._wall = 0.0
        self._number = 0
        self._frame_index = 0
        self._is_cancelling = False

    def take(self, line: TraceLine) -> None:
        if self.out.lines == 0:
            self._first = self._now = line.t
        self.out.lines += 1
        self._now = max(self._now, line.t)
        self._let_time_pass(self._now)
        fields = line.fields
        match line.kind:
            case "trace":
                self.out.program = _text(fields, "program")
                self._wall = _float(fields, "wall")
            case "allocate":
                self._on_allocate(from_trace(fields))
            case "allocated":
                self._on_allocated(fields)
            case "failed":
                self._on_failed(_text(fields, "what"), _int(fields, "status"))
            case "opened":
                if self._lanes:
                    self._by_connection[line.connection] = (self._lanes[-1], self._lanes[-1].generation)
            case "sent":
                self._on_sent(line.connection, fields)
            case "received":
                self._on_received(line.connection, fields)
            case "closed":
                self._on_closed(line.connection, fields)
            case "talk-stop":
                self._is_cancelling = _text(fields, "source") == "cancel"
            case _:
                self.out.count(f"log {line.kind}")

    def finish(self) -> Replayed:
        end = self._now
        self.out.duration_s = end - self._first
        self._let_time_pass(end + SETTLE_WITHIN_S)
        for lane in self._lanes:
            if lane.owed_frames or lane.owed_finalizes:
                self.out.differences.append(
                    f"the machine sent {lane.owed_frames:+d} frames and {lane.owed_finalizes:+d} finalizes "
                    "compared with the trace"
                )
        self.out.utterances = tuple(self._transcript.utterances)
        return self.out

    # ---- lines ----

    def _on_allocate(self, params: SessionParams) -> None:
        self.out.count("sessions asked for")
        lane = self._lanes[-1] if self._lanes else None
        is_new = lane is None or lane.session.state in (SessionState.READY, SessionState.CLOSED)
        if lane is None or is_new or _pair(lane.session.params) != _pair(params):
            if lane is not None:
                self._feed(lane, ev.DrainRequested())
            lane = _Lane(Session(params, lambda: 0.5, traits=self._traits))
            self._lanes.append(lane)
        self._ensure_allocating(lane)

    def _ensure_allocating(self, lane: _Lane) -> None:
        if lane.session.state is SessionState.IDLE:
            self._feed(lane, ev.Started())
        elif lane.session.state in (SessionState.WAITING, SessionState.STOPPED):
            self._feed(lane, ev.RetryRequested())

    def _on_allocated(self, fields: Mapping[str, object]) -> None:
        if not self._lanes:
            return
        lane = self._lanes[-1]
        self._ensure_allocating(lane)
        session_id = _text(fields, "session_id")
        model = _text(fields, "model_version_id")
        self.out.sessions.append((session_id, model))
        fact = ev.Allocated(lane.generation, session_id, "", _float(fields, "expires_in") or 60.0, model or None)
        self._feed(lane, fact)

    def _on_failed(self, what: str, status: int | None) -> None:
        self.out.failures.append(f"{'session' if what == 'allocate' else 'socket'} refused ({status or 'no answer'})")
        if not self._lanes:
            return
        kind = FailureKind.OPEN if what == "open" else FailureKind.HTTP if status else FailureKind.NETWORK
        failure = Failure(kind, status, is_credential=status in (401, 403))
        self._feed(self._lanes[-1], ev.AttemptFailed(self._lanes[-1].generation, failure))

    def _on_sent(self, connection: int, fields: Mapping[str, object]) -> None:
        found = self._by_connection.get(connection)
        if found is None:
            self.out.differences.append("something was sent on a connection that never opened")
            return
        lane, generation = found
        n_bytes = _int(fields, "bytes")
        if n_bytes is None:
            self.out.count("finalizes sent")
            if lane.owed_finalizes <= 0 and lane.number is not None:
                self._end_utterance(lane, lane.number)
            lane.owed_finalizes -= 1
        else:
            self.out.count("frames sent")
            self.out.count("bytes sent", n_bytes)
            if n_bytes != FRAME_BYTES:
                self.out.count("frames of another size")
            if lane.owed_frames <= 0:
                self._capture(lane)
            lane.owed_frames -= 1
        self._feed(lane, ev.Sent(generation))

    def _capture(self, lane: _Lane) -> None:
        """The machine owes nothing, so this is sound that was just taken."""
        if lane.number is None:
            self._number += 1
            lane.number = self._number
            params = lane.session.params
            self._transcript.begin(
                self._number,
                self._wall + self._now - self._first,
                self._ms,
                params.source,
                params.target,
                params.two_way,
                lane.session.session_id,
            )
            self.out.timings[self._number] = Timing(self._now)
            self._feed(lane, ev.UtteranceStarted(self._number))
        self._frame_index += 1
        frame = Frame(bytes(FRAME_BYTES), self._frame_index, self._now, peak=VOICE)
        self._feed(lane, ev.FrameTaken(lane.number, frame))

    def _end_utterance(self, lane: _Lane, number: int) -> None:
        lane.number = None
        if self._is_cancelling:
            self._is_cancelling = False
            self._transcript.cancel(number)
            self._feed(lane, ev.UtteranceCancelled(number))
            return
        self._transcript.finish(number, self._ms)
        self._feed(lane, ev.UtteranceEnded(number))

    def _on_received(self, connection: int, fields: Mapping[str, object]) -> None:
        found = self._by_connection.get(connection)
        if found is None:
            self.out.differences.append("something came on a connection that never opened")
            return
        n_bytes = _int(fields, "bytes")
        message = fields.get("message")
        if n_bytes is not None:
            event = self._decode(bytes(min(max(n_bytes, 0), 4_000_000)))
            self.out.count("speech bytes received", n_bytes)
        else:
            event = self._decode(json.dumps(message) if isinstance(message, dict) else "")
            self.out.count("messages received")
        match event:
            case Malformed():
                self.out.count("unreadable messages")
            case UnknownMessage():
                self.out.count("unknown messages")
            case ErrorMessage():
                self.out.count("error messages")
            case _:
                pass
        lane, generation = found
        self._feed(lane, ev.MessageReceived(generation, event))

    def _on_closed(self, connection: int, fields: Mapping[str, object]) -> None:
        found = self._by_connection.pop(connection, None)
        code = _int(fields, "code")
        by_us = fields.get("by_us") is True
        if not by_us or code != 1000:
            self.out.failures.append(f"socket {'dropped' if by_us else 'closed'} ({code or 'no code'})")
        if found is None:
            return
        lane, generation = found
        if by_us and code == 1000:
            # The client had settled everything; by the trace's times, a hair later, the machine may not have yet.
            self._feed(lane, ev.DrainRequested())
        else:
            self._feed(lane, ev.SocketClosed(generation, code or 1006))

    # ---- the machines ----

    @property
    def _ms(self) -> int:
        return int((self._now - self._first) * 1000)

    def _let_time_pass(self, until: float) -> None:
        for lane in self._lanes:
            # A machine that asked to be woken in the past, again and again, would never let the trace go on.
            for _ in range(MAX_WAKES):
                at = lane.wake
                if at is None or at > until:
                    break
                lane.wake = None
                self._feed(lane, ev.Woke(), at)

    def _feed(self, lane: _Lane, fact: ev.Fact, at: float | None = None) -> None:
        now = self._now if at is None else at
        facts = [fact]
        while facts:
            for step in lane.session.handle(facts.pop(), now):
                match step:
                    case ev.Allocate(generation, _) | ev.OpenSocket(generation, _):
                        lane.generation = generation
                    case ev.SendAudio():
                        lane.owed_frames += 1
                    case ev.SendFinalize():
                        lane.owed_finalizes += 1
                    case ev.SendPing(generation):
                        facts.append(ev.Ponged(generation))
                    case ev.WakeAt(t):
                        lane.wake = t
                    case ev.GoHandsFree():
                        pass
                    case ev.CloseSocket():
                        lane.owed_frames = lane.owed_finalizes = 0
                    case _:
                        self._report(step, now)

    def _report(self, step: ev.Report, now: float) -> None:
        ms = int((now - self._first) * 1000)
        match step:
            case ev.TextReceived(number, attempt, message):
                timing = self.out.timings[number]
                timing.first_text = timing.first_text or now
                if message.is_final:
                    timing.last_final = now
                self._transcript.apply(number, attempt, message, ms)
            case ev.TextMoved(id_, source, target, attempt):
                self._transcript.move(source, id_, target, attempt, ms)
            case ev.SpeechReceived(number, _, chunk):
                timing = self.out.timings[number]
                timing.first_speech = timing.first_speech or now
                self.out.speech_samples[number] = self.out.speech_samples.get(number, 0) + chunk.n_samples
                self._transcript.mark_speech(number)
            case ev.FinalizeQueued(number):
                self.out.timings[number].finalized = now
            case ev.Restarted(number, attempt, kept, kept_speech):
                self.out.count("utterances sent again")
                self._transcript.restart(number, attempt, None, kept)
                if number in self.out.speech_samples:
                    self.out.speech_samples[number] = kept_speech
            case ev.Settled(number):
                self._transcript.settle(number, ms)
            case _:
                self.out.count(f"machine said {type(step).__name__}")


# ---- fields -------------------------------------------------------------------------------------------------------


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _int(fields: Mapping[str, object], name: str) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _float(fields: Mapping[str, object], name: str) -> float:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _pair(params: SessionParams) -> tuple[object, ...]:
    """What makes it another session for the user; speech may have been switched off by the machine itself."""
    return params.source, params.target, params.voice, params.finalize_mode, params.two_way
