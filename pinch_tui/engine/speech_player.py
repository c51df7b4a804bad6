"""Translated speech on its way to the speaker: playouts, barge-in, replay.

A playout is one run of speech of one utterance. While a person talks (and barge-in is ``stop``), speech that arrives is
kept and said afterwards; speech that a press cut off is not repeated, but can be replayed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pinch_tui.core.events import OUT_RATE
from pinch_tui.core.sound import PlayoutEnded, PlayoutStarted, Underran
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.ports import Speaker
from pinch_tui.settings.model import BargeIn

QUIET_S = 0.8
"""A playout ends when no chunk came for this long. A shorter pause is a gap in it, as in the jitter buffer."""
KEEP_BYTES = 64 * 1024 * 1024
"""Speech kept for replay (about 11 minutes); the oldest goes first."""
WAIT_BYTES = 5 * 60 * OUT_RATE * 4
"""Speech that may wait while a person talks (5 minutes, as long as the speaker's own queue); more is dropped."""
PART_BYTES = 64 * 1024
"""Chunks are kept in parts of about this size, however small they come."""
DUCKED = 0.25
REPLAY_CHUNK = 1_920 * 4
ECHO_S = 0.25
"""Sound captured this soon after speech was played may hold its echo."""


@dataclass(slots=True)
class _Playout:
    utterance: int
    is_replay: bool = False
    has_started: bool = False
    ran_dry_at: float | None = None  # not yet known whether more speech follows
    started_at: float = 0.0
    gaps: int = 0


@dataclass(slots=True)
class _Speech:
    """What was received for one utterance. Positions are bytes since its beginning, in whichever attempt."""

    parts: deque[bytes] = field(default_factory=deque)  # the last of it, as far as it is kept
    position: int = 0  # where the newest attempt is
    reached: int = 0  # how far any attempt came: before that all was said (or dropped) already

    @property
    def n_bytes(self) -> int:
        """Of the parts."""
        return sum(map(len, self.parts))


class SpeechPlayer:
    """Owns what is being said. ``on_event`` hears (kind, utterance, time, fields) for the event log and the meters."""

    def __init__(
        self,
        speaker: Speaker,
        barge_in: BargeIn,
        on_event: Callable[[str, int, float, dict[str, object]], None],
        now: Callable[[], float],
    ) -> None:
        self._speaker = speaker
        self.barge_in = barge_in
        self._on_event = on_event
        self._now = now
        self._quiet = Alarm(asyncio.get_running_loop(), self._end_open)
        self._playouts: dict[int, _Playout] = {}
        self._next = 0
        self._open: int | None = None
        self._speech: dict[int, _Speech] = {}
        self._kept = 0
        self._silenced: set[int] = set()
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._is_talking = False
        self._replay: tuple[int, float] | None = None  # to be played when the talk ends
        self.volume, self.is_muted = 1.0, False
        self.underruns = 0
        self.gap_s = 0.0  # seconds of silence in them
        self.dropped_s = 0.0
        self.speaking: int | None = None  # the utterance being said
        self._last_sound_at = float("-inf")

    # ---- speech arrives ----

    def chunk(self, utterance: int, data: bytes) -> None:
        """A chunk of an utterance's speech came."""
        speech = self._speech.setdefault(utterance, _Speech())
        self._keep(speech, data)
        to_skip = max(0, speech.reached - speech.position)
        speech.position += len(data)
        speech.reached = max(speech.reached, speech.position)
        data = data[to_skip:]
        if not data:
            return
        if utterance in self._silenced:
            self._drop(data)
            return
        if self._is_talking and (self.barge_in is BargeIn.STOP or self._waiting):
            self._wait(utterance, data)
            return
        self._play(utterance, data)

    def restarted(self, utterance: int, settled_bytes: int = 0) -> None:
        """The utterance is sent again; speech that was already played is not played twice.

        ``settled_bytes``: the part of its speech that is settled and will not come again.
        """
        speech = self._speech.get(utterance)
        if speech is None:
            return
        start = speech.position - speech.n_bytes
        kept = b"".join(speech.parts)[: max(0, settled_bytes - start)]
        self._kept += len(kept) - speech.n_bytes
        speech.parts = deque([kept] if kept else [])
        speech.position = min(settled_bytes, speech.position)

    def moved(self, source: int, target: int) -> bool:
        """What is kept of an utterance's speech is another's, of which none has come; False when there is none."""
        if target in self._speech or source not in self._speech:
            return False
        self._speech[target] = self._speech.pop(source)
        return True

    def settled(self, utterance: int) -> None:
        """No more speech is expected for it."""
        if self._open is not None and self._playouts[self._open].utterance == utterance:
            self._end_open()

    def silence(self, utterance: int) -> None:
        """Say no more of it."""
        self._silenced.add(utterance)
        for number, data in self._waiting:
            if number == utterance:
                self._drop(data)
        self._forget_waiting(utterance)
        for number, playout in list(self._playouts.items()):
            if playout.utterance == utterance:
                self._clear(number)

    def of(self, utterance: int) -> bytes:
        speech = self._speech.get(utterance)
        return b"".join(speech.parts) if speech else b""

    # ---- the person ----

    def talk_started(self) -> None:
        """A press: the policy says what happens to the speech being played."""
        self._is_talking = True
        match self.barge_in:
            case BargeIn.STOP:
                self._silence_playouts()
            case BargeIn.DUCK:
                self._apply_gain()
            case BargeIn.MIX:
                pass

    def talk_ended(self) -> None:
        self._is_talking = False
        self._apply_gain()
        if self._replay is not None:
            self.replay(*self._replay)
        waiting, self._waiting = self._waiting, deque()
        for utterance, data in waiting:
            self._play(utterance, data)

    def set_volume(self, volume: float, is_muted: bool) -> None:
        self.volume, self.is_muted = max(0.0, min(2.0, volume)), is_muted
        self._apply_gain()

    def replay(self, utterance: int, speed: float) -> bool:
        """Say it again, ``speed`` below 1 slower; False when there is nothing to say. If talking stops
        the speech, it waits for the end of the talk: the microphone would hear it."""
        self._replay = None
        data = self.of(utterance)
        if not data:
            return False
        if self._is_talking and self.barge_in is BargeIn.STOP:
            self._replay = (utterance, speed)
            return True
        if speed != 1.0:
            from pinch_tui.audio.dsp.stretch import slow_down  # with numpy, which comes after the first paint

            data = slow_down(data, speed)
        self._silence_playouts()
        self._silenced.discard(utterance)  # what of it still comes is said behind this
        self._forget_waiting(utterance)
        playout = self._begin(utterance, is_replay=True)
        for start in range(0, len(data), REPLAY_CHUNK):
            self._speaker.play(playout, data[start : start + REPLAY_CHUNK])
        self._speaker.end(playout)
        return True

    def stop(self, *, skip: bool) -> None:
        """Silence the utterance being said (``skip``), or everything."""
        self._replay = None
        if skip and self.speaking is not None:
            self.silence(self.speaking)
            return
        self._silence_playouts()
        for utterance in {utterance for utterance, _ in self._waiting}:
            self.silence(utterance)

    def forget(self) -> None:
        """Stop, and keep nothing of what was said up to now."""
        self.stop(skip=False)
        self._speech.clear()
        self._kept = 0

    def catch_up(self) -> None:
        """Go on with the newest utterance's speech; where that is being said already, skip it."""
        spoken = [playout.utterance for playout in self._playouts.values()]
        waiting = [*spoken, *(utterance for utterance, _ in self._waiting)]
        if not waiting:
            return
        newest = max(waiting)
        for utterance in {utterance for utterance in waiting if utterance != newest} or {newest}:
            self.silence(utterance)

    @property
    def gaps(self) -> int:
        """Gaps so far in what is being said."""
        return sum(playout.gaps for playout in self._playouts.values() if playout.utterance == self.speaking)

    @property
    def has_replay_waiting(self) -> bool:
        return self._replay is not None

    def may_echo(self) -> bool:
        """Whether speech is being played, or was a moment ago."""
        return self.speaking is not None or self._now() - self._last_sound_at < ECHO_S

    # ---- the speaker ----

    def heard(self, event: PlayoutStarted | PlayoutEnded | Underran) -> None:
        """Something the speaker says of a playout."""
        playout = self._playouts.get(event.playout)
        if playout is None:
            return
        match event:
            case PlayoutStarted():
                playout.has_started, playout.started_at = True, event.t
                self.speaking = playout.utterance
                if not playout.is_replay:
                    self._on_event("speech-start", playout.utterance, event.t, {})
            case Underran():
                # The end of speech is never announced, so only speech that goes on was interrupted.
                playout.ran_dry_at = event.t
            case PlayoutEnded():
                del self._playouts[event.playout]
                if self._open == event.playout:
                    self._open = None
                self._last_sound_at = self._now()
                if self.speaking == playout.utterance:
                    self.speaking = None
                if playout.has_started and not playout.is_replay:
                    fields: dict[str, object] = {
                        "played_s": round(event.played / OUT_RATE, 3),
                        "cut": event.was_cleared,
                    }
                    # Its end is known after a pause, in which nothing was heard any more.
                    ended_at = event.t if playout.ran_dry_at is None else min(event.t, playout.ran_dry_at)
                    if playout.gaps:
                        gap_s = max(0.0, ended_at - playout.started_at - event.played / OUT_RATE)
                        self.gap_s += gap_s
                        fields |= {"gaps": playout.gaps, "gap_s": round(gap_s, 3)}
                    self._on_event("speech-end", playout.utterance, ended_at, fields)

    # ---- inside ----

    def _wait(self, utterance: int, data: bytes) -> None:
        if sum(len(waiting) for _, waiting in self._waiting) + len(data) > WAIT_BYTES:
            self._drop(data)
            return
        if self._waiting and self._waiting[-1][0] == utterance and len(self._waiting[-1][1]) < PART_BYTES:
            data = self._waiting.pop()[1] + data
        self._waiting.append((utterance, data))

    def _keep(self, speech: _Speech, data: bytes) -> None:
        if speech.parts and len(speech.parts[-1]) < PART_BYTES:
            speech.parts[-1] += data
        else:
            speech.parts.append(data)
        self._kept += len(data)
        while self._kept > KEEP_BYTES:
            oldest = next(kept for kept in self._speech.values() if kept.parts)
            gone = len(oldest.parts.popleft()) if oldest is speech else oldest.n_bytes
            if oldest is not speech:
                oldest.parts.clear()
            self._kept -= gone

    def _drop(self, data: bytes) -> None:
        self.dropped_s += len(data) / 4 / OUT_RATE

    def _play(self, utterance: int, data: bytes) -> None:
        if self._open is not None and self._playouts[self._open].utterance != utterance:
            self._end_open()
        if self._open is None:
            self._open = self._begin(utterance)
        playout = self._playouts[self._open]
        if playout.ran_dry_at is not None:
            self.underruns += 1
            playout.gaps += 1
            self._on_event("underrun", utterance, playout.ran_dry_at, {})
            playout.ran_dry_at = None
        self._speaker.play(self._open, data)
        self._quiet.set(self._now() + QUIET_S)

    def _begin(self, utterance: int, *, is_replay: bool = False) -> int:
        self._next += 1
        self._playouts[self._next] = _Playout(utterance, is_replay)
        self._speaker.begin(self._next)
        return self._next

    def _end_open(self) -> None:
        self._quiet.set(None)
        if self._open is not None:
            playout, self._open = self._open, None
            self._speaker.end(playout)

    def _forget_waiting(self, utterance: int) -> None:
        self._waiting = deque((number, data) for number, data in self._waiting if number != utterance)

    def _silence_playouts(self) -> None:
        for playout in self._playouts.values():
            if not playout.is_replay:
                self._silenced.add(playout.utterance)
        for number in list(self._playouts):
            self._clear(number)

    def _clear(self, number: int) -> None:
        if self._open == number:
            self._open = None
            self._quiet.set(None)
        self._speaker.clear(number)

    def _apply_gain(self) -> None:
        gain = 0.0 if self.is_muted else self.volume
        if self._is_talking and self.barge_in is BargeIn.DUCK:
            gain *= DUCKED
        self._speaker.set_gain(gain)
