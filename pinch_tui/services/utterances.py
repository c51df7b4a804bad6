"""A connection that opens a socket for each utterance, for services that only transcribe.

Between utterances nothing is open. The first frame of an utterance opens its socket, while the session's outbox holds
the sound. After its end the socket is drained to the provider's own end mark, while the next utterance can already use
another. Messages come in the order of the utterances, each of which ends with an `EndMessage`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from pinch_tui.core.events import FRAME_BYTES, FRAME_S
from pinch_tui.core.secrecy import redact
from pinch_tui.core.wire import EndMessage, ErrorMessage, ReadyMessage, TranscriptMessage, WireEvent
from pinch_tui.errors import ConnectionLost, PinchError
from pinch_tui.services.ports import Socket
from pinch_tui.services.recognition import Dialect, Recognition

KEEPALIVE_S = 5.0
"""A keep-alive is sent after this long without sound."""
GAP_S = 0.5
"""Pauses longer than this within an utterance are filled with zeros, if the provider needs a steady stream."""
_GAP_LIMIT_S = 2.0
_LATCH_BYTES = 100 * FRAME_BYTES
"""An utterance not latched within this much sound (2 s) is a hold."""


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of socket, and how to use it."""

    open: Callable[[], Awaitable[Socket]]
    dialect: Dialect


@dataclass(slots=True)
class _Utterance:
    socket: Socket
    dialect: Dialect
    recognition: Recognition
    sent_at: float
    pending: bytearray = field(default_factory=bytearray)  # less than a chunk
    sound: bytearray | None = None  # all of it, as long as it can still move to the hands-free socket
    has_text: bool = False
    is_finalized: bool = False


class UtteranceConnection:
    """The engine's `Connection`."""

    def __init__(
        self,
        held: Way,
        now: Callable[[], float],
        first: Socket | None = None,
        *,
        key: str = "",
        hands_free: Way | None = None,
    ) -> None:
        """``first``: an open socket for the first utterance. ``hands_free``: for latched utterances, if they are
        recognised in another way. ``key`` is hidden in the provider's words."""
        self._held = held
        self._hands_free = hands_free
        self._is_latched = False  # the current utterance, or the next one
        self._now = now
        self._key = key
        self._first = first
        self._utterances: deque[_Utterance] = deque()
        self._drained: Socket | None = None  # left open for the provider to close
        self._out: deque[WireEvent] = deque([ReadyMessage("")])
        self._failure: PinchError | None = None
        self._changed = asyncio.Event()
        self._count = 0

    # ---- sending ----

    @property
    def _current(self) -> _Utterance | None:
        """The utterance that is being sent."""
        return self._utterances[-1] if self._utterances and not self._utterances[-1].is_finalized else None

    async def send(self, pcm: bytes) -> None:
        if self._failure is not None:
            return
        utterance = self._current or await self._begin()
        if utterance is None:
            return
        if utterance.sound is not None:
            await self._keep(utterance, utterance.sound, pcm)
        utterance.pending += pcm
        utterance.recognition.sent(pcm)
        if len(utterance.pending) >= utterance.dialect.chunk_frames * FRAME_BYTES:
            await self._flush(utterance)

    def latch(self) -> None:
        self._is_latched = self._hands_free is not None

    async def finalize(self) -> None:
        utterance = self._current
        if self._failure is not None or utterance is None:
            return
        utterance.is_finalized = True
        self._is_latched = False
        await self._flush(utterance)
        utterance.recognition.released()
        for message in utterance.dialect.endings:
            await utterance.socket.send(message)

    async def ping(self) -> None:
        for utterance in list(self._utterances):
            idle_s = self._now() - utterance.sent_at
            if not utterance.is_finalized and utterance.dialect.fills_gaps and idle_s > GAP_S:
                utterance.pending += bytes(FRAME_BYTES) * int(min(idle_s, _GAP_LIMIT_S) / FRAME_S)
                await self._flush(utterance)
            elif not utterance.is_finalized and utterance.dialect.keepalive and idle_s > KEEPALIVE_S:
                utterance.sent_at = self._now()
                await utterance.socket.send(utterance.dialect.keepalive)
            await utterance.socket.ping()
        if self._first is not None:
            await self._first.ping()

    def progress(self) -> None:
        """Unknown."""

    async def _begin(self) -> _Utterance | None:
        way = self._hands_free if self._is_latched and self._hands_free is not None else self._held
        socket = None
        if way is self._held:
            socket, self._first = self._first, None
        try:
            socket = socket or await way.open()
        except PinchError as exc:
            self._fail(exc)
            return None
        self._count += 1
        utterance = _Utterance(socket, way.dialect, way.dialect.recognition(f"u{self._count}"), self._now())
        utterance.sound = bytearray() if self._hands_free is not None and way is self._held else None
        self._utterances.append(utterance)
        self._changed.set()
        return utterance

    async def _flush(self, utterance: _Utterance) -> None:
        size = utterance.dialect.chunk_frames * FRAME_BYTES
        while utterance.pending:
            chunk = bytes(utterance.pending[:size])
            del utterance.pending[:size]
            utterance.sent_at = self._now()
            await utterance.socket.send(chunk)

    async def _keep(self, utterance: _Utterance, sound: bytearray, pcm: bytes) -> None:
        """Keep the sound of an utterance that may be latched; if it was, before its first text, send it again from the
        beginning on a hands-free socket."""
        if self._is_latched and self._hands_free is not None and not utterance.has_text:
            before, way = utterance.socket, self._hands_free
            utterance.sound = None
            try:
                utterance.socket = await way.open()
            except PinchError:  # stay with the held socket
                self._is_latched = False
                return
            utterance.dialect, utterance.recognition = way.dialect, way.dialect.recognition(f"u{self._count}")
            utterance.pending = sound
            before.abort()
            return
        sound += pcm
        if utterance.has_text or len(sound) > _LATCH_BYTES:
            utterance.sound = None

    def _fail(self, error: PinchError) -> None:
        self._failure = error
        self._changed.set()

    # ---- receiving ----

    async def receive(self) -> WireEvent:
        while not self._out:
            if self._utterances:
                await self._receive(self._utterances[0])
            elif self._failure is not None:
                raise self._failure
            else:
                self._changed.clear()
                await self._changed.wait()
        return self._out.popleft()

    async def _receive(self, utterance: _Utterance) -> None:
        socket = utterance.socket
        try:
            outcomes = utterance.recognition.message(await socket.receive())
        except ConnectionLost as exc:
            if utterance.socket is not socket:
                return  # it moved to a hands-free socket
            outcomes = utterance.recognition.closed(exc.code)
            if not outcomes:
                raise
        for item in outcomes:
            if isinstance(item, PinchError):
                raise item
            utterance.has_text |= isinstance(item, TranscriptMessage)
            self._out.append(
                replace(item, text=redact(item.text, [self._key])) if isinstance(item, ErrorMessage) else item
            )
            if isinstance(item, EndMessage):
                self._utterances.popleft()
                self._abort_drained()
                self._drained = utterance.socket
                break

    # ---- the end ----

    async def close(self, code: int = 1000) -> None:
        sockets = [utterance.socket for utterance in self._utterances] + ([self._first] if self._first else [])
        with contextlib.suppress(ConnectionLost):
            for socket in sockets:
                await socket.close(code)
        self.abort()

    def abort(self) -> None:
        for utterance in self._utterances:
            utterance.socket.abort()
        self._abort_drained()
        if self._first is not None:
            self._first.abort()
            self._first = None
        self._fail(ConnectionLost(1006))

    def _abort_drained(self) -> None:
        if self._drained is not None:
            self._drained.abort()
            self._drained = None
