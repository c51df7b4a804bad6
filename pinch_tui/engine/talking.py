"""Runs the talk machine: utterances go to the current session, and their rows into the transcript."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import assert_never

from pinch_tui.core.events import EdgeKind, Frame, MicState, Severity, TalkEdge, TalkSource
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.outbox import VOICE_PEAK
from pinch_tui.core.talk import talk as tk
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.loudspeaker import Loudspeaker
from pinch_tui.engine.microphone.listening import Listening
from pinch_tui.engine.sessions.runner import SessionRunner
from pinch_tui.engine.sessions.sessions import Sessions
from pinch_tui.settings.model import BargeIn

_QUIET_S = 0.2
LIMIT_REACHED = "Time limit reached. Translating what you said."


class Talking:
    """Talk edges and captured frames in; utterances out to a session. Implements `Talker`.

    ``on_forced_end`` hears when an utterance was ended by anything but its key, ``on_silent_stop`` when nothing was
    said just before a soft stop.
    """

    def __init__(
        self,
        config: tk.TalkConfig,
        conversation: Conversation,
        sessions: Sessions,
        listening: Listening,
        loudspeaker: Loudspeaker,
        on_forced_end: Callable[[TalkSource], None],
        on_silent_stop: Callable[[], None],
    ) -> None:
        self.machine = tk.TalkMachine(config, conversation.transcript.last_number)
        self._conversation = conversation
        self._notifier = conversation.notifier
        self._transcript = conversation.transcript
        self._sessions = sessions
        self._listening = listening
        self._loudspeaker = loudspeaker
        self._player = loudspeaker.player
        self._on_forced_end = on_forced_end
        self._on_silent_stop = on_silent_stop
        self._owner: dict[int, SessionRunner] = {}
        self._refused: TalkEdge | None = None  # the press that found no microphone, until its release
        self._was_refused = False
        loop = asyncio.get_running_loop()
        self._alarm = Alarm(loop, lambda: self.drive(tk.TalkWoke()))
        self._refusal_alarm = Alarm(loop, self._end_refused)  # a press from outside may never be released

    def end_timer(self) -> None:
        self._alarm.set(None)
        self._refusal_alarm.set(None)

    @property
    def is_talking(self) -> bool:
        return self.machine.state is tk.TalkState.TALKING

    @property
    def plays_sample(self) -> bool:
        """Whether the utterance under way is a sample, which no microphone speaks."""
        return self.machine.source is TalkSource.SAMPLE

    @property
    def needs_microphone(self) -> bool:
        """Whether an utterance is under way that the microphone speaks."""
        return self.machine.state is not tk.TalkState.IDLE and not self.plays_sample

    @property
    def started_at(self) -> float | None:
        return self.machine.started_at

    # ---- what happens ----

    def drive(self, fact: tk.TalkFact) -> None:
        """Feed the talk machine a fact and carry out its commands."""
        if isinstance(fact, TalkEdge) and fact.source is not TalkSource.SAMPLE and self._refuses(fact):
            return
        for command in self.machine.handle(fact, self._conversation.now()):
            self._do(command)
        self._alarm.set(self.machine.wake_at())
        if not isinstance(fact, tk.FrameArrived):
            self._conversation.refresh()

    def count_on_from(self, number: int) -> None:
        """The next utterance has a higher number, and one that was never used."""
        self.machine.number = max(self.machine.number, number)

    def force_end(self, source: TalkSource) -> None:
        """End the running utterance, if any, by something that is not its key."""
        if not self.is_talking:
            return
        self.drive(TalkEdge(EdgeKind.COMMIT, self._conversation.now(), source))
        self._on_forced_end(source)

    def part(self) -> bool:
        """Continue the speech as a new utterance at the newest session. False when there is no utterance under way."""
        if self.is_talking:
            self.drive(tk.Parted(self._conversation.now()))
            return True
        return False

    def handed_over(self, numbers: Iterable[int]) -> None:
        """The current session has these now; what is still captured of them goes there, too."""
        for number in numbers:
            if number in self._owner:
                self._owner[number] = self._sessions.current()

    def leave_foreground(self) -> None:
        """End what is being said, its tail included."""
        self.force_end(TalkSource.QUIT)
        self.drive(tk.MicVanished())

    def hear_sample(self, frame: Frame) -> None:
        """20 ms of a sample, in place of the microphone's."""
        if self.plays_sample:
            self.drive(tk.FrameArrived(self._listening.numbered(frame)))

    def captured(self, frame: Frame) -> None:
        if self.machine.state is not tk.TalkState.IDLE:
            self.drive(tk.FrameArrived(frame))

    def microphone_opened(self) -> None:
        self.drive(tk.MicReturned())

    def microphone_closed(self, t: float, *, at_end: bool) -> None:
        if at_end and self.is_talking:
            self.drive(TalkEdge(EdgeKind.COMMIT, t, TalkSource.DEVICE))
        self._vanished()

    def microphone_failed(self, *, is_retrying: bool) -> None:
        if self.needs_microphone:
            self._loudspeaker.cue("error")
            if not is_retrying:  # nothing to wait for
                self.force_end(TalkSource.DEVICE)
        self._vanished()

    def _vanished(self) -> None:
        """No more frames come; a sample needs none."""
        if not self.plays_sample:
            self.drive(tk.MicVanished())

    def _do(self, command: tk.TalkCommand) -> None:
        match command:
            case tk.Begin():
                self._begin(command)
            case tk.Take(number, frame, is_first):
                is_muted = self._listening.is_muted and not self.plays_sample
                self._transcript.hear(number, self._conversation.ms(frame.t), frame.peak, is_muted=is_muted)
                self._owner[number].feed(ev.FrameTaken(number, frame))
                if is_first:
                    self._notifier.log("first-frame", frame.t, utterance=number)
                    self._loudspeaker.cue("go")  # not before: what is said until then is not heard
                    self._conversation.refresh()
            case tk.SoftStopped(number, t, source, is_stopped):
                kind = "talk-soft-stop" if is_stopped else "talk-resume"
                self._notifier.log(kind, t, utterance=number, source=source.value)
                is_quiet = self._listening.preroll.is_quiet(t - _QUIET_S, _QUIET_S, VOICE_PEAK)
                if is_stopped and is_quiet:
                    self._on_silent_stop()
            case tk.Latched(number):
                self._notifier.log("talk-latch", utterance=number)
                self._owner[number].feed(ev.UtteranceLatched(number))
            case tk.Released():
                self._released(command)
            case tk.End(number):
                self._conversation.awaited.add(number)
                self._transcript.finish(number, self._conversation.ms())
                self._owner.pop(number).feed(ev.UtteranceEnded(number))
                self._notifier.changed(number)
                if self.machine.state is tk.TalkState.IDLE:  # else the next press ended it
                    self._player.talk_ended()
                self._listening.apply_policy()
            case tk.Cancel(number, t):
                self._cancelled(number, t)
            case tk.LimitNear(number, at):
                self._notifier.log("limit-near", utterance=number, limit_s=self.machine.config.limit_s)
                left = f"{max(0.0, at - self._conversation.now()):.0f} s"
                self._notifier.notice("limit", Severity.WARNING, f"Talking stops in {left}.")
            case _:
                assert_never(command)

    def _begin(self, command: tk.Begin) -> None:
        number, runner = command.number, self._sessions.current()
        self._owner[number] = runner
        params, session_id = runner.session.params, runner.session.session_id
        wall = self._conversation.clock.wall() - (self._conversation.now() - command.t)
        is_sample = self.plays_sample
        self._transcript.begin(
            Utterance(
                number,
                wall,
                self._conversation.ms(),
                params.source,
                runner.session.traits.target_of(params),
                is_two_way=params.two_way,
                session_id=session_id,
                is_sample=is_sample,
            )
        )
        self._notifier.log("talk-start", command.t, utterance=number, source=command.source.value)
        may_echo = self._player.may_echo() and not self._loudspeaker.has_headphones
        since = command.since
        if is_sample or (may_echo and self._player.barge_in is BargeIn.STOP):
            since = command.t
            self.machine.skip_until(since)
        self._player.talk_started()
        self._listening.used()
        for draining in self._sessions.draining():
            if draining.session.state is not SessionState.STOPPED:  # what was refused is not asked again by a press
                draining.feed(ev.RetryRequested())
        runner.feed(ev.UtteranceStarted(number))
        self._sessions.talked()
        self._notifier.clear("heard", "change")
        if not is_sample and not command.goes_on:
            self._listening.pressed()
        self._notifier.changed(number)
        for frame in self._listening.preroll.since(since, command.after):
            self.drive(tk.FrameArrived(frame))
        if self._listening.state is MicState.LOST:  # it has as long to come back as one that vanishes while talking
            self._vanished()

    def _refuses(self, edge: TalkEdge) -> bool:
        """Whether the edge belongs to a press that found no microphone. The press and its release are logged all the
        same."""
        if edge.kind is EdgeKind.START:
            is_refused = self._was_refused = self._listening.is_gone and (not self.is_talking or self.plays_sample)
            self._refused = edge if is_refused else None
            limit_s = self.machine.config.limit_s
            self._refusal_alarm.set(edge.t + limit_s if is_refused and limit_s is not None else None)
            if is_refused:
                self._refuse(edge)
            return is_refused
        start = self._refused
        if start is None:
            return edge.kind is EdgeKind.CANCEL and self._was_refused  # of this press, not of the one before
        if edge.kind is EdgeKind.LATCH:
            self._on_forced_end(TalkSource.DEVICE)  # else the next press would end what never began
        if edge.kind in (EdgeKind.LATCH, EdgeKind.COMMIT, EdgeKind.CANCEL):
            self._refused = None
            self._refusal_alarm.set(None)
            source = TalkSource.DEVICE if edge.kind is EdgeKind.LATCH else edge.source
            held = round((edge.t - start.t) * 1000)
            fields = {"utterance": None, "source": source.value, "released": edge.t, "held_ms": held}
            self._notifier.log("talk-stop", self._conversation.now(), **fields, refused=True)
        return True

    def _end_refused(self) -> None:
        self._refuses(TalkEdge(EdgeKind.LATCH, self._conversation.now(), TalkSource.DEVICE))

    def _refuse(self, edge: TalkEdge) -> None:
        """No utterance: say again what is wrong and what cures it, and look whether the microphone has come since."""
        self._notifier.log("talk-start", edge.t, utterance=None, source=edge.source.value, refused=True)
        self._loudspeaker.cue("error")
        self._listening.refuse()

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
        self._conversation.latency.commit(number, command.committed_at)
        self._listening.used()
        if command.source is not TalkSource.CHANGE:
            self._loudspeaker.cue("stop")
        self._notifier.clear("limit")
        if command.is_forced:
            self._on_forced_end(command.source)
        if command.source is TalkSource.LIMIT:
            self._notifier.notice("limit", Severity.WARNING, LIMIT_REACHED)

    def _cancelled(self, number: int, t: float) -> None:
        self._notifier.log("talk-cancel", t, utterance=number)
        self._owner.pop(number, None)
        for runner in self._sessions.all():  # it may have ended, and gone on to another session
            runner.feed(ev.UtteranceCancelled(number))
        self._transcript.cancel(number)
        self._conversation.latency.forget(number)
        self._conversation.awaited.discard(number)
        self._listening.used()
        self._player.silence(number)
        self._player.talk_ended()
        self._notifier.clear("limit")
        self._notifier.changed(number)
