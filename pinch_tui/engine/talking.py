"""The floor: who talks, and the microphone. Runs the talk machine; its utterances go to the current link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from pinch_tui.audio.dsp.meter import Meter
from pinch_tui.audio.dsp.preroll import PreRoll
from pinch_tui.core.events import EdgeKind, Frame, Levels, MicState, Severity, TalkEdge, TalkSource
from pinch_tui.core.latency import LatencyMeter
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.outbox import VOICE_PEAK
from pinch_tui.core.talk import talk as tk
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.microphone_policy import MicrophonePolicy
from pinch_tui.engine.notifier import Notifier
from pinch_tui.engine.ports import Clock, MicClosed, MicFailed, MicOpened, Microphone
from pinch_tui.engine.session_runner import SessionRunner, Sessions
from pinch_tui.engine.silence import Silence, SilenceWatch
from pinch_tui.engine.speech_player import SpeechPlayer
from pinch_tui.engine.status import Board
from pinch_tui.settings.model import BargeIn, KeepOpen

_PREROLL_SLACK_S = 2.0
_QUIET_S = 0.2
LIMIT_REACHED = "The longest utterance was reached; it is being translated."


class Talking:
    """Talk edges and captured frames in; utterances out to a link, rows into the transcript."""

    def __init__(
        self,
        config: tk.TalkConfig,
        keep_open: KeepOpen,
        microphone: Microphone,
        clock: Clock,
        links: Sessions,
        speech: SpeechPlayer,
        transcript: Transcript,
        latency: LatencyMeter,
        board: Board,
        notifier: Notifier,
        on_forced_end: Callable[[TalkSource], None] | None,
        on_silent_stop: Callable[[], None] | None = None,
    ) -> None:
        self.talk = tk.TalkMachine(config)
        self.awaited: set[int] = set()  # utterances whose last words are awaited
        self.has_headphones: bool | None = None
        self.is_closing = False
        self._microphone = microphone
        self._clock = clock
        self._links = links
        self._speech = speech
        self._transcript = transcript
        self._latency = latency
        self._board = board
        self._notifier = notifier
        self._on_forced_end = on_forced_end
        self._on_silent_stop = on_silent_stop
        self._meter = Meter()
        self._preroll = PreRoll(config.preroll_s + _PREROLL_SLACK_S)
        self._began_at = clock.monotonic()
        self._mic_policy = MicrophonePolicy(keep_open, self._began_at)
        self._owner: dict[int, SessionRunner] = {}
        self._silence = SilenceWatch()
        self._has_opened = False
        self._failed: MicFailed | None = None  # the microphone's last word, until it opens
        self._gone_at = float("-inf")  # when it vanished
        self._refused: TalkEdge | None = None  # the press that found no microphone, until its release
        self._was_refused = False
        self._index = 0  # of the next frame, whether captured or of a sample
        loop = asyncio.get_running_loop()
        self._talk_alarm = Alarm(loop, lambda: self.drive(tk.TalkWoke()))
        self._mic_alarm = Alarm(loop, self.apply_mic_policy)

    def end(self) -> None:
        self._talk_alarm.set(None)
        self._mic_alarm.set(None)

    def ms(self) -> int:
        """Milliseconds since the conversation began."""
        return self._ms_of(self._clock.monotonic())

    def _ms_of(self, t: float) -> int:
        return max(0, round((t - self._began_at) * 1000))

    def levels(self) -> Levels:
        return self._meter.levels(self._clock.monotonic())

    @property
    def is_talking(self) -> bool:
        return self.talk.state is tk.TalkState.TALKING

    @property
    def _is_sample(self) -> bool:
        """Whether the utterance under way is a sample, which no microphone speaks."""
        return self.talk.source is TalkSource.SAMPLE

    # ---- talking ----

    def force_end(self, source: TalkSource) -> None:
        """End the running utterance, if any, by something that is not its key."""
        if not self.is_talking:
            return
        self.drive(TalkEdge(EdgeKind.COMMIT, self._clock.monotonic(), source))
        if self._on_forced_end is not None:
            self._on_forced_end(source)

    def drive(self, fact: tk.TalkFact) -> None:
        """Tell the talk machine what happened and do what it says."""
        if isinstance(fact, TalkEdge) and fact.source is not TalkSource.SAMPLE and self._refuses(fact):
            return
        for command in self.talk.handle(fact, self._clock.monotonic()):
            self._do(command)
        self._talk_alarm.set(self.talk.wake_at())
        if not isinstance(fact, tk.FrameArrived):
            self._links.refresh()

    def _do(self, command: tk.TalkCommand) -> None:
        match command:
            case tk.Begin():
                self._begin(command)
            case tk.Take(number, frame, is_first):
                self._transcript.hear(number, self._ms_of(frame.t), frame.peak)
                self._owner[number].feed(ev.FrameTaken(number, frame))
                if is_first:
                    self._notifier.log("first-frame", frame.t, utterance=number)
                    self._links.cue("go")  # not before: what is said until then is not heard
                    self._links.refresh()
            case tk.SoftStopped(number, t, source, is_stopped):
                kind = "talk-soft-stop" if is_stopped else "talk-resume"
                self._notifier.log(kind, t, utterance=number, source=source.value)
                is_quiet = self._preroll.is_quiet(t - _QUIET_S, _QUIET_S, VOICE_PEAK)
                if is_stopped and is_quiet and self._on_silent_stop is not None:
                    self._on_silent_stop()
            case tk.Latched(number):
                self._notifier.log("talk-latch", utterance=number)
                self._owner[number].feed(ev.UtteranceLatched(number))
            case tk.Released():
                self._released(command)
            case tk.End(number):
                self.awaited.add(number)
                self._transcript.finish(number, self.ms())
                self._owner.pop(number).feed(ev.UtteranceEnded(number))
                self._notifier.changed(number)
                if self.talk.state is tk.TalkState.IDLE:  # else the next press ended it
                    self._speech.talk_ended()
                self.apply_mic_policy()
            case tk.Cancel(number, t):
                self._cancelled(number, t)
            case tk.LimitNear(number, at):
                self._notifier.log("limit-near", utterance=number, limit_s=self.talk.config.limit_s)
                left = f"{max(0.0, at - self._clock.monotonic()):.0f} s"
                self._notifier.notice("limit", Severity.WARNING, f"This utterance ends by itself in {left}.")
            case _:
                assert_never(command)

    def _begin(self, command: tk.Begin) -> None:
        number, link = command.number, self._links.current()
        self._owner[number] = link
        params, session_id = link.session.params, link.session.session_id
        wall = self._clock.wall() - (self._clock.monotonic() - command.t)
        pair, is_sample = (params.source, link.session.traits.target_of(params)), self._is_sample
        self._transcript.begin(number, wall, self.ms(), *pair, params.two_way, session_id, is_sample)
        self._notifier.log("talk-start", command.t, utterance=number, source=command.source.value)
        may_echo = self._speech.may_echo() and not self.has_headphones
        since = command.since
        if is_sample or (may_echo and self._speech.barge_in is BargeIn.STOP):
            since = command.t
            self.talk.skip_until(since)
        self._speech.talk_started()
        self._mic_policy.used(self._clock.monotonic())
        self.apply_mic_policy()
        for draining in self._links.draining():
            if draining.session.state is not SessionState.STOPPED:  # what was refused is not asked again by a press
                draining.feed(ev.RetryRequested())
        link.feed(ev.UtteranceStarted(number))
        self._notifier.clear("heard", "change")
        self._notifier.changed(number)
        for frame in self._preroll.since(since, command.after):
            self.drive(tk.FrameArrived(frame))
        if self._board.mic is MicState.LOST:  # it has as long to come back as one that vanishes while talking
            self._vanished()

    def _is_mic_gone(self) -> bool:
        """Whether a press would find no microphone. One that vanished a moment ago may be back before the end."""
        match self._board.mic:
            case MicState.ABSENT:
                return True
            case MicState.LOST:
                return self._clock.monotonic() - self._gone_at >= tk.MIC_GRACE_S
            case _:
                return False

    def _refuses(self, edge: TalkEdge) -> bool:
        """Whether an edge is of a press that found no microphone. The press and its release are told all the same."""
        if edge.kind is EdgeKind.START:
            is_refused = self._was_refused = self._is_mic_gone() and (not self.is_talking or self._is_sample)
            self._refused = edge if is_refused else None
            if is_refused:
                self._refuse(edge)
            return is_refused
        start = self._refused
        if start is None:
            return edge.kind is EdgeKind.CANCEL and self._was_refused  # of this press, not of the one before
        if edge.kind is EdgeKind.LATCH and self._on_forced_end is not None:
            self._on_forced_end(TalkSource.DEVICE)  # else the next press would end what never began
        if edge.kind in (EdgeKind.LATCH, EdgeKind.COMMIT, EdgeKind.CANCEL):
            self._refused = None
            source = TalkSource.DEVICE if edge.kind is EdgeKind.LATCH else edge.source
            held = round((edge.t - start.t) * 1000)
            fields = {"utterance": None, "source": source.value, "released": edge.t, "held_ms": held}
            self._notifier.log("talk-stop", self._clock.monotonic(), **fields, refused=True)
        return True

    def _refuse(self, edge: TalkEdge) -> None:
        """No utterance: say again what is wrong and what cures it, and look whether the microphone has come since."""
        self._notifier.log("talk-start", edge.t, utterance=None, source=edge.source.value, refused=True)
        self._links.cue("error")
        if (failed := self._failed) is not None:
            self._notifier.clear("mic")  # a press asks again, so it is said again
            error = failed.error
            self._notifier.notice("mic", Severity.ERROR, error.title, error.hint, is_retrying=failed.is_retrying)
        if self._board.mic is MicState.ABSENT:
            self._microphone.request_open()

    def _released(self, command: tk.Released) -> None:
        number = command.number
        held = round((command.t - command.started_at) * 1000)
        self._notifier.log(
            "talk-stop",
            command.committed_at,
            utterance=number,
            source=command.source.value,
            released=command.t,
            held_ms=held,
        )
        self._latency.commit(number, command.committed_at)
        self._mic_policy.used(self._clock.monotonic())
        self.apply_mic_policy()
        if command.source is not TalkSource.CHANGE:
            self._links.cue("stop")
        self._notifier.clear("limit")
        if command.is_forced and self._on_forced_end is not None:
            self._on_forced_end(command.source)
        if command.source is TalkSource.LIMIT:
            self._notifier.notice("limit", Severity.WARNING, LIMIT_REACHED)

    def _cancelled(self, number: int, t: float) -> None:
        self._notifier.log("talk-cancel", t, utterance=number)
        self._owner.pop(number, None)
        for link in (*self._links.draining(), self._links.current()):  # it may have ended, and gone on to another
            link.feed(ev.UtteranceCancelled(number))
        self._transcript.cancel(number)
        self._latency.forget(number)
        self.awaited.discard(number)
        self._mic_policy.used(self._clock.monotonic())
        self.apply_mic_policy()
        self._speech.cancelled(number)
        self._speech.talk_ended()
        self._notifier.clear("limit")
        self._notifier.changed(number)

    # ---- the microphone ----

    def focus(self, has_focus: bool, is_known: bool) -> None:
        """The terminal got or lost the focus."""
        self._mic_policy.focus(has_focus, is_known)
        self.apply_mic_policy()

    def hear_microphone(self) -> None:
        self._mic_policy.looked_at(self._clock.monotonic())
        self.apply_mic_policy()

    def foreground(self, is_foreground: bool) -> None:
        """Nothing is heard while the program is in the shell's background."""
        self._mic_policy.is_in_background = not is_foreground
        if not is_foreground:
            self.force_end(TalkSource.QUIT)
            self.drive(tk.MicVanished())  # which ends a tail
        self.apply_mic_policy()

    def apply_mic_policy(self) -> None:
        now = self._clock.monotonic()
        is_talking = self.talk.state is not tk.TalkState.IDLE and not self._is_sample
        self._microphone.attend(self._mic_policy.is_attended(now, is_talking=is_talking))
        if self._mic_policy.wants_open(now, is_talking=is_talking) and not self.is_closing:
            if self._board.mic is MicState.CLOSED:
                self._board.mic = MicState.OPENING
                self._microphone.request_open()
        elif self._board.mic in (MicState.OPEN, MicState.OPENING, MicState.LOST) and not is_talking:
            self._microphone.request_close()
        self._mic_alarm.set(self._mic_policy.next_at(now))
        self._links.refresh()

    def select(self, device: str | None) -> None:
        """Capture from another device; where there was none, it is opened as if for the first time."""
        self._microphone.select(device)
        self._gone_at = self._clock.monotonic()
        if self._board.mic is MicState.ABSENT:
            self._notifier.clear("mic")
            self._board.mic = MicState.CLOSED
            self.apply_mic_policy()

    def hear_sample(self, frame: Frame) -> None:
        """20 ms of a sample, in place of the microphone's."""
        if self._is_sample:
            self.drive(tk.FrameArrived(self._numbered(frame)))

    def _numbered(self, frame: Frame) -> Frame:
        self._index += 1
        return replace(frame, index=self._index)

    async def hear(self) -> None:
        async for event in self._microphone.events():
            match event:
                case Frame():
                    self._on_frame(event)
                case MicOpened():
                    self._board.mic = MicState.OPEN
                    self._board.mic_name, self._board.mic_detail = event.name, ""
                    self._has_opened, self._failed = True, None
                    self._silence.opened(is_recording=event.is_recording)
                    self.drive(tk.MicReturned())
                    self._notifier.clear("mic")
                    if event.is_substitute:
                        title = f"The chosen microphone is not there; {event.name} is used."
                        self._notifier.notice("mic", Severity.WARNING, title)
                    if event.note:
                        self._notifier.notice("mic-note", Severity.WARNING, event.note)
                    self._notifier.log("mic", state="open", device=event.name, rate=event.rate)
                case MicClosed():
                    self._board.mic = MicState.CLOSED
                    self._preroll.clear()
                    if event.at_end and self.talk.state is tk.TalkState.TALKING:
                        self.drive(TalkEdge(EdgeKind.COMMIT, event.t, TalkSource.DEVICE))
                    self._vanished()
                    self._notifier.log("mic", state="closed")
                    if not event.at_end:
                        self.apply_mic_policy()
                case MicFailed():
                    self._mic_failed(event)
                case _:
                    assert_never(event)
            if not isinstance(event, Frame):
                self._links.refresh()

    def _vanished(self) -> None:
        """No more frames come; a sample needs none."""
        if not self._is_sample:
            self.drive(tk.MicVanished())

    def _on_frame(self, captured: Frame) -> None:
        frame = self._numbered(captured)
        self._meter.feed(frame)
        self._board.lost_samples += frame.lost
        self._preroll.push(frame)
        if self._is_sample:
            return
        if self.talk.state is not tk.TalkState.IDLE:
            self.drive(tk.FrameArrived(frame))
        self._watch_silence(frame)

    def _watch_silence(self, frame: Frame) -> None:
        hint = "It is muted, the wrong device, or this terminal may not use the microphone."
        title = f"No sound at all comes from {self._board.mic_name or 'the microphone'}"
        match self._silence.hear(frame, self.talk.started_at, has_pauses=self.talk.config.limit_s is None):
            case Silence.OVER:
                self._notifier.clear("silence")
            case Silence.NEVER_HEARD:
                self._links.cue("error")
                self._notifier.notice("silence", Severity.ERROR, f"{title}.", hint)
            case Silence.FELL_SILENT:
                self._notifier.notice("silence", Severity.WARNING, f"{title} any more.", hint)

    def _mic_failed(self, event: MicFailed) -> None:
        if self._failed is None:
            self._gone_at = self._clock.monotonic() if self._has_opened else float("-inf")
        self._failed = event
        self._board.mic = MicState.LOST if event.is_retrying else MicState.ABSENT
        self._board.mic_detail = event.error.title
        if self.talk.state is not tk.TalkState.IDLE and not self._is_sample:
            self._links.cue("error")
            if not event.is_retrying:  # nothing to wait for
                self.force_end(TalkSource.DEVICE)
        self._vanished()
        self._preroll.clear()
        severity = Severity.WARNING if event.is_retrying else Severity.ERROR
        self._notifier.notice("mic", severity, event.error.title, event.error.hint, is_retrying=event.is_retrying)
        self._notifier.log("error", event.t, topic="mic", title=event.error.title)
