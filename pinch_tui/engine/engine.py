"""The engine: joins the parts, and owns how the whole begins and ends. Implements `EngineFacade`.

Everything runs on one event loop; only `Engine.talk` can be called from another thread. Pure machines in ``core`` make
the decisions. The parts that run them: `Sessions`, `Talking`, `Listening` (the microphone), `SpeechPlayer` (the
speaker), and `Answers`.
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
from pinch_tui.core.talk import talk as tk
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.answers import Answers
from pinch_tui.engine.boundary import guarded
from pinch_tui.engine.conversation import Conversation
from pinch_tui.engine.facade import Listener
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

_FAREWELL_S = 0.3
"""How long the end waits for the service to answer a close."""
_STATUS_EVERY_S = 0.2


class Engine:
    """One conversation.

    ``random``: numbers from 0 to 1, for the jitter of retries. ``on_forced_end`` is called if anything but its key
    ends an utterance, ``on_silent_stop`` at a soft stop after a moment of silence.
    """

    def __init__(
        self,
        config: EngineConfig,
        ports: EnginePorts,
        random: Callable[[], float],
        on_forced_end: Callable[[e.TalkSource], None] = lambda source: None,
        on_silent_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._ports = ports
        self._edges: deque[e.TalkEdge] = deque()
        self._intents: deque[e.Intent] = deque()  # before `run`
        self._status = e.Status(params=config.params, service=ports.service.traits)
        self._status_alarm = Alarm(self._refresh)
        self._draining_until: float | None = None
        self._drain_alarm = Alarm(self._leave)
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_quitting = False
        self._is_over = False

        self._microphone = guarded(ports.microphone, self._microphone_broke)
        self._speaker = guarded(ports.speaker, self._speaker_broke)
        self._notifier = Notifier(ports.clock)
        conversation = Conversation(ports.clock, ports.clock.monotonic(), self._notifier, self._refresh)
        self._conversation = conversation
        # A continuous utterance has no end after which its speech could be played.
        barge_in = BargeIn.MIX if config.is_continuous else config.barge_in
        self._player = SpeechPlayer(self._speaker, barge_in, conversation, has_cues=config.has_cues)
        cue = self._player.cue
        self._machine = tk.TalkMachine(config.talk)
        access = Access(ports.claim, conversation, is_shared=config.shares_microphone)
        self._listening = Listening(self._machine, config.keep_open, self._microphone, access, conversation, cue)
        self._answers = Answers(conversation, self._player, self._listening)
        self._sessions = Sessions(
            ports.service, conversation, random, config, self._answers.take, cue, all_closed=self._leave
        )
        self._talking = Talking(
            self._machine,
            conversation,
            self._sessions,
            self._listening,
            self._player,
            on_forced_end,
            on_silent_stop,
        )
        self._listening.attach(self._talking.drive, self._talking.force_end)

    # ---- EngineFacade ----

    @property
    def status(self) -> e.Status:
        return self._status

    @property
    def transcript(self) -> Transcript:
        return self._conversation.transcript

    def levels(self) -> e.Levels:
        return self._listening.levels()

    def post(self, intent: e.Intent) -> None:
        """Carry out an intent. Intents posted before `run` wait for it."""
        if self._loop is None:
            self._intents.append(intent)
        elif not self._is_over:
            self._on_intent(intent)

    def talk(self, edge: e.TalkEdge) -> None:
        """Report a step of the talk key, from any thread."""
        self._edges.append(edge)
        if (loop := self._loop) is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the engine has ended
                loop.call_soon_threadsafe(self._take_edges, context=self._context)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self._notifier.subscribe(listener)

    def speech_of(self, utterance: int) -> bytes:
        return self._player.speech_of(utterance)

    async def run(self) -> None:
        """Work until a `Quit` is done. The last event is `Stopped`."""
        loop = asyncio.get_running_loop()
        # Listeners are always called in the context of `run`, whichever thread caused the event.
        self._context = contextvars.copy_context()
        self._player.set_volume(self._config.volume, self._config.is_muted)
        try:
            async with asyncio.TaskGroup() as tasks:
                workers = [
                    tasks.create_task(self._listening.listen(), name="microphone"),
                    tasks.create_task(self._player.listen(), name="speaker"),
                ]
                self._loop = loop
                self._sessions.start(self._config.params, tasks)
                self._listening.apply_policy()
                self._take_edges()
                while self._intents:
                    self._on_intent(self._intents.popleft())
                await self._stopped.wait()
                self._end_timers()
                loop.call_later(_FAREWELL_S, self._sessions.end_farewells)
                for worker in workers:
                    worker.cancel()
        finally:
            if self._config.closes_sound:
                await self._microphone.aclose()
                await self._speaker.aclose()
            await self._sessions.aclose()
        self._is_over = True
        self._notifier.emit(e.Stopped(self._sessions.unfinished()))

    # ---- for the wiring ----

    def hear_sample(self, frame: e.Frame) -> None:
        """Take 20 ms of a phrase spoken by a synthetic voice, between two edges of `TalkSource.SAMPLE`."""
        if not self._is_over:
            self._talking.hear_sample(frame)

    def say(self, notice: e.NoticePosted) -> None:
        """Post a notice of another part of the program."""
        self._notifier.emit(notice)

    @property
    def is_resting(self) -> bool:
        """Whether no utterance is under way, and none awaits its last words."""
        return self._machine.state is tk.TalkState.IDLE and not self._sessions.unsettled()

    def resume(self, utterances: Sequence[Utterance]) -> None:
        """Replace the conversation by an earlier one, to continue it. Only allowed while the engine `is_resting`."""
        assert self.is_resting
        used = self._conversation.transcript.last_number
        self._conversation.resume(utterances)
        self._player.forget()
        self._answers.forget()
        # The next utterance gets a number that neither conversation has used.
        self._machine.number = max(self._machine.number, used, self._conversation.transcript.last_number)
        self._notifier.clear("heard", "change", "replay")
        self._refresh()

    def use_service(self, service: Service) -> None:
        """Use another service, or the same one with another key, and open a new session at once."""
        is_other = service.traits.name != self._sessions.service.traits.name
        params = self._sessions.replace_service(service)
        if params is not None:
            self._open_new_session(params, is_other_service=is_other)

    # ---- status and faults ----

    def _refresh(self) -> None:
        """Update the status if it has changed."""
        if not self._sessions.all():
            return
        status = snapshot(
            self._conversation, self._sessions, self._machine, self._listening, self._player, self._draining_until
        )
        is_moving = status.behind_s > 0 or status.speech_late_s > 0 or self._machine.state is not tk.TalkState.IDLE
        self._status_alarm.set(self._conversation.now() + _STATUS_EVERY_S if is_moving else None)
        if status != self._status:
            self._status = status
            self._notifier.emit(e.StatusChanged(status))

    def _microphone_broke(self, error: AudioError) -> None:
        if not self._is_over:
            self._listening.failed(MicFailed(error, self._conversation.now(), is_retrying=False))
            self._refresh()

    def _speaker_broke(self, error: AudioError) -> None:
        if not self._is_over:
            self._player.on_event(SpeakerFailed(error, is_retrying=False))
            self._refresh()

    # ---- the session ----

    def _change_session(self, params: e.SessionParams) -> None:
        if not self._is_quitting and self._sessions.differs(params):
            self._notifier.log("params", source=params.source, target=params.target)
            self._open_new_session(params)

    def _open_new_session(self, params: e.SessionParams, *, is_other_service: bool = False) -> None:
        """Send the next words to a new session, and drain the old one.

        The new session also gets the utterances that the old one was refused.
        """
        self._notifier.clear("link", "speech")
        before = self._sessions.current().session.params
        self._sessions.open(params)
        if self._machine.state is tk.TalkState.TALKING:  # the rest of the speech becomes a new utterance
            self._talking.drive(tk.Parted(self._conversation.now()))
            meant = self._sessions.current().session.traits.meant
            self._notifier.notice("change", e.Severity.INFO, *_from_here_on(meant(before), meant(params)))
        self._talking.handed_over(self._sessions.hand_over(is_other_service=is_other_service))
        self._sessions.drain_former()

    # ---- edges and intents ----

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
                    self._talking.force_end(e.TalkSource.QUIT)
                    self._talking.drive(tk.MicVanished())  # ends the tail, too
            case e.SelectSpeaker(device):
                self._player.select(device)
            case e.SetVolume(volume, is_muted):
                self._player.set_volume(volume, is_muted)
            case e.SetBargeIn(policy):
                self._player.barge_in = BargeIn(policy)
            case e.ReplaySpeech(utterance, speed):
                self._player.replay(utterance, speed)
            case e.StopSpeech(skip):
                self._player.stop(skip=skip)
            case e.CatchUp():
                self._player.catch_up()
            case e.SendAgain(number):
                attempt = self._answers.send_again(number)
                if attempt is not None and not self._is_quitting:
                    self._sessions.current().feed(ev.UtterancesGiven((attempt,)))
            case e.Correct(number, original, translation):
                if self._conversation.transcript.correct(number, original, translation):
                    self._notifier.changed(number)
            case e.Quit(drain):
                self._quit(drain=drain)
            case _:
                assert_never(intent)
        self._refresh()

    # ---- the end ----

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
        self._talking.end_timers()
        self._sessions.end()


def _from_here_on(before: e.SessionParams, params: e.SessionParams) -> tuple[str, str]:
    """Title and hint for a change of settings while the user talks."""
    if (before.source, before.target, before.two_way) == (params.source, params.target, params.two_way):
        return "From here on: the new settings.", "Earlier words keep the old ones."
    return f"From here on: {pair_text(params)}.", "Earlier words keep their languages."
