"""The engine: feeds facts to the machines and carries out their commands. Implements `EngineFacade`.

Everything runs on one event loop; only `talk` may be called from another thread. Decisions are made in ``core``. The
parts by topic: `Sessions`, `Talking`, `Listening` (the microphone), `Loudspeaker` with its `SpeechPlayer`, and
`Answers`. This module joins them, and owns how the whole begins and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import deque
from collections.abc import Callable, Sequence
from typing import assert_never

from pinch_tui.core import events as e
from pinch_tui.core.options import pair_text
from pinch_tui.core.session import events as ev
from pinch_tui.core.sound import MicFailed, SpeakerFailed
from pinch_tui.core.talk.talk import TalkState
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.answers import Answers
from pinch_tui.engine.boundary import guarded
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.facade import Listener
from pinch_tui.engine.loudspeaker import Loudspeaker
from pinch_tui.engine.microphone.access import Access
from pinch_tui.engine.microphone.listening import Listening
from pinch_tui.engine.notifier import Notifier
from pinch_tui.engine.sessions.sessions import Sessions
from pinch_tui.engine.setup import EngineConfig, EnginePorts
from pinch_tui.engine.speech_player import SpeechPlayer
from pinch_tui.engine.status import snapshot
from pinch_tui.engine.talking import Talking
from pinch_tui.errors import AudioError
from pinch_tui.services.ports import Service
from pinch_tui.settings.model import BargeIn

__all__ = ["Engine", "EngineConfig", "EnginePorts"]

FAREWELL_S = 0.3
"""How long the end waits for the service to answer a close."""
_STATUS_EVERY_S = 0.2


class Engine:
    """One conversation.

    ``on_forced_end`` hears when an utterance was ended by anything but its key, ``on_silent_stop`` when nothing was
    said just before a soft stop, so that it may be final at once.
    """

    def __init__(
        self,
        config: EngineConfig,
        ports: EnginePorts,
        random: Callable[[], float],
        on_forced_end: Callable[[e.TalkSource], None] | None = None,
        on_silent_stop: Callable[[], None] | None = None,
    ) -> None:
        self._config = config
        self._ports = ports
        self._on_forced_end = on_forced_end or (lambda source: None)
        self._on_silent_stop = on_silent_stop or (lambda: None)
        self._notifier = Notifier(ports.clock)
        self._conversation = Conversation(ports.clock, ports.clock.monotonic(), self._notifier, self._refresh)
        self._sessions = Sessions(
            ports.service,
            self._conversation,
            random,
            reopens_idle=config.reopens_idle,
            has_spare=config.has_spare,
            is_continuous=config.is_continuous,
        )
        self._edges: deque[e.TalkEdge] = deque()
        self._intents: deque[e.Intent] = deque()
        self._status = e.Status(params=config.params, service=ports.service.traits)
        self._draining_until: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_quitting = False
        self._is_over = False

    # ---- EngineFacade ----

    @property
    def status(self) -> e.Status:
        return self._status

    @property
    def transcript(self) -> Transcript:
        return self._conversation.transcript

    def levels(self) -> e.Levels:
        if self._loop is None:
            return e.Levels()
        return self._listening.levels()

    def post(self, intent: e.Intent) -> None:
        """Ask for something. Intents that come before `run` wait for it."""
        if self._loop is None:
            self._intents.append(intent)
        elif not self._is_over:
            self._on_intent(intent)

    def talk(self, edge: e.TalkEdge) -> None:
        """A step of the talk key, from any thread."""
        self._edges.append(edge)
        if (loop := self._loop) is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nothing is left to talk to
                loop.call_soon_threadsafe(self._take_edges, context=self._context)

    def hear_sample(self, frame: e.Frame) -> None:
        """20 ms of a phrase that a voice speaks in place of a person, between edges of `TalkSource.SAMPLE`."""
        if self._loop is not None and not self._is_over:
            self._talking.hear_sample(frame)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self._notifier.subscribe(listener)

    def say(self, notice: e.NoticePosted) -> None:
        """Tell something that was found outside the engine."""
        self._notifier.emit(notice)

    def speech_of(self, utterance: int) -> bytes:
        return self._player.of(utterance) if self._loop is not None else b""

    @property
    def is_resting(self) -> bool:
        """There is no talk, and no words are awaited."""
        if self._loop is None:
            return True
        return self._talking.machine.state is TalkState.IDLE and not self._sessions.unsettled()

    def resume(self, utterances: Sequence[Utterance]) -> None:
        """Go on with an earlier conversation in place of the one up to now; only while it `is_resting`."""
        assert self.is_resting
        used = self._conversation.transcript.last_number
        self._conversation.resume(utterances)
        if self._loop is not None:
            self._player.forget()
            self._answers.forget()
            self._talking.count_on_from(max(used, self._conversation.transcript.last_number))
            self._notifier.clear("heard", "change", "replay")
            self._refresh()

    def use_service(self, service: Service) -> None:
        """Use another service, or the same one with another key, from now on; a new session is opened at once."""
        is_other = service.traits.name != self._sessions.service.traits.name
        params = self._sessions.replace_service(service)
        if params is not None and self._loop is not None:
            self._open_new_session(params, is_other_service=is_other)

    async def run(self) -> None:
        """Work until a `Quit` is done. The last fact is `Stopped`."""
        loop = asyncio.get_running_loop()
        # Listeners are always called in the context that `run` was called in, whichever thread the cause came from.
        self._context = contextvars.copy_context()
        self._stopped = asyncio.Event()
        self._drain_alarm = Alarm(loop, self._leave)
        self._status_alarm = Alarm(loop, self._refresh)
        self._make_parts()
        ports = self._ports
        try:
            async with asyncio.TaskGroup() as tasks:
                self._sessions.attach(self._answers.take, self._loudspeaker.cue, self._leave, tasks)
                workers = [
                    tasks.create_task(self._listening.hear(), name="microphone"),
                    tasks.create_task(self._loudspeaker.listen(), name="speaker"),
                ]
                self._loop = loop
                self._sessions.open(self._config.params)
                self._listening.apply_policy()
                self._take_edges()
                while self._intents:
                    self._on_intent(self._intents.popleft())
                await self._stopped.wait()
                self._end_timers()
                loop.call_later(FAREWELL_S, self._sessions.end_farewells)
                for worker in workers:
                    worker.cancel()
        finally:
            if self._config.closes_sound:
                await guarded(ports.microphone, self._microphone_broke).aclose()
                await guarded(ports.speaker, self._speaker_broke).aclose()
            await self._sessions.aclose()
        self._is_over = True
        self._notifier.emit(e.Stopped(self._sessions.unfinished()))

    def _make_parts(self) -> None:
        """What needs the running loop."""
        config, ports, conversation = self._config, self._ports, self._conversation
        microphone = guarded(ports.microphone, self._microphone_broke)
        speaker = guarded(ports.speaker, self._speaker_broke)
        # With a single endless utterance, barge-in would hold its speech back until the end.
        barge_in = BargeIn.MIX if config.is_continuous else config.barge_in
        self._player = SpeechPlayer(speaker, barge_in, self._on_speech_event, ports.clock.monotonic)
        self._player.set_volume(config.volume, config.is_muted)
        self._loudspeaker = Loudspeaker(speaker, self._player, conversation, has_cues=config.has_cues)
        access = Access(ports.claim, conversation, is_shared=config.shares_microphone)
        self._listening = Listening(
            config.talk, config.keep_open, microphone, access, conversation, self._loudspeaker.cue
        )
        self._talking = Talking(
            config.talk,
            conversation,
            self._sessions,
            self._listening,
            self._loudspeaker,
            self._on_forced_end,
            self._on_silent_stop,
        )
        self._listening.attach(self._talking)
        self._answers = Answers(conversation, self._player, self._listening)

    def _microphone_broke(self, error: AudioError) -> None:
        if not self._is_over:
            self._listening.failed(MicFailed(error, self._conversation.now(), is_retrying=False))
            self._refresh()

    def _speaker_broke(self, error: AudioError) -> None:
        if not self._is_over:
            self._loudspeaker.failed(SpeakerFailed(error, is_retrying=False))
            self._refresh()

    # ---- the status ----

    def _refresh(self) -> None:
        """Something the status shows may have changed."""
        if self._loop is None or not self._sessions.all():
            return
        talk = self._talking.machine
        status = snapshot(
            self._conversation, self._sessions, talk, self._listening, self._loudspeaker, self._draining_until
        )
        is_moving = status.behind_s > 0 or status.speech_late_s > 0 or talk.state is not TalkState.IDLE
        self._status_alarm.set(self._conversation.now() + _STATUS_EVERY_S if is_moving else None)
        if status != self._status:
            self._status = status
            self._notifier.emit(e.StatusChanged(status))

    def _on_speech_event(self, kind: str, utterance: int, t: float, fields: dict[str, object]) -> None:
        if kind == "speech-start":
            self._conversation.latency.first_sound(utterance, t)
        elif kind == "speech-end" and not fields["cut"]:
            last = self._conversation.latency.last_sound(utterance, t).last_sound.ms
            fields = fields if last is None else {**fields, "last_sound_ms": round(last)}
        self._notifier.log(kind, t, utterance=utterance, **fields)

    # ---- the session ----

    def _change_session(self, params: e.SessionParams) -> None:
        if not self._is_quitting and self._sessions.differs(params):
            self._notifier.log("params", source=params.source, target=params.target)
            self._open_new_session(params)

    def _open_new_session(self, params: e.SessionParams, *, is_other_service: bool = False) -> None:
        """The next words go to a new session; what was said before is finalized and drained on the old one.

        What the old one was refused goes to the new one.
        """
        self._notifier.clear("link", "speech")
        before = self._sessions.current().session.params if self._sessions.all() else None
        self._sessions.open(params)
        if self._talking.part():  # the key is still down: what follows is a new utterance
            meant = self._sessions.current().session.traits.meant
            told = _from_here_on(before and meant(before), meant(params))
            self._notifier.notice("change", e.Severity.INFO, *told)
        self._talking.handed_over(self._sessions.hand_over(is_other_service=is_other_service))
        self._sessions.drain_former()

    # ---- intents ----

    def _take_edges(self) -> None:
        while self._edges:
            edge = self._edges.popleft()
            if not (self._is_quitting and edge.kind is e.EdgeKind.START):
                self._talking.drive(edge)

    def _on_intent(self, intent: e.Intent) -> None:
        match intent:
            case e.ChangeSession(params):
                self._change_session(params)
            case e.KeepSpare(is_on):
                self._sessions.keep_spare(is_on)
            case e.RetryNow():
                self._sessions.retry()
            case e.TerminalFocusChanged(has_focus, known):
                self._listening.focus(has_focus, known)
            case e.SelectMicrophone(device):
                self._listening.select(device)
            case e.HearMicrophone():
                self._listening.looked_at()
            case e.Foreground(is_foreground):
                self._listening.foreground(is_foreground)
                if not is_foreground:
                    self._talking.leave_foreground()
            case e.SelectSpeaker(device):
                self._loudspeaker.select(device)
            case e.SetVolume(volume, is_muted):
                self._player.set_volume(volume, is_muted)
            case e.SetBargeIn(policy):
                self._player.barge_in = BargeIn(policy)
            case e.ReplaySpeech(utterance, speed):
                if not self._player.replay(utterance, speed):
                    self._notifier.notice("replay", e.Severity.INFO, "There is no speech for this line.")
                elif self._player.has_replay_waiting:
                    self._notifier.notice("replay", e.Severity.INFO, "It plays when you finish talking.")
            case e.StopSpeech(skip):
                self._player.stop(skip=skip)
            case e.CatchUp():
                self._player.catch_up()
            case e.SendAgain(number):
                self._send_again(number)
            case e.Correct(number, original, translation):
                if self._conversation.transcript.correct(number, original, translation):
                    self._notifier.changed(number)
            case e.Quit(drain):
                self._quit(drain=drain)
            case _:
                assert_never(intent)
        self._refresh()

    def _send_again(self, number: int) -> None:
        attempt = self._answers.taken_again(number)
        if attempt is None or self._is_quitting:
            return
        self._sessions.current().feed(ev.UtterancesGiven((attempt,)))

    def _quit(self, *, drain: bool) -> None:
        is_second = self._is_quitting
        self._is_quitting = True
        self._listening.end()
        self._notifier.log("quit", drain=drain and not is_second)
        if is_second or not drain:
            self._leave()
            return
        self._talking.force_end(e.TalkSource.QUIT)
        self._draining_until = self._conversation.now() + self._config.drain_s
        self._drain_alarm.set(self._draining_until)
        self._sessions.finish()
        if self._sessions.is_resting:
            self._leave()

    def _leave(self) -> None:
        if not self._stopped.is_set():
            self._stopped.set()
            self._sessions.stop()

    def _end_timers(self) -> None:
        self._drain_alarm.set(None)
        self._status_alarm.set(None)
        self._listening.end_timer()
        self._talking.end_timer()
        self._sessions.end_timers()


def _from_here_on(before: e.SessionParams | None, params: e.SessionParams) -> tuple[str, str]:
    """What a change in mid-talk comes to, and what becomes of the words before it."""
    if before and (before.source, before.target, before.two_way) == (params.source, params.target, params.two_way):
        return "From here on: the new settings.", "Earlier words keep the old ones."
    return f"From here on: {pair_text(params)}.", "Earlier words keep their languages."
