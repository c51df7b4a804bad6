"""Runs the talk machine: utterances go to the current session, and their rows into the transcript."""

from __future__ import annotations

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
from pinch_tui.engine.microphone.listening import Listening
from pinch_tui.engine.sessions.runner import SessionRunner
from pinch_tui.engine.sessions.sessions import Sessions
from pinch_tui.engine.speech_player import SpeechPlayer
from pinch_tui.settings.model import BargeIn

_QUIET_S = 0.2
LIMIT_REACHED = "Time limit reached. Translating what you said."


class Talking:
    """Takes talk edges and captured frames (`drive`), and gives utterances to the sessions.

    ``on_forced_end`` is called if anything but the key ends an utterance, ``on_silent_stop`` at a soft stop after a
    moment of silence.
    """

    def __init__(
        self,
        machine: tk.TalkMachine,
        conversation: Conversation,
        sessions: Sessions,
        listening: Listening,
        player: SpeechPlayer,
        on_forced_end: Callable[[TalkSource], None],
        on_silent_stop: Callable[[], None],
    ) -> None:
        self._machine = machine
        self._conversation = conversation
        self._notifier = conversation.notifier
        self._transcript = conversation.transcript
        self._sessions = sessions
        self._listening = listening
        self._player = player
        self._on_forced_end = on_forced_end
        self._on_silent_stop = on_silent_stop
        self._owners: dict[int, SessionRunner] = {}  # of utterances under way
        self._refused: TalkEdge | None = None  # the press that found no microphone, until its release
        self._was_refused = False
        self._alarm = Alarm(lambda: self.drive(tk.TalkWoke()))
        self._refusal_alarm = Alarm(self._end_refused)  # the release of a press from another process can be missing

    def end_timers(self) -> None:
        self._alarm.set(None)
        self._refusal_alarm.set(None)

    # ---- facts ----

    def drive(self, fact: tk.TalkFact) -> None:
        """Give the talk machine a fact and carry out its commands."""
        if isinstance(fact, TalkEdge) and fact.source is not TalkSource.SAMPLE and self._refuses(fact):
            return
        for command in self._machine.handle(fact, self._conversation.now()):
            self._do(command)
        self._alarm.set(self._machine.wake_at())
        if not isinstance(fact, tk.FrameArrived):
            self._conversation.refresh()

    def force_end(self, source: TalkSource) -> None:
        """End the utterance under way, if any, by something other than its key."""
        if self._machine.state is tk.TalkState.TALKING:
            self.drive(TalkEdge(EdgeKind.COMMIT, self._conversation.now(), source))
            self._on_forced_end(source)

    def handed_over(self, numbers: Iterable[int]) -> None:
        """The current session has taken over these utterances: it gets the rest of their frames too."""
        for number in numbers:
            if number in self._owners:
                self._owners[number] = self._sessions.current()

    def hear_sample(self, frame: Frame) -> None:
        """Take 20 ms of a sample in place of a captured frame."""
        if self._machine.is_sample:
            self.drive(tk.FrameArrived(self._listening.numbered(frame)))

    # ---- commands ----

    def _do(self, command: tk.TalkCommand) -> None:
        match command:
            case tk.Begin():
                self._begin(command)
            case tk.Take(number, frame, is_first):
                is_muted = self._listening.is_muted and not self._machine.is_sample
                self._transcript.add_sound(number, self._conversation.ms(frame.t), frame.peak, is_muted=is_muted)
                self._owners[number].feed(ev.FrameTaken(number, frame))
                if is_first:
                    self._notifier.log("first-frame", frame.t, utterance=number)
                    self._player.cue("go")  # not before: until now nothing was captured
                    self._conversation.refresh()
            case tk.SoftStopped(number, t, source, is_stopped):
                kind = "talk-soft-stop" if is_stopped else "talk-resume"
                self._notifier.log(kind, t, utterance=number, source=source.value)
                if is_stopped and self._listening.preroll.is_quiet(t - _QUIET_S, _QUIET_S, VOICE_PEAK):
                    self._on_silent_stop()
            case tk.Latched(number):
                self._notifier.log("talk-latch", utterance=number)
                self._owners[number].feed(ev.UtteranceLatched(number))
            case tk.Released():
                self._released(command)
            case tk.End(number):
                self._conversation.awaited.add(number)
                self._transcript.finish(number, self._conversation.ms())
                self._owners.pop(number).feed(ev.UtteranceEnded(number))
                self._notifier.changed(number)
                if self._machine.state is tk.TalkState.IDLE:  # otherwise the next press ended it
                    self._player.talk_ended()
                self._listening.apply_policy()
            case tk.Cancel(number, t):
                self._cancelled(number, t)
            case tk.LimitNear(number, at):
                self._notifier.log("limit-near", utterance=number, limit_s=self._machine.config.limit_s)
                left = f"{max(0.0, at - self._conversation.now()):.0f} s"
                self._notifier.notice("limit", Severity.WARNING, f"Talking stops in {left}.")
            case _:
                assert_never(command)

    def _begin(self, command: tk.Begin) -> None:
        number, runner = command.number, self._sessions.current()
        self._owners[number] = runner
        params = runner.session.params
        is_sample = self._machine.is_sample
        self._transcript.begin(
            Utterance(
                number,
                self._conversation.clock.wall() - (self._conversation.now() - command.t),
                self._conversation.ms(),
                params.source,
                runner.session.traits.target_of(params),
                is_two_way=params.two_way,
                session_id=runner.session.session_id,
                is_sample=is_sample,
            )
        )
        self._notifier.log("talk-start", command.t, utterance=number, source=command.source.value)
        may_echo = self._player.may_echo() and not self._player.has_headphones
        since = command.since
        if is_sample or (may_echo and self._player.barge_in is BargeIn.STOP):
            since = command.t
            self._machine.skip_until(since)
        self._player.talk_started()
        self._listening.used()
        for draining in self._sessions.draining():
            if draining.session.state is not SessionState.STOPPED:  # a press does not repeat a refused request
                draining.feed(ev.OpenRequested())
        runner.feed(ev.UtteranceStarted(number))
        self._sessions.spare.used()
        self._notifier.clear("heard", "change")
        if not is_sample and not command.goes_on:
            self._listening.warn_if_muted()
        self._notifier.changed(number)
        for frame in self._listening.preroll.since(since, command.after):
            self.drive(tk.FrameArrived(frame))
        if self._listening.state is MicState.LOST:  # it gets the same grace as one that vanishes while talking
            self._listening.vanished()

    def _released(self, command: tk.Released) -> None:
        number, source = command.number, command.source
        self._log_stop(number, command.committed_at, source, command.started_at, command.t)
        self._conversation.latency.commit(number, command.committed_at)
        self._listening.used()
        if source is not TalkSource.CHANGE:
            self._player.cue("stop")
        self._notifier.clear("limit")
        if command.is_forced:
            self._on_forced_end(source)
        if source is TalkSource.LIMIT:
            self._notifier.notice("limit", Severity.WARNING, LIMIT_REACHED)

    def _log_stop(
        self, number: int | None, t: float, source: TalkSource, pressed: float, released: float, **fields: object
    ) -> None:
        held_ms = round((released - pressed) * 1000)
        self._notifier.log(
            "talk-stop", t, utterance=number, source=source.value, released=released, held_ms=held_ms, **fields
        )

    def _cancelled(self, number: int, t: float) -> None:
        self._notifier.log("talk-cancel", t, utterance=number)
        self._owners.pop(number, None)
        for runner in self._sessions.all():  # it can have ended, and been handed over to another session
            runner.feed(ev.UtteranceCancelled(number))
        self._transcript.cancel(number)
        self._conversation.latency.forget(number)
        self._conversation.awaited.discard(number)
        self._listening.used()
        self._player.silence(number)
        self._player.talk_ended()
        self._notifier.clear("limit")
        self._notifier.changed(number)

    # ---- presses without a microphone ----

    def _refuses(self, edge: TalkEdge) -> bool:
        """Whether the edge belongs to a press that found no microphone. Such a press begins no utterance, but it is
        logged like others."""
        if edge.kind is EdgeKind.START:
            is_talking = self._machine.state is tk.TalkState.TALKING and not self._machine.is_sample
            is_refused = self._was_refused = self._listening.is_gone and not is_talking
            self._refused = edge if is_refused else None
            limit_s = self._machine.config.limit_s
            self._refusal_alarm.set(edge.t + limit_s if is_refused and limit_s is not None else None)
            if is_refused:
                self._notifier.log("talk-start", edge.t, utterance=None, source=edge.source.value, refused=True)
                self._listening.refuse()
            return is_refused
        start = self._refused
        if start is None:
            return edge.kind is EdgeKind.CANCEL and self._was_refused  # not meant for the utterance before
        if edge.kind is EdgeKind.LATCH:
            self._on_forced_end(TalkSource.DEVICE)  # otherwise the next press would be taken for its end
        if edge.kind in (EdgeKind.LATCH, EdgeKind.COMMIT, EdgeKind.CANCEL):
            self._refused = None
            self._refusal_alarm.set(None)
            source = TalkSource.DEVICE if edge.kind is EdgeKind.LATCH else edge.source
            self._log_stop(None, self._conversation.now(), source, start.t, edge.t, refused=True)
        return True

    def _end_refused(self) -> None:
        self._refuses(TalkEdge(EdgeKind.LATCH, self._conversation.now(), TalkSource.DEVICE))
