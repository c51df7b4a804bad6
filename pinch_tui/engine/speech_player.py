"""The speaker: translated speech (playouts, barge-in, replay), cues, and whether the device is there.

A playout is one run of speech of one utterance. With barge-in ``stop``, speech that arrives while the user talks is
played afterwards. Speech that a press cuts off is not repeated, but can be replayed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pinch_tui.core.events import OUT_RATE, Severity
from pinch_tui.core.latency import Span
from pinch_tui.core.sound import PlayoutEnded, PlayoutStarted, SpeakerEvent, SpeakerFailed, SpeakerOpened, Underran
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.ports import Speaker
from pinch_tui.settings.model import BargeIn

QUIET_S = 0.8
"""A playout ends after this long without a chunk. A shorter pause is a gap within it, as in the jitter buffer."""
KEEP_BYTES = 64 * 1024 * 1024
"""Speech kept for replay (about 11 minutes); the oldest is dropped first."""
WAIT_BYTES = 5 * 60 * OUT_RATE * 4
"""Speech that can wait while the user talks (5 minutes, like the speaker's own queue); more is dropped."""
PART_BYTES = 64 * 1024
"""Chunks are joined into parts of about this size, however small they arrive."""
DUCKED = 0.25
"""Gain of the speech while the user talks, with barge-in ``duck``."""
ECHO_S = 0.25
"""Sound captured this soon after speech was played might contain its echo."""


@dataclass(slots=True)
class _Playout:
    utterance: int
    is_replay: bool = False
    has_started: bool = False
    ran_dry_at: float | None = None  # a gap if more speech follows, otherwise the end
    started_at: float = 0.0
    gaps: int = 0


@dataclass(slots=True)
class _Speech:
    """The speech received for one utterance. Positions are in bytes from the beginning of an attempt."""

    parts: deque[bytes] = field(default_factory=deque)  # the speech still kept: the latest part of it
    position: int = 0  # the newest attempt's
    reached: int = 0  # the furthest of any attempt; everything before was played or dropped

    @property
    def n_bytes(self) -> int:
        return sum(map(len, self.parts))


class SpeechPlayer:
    """Runs the speaker port, and decides which speech is played, and when.

    ``has_cues`` None: cues only if the speaker is known to be headphones.
    """

    def __init__(
        self, speaker: Speaker, barge_in: BargeIn, conversation: Conversation, *, has_cues: bool | None = None
    ) -> None:
        self.barge_in = barge_in
        self.is_there = False
        self.name = ""
        self.has_headphones: bool | None = None
        self._speaker = speaker
        self._conversation = conversation
        self._notifier = conversation.notifier
        self._has_cues = has_cues
        self._quiet = Alarm(self._end_open)
        self._playouts: dict[int, _Playout] = {}
        self._next = 0
        self._open: int | None = None  # the playout that takes the next chunks
        self._speech: dict[int, _Speech] = {}
        self._kept = 0  # bytes of all kept speech
        self._silenced: set[int] = set()
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._is_talking = False
        self._replay: tuple[int, float] | None = None  # utterance and speed, to play when the talk ends
        self.volume, self.is_muted = 1.0, False
        self.underruns = 0
        self.gap_s = 0.0  # seconds of silence in playouts
        self.dropped_s = 0.0
        self.speaking: int | None = None  # the utterance being played
        self._last_sound_at = float("-inf")

    # ---- the device ----

    @property
    def late_s(self) -> float:
        """Seconds of speech waiting to be played."""
        return round(self._speaker.buffered_s(), 1)

    @property
    def unplayed_s(self) -> float:
        """Seconds of speech that were never played, here or in the speaker."""
        return self.dropped_s + self._speaker.dropped_s()

    def select(self, device: str | None) -> None:
        self._speaker.select(device)

    def cue(self, name: str) -> None:
        """Play a short sound, if cues are on."""
        if self._has_cues or (self._has_cues is None and self.has_headphones):
            self._speaker.cue(name)

    async def listen(self) -> None:
        """Handle the speaker's events until they end."""
        async for event in self._speaker.events():
            self.on_event(event)
            self._conversation.refresh()

    def on_event(self, event: SpeakerEvent) -> None:
        match event:
            case SpeakerOpened():
                self.is_there, self.name, self.has_headphones = True, event.name, event.is_headphones
                self._notifier.clear("speaker")
                if event.is_substitute:
                    title = f"The chosen speaker was not found; using {event.name}."
                    self._notifier.notice("speaker", Severity.WARNING, title)
                if event.note:
                    self._notifier.notice("speaker-note", Severity.WARNING, event.note)
            case SpeakerFailed(error, is_retrying):
                self.is_there = False
                self._notifier.notice("speaker", Severity.WARNING, error.title, error.hint, is_retrying=is_retrying)
                self._notifier.log("error", topic="speaker", title=error.title)
            case _:
                if (playout := self._playouts.get(event.playout)) is not None:
                    self._on_playout(playout, event)

    # ---- speech arrives ----

    def chunk(self, utterance: int, data: bytes) -> None:
        """Take a chunk of an utterance's speech: play it, let it wait, or drop it."""
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
        elif self._is_talking and (self.barge_in is BargeIn.STOP or self._waiting):
            self._wait(utterance, data)
        else:
            self._play(utterance, data)

    def restarted(self, utterance: int, settled_bytes: int = 0) -> None:
        """The utterance is sent again; speech that was already played is not played twice.

        ``settled_bytes``: length of the settled speech at its beginning, which will not arrive again.
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
        """Give the speech kept for ``source`` to ``target``. False if there is none, or ``target`` already has some."""
        if target in self._speech or source not in self._speech:
            return False
        self._speech[target] = self._speech.pop(source)
        return True

    def settled(self, utterance: int) -> None:
        """No more speech is expected for it."""
        if self._open is not None and self._playouts[self._open].utterance == utterance:
            self._end_open()

    def silence(self, utterance: int) -> None:
        """Stop the utterance's speech, and play no more of it."""
        self._silenced.add(utterance)
        for number, data in self._waiting:
            if number == utterance:
                self._drop(data)
        self._forget_waiting(utterance)
        for number, playout in list(self._playouts.items()):
            if playout.utterance == utterance:
                self._clear(number)

    def speech_of(self, utterance: int) -> bytes:
        speech = self._speech.get(utterance)
        return b"".join(speech.parts) if speech else b""

    # ---- the user ----

    def talk_started(self) -> None:
        """An utterance began: stop or duck the speech, as the barge-in policy says."""
        self._is_talking = True
        if self.barge_in is BargeIn.STOP:
            self._silence_playouts()
        self._apply_gain()

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
        """Play an utterance's speech again; a ``speed`` below 1 is slower. False if there is none.

        With barge-in ``stop`` it waits until the user has finished talking.
        """
        self._replay = None
        data = self.speech_of(utterance)
        if not data:
            self._notifier.notice("replay", Severity.INFO, "There is no speech for this line.")
            return False
        if self._is_talking and self.barge_in is BargeIn.STOP:
            self._replay = (utterance, speed)
            self._notifier.notice("replay", Severity.INFO, "It plays when you finish talking.")
            return True
        if speed != 1.0:
            from pinch_tui.audio.dsp.resample import slow_down  # imports numpy, which must not delay the first paint

            data = slow_down(data, speed)
        self._silence_playouts()
        self._silenced.discard(utterance)  # speech that is still arriving is played after the replay
        self._forget_waiting(utterance)
        playout = self._begin(utterance, is_replay=True)
        for start in range(0, len(data), 4 * 1_920):
            self._speaker.play(playout, data[start : start + 4 * 1_920])
        self._speaker.end(playout)
        return True

    def stop(self, *, skip: bool) -> None:
        """Silence the utterance being played (``skip``), or everything."""
        self._replay = None
        if skip and self.speaking is not None:
            self.silence(self.speaking)
            return
        self._silence_playouts()
        for utterance in {utterance for utterance, _ in self._waiting}:
            self.silence(utterance)

    def forget(self) -> None:
        """Stop, and keep no speech received so far."""
        self.stop(skip=False)
        self._speech.clear()
        self._kept = 0

    def catch_up(self) -> None:
        """Skip to the newest utterance's speech; if no other speech waits, skip that too."""
        spoken = [playout.utterance for playout in self._playouts.values()]
        waiting = [*spoken, *(utterance for utterance, _ in self._waiting)]
        if not waiting:
            return
        newest = max(waiting)
        for utterance in {utterance for utterance in waiting if utterance != newest} or {newest}:
            self.silence(utterance)

    @property
    def gaps(self) -> int:
        """Gaps so far in the speech being played."""
        return sum(playout.gaps for playout in self._playouts.values() if playout.utterance == self.speaking)

    def may_echo(self) -> bool:
        """Whether speech is being played, or ended less than `ECHO_S` ago."""
        return self.speaking is not None or self._conversation.now() - self._last_sound_at < ECHO_S

    # ---- playouts ----

    def _on_playout(self, playout: _Playout, event: PlayoutStarted | PlayoutEnded | Underran) -> None:
        match event:
            case PlayoutStarted():
                playout.has_started, playout.started_at = True, event.t
                self.speaking = playout.utterance
                if not playout.is_replay:
                    self._conversation.latency.measure(Span.FIRST_SOUND, playout.utterance, event.t)
                    self._notifier.log("speech-start", event.t, utterance=playout.utterance)
            case Underran():
                # The service never announces the end of speech: only if more follows was this a gap.
                playout.ran_dry_at = event.t
            case PlayoutEnded():
                del self._playouts[event.playout]
                if self._open == event.playout:
                    self._open = None
                self._last_sound_at = self._conversation.now()
                if self.speaking == playout.utterance:
                    self.speaking = None
                if playout.has_started and not playout.is_replay:
                    self._log_end(playout, event)

    def _log_end(self, playout: _Playout, event: PlayoutEnded) -> None:
        fields: dict[str, object] = {"played_s": round(event.played / OUT_RATE, 3), "cut": event.was_cleared}
        # The speaker reports the end only after a pause.
        ended_at = event.t if playout.ran_dry_at is None else min(event.t, playout.ran_dry_at)
        if playout.gaps:
            gap_s = max(0.0, ended_at - playout.started_at - event.played / OUT_RATE)
            self.gap_s += gap_s
            fields |= {"gaps": playout.gaps, "gap_s": round(gap_s, 3)}
        if not event.was_cleared:
            last = self._conversation.latency.measure(Span.LAST_SOUND, playout.utterance, ended_at)
            if last is not None:
                fields["last_sound_ms"] = round(last)
        self._notifier.log("speech-end", ended_at, utterance=playout.utterance, **fields)

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
            if oldest is speech:
                self._kept -= len(oldest.parts.popleft())
            else:
                self._kept -= oldest.n_bytes
                oldest.parts.clear()

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
            self._notifier.log("underrun", playout.ran_dry_at, utterance=utterance)
            playout.ran_dry_at = None
        self._speaker.play(self._open, data)
        self._quiet.set(self._conversation.now() + QUIET_S)

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
