"""One session's link to the helper process. It outlives the helper, and repeats unanswered audio to the next one. Pure.

The link keeps an utterance's audio until the helper has finished it. A new helper gets the same audio; its finals and
speech are passed on only from where the last helper stopped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from pinch_tui.services.practice.helper.pipe import Kind
from pinch_tui.services.practice.ports import Final, Heard, SessionPlan

MAX_KEPT = 4 * 1024 * 1024
"""Limit of audio kept for a new helper, in bytes: two minutes."""
PACKET_BYTES = 2_560
"""Frames are sent in packets of 80 ms, because waking the helper costs more than processing a frame."""
_MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Speech:
    """A chunk of the last final's speech: float32 24 kHz."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """The helper died and its audio is lost; ``segment`` is the number of the missing final. The next audio goes to a
    new helper."""

    segment: int


class HelperLink:
    """Numbers segments from 1 in the order of their finals; the helpers' own numbers are ignored."""

    def __init__(self, send: Callable[[Kind, int, bytes], None], number: int, plan: SessionPlan) -> None:
        self._send = send
        self.number = number
        self.plan = plan
        self.events: asyncio.Queue[Heard | Speech | Lost] = asyncio.Queue(4_096)  # five minutes of speech
        self.dropped = 0
        self._packet = bytearray()
        self._kept: deque[tuple[Kind, bytes]] = deque()
        self._kept_bytes = 0
        self._attempts = 1
        self._n_finals = 0
        self._n_new_finals = 0
        self._n_chunks = 0
        self._skip_finals = 0
        self._skip_chunks = 0

    def audio(self, pcm: bytes) -> None:
        """Send PCM16 with any whole number of samples."""
        self._packet += pcm
        if len(self._packet) >= PACKET_BYTES:
            self._flush()

    def prepare(self) -> None:
        """The utterance will soon be finished; more of its audio can follow."""
        self._flush()
        self._send(Kind.PREPARE, self.number, b"")

    def finish(self) -> None:
        self._flush()
        self._keep(Kind.FINISH, b"")

    def repeat(self) -> None:
        """Send a new helper everything that the last one has not answered."""
        self._skip_finals = self._n_new_finals
        self._skip_chunks = self._n_chunks
        for kind, payload in self._kept:
            self._send(kind, self.number, payload)

    def died(self, *, is_final: bool) -> None:
        """The helper died; ``is_final``: there will be no other."""
        if not self._kept:
            return
        self._attempts += 1
        if self._attempts > _MAX_ATTEMPTS or self._kept_bytes > MAX_KEPT or is_final:
            self.put(Lost(self._n_finals + 1))
            self._n_finals += 1
            self._kept.clear()
            self._kept_bytes = 0
            self._begin()

    def heard(self, heard: Heard) -> None:
        """Pass on an interim or final, unless it was passed on before."""
        if self._skip_finals:
            self._skip_finals -= isinstance(heard, Final)
            return
        self.put(replace(heard, segment=self._n_finals + 1))
        if isinstance(heard, Final):
            self._n_finals += 1
            self._n_new_finals += 1
            self._n_chunks = self._skip_chunks = 0

    def speech(self, data: bytes) -> None:
        """Pass on a chunk of speech, unless it was passed on before."""
        if self._skip_finals:
            return
        if self._skip_chunks:
            self._skip_chunks -= 1
            return
        self._n_chunks += 1
        self.put(Speech(data))

    def finished(self) -> None:
        """The helper has answered everything up to the oldest `finish`."""
        while self._kept:
            kind, payload = self._kept.popleft()
            self._kept_bytes -= len(payload)
            if kind is Kind.FINISH:
                break
        self._begin()

    def put(self, event: Heard | Speech | Lost) -> None:
        try:
            self.events.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped += 1

    def _begin(self) -> None:
        self._attempts = 1
        self._n_new_finals = self._n_chunks = self._skip_finals = self._skip_chunks = 0

    def _flush(self) -> None:
        if self._packet:
            self._keep(Kind.AUDIO, bytes(self._packet))
            self._packet.clear()

    def _keep(self, kind: Kind, payload: bytes) -> None:
        # Beyond the limit audio is not kept; the count then shows that the utterance cannot be sent again.
        self._kept_bytes += len(payload)
        self._kept.append((kind, payload if self._kept_bytes <= MAX_KEPT else b""))
        self._send(kind, self.number, payload)
