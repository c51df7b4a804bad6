"""What is still to be sent: utterances with their frames, in order, at a bounded rate. Pure.

An utterance's sound stays here until it is settled, so that it can be sent again from its first sample after a drop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pinch_tui.core.events import FRAME_S, Frame

VOICE_PEAK = 0.01
"""Peaks below -40 dBFS are no voice."""
_LOUD = int(VOICE_PEAK * 32_768)
KEEP_S = 600.0
"""Seconds of unsettled sound kept in memory."""
_FAST = 1.5
_SLACK = 0.1
"""From a pace of `_FAST` on: the share of a second's frames that may leave in one burst."""


def is_quiet(pcm: bytes) -> bool:
    """Whether 16-bit samples hold no voice."""
    samples = memoryview(pcm[: len(pcm) // 2 * 2]).cast("h")
    return max(samples, default=0) <= _LOUD and min(samples, default=0) >= -_LOUD


class Pacer:
    """A token bucket: in no second more frames than ``pace`` times real time. A pace near real time has no bursts."""

    def __init__(self, pace: float = 2.0) -> None:
        frames = pace / FRAME_S
        is_fast = pace >= _FAST
        self._burst, self._rate = (frames * _SLACK, frames * (1 - _SLACK) - 2.0) if is_fast else (1.0, frames)
        self._tokens = self._burst
        self._at = float("-inf")

    def take(self, now: float) -> bool:
        """Whether one frame may leave now."""
        self._refill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def next_at(self, now: float) -> float:
        """When the next frame may leave."""
        self._refill(now)
        return now if self._tokens >= 1.0 else now + (1.0 - self._tokens) / self._rate + 1e-4

    def _refill(self, now: float) -> None:
        if now > self._at:
            is_first = self._at == float("-inf")
            self._tokens = min(self._burst, self._tokens + (0.0 if is_first else (now - self._at) * self._rate))
            self._at = now


@dataclass(slots=True)
class Outgoing:
    """One utterance on its way. Indices count its frames from 0; ``base`` is the first one still kept."""

    number: int
    frames: deque[Frame] = field(default_factory=deque)
    base: int = 0
    next: int = 0  # the next frame to send in this attempt
    reached: int = 0  # the furthest frame sent in any attempt
    attempt: int = 1
    is_latched: bool = False
    is_ended: bool = False
    is_cancelled: bool = False
    first_sent_at: float | None = None  # in this attempt
    finalized_at: float | None = None  # in this attempt
    peak: float = 0.0
    quiet: int = 0  # quiet frames in a row at the end of what was sent
    voiced_at: float = float("-inf")  # when the last frame that is not quiet was sent
    kept_segments: int = 0  # its first segments that are settled: their sound is let go, and they stay
    kept_before: int = 0  # as it was when the connection began
    spoken: int = 0  # samples of speech that came, counted from the utterance's beginning
    kept_speech: int = 0  # how many of them belong to the kept segments

    @property
    def total(self) -> int:
        return self.base + len(self.frames)

    @property
    def waiting(self) -> int:
        return self.total - self.next

    def add(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.peak = max(self.peak, frame.peak)

    def take(self, now: float) -> Frame:
        """The next frame to send."""
        frame = self.frames[self.next - self.base]
        self.next += 1
        if frame.peak > VOICE_PEAK:
            self.quiet, self.voiced_at = 0, now
        else:
            self.quiet += 1
        return frame

    @property
    def was_sent_before(self) -> bool:
        """Whether the next frame goes out again."""
        return self.next < self.reached

    def forget(self, n: int, *, even_unsent: bool = False) -> int:
        """Let go of up to ``n`` frames at the front (sent ones, unless told otherwise); returns how many went."""
        gone = 0
        while gone < n and self.frames and (even_unsent or self.base < self.next):
            self.frames.popleft()
            self.base += 1
            gone += 1
        self.next = max(self.next, self.base)
        return gone

    def restart(self) -> bool:
        """Make it a new attempt from its first kept frame; False when nothing of it had been sent."""
        was_sent = self.next > self.base
        self.reached = max(self.reached, self.next)
        self.next = self.base
        self.first_sent_at = self.finalized_at = None
        if was_sent:
            self.attempt += 1
        return was_sent


class Outbox:
    """The unsettled utterances of one session, oldest first."""

    def __init__(self, keep_s: float = KEEP_S) -> None:
        self._items: dict[int, Outgoing] = {}
        self._keep = int(keep_s / FRAME_S)
        self._kept = 0
        self.forgotten = 0  # frames let go at the memory bound

    def __iter__(self) -> Iterator[Outgoing]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def get(self, number: int) -> Outgoing | None:
        return self._items.get(number)

    def start(self, number: int) -> Outgoing:
        return self._items.setdefault(number, Outgoing(number))

    def put(self, items: Iterable[Outgoing]) -> None:
        """Take whole utterances, in the order of their numbers, behind those of which something was sent."""
        for item in items:
            self._items[item.number] = item
            self._kept += len(item.frames)
        begun = [item for item in self._items.values() if item.first_sent_at is not None]
        waiting = [item for item in self._items.values() if item.first_sent_at is None]
        self._items = {item.number: item for item in (*begun, *sorted(waiting, key=lambda item: item.number))}
        self._trim()

    def add(self, number: int, frame: Frame) -> None:
        """Append a frame to a running utterance; frames of ended or unknown ones are not taken."""
        item = self._items.get(number)
        if item is None or item.is_ended:
            return
        item.add(frame)
        self._kept += 1
        if self._kept > self._keep:
            self._trim()

    def forget_front(self, number: int, n: int) -> int:
        """Let go of sound that is settled at the front of a running utterance."""
        item = self._items.get(number)
        gone = item.forget(n) if item else 0
        self._kept -= gone
        return gone

    def cancel(self, number: int) -> None:
        """No more of it is sent."""
        item = self._items.get(number)
        if item is None:
            return
        item.is_cancelled = item.is_ended = True
        while item.waiting > 0:
            item.frames.pop()
            self._kept -= 1

    def remove(self, number: int) -> None:
        if (item := self._items.pop(number, None)) is not None:
            self._kept -= len(item.frames)

    def current(self) -> Outgoing | None:
        """The oldest utterance whose finalize has not been sent."""
        return next((item for item in self._items.values() if item.finalized_at is None), None)

    @property
    def behind_s(self) -> float:
        return sum(item.waiting for item in self._items.values() if item.finalized_at is None) * FRAME_S

    def _trim(self) -> None:
        """Keep the bound: drop sent sound first, then the oldest that is unsent."""
        for even_unsent in (False, True):
            for item in self._items.values():
                gone = item.forget(self._kept - self._keep, even_unsent=even_unsent)
                self._kept -= gone
                self.forgotten += gone
                if self._kept <= self._keep:
                    return
