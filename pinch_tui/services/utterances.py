"""A connection that opens one socket an utterance: for providers that only hear.

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
from typing import Protocol

from pinch_tui.core.events import FRAME_BYTES, FRAME_S
from pinch_tui.core.secrecy import redact
from pinch_tui.core.wire import EndMessage, ErrorMessage, Progress, ReadyMessage, WireEvent
from pinch_tui.errors import ConnectionLost, PinchError
from pinch_tui.services.hearing import Hearing, Refused
from pinch_tui.services.socket import Socket

KEEPALIVE_S = 5.0
"""A socket that was given nothing for so long is kept alive, where the provider has a message for it."""
GAP_S = 0.5
"""Sound that pauses for longer inside an utterance is replaced by zeros, where the provider needs a steady stream."""
_GAP_LIMIT_S = 2.0


class Dialect(Protocol):
    """What a provider wants of a socket."""

    @property
    def chunk_frames(self) -> int:
        """Frames that are sent together."""

    @property
    def endings(self) -> Sequence[str]:
        """The messages that end an utterance."""

    @property
    def keepalive(self) -> str:
        """The message that keeps an idle socket open, "" for none."""

    @property
    def fills_gaps(self) -> bool:
        """Whether zeros replace sound that pauses."""

    def hearing(self, name: str) -> Hearing: ...


@dataclass(slots=True)
class _Turn:
    socket: Socket
    hearing: Hearing
    sent_at: float
    pending: bytearray = field(default_factory=bytearray)
    is_finalized: bool = False


class UtteranceConnection:
    """The engine's `Connection`. ``first``: a socket that is open already, for the first utterance; ``secrets``: not
    to be repeated."""

    def __init__(
        self,
        open_socket: Callable[[], Awaitable[Socket]],
        dialect: Dialect,
        now: Callable[[], float],
        first: Socket | None = None,
        *,
        secrets: Sequence[str] = (),
    ) -> None:
        self._open_socket = open_socket
        self._dialect = dialect
        self._now = now
        self._secrets = secrets
        self._spare = first
        self._turns: deque[_Turn] = deque()
        self._spent: list[Socket] = []  # drained; the provider closes them
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
        turn.pending += pcm
        turn.hearing.sent(pcm)
        if len(turn.pending) >= self._dialect.chunk_frames * FRAME_BYTES:
            await self._flush(turn)

    async def finalize(self) -> None:
        if self._failure is not None or not self._turns or self._turns[-1].is_finalized:
            return
        turn = self._turns[-1]
        turn.is_finalized = True
        await self._flush(turn)
        turn.hearing.released()
        for message in self._dialect.endings:
            await turn.socket.send(message)

    async def ping(self) -> None:
        for turn in list(self._turns):
            idle_s = self._now() - turn.sent_at
            if not turn.is_finalized and self._dialect.fills_gaps and idle_s > GAP_S:
                turn.pending += bytes(FRAME_BYTES) * int(min(idle_s, _GAP_LIMIT_S) / FRAME_S)
                await self._flush(turn)
            elif self._dialect.keepalive and idle_s > KEEPALIVE_S:
                turn.sent_at = self._now()
                await turn.socket.send(self._dialect.keepalive)
            await turn.socket.ping()
        if self._spare is not None:
            await self._spare.ping()

    def progress(self) -> Progress | None:
        return None

    async def _begin(self) -> _Turn | None:
        spare, self._spare = self._spare, None
        try:
            socket = spare or await self._open_socket()
        except PinchError as exc:
            self._fail(exc)
            return None
        self._count += 1
        turn = _Turn(socket, self._dialect.hearing(f"u{self._count}"), self._now())
        self._turns.append(turn)
        self._changed.set()
        return turn

    async def _flush(self, turn: _Turn) -> None:
        size = self._dialect.chunk_frames * FRAME_BYTES
        while turn.pending:
            chunk = bytes(turn.pending[:size])
            del turn.pending[:size]
            turn.sent_at = self._now()
            await turn.socket.send(chunk)

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
        try:
            heard = turn.hearing.message(await turn.socket.receive())
        except ConnectionLost as exc:
            heard = turn.hearing.closed(exc.code)
            if not heard:
                raise
        for item in heard:
            if isinstance(item, Refused):
                raise item.error
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
