"""The interpreter: feeds what happens to the machines and does what they say. Implements `EngineFacade`.

Owns the sessions, the talk state and the transcript. Everything runs on one event loop; only `talk` may be called from
another thread. Decisions are made in ``core``; this package connects them.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from pinch_tui.core import events as e
from pinch_tui.core.languages import label
from pinch_tui.core.latency import LatencyMeter
from pinch_tui.core.session import events as ev
from pinch_tui.core.session.events import SessionState
from pinch_tui.core.session.pace import Pace
from pinch_tui.core.session.session import Session
from pinch_tui.core.talk import talk as tk
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.engine.alarm import Alarm
from pinch_tui.engine.answers import Answers
from pinch_tui.engine.facade import Listener, TranscriptView
from pinch_tui.engine.notifier import Notifier
from pinch_tui.engine.ports import Service, SpeakerFailed, SpeakerOpened
from pinch_tui.engine.session_runner import SessionRunner
from pinch_tui.engine.setup import EngineConfig, EnginePorts
from pinch_tui.engine.speech_player import SpeechPlayer
from pinch_tui.engine.status import Board, counters, snapshot
from pinch_tui.engine.talking import Talking
from pinch_tui.settings.model import BargeIn

__all__ = ["Engine", "EngineConfig", "EnginePorts"]

FAREWELL_S = 0.3
"""How long the end waits for the service to answer a close."""
_STATUS_EVERY_S = 0.2
_RESTING = (SessionState.IDLE, SessionState.STOPPED, SessionState.CLOSED)


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
        self._random = random
        self._on_forced_end = on_forced_end
        self._on_silent_stop = on_silent_stop
        self._notifier = Notifier(ports.clock)
        self._transcript = Transcript()
        self._latency = LatencyMeter()
        self._board = Board(volume=config.volume, is_muted=config.is_muted)
        self._edges: deque[e.TalkEdge] = deque()
        self._intents: deque[e.Intent] = deque()
        self._status = e.Status(params=config.params, service=ports.service.traits)
        self._pace = Pace()
        self._links: list[SessionRunner] = []  # the last one takes the next words, the others drain
        self._old_services: list[Service] = []  # may still be asked for a draining session
        self._past = e.Counters()
        self._closing: set[asyncio.Task[None]] = set()  # sockets that say farewell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_quitting = False
        self._is_over = False

    # ---- EngineFacade ----

    @property
    def status(self) -> e.Status:
        return self._status

    @property
    def transcript(self) -> TranscriptView:
        return self._transcript

    def levels(self) -> e.Levels:
        if self._loop is None:
            return e.Levels()
        return replace(self._floor.levels(), speech_dbfs=self._ports.speaker.level_dbfs())

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
            self._floor.hear_sample(frame)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self._notifier.subscribe(listener)

    def say(self, notice: e.NoticePosted) -> None:
        """Tell something that was found outside the engine."""
        self._notifier.emit(notice)

    def speech_of(self, utterance: int) -> bytes:
        return self._speech.of(utterance) if self._loop is not None else b""

    def use_service(self, service: Service) -> None:
        """Use another service, or the same one with another key, from now on; a new session is opened at once."""
        self._old_services.append(self._ports.service)
        is_same = service.traits.name == self._ports.service.traits.name
        self._ports.service = service
        self._pace = Pace()
        if self._loop is None or self._is_quitting:
            return
        was_trying = self._links[-1].session.is_without_socket
        for link in list(self._links):  # an older one, too, may keep words
            link.replace_service(service)
        self._notifier.clear("link")
        if not (was_trying and is_same):
            self._open_new_session(self._links[-1].session.asked)

    async def run(self) -> None:
        """Work until a `Quit` is done. The last fact is `Stopped`."""
        loop = asyncio.get_running_loop()
        # Listeners are always called in the context that `run` was called in, whichever thread the cause came from.
        self._context = contextvars.copy_context()
        ports, config = self._ports, self._config
        self._stopped = asyncio.Event()
        self._drain_alarm = Alarm(loop, self._leave)
        self._status_alarm = Alarm(loop, self.refresh)
        # Nobody barges in where the one utterance is all there is: its speech would wait for the end.
        barge_in = BargeIn.MIX if config.is_continuous else config.barge_in
        self._speech = SpeechPlayer(ports.speaker, barge_in, self._on_speech_event, ports.clock.monotonic)
        self._speech.set_volume(self._board.volume, self._board.is_muted)
        self._floor = Talking(
            config.talk,
            config.keep_open,
            ports.microphone,
            ports.clock,
            self,
            self._speech,
            self._transcript,
            self._latency,
            self._board,
            self._notifier,
            self._on_forced_end,
            self._on_silent_stop,
        )
        self._reporter = Answers(
            self,
            self._floor,
            self._speech,
            self._transcript,
            self._latency,
            self._board,
            self._notifier,
            ports.clock,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                workers = [
                    tasks.create_task(self._floor.hear(), name="microphone"),
                    tasks.create_task(self._listen_to_speaker(), name="speaker"),
                ]
                self._loop = loop
                self._new_link(config.params).feed(ev.Started())
                self._floor.apply_mic_policy()
                self._take_edges()
                while self._intents:
                    self._on_intent(self._intents.popleft())
                await self._stopped.wait()
                self._end_timers()
                loop.call_later(FAREWELL_S, self._end_farewells)
                for worker in workers:
                    worker.cancel()
        finally:
            if config.closes_sound:
                await ports.microphone.aclose()
                await ports.speaker.aclose()
            for service in (*self._old_services, ports.service):
                await service.api.aclose()
        self._is_over = True
        self._notifier.emit(e.Stopped(len(self._unsettled())))

    # ---- the status ----

    def refresh(self) -> None:
        """Something the status shows may have changed."""
        if not self._links:
            return
        sessions = [link.session for link in self._links]
        talk = self._floor.talk
        self._board.speech_late_s = round(self._ports.speaker.buffered_s(), 1)
        dropped_s = self._speech.dropped_s + self._ports.speaker.dropped_s()
        base = e.Status(
            speaking_utterance=self._speech.speaking,
            counters=counters(self._board, sessions, self._past, self._speech.underruns, dropped_s),
            latency=self._latency.latency(),
        )
        behind = round(sum(session.delivery.outbox.behind_s for session in sessions), 1)
        status = snapshot(self._board, sessions[-1], talk, base, is_waiting=bool(self._floor.awaited), behind_s=behind)
        is_moving = behind > 0 or status.speech_late_s > 0 or talk.state is not tk.TalkState.IDLE
        self._status_alarm.set(self._ports.clock.monotonic() + _STATUS_EVERY_S if is_moving else None)
        if status != self._status:
            self._status = status
            self._notifier.emit(e.StatusChanged(status))

    # ---- links ----

    def current(self) -> SessionRunner:
        """The link that takes the next words."""
        return self._links[-1]

    def draining(self) -> list[SessionRunner]:
        return self._links[:-1]

    def is_current(self, link: SessionRunner) -> bool:
        return link is self._links[-1]

    def _new_link(self, params: e.SessionParams) -> SessionRunner:
        session = Session(
            self._ports.service.traits.fitted(params)[0],
            self._random,
            asked=params,
            traits=self._ports.service.traits,
            reopens_idle=self._config.reopens_idle,
            has_checkpoints=self._config.is_continuous,
            pace=self._pace,
        )
        ports = self._ports
        link = SessionRunner(session, ports.service, ports.clock, self._tasks, self._reporter.report, self._closing)
        self._links.append(link)
        return link

    def forget_link(self, link: SessionRunner) -> None:
        """The session is closed for good."""
        if self._is_quitting:
            if all(other.session.state is SessionState.CLOSED for other in self._links):
                self._leave()
            return
        if link not in self._links or self.is_current(link):
            return
        delivery = link.session.delivery
        self._past = replace(
            self._past,
            held_s=self._past.held_s + delivery.held_s,
            resent_s=self._past.resent_s + delivery.resent_s,
            forgotten_s=self._past.forgotten_s + delivery.outbox.forgotten * e.FRAME_S,
        )
        self._links.remove(link)

    def _change_session(self, params: e.SessionParams) -> None:
        fitted = self._ports.service.traits.fitted(params)[0]
        if fitted == self._links[-1].session.params or self._is_quitting:
            return
        self._notifier.log("params", source=params.source, target=params.target)
        self._open_new_session(params)

    def _open_new_session(self, params: e.SessionParams) -> None:
        """The next words go to a new session; what was said before is finalized and drained on the old one."""
        self._notifier.clear("link", "speech")
        self._new_link(params).feed(ev.Started())
        if self._floor.is_talking:  # the key stays down, and what it says now is an utterance of its own
            self._floor.drive(tk.Parted(self._ports.clock.monotonic()))
            title = f"From here on: {label(params.source)} → {label(params.target)}."
            self._notifier.notice("change", e.Severity.INFO, title, "What you said before is translated as it was.")
        self._links[-2].feed(ev.DrainRequested(lingers=True))

    def _unsettled(self) -> list[int]:
        return [item.number for link in self._links for item in link.session.delivery.outbox]

    # ---- the speaker ----

    def cue(self, name: str) -> None:
        """A short sound, where cues are wanted."""
        if self._config.has_cues or (self._config.has_cues is None and self._floor.has_headphones):
            self._ports.speaker.cue(name)

    async def _listen_to_speaker(self) -> None:
        async for event in self._ports.speaker.events():
            match event:
                case SpeakerOpened():
                    self._board.has_speaker, self._board.speaker_name = True, event.name
                    self._floor.has_headphones = event.is_headphones
                    self._notifier.clear("speaker")
                    if event.is_substitute:
                        title = f"The chosen speaker is not there; {event.name} is used."
                        self._notifier.notice("speaker", e.Severity.WARNING, title)
                case SpeakerFailed(error, is_retrying):
                    self._board.has_speaker = False
                    self._notifier.notice(
                        "speaker", e.Severity.WARNING, error.title, error.hint, is_retrying=is_retrying
                    )
                    self._notifier.log("error", topic="speaker", title=error.title)
                case _:
                    self._speech.heard(event)
            self.refresh()

    def _on_speech_event(self, kind: str, utterance: int, t: float, fields: dict[str, object]) -> None:
        if kind == "speech-start":
            self._latency.first_sound(utterance, t)
        self._notifier.log(kind, t, utterance=utterance, **fields)

    # ---- intents ----

    def _take_edges(self) -> None:
        while self._edges:
            edge = self._edges.popleft()
            if not (self._is_quitting and edge.kind is e.EdgeKind.START):
                self._floor.drive(edge)

    def _on_intent(self, intent: e.Intent) -> None:
        match intent:
            case e.ChangeSession(params):
                self._change_session(params)
            case e.RetryNow():
                for link in list(self._links):
                    link.feed(ev.RetryRequested())
            case e.TerminalFocusChanged(has_focus, known):
                self._floor.focus(has_focus, known)
            case e.SelectMicrophone(device):
                self._floor.select(device)
            case e.HearMicrophone():
                self._floor.hear_microphone()
            case e.Foreground(is_foreground):
                self._floor.foreground(is_foreground)
            case e.SelectSpeaker(device):
                self._ports.speaker.select(device)
            case e.SetVolume(volume, is_muted):
                self._board.volume, self._board.is_muted = volume, is_muted
                self._speech.set_volume(volume, is_muted)
            case e.SetBargeIn(policy):
                self._speech.barge_in = BargeIn(policy)
            case e.ReplaySpeech(utterance, speed):
                if not self._speech.replay(utterance, speed):
                    self._notifier.notice("replay", e.Severity.INFO, "There is no speech of this line to say again.")
                elif self._speech.has_replay_waiting:
                    self._notifier.notice("replay", e.Severity.INFO, "It is said when you have finished talking.")
            case e.StopSpeech(skip):
                self._speech.stop(skip=skip)
            case e.Correct(number, original, translation):
                if self._transcript.correct(number, original, translation):
                    self._notifier.changed(number)
            case e.Quit(drain):
                self._quit(drain=drain)
            case _:
                assert_never(intent)
        self.refresh()

    def _quit(self, *, drain: bool) -> None:
        is_second = self._is_quitting
        self._is_quitting = self._floor.is_closing = True
        self._notifier.log("quit", drain=drain and not is_second)
        if is_second or not drain:
            self._leave()
            return
        self._floor.force_end(e.TalkSource.QUIT)
        self._board.draining_until = self._ports.clock.monotonic() + self._config.drain_s
        self._drain_alarm.set(self._board.draining_until)
        for link in list(self._links):
            link.session.delivery.hurry()
            link.feed(ev.DrainRequested())
        if all(link.session.state in _RESTING for link in self._links):
            self._leave()  # nothing is under way, so nothing will come

    def _leave(self) -> None:
        if self._stopped.is_set():
            return
        self._stopped.set()
        for link in self._links:
            link.feed(ev.StopRequested())

    def _end_farewells(self) -> None:
        for task in list(self._closing):
            task.cancel()

    def _end_timers(self) -> None:
        self._drain_alarm.set(None)
        self._status_alarm.set(None)
        self._floor.end()
        for link in self._links:
            link.end()
