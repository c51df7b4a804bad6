"""Replays a trace: the real engine runs in virtual time against a service that plays the trace.

The service's messages come from the trace. The client decides anew, and its messages are compared with the trace's. So
faults of the client appear again, and faults of the network do not. The sound is zeros, captured at the times at which
the trace says that it was sent; texts are the trace's placeholders.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pinch_tui.audio.adapters.null import SilentMicrophone, UnpacedSpeaker
from pinch_tui.core.events import (
    FRAME_BYTES,
    FRAME_S,
    ChangeSession,
    EdgeKind,
    EngineEvent,
    Frame,
    Logged,
    Quit,
    RetryNow,
    TalkEdge,
    TalkSource,
    TranscriptChanged,
)
from pinch_tui.core.options import SessionParams, from_trace
from pinch_tui.core.session.traits import ServiceTraits
from pinch_tui.core.talk.talk import TalkConfig
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.core.untrusted import number_of, text_of, whole_of
from pinch_tui.core.wire import Allocation, ErrorMessage, Malformed, SpeechChunk, UnknownMessage, WireEvent
from pinch_tui.diagnose.virtual_time import run
from pinch_tui.engine.alarm import SystemClock
from pinch_tui.engine.engine import Engine, EngineConfig, EnginePorts
from pinch_tui.errors import AllocationError, ConnectionLost, CredentialError, LinkError, PinchError
from pinch_tui.services.ports import Service
from pinch_tui.settings.model import KeepOpen
from pinch_tui.store.trace import TraceLine

SETTLE_WITHIN_S = 20.0
"""Time that the engine has after the last line."""
MAX_PAUSE_S = 3600.0
"""Longer pauses between two lines are cut to this."""
TURN_S = 1e-6
"""Long enough for everything the engine has to do, since virtual time moves only when it is idle."""


@dataclass(slots=True)
class Timing:
    """Monotonic times of one utterance; None if the event did not occur."""

    started: float
    finalized: float | None = None
    first_text: float | None = None
    last_final: float | None = None
    first_speech: float | None = None
    last_speech: float | None = None


@dataclass(slots=True)
class Replayed:
    """The result of one run."""

    program: str = ""
    lines: int = 0
    duration_s: float = 0.0
    sessions: list[tuple[str, str]] = field(default_factory=list)  # session id, model version id
    counts: Counter[str] = field(default_factory=Counter)
    utterances: tuple[Utterance, ...] = ()
    timings: dict[int, Timing] = field(default_factory=dict)
    speech_samples: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)  # failed requests and closed sockets, in order
    differences: list[str] = field(default_factory=list)  # between engine and trace


Decode = Callable[[bytes | str], WireEvent]


def replay(lines: Iterable[TraceLine], traits: ServiceTraits, decode: Decode) -> Replayed:
    """Replay the lines of one run with the service's ``traits`` and ``decode``. Never raises: bad lines are counted."""
    return run(_Replay(list(lines), traits, decode).run())


# ---- the service of the trace -------------------------------------------------------------------------------------


class _Connection:
    """One socket of the trace. ``frames`` and ``finalizes`` count the engine's minus the trace's."""

    def __init__(self) -> None:
        self.frames = self.finalizes = 0
        self.is_open = True
        self._received: asyncio.Queue[WireEvent | ConnectionLost] = asyncio.Queue()

    def give(self, message: WireEvent) -> None:
        self._received.put_nowait(message)

    def lose(self, code: int) -> None:
        self.is_open = False
        self._received.put_nowait(ConnectionLost(code))

    async def send(self, pcm: bytes) -> None:
        self.frames += self.is_open

    def latch(self) -> None:
        """Latched utterances are not special."""

    async def finalize(self) -> None:
        self.finalizes += self.is_open

    async def ping(self) -> None:
        """Returns at once."""

    async def receive(self) -> WireEvent:
        received = await self._received.get()
        if isinstance(received, ConnectionLost):
            raise received
        return received

    def progress(self) -> None:
        return None

    async def close(self, code: int = 1000) -> None:
        self.is_open = False

    def abort(self) -> None:
        self.is_open = False


Pair = tuple[object, ...]


class _Wire:
    """`SessionApi` and `Connector` of the trace: each request waits for the trace's answer."""

    def __init__(self) -> None:
        self.waiting: set[Pair] = set()
        """The pairs of the engine's pending requests."""
        self.newest: _Connection | None = None
        self.asked: deque[Pair] = deque()
        """The trace's requests that have no answer yet."""
        self._answers: defaultdict[Pair, asyncio.Queue[Allocation | PinchError]] = defaultdict(asyncio.Queue)
        self._sockets: dict[str, asyncio.Queue[_Connection | LinkError]] = {}
        self._unopened: deque[str] = deque()

    def answer(self, got: Allocation | PinchError) -> None:
        """Answer the trace's oldest request."""
        if not self.asked:
            return
        if isinstance(got, Allocation):
            self._sockets[got.ws_url] = asyncio.Queue()
            self._unopened.append(got.ws_url)
        self._answers[self.asked.popleft()].put_nowait(got)

    def open(self, got: _Connection | LinkError) -> None:
        """Open, or refuse, the socket of the oldest session that has none."""
        if self._unopened:
            self._sockets[self._unopened.popleft()].put_nowait(got)

    async def allocate(self, params: SessionParams) -> Allocation:
        pair = _pair(params)
        self.waiting.add(pair)
        try:
            got = await self._answers[pair].get()
        finally:
            self.waiting.discard(pair)
        if isinstance(got, PinchError):
            raise got
        return got

    async def connect(self, allocation: Allocation, *, has_sound: bool = False) -> _Connection:
        got = await self._sockets[allocation.ws_url].get()
        if isinstance(got, LinkError):
            raise got
        self.newest = got
        return got

    async def aclose(self) -> None:
        """Nothing to close."""


# ---- the lines ----------------------------------------------------------------------------------------------------


class _Replay:
    def __init__(self, lines: list[TraceLine], traits: ServiceTraits, decode: Decode) -> None:
        self.out = Replayed()
        self._spoken_at: float | None = None  # when the newest speech arrived
        self._lines = lines
        self._traits, self._decode = traits, decode
        self._connections: dict[int, _Connection] = {}
        self._params = next((from_trace(line.fields) for line in lines if line.kind == "allocate"), SessionParams())
        self._frame_at = 0.0

    async def run(self) -> Replayed:
        loop, clock = asyncio.get_running_loop(), SystemClock()
        self._now = loop.time
        self._wire = _Wire()
        self._service = Service(self._traits, self._wire, self._wire)
        is_continuous = any(line.kind == "trace" and line.fields.get("continuous") is True for line in self._lines)
        config = EngineConfig(
            params=self._params,
            talk=TalkConfig(preroll_s=0.0, tail_s=0.0, limit_s=None),
            keep_open=KeepOpen.PRESS,
            is_continuous=is_continuous,
        )
        ports = EnginePorts(SilentMicrophone("trace", clock=clock), UnpacedSpeaker(clock), self._service, clock)
        self._engine = Engine(config, ports, lambda: 0.5)
        self._engine.subscribe(self._on_event)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._engine.run())
            at, t = loop.time(), self._lines[0].t if self._lines else 0.0
            for line in self._lines:
                pause, t = min(max(0.0, line.t - t), MAX_PAUSE_S), max(t, line.t)
                at += pause
                await asyncio.sleep(max(at - loop.time(), TURN_S))
                await self._take(line)
                self.out.lines += 1
                self.out.duration_s += pause
            await asyncio.sleep(SETTLE_WITHIN_S)
            for utterance in self._engine.transcript.utterances:
                self._measure(utterance.number)
            self.out.utterances = tuple(self._engine.transcript.utterances)
            self._engine.post(Quit(drain=False))
        for connection in self._connections.values():
            if connection.frames or connection.finalizes:
                self.out.differences.append(
                    f"the engine sent {connection.frames:+d} frames and {connection.finalizes:+d} finalizes "
                    "compared with the trace"
                )
        return self.out

    async def _take(self, line: TraceLine) -> None:
        fields = line.fields
        match line.kind:
            case "trace":
                self.out.program = text_of(fields.get("program"))
            case "allocate":
                self._on_allocate(from_trace(fields))
            case "allocated":
                session_id, model = text_of(fields.get("session_id")), text_of(fields.get("model_version_id"))
                self.out.sessions.append((session_id, model))
                expires_in, url = number_of(fields.get("expires_in")) or 60.0, f"trace:{len(self.out.sessions)}"
                self._wire.answer(Allocation(session_id, url, expires_in, model or None))
            case "failed":
                self._on_failed(text_of(fields.get("what")), whole_of(fields.get("status")))
            case "opened":
                self._connections[line.connection] = _Connection()
                self._wire.open(self._connections[line.connection])
            case "sent":
                await self._on_sent(line.connection, fields)
            case "received":
                self._on_received(line.connection, fields)
            case "closed":
                self._on_closed(line.connection, whole_of(fields.get("code")), by_us=fields.get("by_us") is True)
            case "talk-cancel":
                self._edge(EdgeKind.CANCEL, self._now())
            case _:
                self.out.counts[f"log {line.kind}"] += 1

    def _on_allocate(self, params: SessionParams) -> None:
        """Make the engine request this session, unless it has already."""
        self.out.counts["sessions asked for"] += 1
        pair = _pair(params)
        self._wire.asked.append(pair)
        if pair in self._wire.waiting:
            return
        if pair != _pair(self._params):
            self._params = params
            self._engine.post(ChangeSession(params))
        elif self._wire.newest is not None and self._wire.newest.is_open:  # such as with another key
            self._engine.use_service(self._service)
        else:
            self._engine.post(RetryNow())

    def _on_failed(self, what: str, status: int | None) -> None:
        self.out.failures.append(f"{'session' if what == 'allocate' else 'socket'} refused ({status or 'no answer'})")
        if what == "open":
            self._wire.open(LinkError("The socket was refused.", retryable=True))
        elif status in (401, 403):
            self._wire.answer(CredentialError("The key was refused.", status=status))
        else:
            self._wire.answer(AllocationError("The session was refused.", status=status, retryable=True))

    async def _on_sent(self, number: int, fields: Mapping[str, object]) -> None:
        connection = self._connections.get(number)
        n_bytes = whole_of(fields.get("bytes"))
        if connection is None:
            self.out.differences.append("the trace sent something on a connection that never opened")
        elif n_bytes is None:
            self.out.counts["finalizes sent"] += 1
            connection.finalizes -= 1
            if connection.finalizes < 0:
                self._edge(EdgeKind.COMMIT, self._frame_at)
        else:
            self.out.counts["frames sent"] += 1
            self.out.counts["bytes sent"] += n_bytes
            if n_bytes != FRAME_BYTES:
                self.out.counts["frames of another size"] += 1
            connection.frames -= 1
            if connection.frames < 0:  # the engine has sent all it has, so this frame was captured just now
                now = self._now()
                if self._engine.status.talking_since is None:
                    self._edge(EdgeKind.START, now - FRAME_S)
                    await asyncio.sleep(TURN_S)
                self._frame_at = now
                peak = 0.0 if fields.get("quiet") is True else 0.5
                self._engine.hear_sample(Frame(bytes(FRAME_BYTES), 0, now, peak=peak))

    def _edge(self, kind: EdgeKind, t: float) -> None:
        """An edge of a sample, whose frames reach the engine without a microphone."""
        self._engine.talk(TalkEdge(kind, t, TalkSource.SAMPLE))

    def _on_received(self, number: int, fields: Mapping[str, object]) -> None:
        connection = self._connections.get(number)
        if connection is None:
            self.out.differences.append("the trace received something on a connection that never opened")
            return
        n_bytes = whole_of(fields.get("bytes"))
        message = fields.get("message")
        if n_bytes is not None:
            event = self._decode(bytes(min(max(n_bytes, 0), 4_000_000)))
            self.out.counts["speech bytes received"] += n_bytes
        else:
            event = self._decode(json.dumps(message) if isinstance(message, dict) else "")
            self.out.counts["messages received"] += 1
        if kind := _NOTEWORTHY.get(type(event)):
            self.out.counts[kind] += 1
        if isinstance(event, SpeechChunk):
            self._spoken_at = self._now()
        connection.give(event)

    def _on_closed(self, number: int, code: int | None, *, by_us: bool) -> None:
        is_ordinary = by_us and code == 1000
        if not is_ordinary:
            self.out.failures.append(f"socket {'dropped' if by_us else 'closed'} ({code or 'no code'})")
        connection = self._connections.get(number)
        # The engine makes its ordinary closes by itself, perhaps slightly later than the trace.
        if connection is not None and connection.is_open and not is_ordinary:
            connection.frames = connection.finalizes = 0  # lost in transit
            connection.lose(code or 1006)

    # ---- the engine's events ----

    def _on_event(self, event: EngineEvent) -> None:
        match event:
            case Logged(t, kind, {"utterance": int(number)}):
                self._on_logged(t, kind, number)
            case TranscriptChanged(numbers):
                for number in numbers:
                    timing = self.out.timings[number]
                    if timing.first_speech is None and self._engine.transcript.utterance(number).has_speech:
                        timing.first_speech = self._now()
            case _:
                pass

    def _on_logged(self, t: float, kind: str, number: int) -> None:
        timing = self.out.timings.setdefault(number, Timing(t))
        match kind:
            case "finalize":
                timing.finalized = t
            case "interim" | "final":
                timing.first_text = timing.first_text or t
                timing.last_final = t if kind == "final" else timing.last_final
            case "resend":
                self.out.counts["utterances sent again"] += 1
            case "settled":
                self._measure(number)
                timing.last_speech = None if timing.first_speech is None else self._spoken_at
            case _:
                pass

    def _measure(self, number: int) -> None:
        """Record the length of the speech, since the engine keeps only the latest minutes."""
        if samples := len(self._engine.speech_of(number)) // 4:
            self.out.speech_samples[number] = samples


_NOTEWORTHY: Mapping[type, str] = {
    Malformed: "unreadable messages",
    UnknownMessage: "unknown messages",
    ErrorMessage: "error messages",
}


def _pair(params: SessionParams) -> Pair:
    """The parameters that identify a session. Speech is left out, since a session can switch it off by itself."""
    return params.source, params.target, params.voice, params.finalize_mode, params.two_way
