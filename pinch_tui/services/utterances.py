"""A connection that opens a socket for each utterance, for services that only transcribe.

Nothing is open between two utterances. The first frame of one opens its socket; the sound waits in the session's
outbox meanwhile. After its end the socket is drained to the provider's own end mark, while the next utterance may
already use its own; messages come in the order of the utterances, each followed by an `EndMessage`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from pinch_tui.core.events import FRAME_BYTES, FRAME_S
from pinch_tui.core.secrecy import redact
from pinch_tui.core.wire import EndMessage, ErrorMessage, Progress, ReadyMessage, TranscriptMessage, WireEvent
from pinch_tui.errors import ConnectionLost, PinchError
from pinch_tui.services.hearing import Dialect, Hearing
from pinch_tui.services.ports import Socket

KEEPALIVE_S = 5.0
"""After this long without sound, a keep-alive is sent where the provider has one."""
GAP_S = 0.5
"""Sound that pauses for longer inside an utterance is replaced by zeros, where the provider needs a steady stream."""
_GAP_LIMIT_S = 2.0
_LATCH_BYTES = 100 * FRAME_BYTES
"""A press that is not latched by then is a hold: 2 s of sound, in bytes."""


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of socket, and how it is used."""

    open: Callable[[], Awaitable[Socket]]
    dialect: Dialect


@dataclass(slots=True)
class _Turn:
    socket: Socket
    dialect: Dialect
    hearing: Hearing
    sent_at: float
    pending: bytearray = field(default_factory=bytearray)
    begun: bytearray | None = None  # all of its sound, while it may still go on in another way
    has_text: bool = False
    is_finalized: bool = False


class UtteranceConnection:
    """The engine's `Connection`. ``first``: a socket that is open already, for the first utterance; ``secrets``: not
    to be repeated."""

    def __init__(
        self,
        held: Way,
        now: Callable[[], float],
        first: Socket | None = None,
        *,
        secrets: Sequence[str] = (),
        hands_free: Way | None = None,
    ) -> None:
        self._held = held
        self._hands_free = hands_free
        self._is_latched = False  # the utterance under way is, or will be
        self._now = now
        self._secrets = secrets
        self._spare = first
        self._turns: deque[_Turn] = deque()
        self._spent: list[Socket] = []  # being drained until the provider closes them
        self._out: deque[WireEvent] = deque([ReadyMessage("")])
        self._failure: PinchError | None = None
        self._changed = asyncio.Event()
        self._count = 0

    # ---- sending ----

    async def send(self, pcm: bytes) -> None:
        if self._failure is not None:
            return
        turn = self._turns[-1] if self._turns and not self._turns[-1].is_finalized else await self._begin()
        if turn is None:
            return
        if turn.begun is not None:
            await self._keep(turn, pcm)
        turn.pending += pcm
        turn.hearing.sent(pcm)
        if len(turn.pending) >= turn.dialect.chunk_frames * FRAME_BYTES:
            await self._flush(turn)

    def latch(self) -> None:
        self._is_latched = self._hands_free is not None

    async def finalize(self) -> None:
        if self._failure is not None or not self._turns or self._turns[-1].is_finalized:
            return
        turn = self._turns[-1]
        turn.is_finalized = True
        self._is_latched = False
        await self._flush(turn)
        turn.hearing.released()
        for message in turn.dialect.endings:
            await turn.socket.send(message)

    async def ping(self) -> None:
        for turn in list(self._turns):
            idle_s = self._now() - turn.sent_at
            is_open = not turn.is_finalized
            if is_open and turn.dialect.fills_gaps and idle_s > GAP_S:
                turn.pending += bytes(FRAME_BYTES) * int(min(idle_s, _GAP_LIMIT_S) / FRAME_S)
                await self._flush(turn)
            elif is_open and turn.dialect.keepalive and idle_s > KEEPALIVE_S:
                turn.sent_at = self._now()
                await turn.socket.send(turn.dialect.keepalive)
            await turn.socket.ping()
        if self._spare is not None:
            await self._spare.ping()

    def progress(self) -> Progress | None:
        return None

    async def _begin(self) -> _Turn | None:
        way = self._hands_free if self._is_latched and self._hands_free is not None else self._held
        spare = None
        if way is self._held:
            spare, self._spare = self._spare, None
        try:
            socket = spare or await way.open()
        except PinchError as exc:
            self._fail(exc)
            return None
        self._count += 1
        turn = _Turn(socket, way.dialect, way.dialect.hearing(f"u{self._count}"), self._now())
        turn.begun = bytearray() if self._hands_free is not None and way is self._held else None
        self._turns.append(turn)
        self._changed.set()
        return turn

    async def _flush(self, turn: _Turn) -> None:
        size = turn.dialect.chunk_frames * FRAME_BYTES
        while turn.pending:
            chunk = bytes(turn.pending[:size])
            del turn.pending[:size]
            turn.sent_at = self._now()
            await turn.socket.send(chunk)

    async def _keep(self, turn: _Turn, pcm: bytes) -> None:
        """Send the utterance again from its beginning, hands-free, if it is latched before its first text."""
        assert turn.begun is not None
        if self._is_latched and self._hands_free is not None and not turn.has_text:
            before, way = turn.socket, self._hands_free
            try:
                turn.socket = await way.open()
            except PinchError:  # stay with the held socket
                self._is_latched, turn.begun = False, None
                return
            turn.dialect, turn.hearing = way.dialect, way.dialect.hearing(f"u{self._count}")
            turn.pending, turn.begun = turn.begun, None
            before.abort()
            return
        turn.begun += pcm
        if turn.has_text or len(turn.begun) > _LATCH_BYTES:
            turn.begun = None

    def _fail(self, error: PinchError) -> None:
        self._failure = error
        self._changed.set()

    # ---- receiving ----

    async def receive(self) -> WireEvent:
        while not self._out:
            if self._turns:
                await self._hear(self._turns[0])
            elif self._failure is not None:
                raise self._failure
            else:
                self._changed.clear()
                await self._changed.wait()
        return self._out.popleft()

    async def _hear(self, turn: _Turn) -> None:
        socket = turn.socket
        try:
            heard = turn.hearing.message(await socket.receive())
        except ConnectionLost as exc:
            if turn.socket is not socket:
                return  # the utterance goes on hands-free, on another socket
            heard = turn.hearing.closed(exc.code)
            if not heard:
                raise
        for item in heard:
            if isinstance(item, PinchError):
                raise item
            turn.has_text |= isinstance(item, TranscriptMessage)
            self._out.append(self._without_secrets(item))
            if isinstance(item, EndMessage):
                self._turns.popleft()
                self._drop_spent()
                self._spent.append(turn.socket)
                break

    def _without_secrets(self, event: WireEvent) -> WireEvent:
        """A provider's own words may repeat the key."""
        return replace(event, text=redact(event.text, self._secrets)) if isinstance(event, ErrorMessage) else event

    def _drop_spent(self) -> None:
        while self._spent:
            self._spent.pop().abort()

    # ---- the end ----

    async def close(self, code: int = 1000) -> None:
        sockets = [turn.socket for turn in self._turns] + ([self._spare] if self._spare else [])
        with contextlib.suppress(ConnectionLost):
            for socket in sockets:
                await socket.close(code)
        self.abort()

    def abort(self) -> None:
        for turn in self._turns:
            turn.socket.abort()
        self._drop_spent()
        if self._spare is not None:
            self._spare.abort()
            self._spare = None
        self._fail(ConnectionLost(1006))
