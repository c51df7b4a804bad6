"""The line mode (``pinch-tui --plain``), for screen readers and terminals that can only append lines.

No cursor movement, no colour, no interim text. Single keys talk and run the screen's actions, with the user's key map;
only questions read a whole line. The terminal is always restored at the end.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from pinch_tui.core.events import (
    EngineEvent,
    Foreground,
    NoticePosted,
    StateWord,
    Status,
    StatusChanged,
    TranscriptChanged,
)
from pinch_tui.core.keymap import FIXED, first_key
from pinch_tui.core.keynames import key_name
from pinch_tui.core.transcript.clean import clean, printable
from pinch_tui.core.transcript.export import ExportFormat, ExportPart, ExportSide
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.frontend.actions import BY_NAME, do
from pinch_tui.frontend.frontend import FrontEnd
from pinch_tui.frontend.languages_text import LanguageChoices
from pinch_tui.frontend.past import counted
from pinch_tui.frontend.ports import AppExit, Export, Face, TalkKey, Wording
from pinch_tui.frontend.services import AppServices
from pinch_tui.frontend.status_text import latency_text, mic_line, talk_hint
from pinch_tui.plain.help import OFFERED, help_lines, spoken_key
from pinch_tui.plain.lines import Lines, terminal_columns
from pinch_tui.plain.questions import Questions
from pinch_tui.plain.terminal import HANG_UP, TYPED_KEYS, Terminal
from pinch_tui.plain.words import Narrator, sentence
from pinch_tui.settings.model import Settings

LEVELS_S = 0.5
"""Interval of the check for a silent or clipping microphone."""
READY_S = 0.4
"""``Ready`` is announced after this time, since the state can be ready for a moment before the last words."""
_END = "ctrl+d"
"""Ends a shell's input; quits here, too, unless the user's key map uses it."""
_N_PHRASES, _N_SAMPLES = 3, 12
_NO_PHRASES = "Practice has no phrases for these languages."


def this_terminal() -> Terminal:
    if sys.platform != "win32":
        from pinch_tui.plain.tty import PosixTerminal

        return PosixTerminal()
    from pinch_tui.plain.tty_windows import WindowsTerminal

    return WindowsTerminal()


class PlainTalkKey(TalkKey, Protocol):
    """The talk key, as the line mode drives it."""

    def attach(self, tty: int | None) -> None: ...

    def asked(self, t: float) -> None: ...

    def answered(self, reports_release: bool, t: float) -> None: ...

    def key_pressed(self, key: str, plain: str, *, reports_release: bool, t: float) -> bool: ...

    def set_key(self, key: str) -> None: ...


class PlainApp(Face):
    """The front end's face in lines. A talk key that a plain terminal cannot send is replaced by space."""

    write_raw = None

    def __init__(
        self,
        engine: EngineFacade,
        hold: PlainTalkKey,
        services: AppServices,
        settings: Settings,
        *,
        columns: Callable[[], int] = terminal_columns,
        terminal: Terminal | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.front = FrontEnd(engine, hold, services, settings, self, clock)
        self.talk_key = settings.talk.key
        self._hold = hold
        self._terminal: Terminal = terminal or this_terminal()
        lines = Lines(self._terminal, columns, is_ascii=settings.ui.is_ascii)
        self._questions = Questions(self.front, lines)
        self.tell = lines.tell
        self._narrator = Narrator(catch_up=self.front.key_named("catch_up"))
        self._exit = AppExit()
        self._left = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._ready: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._n_samples = 0
        self._actions = {key: name for name, names in self.front.keys.items() for key in names}

    async def run(self) -> int:
        """Run until the engine has stopped; returns the exit code. Raises `UsageError` without a terminal."""
        self._terminal.open(self._on_key)
        try:
            self._hold.attach(self._terminal.fd)
            self._hold.asked(self.clock())
            self._hold.answered(False, self.clock())  # the query would be visible on a plain terminal
            self.front.open()
            self._greet()
            gc.enable()  # `pinch_tui.__main__` has disabled it
            self.front.services.log(self.clock(), "ready", {"mode": "plain"})
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self.begin("levels", self._watch_levels())
                self._start("engine", self.front.run_engine())
                await self._left.wait()
                for task in tuple(self._running):
                    task.cancel()
        finally:
            self._tasks = None
            if self._ready is not None:
                self._ready.cancel()
            self.front.close()
            self._terminal.close()
        return self._exit.code

    # ---- telling --------------------------------------------------------------------------------------------------

    def _greet(self) -> None:
        if len(self.talk_key) > 1 and self.talk_key not in TYPED_KEYS:
            self.tell(f"The key {key_name(self.talk_key)} cannot be read here, so the talk key is space.")
            self.talk_key = "space"
            self._hold.set_key("space")
        self.tell(f"pinch-tui, line mode. {self.front.session.pair}.")
        if not self._terminal.has_keys:
            return
        if self.engine.status.is_practice:
            self.tell("Practice: a small service on this computer, no account needed.")
            phrases = self.front.services.practice_phrases(
                self.front.session.wanted.source, self.front.session.wanted.target, _N_PHRASES
            )
            if phrases:
                some = " ".join(clean(original) for original, _ in phrases)
                self.tell(f"It understands a set of everyday phrases, such as: {some}")
                self.tell("Press Enter to hear one of them as a sample.")
        if self.front.services.continued is not None:
            self.front.announce_continued(self.front.services.continued)
        report = self._hold.report()
        self.tell(f"{self.how_to_talk()}. {clean(report.sentence)}".strip())
        self.tell(f"{self._help_hint()} {spoken_key(first_key(self.front.keys, 'quit'))} quits.")

    def how_to_talk(self) -> str:
        """``Press space, speak, press space again``, without a full stop."""
        method = self._hold.report().method
        hint = talk_hint("learned" if method == "mouse" else method, self.talk_key)
        return hint[:1].upper() + hint[1:]

    def on_event(self, event: EngineEvent) -> None:
        match event:
            case StatusChanged(status):
                self._on_status(status)
            case TranscriptChanged(numbers):
                changed = [self.engine.transcript.utterance(number) for number in sorted(numbers)]
                self.tell(*self._narrator.utterances(changed))
            case NoticePosted():
                self.tell(*self._narrator.notice(event))
            case _:
                pass

    def _on_status(self, status: Status) -> None:
        if status.word is StateWord.READY:
            if self._ready is None:
                self._ready = asyncio.get_running_loop().call_later(READY_S, self._tell_ready)
            return
        if self._ready is not None:
            self._ready.cancel()
            self._ready = None
        self._tell_status(status)

    def _tell_ready(self) -> None:
        self._ready = None
        self._tell_status(self.engine.status)

    def _tell_status(self, status: Status) -> None:
        self.tell(*self._narrator.status(status, self.clock()))

    async def _watch_levels(self) -> None:
        while True:
            await asyncio.sleep(LEVELS_S)
            self.tell(*self._narrator.levels(self.engine.status, self.engine.levels(), self.clock()))

    # ---- keys -----------------------------------------------------------------------------------------------------

    def _on_key(self, key: str, t: float) -> None:
        if key == HANG_UP:
            self.front.leaving.hang_up()
        elif self._actions.get(key) in FIXED:  # these even precede the talk key
            do(self.front, self._actions[key])
        elif not self._hold.key_pressed(key, "", reports_release=False, t=t):
            self._command(key)

    def _command(self, key: str) -> None:
        name = self._actions.get(key, "")
        if key == "enter" and self.engine.status.is_practice:
            self._play_phrase()
        elif name:
            do(self.front, name)
        elif key == _END:
            do(self.front, "quit")
        elif key == "q":
            self.tell(f"{spoken_key(first_key(self.front.keys, 'quit'))} quits.")
        elif len(key) == 1 and key.isprintable():
            self.tell(f"The key {spoken_key(key)} does nothing here. {self._help_hint()}")

    def _play_phrase(self) -> None:
        """Play the next practice phrase, or the same one again if it was cut short."""
        wanted = self.front.session.wanted
        phrases = self.front.services.practice_phrases(wanted.source, wanted.target, _N_SAMPLES)
        if not phrases:
            self.tell(_NO_PHRASES)
            return

        def done() -> None:
            self._n_samples += 1

        self.front.play_phrase(phrases[self._n_samples % len(phrases)][0], done)

    def _tell_phrases(self) -> None:
        wanted = self.front.session.wanted
        phrases = self.front.services.all_phrases(wanted.source, wanted.target)
        if not phrases:
            self.tell(_NO_PHRASES)
            return
        self.tell(*(clean(" ".join(pair)) for pair in phrases[:_N_SAMPLES]))
        self.tell(f"{len(phrases)} in all: pinch-tui practice phrases lists them.")

    def _help_hint(self) -> str:
        key = first_key(self.front.keys, "help")
        return f"Press {spoken_key(key)} for help." if key else "pinch-tui keys --actions lists the keys."

    # ---- the front end's face -------------------------------------------------------------------------------------

    def say(self, topic: str, text: str, hint: str = "", *, path: str = "") -> None:
        if topic == "session":
            self._narrator.mark_announced(self.front.session.wanted)
        if path:  # neither wrapped nor ended with a full stop, so that it can be copied
            self._terminal.write(f"{clean(text)} {printable(path)}".lstrip())
            return
        self.tell(sentence(f"{text} {hint}"))

    def warn(self, topic: str, text: str, hint: str = "") -> None:
        self.tell(sentence(f"Error: {text} {hint}"))

    def confirm(self, text: str) -> None:
        self.tell(sentence(text))

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if self._tasks is None:
            work.close()
            return
        task = self._start(name, self.front.carefully(name, work))
        task.add_done_callback(lambda _: work.close())  # in case it never started

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._tasks is not None
        task = self._tasks.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def has(self, action: str) -> bool:
        return action in OFFERED

    def do(self, action: str) -> None:
        match action:
            case "help":
                self.tell(*help_lines(self.front.keys, self.how_to_talk(), self.talk_key))
            case "settings":
                self.begin("service", self._questions.service())
            case "details":
                self._tell_details()
            case "latest":
                self._tell_latest()
            case "conversations":
                self.tell("pinch-tui history lists past conversations.")
            case "phrases":
                self._tell_phrases()
            case "continue":
                self.tell("pinch-tui --plain --continue continues the last conversation.")
            case _:
                self.tell(f"{BY_NAME[action].title} works only on the full screen.")

    def _tell_details(self) -> None:
        status = self.engine.status
        microphone = mic_line(status, self.engine.levels(), self.clock())
        self._tell_status(status)
        self.tell(f"Languages: {self.front.session.pair}. {self.how_to_talk()}.")
        self.tell(clean(f"Microphone: {microphone.state}, {microphone.name or 'no name'}. {microphone.problem}"))
        session, model = status.session_id or "none", status.model_version_id or "not reported"
        self.tell(clean(f"Service: {status.service.label}. Session: {session}. Model version: {model}."))
        latency = latency_text(status.latency)
        if latency:
            self.tell(clean(f"Delays: {latency}"))

    def _tell_latest(self) -> None:
        line = self.front.lines.chosen()
        if line is not None:
            self.tell(*Narrator().utterances([line]))

    def choose_languages(self, choices: LanguageChoices, *, is_source_side: bool) -> None:
        self.begin("languages", self._questions.languages(choices, is_source_side=is_source_side))

    def choose_export(self, selected: int | None, write: Callable[[Export | None], None]) -> None:
        write((ExportFormat.TXT, ExportSide.BOTH, ExportPart()))

    def correct(self, line: Utterance, done: Callable[[Wording | None], None]) -> None:
        self.begin("correct", self._questions.wording(line, done))

    def leave(self, how: AppExit, message: str = "") -> None:
        self._exit = how
        if message:
            self.tell(f"Error: {clean(message)}")
        if how.unsettled:
            self.tell(f"The last words of {counted(how.unsettled, 'line')} did not arrive.")
        self.tell("Good-bye.")
        self._left.set()

    def stop_process(self) -> None:
        self._terminal.suspend()  # returns when the shell continues the program
        self.engine.post(Foreground(True))
