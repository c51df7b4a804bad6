"""The jitter buffer between speech that arrives irregularly and a device that needs samples now.

Pure: no I/O, no clock, no numpy, no locks. Only the sound host's playback callback uses it. Samples are mono float32
at the device's rate. Invariants: samples leave in order; pushed = played + dropped + buffered; a pull always fills its
block; after a `clear`, nothing pushed before it is played except a 5 ms fade.

The target depth: playback starts 40 ms after the first chunk (80 ms of the service's speech), so the next chunk can be
40 ms late. Deeper targets count whole chunks, because part of a chunk gains nothing. The first underrun raises the
target to 200 ms (more than two chunks); each further one adds a chunk, up to 400 ms. The target falls again after a
calm period if a smaller one would have covered every late chunk, or if a full target's worth was always buffered
(speech that arrives in bursts, far ahead). Continuing jitter therefore keeps its target. An underrun that turns out to
be the end of the playout, or is long enough to be a pause of the speaker, is undone. Samples that stay below the target
are played after a short wait.

A clear fades out over the next 5 ms of speech, so the wave keeps its shape while it falls, and no step between samples
exceeds the signal's own (above 70 Hz; 5 ms is too short for lower sounds). If nothing is buffered (an underrun, or a
playout that ends loudly), the newest samples are played backwards under the fade instead, which also avoids a step.
Faded speech counts as dropped, mirrored samples are not counted.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass, field

Samples = array  # of float; array("f") everywhere

INITIAL_MS = 40
"""Target depth on a connection without jitter."""
UNDERRUN_MS = 200
"""Target depth after the first underrun; covers 160 ms of jitter."""
CHUNK_MS = 80
CAP_MS = 400
FADE_MS = 5
GAIN_RAMP_MS = 20
CALM_S = 10
"""Speech without an underrun after which the target may fall."""
CALM_AT_END_S = 3
"""The same at the end of a playout."""
PATIENCE_MS = 300
"""After this long without a new chunk, buffered samples are played even if they are fewer than the target."""
PAUSE_MS = 700
"""A longer gap is a pause between sentences, not jitter."""
ENDS_LOUD = 0.002
"""A playout whose last sample exceeds this (-54 dBFS) would click, so it is faded out."""


@dataclass(frozen=True, slots=True)
class Began:
    """A playout starts ``offset`` samples into the block just pulled."""

    playout: int
    offset: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A playout ends ``offset`` samples into the block. ``played`` and ``dropped`` add up to all its samples."""

    playout: int
    offset: int
    played: int
    dropped: int
    was_cleared: bool


@dataclass(frozen=True, slots=True)
class Underrun:
    """A playout runs out of samples ``offset`` samples into the block just pulled."""

    playout: int
    offset: int


JitterEvent = Began | Ended | Underrun


@dataclass(slots=True)
class _Playout:
    number: int
    chunks: deque[Samples[float]] = field(default_factory=deque)
    head: int = 0  # samples of chunks[0] already played
    buffered: int = 0
    played: int = 0
    is_ended: bool = False
    is_primed: bool = False
    has_begun: bool = False
    underruns: int = 0
    raised_by: int = 0  # samples that the newest underrun added to the target
    calm_before: int = 0  # the calm period that it ended
    pushed: int = 0
    starts_at: float = math.inf  # start on the pull clock, according to the least late chunk of this calm period
    largest_chunk: int = 0
    waited: int = 0  # samples of silence since the last chunk, while not primed


class JitterBuffer:
    """Plays playouts one after the other; each one is primed before it starts. ``rate``: samples per second."""

    def __init__(self, rate: int, *, fade_ms: float = FADE_MS) -> None:
        self.rate = rate
        self._initial = round(rate * INITIAL_MS / 1000)
        self._after_underrun = round(rate * UNDERRUN_MS / 1000)
        self._chunk = round(rate * CHUNK_MS / 1000)
        self._cap = round(rate * CAP_MS / 1000)
        self._fade = max(1, round(rate * fade_ms / 1000))
        self._patience = round(rate * PATIENCE_MS / 1000)
        self._pause = round(rate * PAUSE_MS / 1000)
        self.target = self._initial
        """Samples that must be buffered before playback starts."""
        self._calm = 0  # samples played in this calm period: since an underrun, or since the target was last reviewed
        self._clock = 0  # samples pulled
        self._lateness = 0.0  # of the latest chunk of this calm period, against the earliest one
        self._lowest_fill = math.inf  # fewest samples buffered when a chunk arrived in this calm period
        self._queue: deque[_Playout] = deque()
        self._ramp_down = [math.cos(math.pi / 2 * (i + 1) / self._fade) ** 2 for i in range(self._fade - 1)] + [0.0]
        self._recent: Samples[float] = array("f", bytes(4 * self._fade))  # the newest samples played
        self._tail: Samples[float] = array("f")  # the rest of a fade-out
        self._faded_in = self._fade  # samples of the fade-in already done
        self._events: list[JitterEvent] = []
        self._gain = self._gain_to = 1.0
        self._gain_step = 0.0
        self.pushed = 0
        self.played = 0
        self.dropped = 0
        self.underruns = 0

    # ---- in ----

    def begin(self, playout: int) -> None:
        """Queue a playout. A number that is already queued is ignored."""
        if self._find(playout) is None:
            self._queue.append(_Playout(playout))

    def push(self, playout: int, samples: Samples[float]) -> None:
        """Append samples to a playout. If it is unknown, ended or cleared, drop and count them."""
        count = len(samples)
        self.pushed += count
        entry = self._find(playout)
        if entry is None or entry.is_ended:
            self.dropped += count
        elif count:
            if entry.is_primed:
                self._lowest_fill = min(self._lowest_fill, entry.buffered)
            entry.chunks.append(samples)
            entry.buffered += count
            entry.largest_chunk = max(entry.largest_chunk, count)
            if entry.waited > self._pause:
                self._undo_underrun(entry)
                entry.starts_at = math.inf
            entry.raised_by = entry.waited = 0
            due = self._clock - entry.pushed
            entry.starts_at = min(entry.starts_at, due)
            self._lateness = max(self._lateness, due - entry.starts_at)
            entry.pushed += count

    def end(self, playout: int) -> None:
        """Mark a playout as complete; its remaining samples are played without priming."""
        entry = self._find(playout)
        if entry is None or entry.is_ended:
            return
        if not entry.buffered:
            self._undo_underrun(entry)
        entry.is_ended = True

    def clear(self, playout: int | None = None) -> None:
        """Drop one playout, or all, and fade out the one being heard. Each is reported by `Ended`, ``was_cleared``."""
        for entry in [entry for entry in self._queue if playout is None or entry.number == playout]:
            is_heard = entry is self._queue[0] and entry.is_primed
            if not entry.buffered:
                self._undo_underrun(entry)
            self.dropped += entry.buffered
            self._queue.remove(entry)
            if is_heard:
                self._fade_out(self._upcoming(entry))
            self._events.append(Ended(entry.number, 0, entry.played, entry.buffered, True))

    def set_gain(self, gain: float) -> None:
        """Change the gain (0.0-2.0) along a linear ramp of `GAIN_RAMP_MS`."""
        self._gain_to = min(2.0, max(0.0, gain))
        self._gain_step = (self._gain_to - self._gain) / round(self.rate * GAIN_RAMP_MS / 1000)

    # ---- out ----

    def pull(self, count: int) -> Samples[float]:
        """Exactly ``count`` samples; silence fills the gaps."""
        out: Samples[float] = array("f")
        self._clock += count
        if self._tail:
            self._play_tail(out, count)
        while len(out) < count and self._queue:
            entry = self._queue[0]
            if not entry.is_primed and not self._is_ready(entry):
                entry.waited += count - len(out)
                break
            if not entry.is_primed:
                entry.is_primed = True
                self._faded_in = 0
                if entry.buffered and not entry.has_begun:
                    entry.has_begun = True
                    self._events.append(Began(entry.number, len(out)))
            self._take(entry, out, count)
            if entry.buffered or (len(out) == count and not entry.is_ended):
                break  # the block is full; running empty exactly at its end is not an underrun yet
            if entry.is_ended:
                self._finish(entry, out, count)
            else:
                self._underrun(entry, out, count)
                break
        if len(out) < count:
            out.frombytes(bytes(4 * (count - len(out))))
        if self._gain != 1.0 or self._gain_to != 1.0:
            self._apply_gain(out)
        return out

    def take_events(self) -> list[JitterEvent]:
        """Events since the last call, in order; offsets are relative to the newest block."""
        events, self._events = self._events, []
        return events

    @property
    def buffered(self) -> int:
        """Samples waiting in all playouts."""
        return sum(entry.buffered for entry in self._queue)

    def position(self) -> tuple[int, int] | None:
        """(number, samples played) of the current playout; None without one."""
        return (self._queue[0].number, self._queue[0].played) if self._queue else None

    # ---- inside ----

    def _find(self, playout: int) -> _Playout | None:
        return next((entry for entry in self._queue if entry.number == playout), None)

    def _is_ready(self, entry: _Playout) -> bool:
        if entry.is_ended or (entry.buffered and entry.waited >= self._patience):
            return True
        if entry.largest_chunk >= self._cap:  # one such chunk is depth enough
            return entry.buffered >= entry.largest_chunk
        if 0 < self.target < entry.largest_chunk:
            return entry.buffered > entry.largest_chunk or (entry.buffered > 0 and entry.waited >= self.target)
        return entry.buffered >= max(self.target, entry.largest_chunk + 1)

    def _take(self, entry: _Playout, out: Samples[float], count: int) -> None:
        """Move samples of the playout into the block, faded in after an interruption."""
        while len(out) < count and entry.buffered:
            chunk = entry.chunks[0]
            piece = chunk[entry.head : entry.head + count - len(out)]
            taken = len(piece)
            entry.head += taken
            if entry.head == len(chunk):
                entry.chunks.popleft()
                entry.head = 0
            entry.buffered -= taken
            entry.played += taken
            self.played += taken
            self._calm += taken
            if self._faded_in < self._fade:
                for i in range(min(taken, self._fade - self._faded_in)):
                    self._faded_in += 1
                    piece[i] *= self._faded_in / self._fade
            out.extend(piece)
            self._recent.extend(piece[-self._fade :])
            del self._recent[: -self._fade]
        if self._calm >= CALM_S * self.rate:
            self._lower_target()

    def _upcoming(self, entry: _Playout) -> Samples[float]:
        """The playout's next samples, at most a fade's worth, with the fade-in applied."""
        coming: Samples[float] = array("f")
        head = entry.head
        for chunk in entry.chunks:
            coming.extend(chunk[head : head + self._fade - len(coming)])
            head = 0
            if len(coming) >= self._fade:
                break
        for i in range(min(len(coming), self._fade - self._faded_in)):
            coming[i] *= (self._faded_in + i + 1) / self._fade
        return coming

    def _fade_out(self, coming: Samples[float] | tuple[()] = ()) -> None:
        """Prepare the fade-out: the upcoming samples, continued by mirrored ones, times a falling ramp."""
        size = self._fade
        wave = [*coming, *reversed(coming), *reversed(self._recent)]
        # A straight ramp has the least slope, which suits a wave that is mirrored at once.
        fall = self._ramp_down if coming else [1.0 - (i + 1) / size for i in range(size)]
        self._tail = array("f", [value * by for value, by in zip(wave, fall, strict=False)])
        self._recent = array("f", bytes(4 * size))

    def _play_tail(self, out: Samples[float], count: int) -> None:
        room = count - len(out)
        out.extend(self._tail[:room])
        del self._tail[:room]

    def _finish(self, entry: _Playout, out: Samples[float], count: int) -> None:
        self._queue.popleft()
        self._events.append(Ended(entry.number, len(out), entry.played, 0, False))
        if self._calm >= CALM_AT_END_S * self.rate:
            self._lower_target()
        if abs(self._recent[-1]) > ENDS_LOUD:
            self._fade_out()
            self._play_tail(out, count)
        else:
            self._recent = array("f", bytes(4 * self._fade))

    def _underrun(self, entry: _Playout, out: Samples[float], count: int) -> None:
        entry.is_primed = False
        entry.underruns += 1
        self.underruns += 1
        entry.calm_before, self._calm = self._calm, 0
        before = self.target
        self.target = min(self._cap, max(self.target + self._chunk, self._after_underrun))
        entry.raised_by = self.target - before
        self._events.append(Underrun(entry.number, len(out)))
        self._fade_out()
        self._play_tail(out, count)

    def _undo_underrun(self, entry: _Playout) -> None:
        """The gap that this playout is in was not caused by jitter."""
        if entry.underruns and not entry.is_primed:
            entry.underruns -= 1
            self.underruns -= 1
            self.target -= entry.raised_by
            entry.raised_by = 0
            self._calm = entry.calm_before

    def _lower_target(self) -> None:
        """A calm period is over: lower the target by a chunk if the smaller one would have been enough."""
        smaller = self._initial if self.target <= self._after_underrun else self.target - self._chunk
        whole = (-(-smaller // self._chunk) - 1) * self._chunk  # whole chunks still buffered when the first is played
        covered = whole if smaller > self._chunk else smaller
        if self._lateness <= covered or self.target < self._lowest_fill < math.inf:
            self.target = min(self.target, max(self._initial, smaller))
        self._calm, self._lateness, self._lowest_fill = 0, 0.0, math.inf
        for entry in self._queue:
            entry.starts_at = math.inf

    def _apply_gain(self, out: Samples[float]) -> None:
        gain, to, step = self._gain, self._gain_to, self._gain_step
        for i in range(len(out)):
            if gain != to:
                gain += step
                if (step >= 0.0) == (gain >= to):
                    gain = to
            value = out[i] * gain
            out[i] = 1.0 if value > 1.0 else -1.0 if value < -1.0 else value
        self._gain = gain
