"""The line mode (``pinch-tui --plain``): for screen readers and terminals that can only append lines.

No cursor movement, no colour, no interim text unless asked for; still push-to-talk. Single keys are commands; only the
language question reads a line. Belongs to the event loop; the terminal is given back however it ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Protocol

from pinch_tui.core.events import (
    ChangeSession,
    EngineEvent,
    NoticePosted,
    Quit,
    ReplaySpeech,
    RetryNow,
    SessionParams,
    SetVolume,
    StateWord,
    Status,
    StatusChanged,
    Stopped,
    StopSpeech,
    TalkSource,
    TranscriptChanged,
)
from pinch_tui.core.languages import AUTO, normalize
from pinch_tui.core.transcript import Utterance
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.errors import PinchError
from pinch_tui.ui.clipboard import Clipboard
from pinch_tui.ui.layout_text import clean
from pinch_tui.ui.line_tty import Terminal, this_terminal
from pinch_tui.ui.line_words import Narrator, pair_text
from pinch_tui.ui.services import AppServices
from pinch_tui.ui.status_text import key_name, latency_text, mic_line, talk_hint

LEVELS_S = 0.5
"""How often the levels are looked at for a silent or clipping microphone."""
READY_S = 0.4
"""So long the state has to be ready before it is told."""
SLOWER = 0.75
_QUIT_KEYS = frozenset(("q", "ctrl+c", "ctrl+d", "ctrl+q"))
_TYPED_KEYS = frozenset(("space", "enter", "tab", "backspace"))

HELP = (  # at most 60 cells a line: a dumb terminal breaks a longer one in the middle of a word
    "{talk}. Escape throws away what you are saying.",
    "l: choose languages. s: swap them. t: two-way on or off.",
    "r: say the last translation again. w: the same, slower.",
    "x: stop the voice. m: mute. plus and minus: volume.",
    "p: print the last line again. c: copy the last translation.",
    "i: tell the state. n: connect now. question mark: this help.",
    "q: leave, a second time at once.",
)


class HoldReport(Protocol):
    @property
    def method(self) -> str: ...

    @property
    def sentence(self) -> str: ...


class PlainHold(Protocol):
    """The talk key, as the line mode feeds it; `pinch_tui.keys.HoldInput` is the real one."""

    armed: bool

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def attach(self, tty: int | None) -> None: ...

    def asked(self, t: float) -> None: ...

    def answered(self, reports_release: bool, t: float) -> None: ...

    def key_pressed(self, key: str, plain: str, *, reports_release: bool, t: float) -> bool: ...

    def set_key(self, key: str) -> None: ...

    def end(self, source: TalkSource, t: float) -> None: ...

    def report(self) -> HoldReport: ...


class PlainApp:
    """Runs the engine and tells everything in lines. ``talk_key`` is a Textual key name; keys that a plain terminal
    cannot type fall back to space."""

    def __init__(
        self,
        engine: EngineFacade,
        hold: PlainHold,
        services: AppServices | None = None,
        *,
        talk_key: str = "space",
        terminal: Terminal | None = None,
        clock: Callable[[], float] = time.monotonic,
        tells_interims: bool = False,
    ) -> None:
        self._engine = engine
        self._hold = hold
        self._services = services or AppServices()
        self._terminal: Terminal = terminal or this_terminal()
        self._clock = clock
        self._narrator = Narrator(tells_interims=tells_interims)
        self._talk_key = talk_key
        self._wanted: SessionParams = engine.status.params
        self._known: SessionParams = engine.status.params
        self._quits = 0
        self._exit_code = 0
        self._tasks: asyncio.TaskGroup | None = None
        self._ready: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._is_asking = False

    async def run(self) -> int:
        """Until the engine has stopped; the exit code. Raises `UsageError` when there is no terminal to read from."""
        self._terminal.open(self._on_key)
        stop_listening = self._engine.subscribe(self._on_event)
        stop_signals = self._services.watch_signals(self._on_signal)
        try:
            self._hold.attach(self._terminal.fd)
            self._hold.asked(self._clock())
            self._hold.answered(False, self._clock())  # a question would be printed by a terminal that is really plain
            self._hold.start()
            self._greet()
            self._services.log(self._clock(), "ready", {"mode": "plain"})
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._begin(self._watch_levels())
                await self._engine.run()
                for task in tuple(self._running):
                    task.cancel()
        finally:
            self._tasks = None
            if self._ready is not None:
                self._ready.cancel()
            self._hold.stop()
            stop_signals()
            stop_listening()
            self._terminal.close()
        return self._exit_code

    # ---- telling --------------------------------------------------------------------------------------------------

    def _say(self, line: str) -> None:
        self._terminal.write(line)

    def _greet(self) -> None:
        if len(self._talk_key) > 1 and self._talk_key not in _TYPED_KEYS:
            self._say(f"The key {key_name(self._talk_key)} cannot be read here; the talk key is space.")
            self._talk_key = "space"
            self._hold.set_key("space")
        self._say(f"pinch-tui, line mode. {pair_text(self._wanted)}.")
        if self._engine.status.is_practice:
            self._say("Practice: a small service on this computer, no account needed.")
        report = self._hold.report()
        self._say(f"{self._how_to_talk()}. {clean(report.sentence)}".strip())
        self._say("Press question mark for help, q to leave.")

    def _how_to_talk(self) -> str:
        method = self._hold.report().method
        hint = talk_hint("learned" if method == "mouse" else method, self._talk_key)
        return hint[:1].upper() + hint[1:]

    def _on_event(self, event: EngineEvent) -> None:
        match event:
            case StatusChanged(status):
                self._on_status(status)
            case TranscriptChanged(numbers):
                changed = [self._engine.transcript.utterance(number) for number in sorted(numbers)]
                for line in self._narrator.utterances(changed):
                    self._say(line)
            case NoticePosted():
                for line in self._narrator.notice(event):
                    self._say(line)
            case Stopped(unsettled, exit_code):
                self._exit_code = exit_code
                if unsettled:
                    self._say(f"The last words of {unsettled} lines did not come.")
                self._say("Good-bye.")
            case _:
                pass

    def _on_status(self, status: Status) -> None:
        if status.params != self._known:
            self._known = self._wanted = status.params
        if status.word is StateWord.READY:
            # Between the last sound and the last words the engine may be ready for a moment: not worth a line.
            if self._ready is None:
                self._ready = asyncio.get_running_loop().call_later(READY_S, self._tell_ready)
            return
        if self._ready is not None:
            self._ready.cancel()
            self._ready = None
        self._tell_status(status)

    def _tell_ready(self) -> None:
        self._ready = None
        self._tell_status(self._engine.status)

    def _tell_status(self, status: Status) -> None:
        for line in self._narrator.status(status, self._clock()):
            self._say(line)

    async def _watch_levels(self) -> None:
        while True:
            await asyncio.sleep(LEVELS_S)
            for line in self._narrator.levels(self._engine.status, self._engine.levels(), self._clock()):
                self._say(line)

    # ---- keys -----------------------------------------------------------------------------------------------------

    def _on_signal(self) -> None:
        self._quit()

    def _on_key(self, key: str, t: float) -> None:
        if key == "ctrl+z":
            self._hold.end(TalkSource.QUIT, t)
            self._terminal.suspend()
        elif key in _QUIT_KEYS:
            self._quit()
        elif not self._hold.key_pressed(key, "", reports_release=False, t=t):
            self._command(key)

    def _command(self, key: str) -> None:
        match key:
            case "question_mark" | "h":
                for line in HELP:
                    self._say(line.format(talk=self._how_to_talk()))
            case "l":
                self._begin(self._choose_languages())
            case "s":
                self._swap()
            case "t":
                self._change(replace(self._wanted, two_way=not self._wanted.two_way))
            case "r":
                self._replay(1.0)
            case "w":
                self._replay(SLOWER)
            case "x":
                self._engine.post(StopSpeech())
                self._say("Voice stopped.")
            case "m" | "plus" | "equals_sign" | "minus":
                self._volume(key)
            case "p":
                self._print_last()
            case "c":
                self._begin(self._copy())
            case "i":
                self._tell_state()
            case "n":
                self._engine.post(RetryNow())
            case _:
                if len(key) == 1 and key.isprintable():
                    self._say(f"The key {key} does nothing here. Press question mark for help.")

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        """Something slow, beside everything else; it ends with the program."""
        if self._tasks is None:
            work.close()
            return
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _quit(self) -> None:
        self._quits += 1
        self._hold.end(TalkSource.QUIT, self._clock())
        is_first = self._quits == 1
        if is_first:
            self._say("Leaving; waiting for the last words. Press again to leave at once.")
        self._engine.post(Quit(drain=is_first))

    # ---- commands -------------------------------------------------------------------------------------------------

    def _change(self, params: SessionParams) -> None:
        if params == self._wanted:
            self._say(f"Languages stay: {pair_text(params)}.")
            return
        if (params.source, params.target) != (self._wanted.source, self._wanted.target):
            self._services.remember_pair(params.source, params.target)
        self._wanted = params
        self._narrator.knows(params)
        self._say(f"From now on: {pair_text(params)}.")
        self._engine.post(ChangeSession(params))

    def _swap(self) -> None:
        params = self._wanted
        if params.source == AUTO:
            self._say("The spoken language is detected; there is nothing to swap.")
            return
        self._change(
            replace(
                params,
                source=params.target,
                target=params.source,
                source_label=params.target_label,
                target_label=params.source_label,
            )
        )

    async def _choose_languages(self) -> None:
        if self._is_asking:
            return
        self._is_asking = True
        self._hold.armed = False
        try:
            answer = await self._terminal.ask(
                f"Now {self._wanted.source} to {self._wanted.target}. "
                "Type two codes, such as: en es. Then Enter; Enter alone changes nothing."
            )
        finally:
            self._hold.armed = True
            self._is_asking = False
        codes = clean(answer).replace(",", " ").split()
        if not codes:
            self._say(f"Languages stay: {pair_text(self._wanted)}.")
            return
        if len(codes) > 2:
            self._say("That is more than two codes; nothing was changed.")
            return
        source, target = codes if len(codes) == 2 else (self._wanted.source, codes[0])
        spoken = AUTO if source.lower() == AUTO else normalize(source)
        wanted = normalize(target)
        bad = source if spoken is None else target if wanted is None else ""
        if spoken is None or wanted is None:
            self._say(f"{clean(bad)} is no language code; nothing was changed.")
            return
        self._change(replace(self._wanted, source=spoken, target=wanted))

    def _last(self) -> Utterance | None:
        return next((u for u in reversed(self._engine.transcript.utterances) if u.translation or u.original), None)

    def _replay(self, speed: float) -> None:
        last = next((u for u in reversed(self._engine.transcript.utterances) if self._engine.speech_of(u.number)), None)
        if last is None:
            self._say("There is no speech to say again.")
            return
        self._say("Saying it again." if speed == 1.0 else "Saying it again, slower.")
        self._engine.post(ReplaySpeech(last.number, speed))

    def _volume(self, key: str) -> None:
        status = self._engine.status
        if key == "m":
            is_muted, volume = not status.is_muted, status.volume
        else:
            is_muted = False
            volume = max(0.0, min(2.0, round(status.volume + (-0.1 if key == "minus" else 0.1), 2)))
        self._engine.post(SetVolume(volume, is_muted))
        self._say("Voice muted." if is_muted else f"Volume {volume:.0%}.")

    def _print_last(self) -> None:
        last = self._last()
        if last is None:
            self._say("Nothing was said yet.")
            return
        for line in Narrator().utterances([last]):
            self._say(line)

    async def _copy(self) -> None:
        last = self._last()
        try:
            how = await (self._services.copy or Clipboard().copy)(last.translation if last else "")
        except PinchError as error:
            self._say(f"Error: {error}")
        else:
            self._say(f"Copied ({how}).")

    def _tell_state(self) -> None:
        status = self._engine.status
        microphone = mic_line(status, self._engine.levels(), self._clock())
        for line in Narrator().status(status, self._clock()):
            self._say(line)
        self._say(f"Languages: {pair_text(self._wanted)}. {self._how_to_talk()}.")
        self._say(clean(f"Microphone: {microphone.state}, {microphone.name or 'no name'}. {microphone.problem}"))
        latency = latency_text(status.latency)
        if latency:
            self._say(clean(f"Delays: {latency}"))
