"""The jitter buffer between speech that arrives irregularly and a device that needs samples now.

Pure: no I/O, no clock, no numpy, no locks; one thread uses it (the playback callback of the sound host). Samples are
mono float32 at the device's rate. What holds: samples leave in the order they came; pushed = played + dropped +
buffered; a pull always fills; nothing that was pushed before a `clear` is played after it but its fade of 5 ms.

The cushion: playing starts 40 ms after the first chunk (80 ms of the service's speech), so that the next one may be
late by as much. A larger cushion counts in chunks, because only whole ones help: a threshold of exactly one chunk gains
nothing over none. The first underrun raises the cushion to 200 ms (more than two chunks), each further one adds a
chunk, up to 400 ms. It is lowered again after a calm time in which no chunk was later, against the earliest one, than
a smaller cushion would have borne (jitter that goes on keeps its cushion), or in which a whole cushion always waited
(speech that comes in bursts, far ahead). A dry spell that ends with the playout, or is so long that it was a pause of
the speaker, was none of jitter and costs nothing; what is left below the cushion is played after a short wait.

A clear is faded over the 5 ms that would have come next, so that the wave goes on as it was while it falls: no sample
step is larger than the signal's own (of sound above 70 Hz: 5 ms are too short for less). Where nothing waits (an
underrun, an end that is loud) the newest samples are played backwards instead, which bends the wave but never steps.
Samples of a fade count as dropped, or not at all where they are mirrored; never as played.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass, field

Samples = array  # of float; array("f") everywhere

START_MS = 40
"""The cushion of a connection without jitter: how long the first chunk waits."""
JITTERY_MS = 200
"""The cushion after the first underrun: it bears 160 ms of jitter."""
CHUNK_MS = 80
CAP_MS = 400
FADE_MS = 5
GAIN_RAMP_MS = 20
CALM_S = 10
"""After this much speech without an underrun the cushion may shrink."""
CALM_AT_END_S = 3
"""At the end of a playout, it may shrink after this much."""
PATIENCE_MS = 300
"""Without another chunk for this long, what is there is played although it is less than the cushion."""
PAUSE_MS = 700
"""A dry spell longer than this was a pause between sentences."""
ENDS_LOUD = 0.002
"""A playout whose last sample is above this (-54 dBFS) would click at its end, so it gets a fade."""


@dataclass(frozen=True, slots=True)
class Began:
    """The first sample of a playout is ``offset`` samples into the block just pulled."""

    playout: int
    offset: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A playout is over, ``offset`` samples into the block; ``played`` and ``dropped`` add up to all its samples."""

    playout: int
    offset: int
    played: int
    dropped: int
    was_cleared: bool


@dataclass(frozen=True, slots=True)
class RanDry:
    """A playout had nothing to give ``offset`` samples into the block just pulled."""

    playout: int
    offset: int


JitterEvent = Began | Ended | RanDry


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
    growth: int = 0  # what the newest underrun added to the cushion
    calm: int = 0  # the calm time that it ended
    pushed: int = 0
    earliest: int | None = None  # when its first sample was due, by the chunk that came the least late in this time
    largest: int = 0  # largest chunk
    waited: int = 0  # samples of silence given since the last chunk, while not primed


class JitterBuffer:
    """Playouts queue up behind one another; each primes anew. ``rate``: samples a second."""

    def __init__(self, rate: int, *, fade_ms: float = FADE_MS) -> None:
        self.rate = rate
        self._start = round(rate * START_MS / 1000)
        self._jittery = round(rate * JITTERY_MS / 1000)
        self._step = round(rate * CHUNK_MS / 1000)
        self._cap = round(rate * CAP_MS / 1000)
        self._fade = max(1, round(rate * fade_ms / 1000))
        self._patience = round(rate * PATIENCE_MS / 1000)
        self._pause = round(rate * PAUSE_MS / 1000)
        self.need = self._start
        """Samples that must be there before playing starts."""
        self._calm = 0  # samples played since the last underrun, or since it was asked whether less would do
        self._clock = 0  # samples pulled
        self._latest = 0  # how much later a chunk came than another one before it, in that time
        self._least: int | None = None  # the least that was there when a chunk came, in that time
        self._queue: deque[_Playout] = deque()
        self._fall = [math.cos(math.pi / 2 * (i + 1) / self._fade) ** 2 for i in range(self._fade - 1)] + [0.0]
        self._past: Samples[float] = array("f", bytes(4 * self._fade))  # the newest samples played
        self._tail: Samples[float] = array("f")  # a fade that still has to be played
        self._rise = self._fade  # samples of the fade-in already done
        self._events: list[JitterEvent] = []
        self._gain = self._gain_to = 1.0
        self._gain_step = 0.0
        self.pushed = 0
        self.played = 0
        self.dropped = 0
        self.underruns = 0

    # ---- in ----

    def begin(self, playout: int) -> None:
        """Start a playout behind those that wait. A number that is known already is ignored."""
        if self._find(playout) is None:
            self._queue.append(_Playout(playout))

    def push(self, playout: int, samples: Samples[float]) -> None:
        """Append samples to a playout; those of an unknown, ended or cleared one are dropped and counted."""
        count = len(samples)
        self.pushed += count
        entry = self._find(playout)
        if entry is None or entry.is_ended:
            self.dropped += count
        elif count:
            if entry.is_primed:
                self._least = entry.buffered if self._least is None else min(self._least, entry.buffered)
            entry.chunks.append(samples)
            entry.buffered += count
            entry.largest = max(entry.largest, count)
            if entry.waited > self._pause:
                self._forgive(entry)
                entry.earliest = None
            entry.growth = entry.waited = 0
            due = self._clock - entry.pushed
            entry.earliest = due if entry.earliest is None else min(entry.earliest, due)
            self._latest = max(self._latest, due - entry.earliest)
            entry.pushed += count

    def end(self, playout: int, tail: Samples[float] | None = None) -> None:
        """No more samples will come for it but ``tail`` (of a resampler): what is there is played, however little."""
        entry = self._find(playout)
        if entry is None or entry.is_ended:
            return
        if not entry.buffered:
            self._forgive(entry)
        if tail:
            self.push(playout, tail)
        entry.is_ended = True

    def clear(self, playout: int | None = None) -> None:
        """Drop what waits of one playout or of all, fade out what is heard; their `Ended` says ``was_cleared``."""
        for entry in [entry for entry in self._queue if playout is None or entry.number == playout]:
            is_heard = entry is self._queue[0] and entry.is_primed
            if not entry.buffered:
                self._forgive(entry)
            self.dropped += entry.buffered
            self._queue.remove(entry)
            if is_heard:
                self._fade_out(self._next(entry))
            self._events.append(Ended(entry.number, 0, entry.played, entry.buffered, True))

    def set_gain(self, gain: float) -> None:
        """Loudness 0.0-2.0 from now on, reached along a straight ramp."""
        self._gain_to = min(2.0, max(0.0, gain))
        self._gain_step = (self._gain_to - self._gain) / round(self.rate * GAIN_RAMP_MS / 1000)

    # ---- out ----

    def pull(self, count: int) -> Samples[float]:
        """Exactly ``count`` samples: speech where there is some, silence elsewhere."""
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
                self._rise = 0
                if entry.buffered and not entry.has_begun:
                    entry.has_begun = True
                    self._events.append(Began(entry.number, len(out)))
            self._take(entry, out, count)
            if entry.buffered or (len(out) == count and not entry.is_ended):
                break  # the block is full; running empty at its very edge is no underrun yet
            if entry.is_ended:
                self._finish(entry, out, count)
            else:
                self._run_dry(entry, out, count)
                break
        if len(out) < count:
            out.frombytes(bytes(4 * (count - len(out))))
        if self._gain != 1.0 or self._gain_to != 1.0:
            self._apply_gain(out)
        return out

    def take_events(self) -> list[JitterEvent]:
        """What happened since the last call, in order; offsets belong to the newest block."""
        events, self._events = self._events, []
        return events

    @property
    def buffered(self) -> int:
        """Samples that wait, all playouts together."""
        return sum(entry.buffered for entry in self._queue)

    def position(self) -> tuple[int, int] | None:
        """Number of the playout at the head and how many of its samples were played; None when there is none."""
        if not self._queue:
            return None
        return self._queue[0].number, self._queue[0].played

    # ---- inside ----

    def _find(self, playout: int) -> _Playout | None:
        return next((entry for entry in self._queue if entry.number == playout), None)

    def _is_ready(self, entry: _Playout) -> bool:
        if entry.is_ended or (entry.buffered and entry.waited >= self._patience):
            return True
        if entry.largest >= self._cap:  # a chunk beyond the cap is a cushion by itself
            return entry.buffered >= entry.largest
        if 0 < self.need < entry.largest:
            return entry.buffered > entry.largest or (entry.buffered > 0 and entry.waited >= self.need)
        # More than one chunk, whatever the chunks' size.
        return entry.buffered >= max(self.need, entry.largest + 1)

    def _take(self, entry: _Playout, out: Samples[float], count: int) -> None:
        """Move samples of the playout into the block, under the fade-in where one is running."""
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
            if self._rise < self._fade:
                for i in range(min(taken, self._fade - self._rise)):
                    self._rise += 1
                    piece[i] *= self._rise / self._fade
            out.extend(piece)
            self._remember(piece)
        if self._calm >= CALM_S * self.rate:
            self._reconsider()

    def _remember(self, piece: Samples[float]) -> None:
        past = self._past
        past.extend(piece[-self._fade :])
        del past[: len(past) - self._fade]

    def _next(self, entry: _Playout) -> Samples[float]:
        """The samples that a playout would have given next, as loud as they would have been: a fade's worth at most."""
        coming: Samples[float] = array("f")
        head = entry.head
        for chunk in entry.chunks:
            coming.extend(chunk[head : head + self._fade - len(coming)])
            head = 0
            if len(coming) >= self._fade:
                break
        for i in range(min(len(coming), self._fade - self._rise)):
            coming[i] *= (self._rise + i + 1) / self._fade
        return coming

    def _fade_out(self, coming: Samples[float] | tuple[()] = ()) -> None:
        """Prepare the tail: the samples to come, or what was played mirrored behind them, under the falling ramp."""
        size = self._fade
        wave = [*coming, *reversed(coming), *reversed(self._past)]
        # A wave that goes on is let down gently; one that was bent already gets the ramp of the least slope.
        fall = self._fall if coming else [1.0 - (i + 1) / size for i in range(size)]
        self._tail = array("f", [value * by for value, by in zip(wave, fall, strict=False)])
        self._past = array("f", bytes(4 * size))

    def _play_tail(self, out: Samples[float], count: int) -> None:
        room = count - len(out)
        out.extend(self._tail[:room])
        del self._tail[:room]

    def _finish(self, entry: _Playout, out: Samples[float], count: int) -> None:
        self._queue.popleft()
        self._events.append(Ended(entry.number, len(out), entry.played, 0, False))
        if self._calm >= CALM_AT_END_S * self.rate:
            self._reconsider()
        if abs(self._past[-1]) > ENDS_LOUD:
            self._fade_out()
            self._play_tail(out, count)
        else:
            self._past = array("f", bytes(4 * self._fade))

    def _run_dry(self, entry: _Playout, out: Samples[float], count: int) -> None:
        entry.is_primed = False
        entry.underruns += 1
        self.underruns += 1
        entry.calm, self._calm = self._calm, 0
        before = self.need
        self.need = min(self._cap, max(self.need + self._step, self._jittery))
        entry.growth = self.need - before
        self._events.append(RanDry(entry.number, len(out)))
        self._fade_out()
        self._play_tail(out, count)

    def _forgive(self, entry: _Playout) -> None:
        """The dry spell in which this playout is was no underrun."""
        if entry.underruns and not entry.is_primed:
            entry.underruns -= 1
            self.underruns -= 1
            self.need -= entry.growth
            entry.growth = 0
            self._calm = entry.calm

    def _reconsider(self) -> None:
        """A calm time is over: whether the cushion could have been smaller by a chunk."""
        smaller = self._start if self.need <= self._jittery else self.need - self._step
        whole = (-(-smaller // self._step) - 1) * self._step  # whole chunks that wait when the first one is played
        borne = whole if smaller > self._step else smaller
        is_far_ahead = self._least is not None and self._least > self.need
        if self._latest <= borne or is_far_ahead:
            self.need = min(self.need, max(self._start, smaller))
        self._calm = self._latest = 0
        self._least = None
        for entry in self._queue:
            entry.earliest = None

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
