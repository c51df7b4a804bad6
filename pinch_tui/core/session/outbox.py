"""The sound of the unsettled utterances, in order, and the rate at which it may leave. Pure.

An utterance's sound stays here until it is settled, so that it can be sent again from its first sample after a drop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pinch_tui.core.events import FRAME_S, Frame

VOICE_PEAK = 0.01
"""Peaks up to -40 dBFS are not voice."""
_LOUD = int(VOICE_PEAK * 32_768)
KEEP_S = 600.0
"""Seconds of unsettled sound kept in memory."""
_FAST = 1.5
"""From this pace on, frames may leave in bursts,"""
_SLACK = 0.1
"""each with up to this share of a second's frames."""


def is_quiet(pcm: bytes) -> bool:
    """Whether 16-bit samples hold no voice."""
    samples = memoryview(pcm[: len(pcm) // 2 * 2]).cast("h")
    return max(samples, default=0) <= _LOUD and min(samples, default=0) >= -_LOUD


class Pacer:
    """A token bucket: never more than ``pace`` seconds of sound per second. A pace near real time has no bursts."""

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
    kept_segments: int = 0  # segments before a checkpoint: they stay, and their sound is no longer kept
    kept_before: int = 0  # their number when the connection began
    spoken: int = 0  # samples of speech received since the utterance began
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
        """Whether the next frame was sent in an earlier attempt."""
        return self.next < self.reached

    def forget(self, n: int, *, even_unsent: bool = False) -> int:
        """Drop up to ``n`` frames at the front, unsent ones only with ``even_unsent``; returns how many."""
        gone = 0
        while gone < n and self.frames and (even_unsent or self.base < self.next):
            self.frames.popleft()
            self.base += 1
            gone += 1
        self.next = max(self.next, self.base)
        return gone

    def restart(self) -> bool:
        """Begin a new attempt with the first kept frame; returns False if nothing of it had been sent."""
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
        self.forgotten = 0  # frames dropped at the memory bound

    def __iter__(self) -> Iterator[Outgoing]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def get(self, number: int) -> Outgoing | None:
        return self._items.get(number)

    def start(self, number: int) -> Outgoing:
        return self._items.setdefault(number, Outgoing(number))

    def put(self, items: Iterable[Outgoing]) -> None:
        """Add whole utterances, in the order of their numbers, behind those that are being sent."""
        for item in items:
            self._items[item.number] = item
            self._kept += len(item.frames)
        begun = [item for item in self._items.values() if item.first_sent_at is not None]
        waiting = [item for item in self._items.values() if item.first_sent_at is None]
        self._items = {item.number: item for item in (*begun, *sorted(waiting, key=lambda item: item.number))}
        self._trim()

    def add(self, number: int, frame: Frame) -> None:
        """Append a frame to a running utterance; ignores one of an ended or unknown utterance."""
        item = self._items.get(number)
        if item is None or item.is_ended:
            return
        item.add(frame)
        self._kept += 1
        if self._kept > self._keep:
            self._trim()

    def forget_front(self, number: int, n: int) -> None:
        """Drop settled sound at the front of a running utterance."""
        if (item := self._items.get(number)) is not None:
            self._kept -= item.forget(n)

    def cancel(self, number: int) -> None:
        """Drop what was not sent yet."""
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

    def clear(self) -> None:
        self._items.clear()
        self._kept = 0

    def current(self) -> Outgoing | None:
        """The oldest utterance whose finalize has not been sent."""
        return next((item for item in self._items.values() if item.finalized_at is None), None)

    @property
    def behind_s(self) -> float:
        return sum(item.waiting for item in self._items.values() if item.finalized_at is None) * FRAME_S

    def _trim(self) -> None:
        """Keep the bound: drop sent sound first, then the oldest unsent sound."""
        for even_unsent in (False, True):
            for item in self._items.values():
                gone = item.forget(self._kept - self._keep, even_unsent=even_unsent)
                self._kept -= gone
                self.forgotten += gone
                if self._kept <= self._keep:
                    return


class KeptSound:
    """The sound of utterances that settled without a text, oldest first, so that the user can send it again."""

    def __init__(self, keep_s: float = 300.0) -> None:
        """``keep_s``: seconds of sound kept in memory (300 s take 9.6 MB); the oldest utterance goes first."""
        self._keep = round(keep_s / FRAME_S)
        self._frames: dict[int, tuple[Frame, ...]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._frames

    def put(self, number: int, frames: Iterable[Frame]) -> list[int]:
        """Keep an utterance; returns the numbers of those that were dropped, itself included if it is too long."""
        self._frames.pop(number, None)
        self._frames[number] = tuple(frames)
        kept, dropped = sum(map(len, self._frames.values())), []
        while kept > self._keep:
            oldest = next(iter(self._frames))
            kept -= len(self._frames.pop(oldest))
            dropped.append(oldest)
        return dropped

    def take(self, number: int) -> tuple[Frame, ...]:
        """The sound of an utterance, which is then no longer kept; empty if there is none."""
        return self._frames.pop(number, ())
