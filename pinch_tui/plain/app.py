"""The line mode (``pinch-tui --plain``): for screen readers and terminals that can only append lines.

No cursor movement, no colour, no interim text unless asked for; still push-to-talk. Single keys are the screen's own
actions (`pinch_tui.plain.actions`), the user's map included; only the language question reads a line. Belongs to the
event loop; the terminal is given back however it ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Protocol

from pinch_tui.core.events import (
    ChangeSession,
    EngineEvent,
    Foreground,
    NoticePosted,
    Quit,
    SessionParams,
    StateWord,
    Status,
    StatusChanged,
    Stopped,
    TalkSource,
    TranscriptChanged,
)
from pinch_tui.core.keymap import FIXED, resolve_keys
from pinch_tui.core.options import difference_text, kept_choices, pair_text
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.frontend.actions import BY_NAME, first_key
from pinch_tui.frontend.background import deafen
from pinch_tui.frontend.services import AppServices
from pinch_tui.frontend.status_text import key_name, talk_hint
from pinch_tui.frontend.wanted import Wanted
from pinch_tui.plain.actions import HANDLERS, spoken_key
from pinch_tui.plain.languages import NotOne, parse_pair, recent_text, resolve
from pinch_tui.plain.tty import HANG_UP, TYPED_KEYS, Terminal, this_terminal
from pinch_tui.plain.words import Narrator
from pinch_tui.ui.text.cells import clusters
from pinch_tui.ui.text.layout import clean, wrap

LEVELS_S = 0.5
"""How often the levels are looked at for a silent or clipping microphone."""
_LEAST_COLUMNS = 20
"""Narrower terminals, if there are any, break lines themselves."""
READY_S = 0.4
"""So long the state has to be ready before it is told."""
_END = "ctrl+d"
_N_PHRASES = 3
"""What ends the input of a shell leaves here, too, unless the user's map has it."""
_ASK = (
    "Type what is spoken and what it becomes, such as: en es, or: english, brazilian portuguese. "
    "Names may be cut short; one language alone is the one to translate into. Enter alone changes nothing."
)
_ASK_ONE = "Type the language that you speak, or auto. Enter alone changes nothing."


def terminal_columns() -> int:
    """How wide the terminal is that is written to; 0 where nobody knows, as in a pipe."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 0


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

    def escape(self, t: float) -> None: ...

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
        keys: Mapping[str, tuple[str, ...]] | None = None,
        columns: Callable[[], int] = terminal_columns,
        terminal: Terminal | None = None,
        clock: Callable[[], float] = time.monotonic,
        tells_interims: bool = False,
    ) -> None:
        self.engine = engine
        self.services = services or AppServices()
        self.clock = clock
        self.talk_key = talk_key
        self.keys = resolve_keys({}, talk_key) if keys is None else keys
        self._hold = hold
        self._columns = columns
        self._terminal: Terminal = terminal or this_terminal()
        self._narrator = Narrator(tells_interims=tells_interims)
        self._wanted = Wanted(engine.status.params)
        self._quits = 0
        self._exit_code = 0
        self._tasks: asyncio.TaskGroup | None = None
        self._ready: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._is_suspending = False
        self._is_asking = False
        self._actions = {key: name for name, names in self.keys.items() for key in names}

    @property
    def wanted(self) -> SessionParams:
        """What the next utterance is spoken under."""
        return self._wanted.params

    async def run(self) -> int:
        """Until the engine has stopped; the exit code. Raises `UsageError` when there is no terminal to read from."""
        self._terminal.open(self._on_key)
        stop_listening = self.engine.subscribe(self._on_event)
        stop_signals = self.services.watch_signals(self._on_signal, self._on_hang_up)
        try:
            self._hold.attach(self._terminal.fd)
            self._hold.asked(self.clock())
            self._hold.answered(False, self.clock())  # a question would be printed by a terminal that is really plain
            self._hold.start()
            self._greet()
            self.services.log(self.clock(), "ready", {"mode": "plain"})
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self.begin(self._watch_levels())
                await self.engine.run()
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

    def say(self, line: str) -> None:
        """One line, broken between words where the terminal is narrower."""
        for part in self._wrapped(line):
            self._terminal.write(part)

    def _wrapped(self, line: str) -> list[str]:
        room = self._columns() - 1  # a full line would leave an empty one behind in some terminals
        if room < _LEAST_COLUMNS or not line.strip():
            return [line]
        parts = clusters(line)
        return ["".join(part.text for part in parts[start:end]) for start, end in wrap(parts, room)]

    def _greet(self) -> None:
        if len(self.talk_key) > 1 and self.talk_key not in TYPED_KEYS:
            self.say(f"The key {key_name(self.talk_key)} cannot be read here; the talk key is space.")
            self.talk_key = "space"
            self._hold.set_key("space")
        self.say(f"pinch-tui, line mode. {pair_text(self.wanted)}.")
        if self.engine.status.is_practice:
            self.say("Practice: a small service on this computer, no account needed.")
            phrases = self.services.practice_phrases(self.wanted.source, self.wanted.target, _N_PHRASES)
            if phrases:
                some = " ".join(clean(original) for original, _ in phrases)
                self.say(f"It understands the phrases of its phrasebook, such as: {some}")
        report = self._hold.report()
        self.say(f"{self.how_to_talk()}. {clean(report.sentence)}".strip())
        self.say(f"{self._help_hint()} {spoken_key(first_key(self.keys, 'quit'))} leaves.")

    def how_to_talk(self) -> str:
        """``Press space, speak, press space again``, without a full stop."""
        method = self._hold.report().method
        hint = talk_hint("learned" if method == "mouse" else method, self.talk_key)
        return hint[:1].upper() + hint[1:]

    def _on_event(self, event: EngineEvent) -> None:
        match event:
            case StatusChanged(status):
                self._on_status(status)
            case TranscriptChanged(numbers):
                changed = [self.engine.transcript.utterance(number) for number in sorted(numbers)]
                for line in self._narrator.utterances(changed):
                    self.say(line)
            case NoticePosted():
                for line in self._narrator.notice(event):
                    self.say(line)
            case Stopped(unsettled, exit_code):
                self._exit_code = exit_code
                if unsettled:
                    self.say(f"The last words of {unsettled} lines did not come.")
                self.say("Good-bye.")
            case _:
                pass

    def _on_status(self, status: Status) -> None:
        self._wanted.take(status.params)
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
        self._tell_status(self.engine.status)

    def _tell_status(self, status: Status) -> None:
        for line in self._narrator.status(status, self.clock()):
            self.say(line)

    async def _watch_levels(self) -> None:
        while True:
            await asyncio.sleep(LEVELS_S)
            for line in self._narrator.levels(self.engine.status, self.engine.levels(), self.clock()):
                self.say(line)

    # ---- keys -----------------------------------------------------------------------------------------------------

    def _on_signal(self) -> None:
        self.quit()

    def _on_hang_up(self) -> None:
        if not self._quits:
            self.quit()

    def cancel(self) -> bool:
        """Throw away what is being said; False when nobody talks."""
        if self.engine.status.talking_since is None and self.engine.status.word is not StateWord.TALKING:
            return False
        self._hold.escape(self.clock())
        return True

    def suspend(self) -> None:
        """To the shell; what is being said ends."""
        self._hold.end(TalkSource.QUIT, self.clock())
        if not self._is_suspending:
            self._is_suspending = True
            self.begin(self._stop_when_deaf())

    async def _stop_when_deaf(self) -> None:
        await deafen(self.engine)
        self._terminal.suspend()  # stops here until it is continued
        self._is_suspending = False
        self.engine.post(Foreground(True))

    def _on_key(self, key: str, t: float) -> None:
        if key == HANG_UP:
            self._on_hang_up()
        elif self._actions.get(key) in FIXED:  # not even the talk key stands before them
            self.quit()
        elif not self._hold.key_pressed(key, "", reports_release=False, t=t):
            self._command(key)

    def _command(self, key: str) -> None:
        name = self._actions.get(key, "")
        if name in HANDLERS:
            HANDLERS[name](self)
        elif name:
            self.say(f"{BY_NAME[name].title} is there on the screen only.")
        elif key == _END:
            self.quit()
        elif key == "q":
            self.say(f"{spoken_key(first_key(self.keys, 'quit'))} quits.")
        elif len(key) == 1 and key.isprintable():
            self.say(f"The key {spoken_key(key)} does nothing here. {self._help_hint()}")

    def _help_hint(self) -> str:
        key = first_key(self.keys, "help")
        return f"Press {spoken_key(key)} for help." if key else "pinch-tui keys --actions lists the keys."

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Something slow, beside everything else; it ends with the program."""
        if self._tasks is None:
            work.close()
            return
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def quit(self) -> None:
        """Once: wait for the last words and leave. Twice: leave at once."""
        self._quits += 1
        self._hold.end(TalkSource.QUIT, self.clock())
        is_first = self._quits == 1
        if is_first:
            self.say("Leaving; waiting for the last words. Press again to leave at once.")
        self.engine.post(Quit(drain=is_first))

    # ---- languages ------------------------------------------------------------------------------------------------

    def change(self, params: SessionParams) -> None:
        """Ask for other languages, another voice, or text alone."""
        if params == self.wanted:
            self.say(f"Languages stay: {pair_text(params)}.")
            return
        if (params.source, params.target) != (self.wanted.source, self.wanted.target):
            self.services.remember_pair(params.source, params.target)
        for name, value in kept_choices(self.wanted, params).items():
            self.services.remember(name, value)
        before, params = self.wanted, self._wanted.choose(params)
        self._narrator.knows(params)
        if pair_text(before) != pair_text(params):
            self.say(f"From now on: {pair_text(params)}.")
        else:
            self.say(f"From now on: {difference_text(before, params)}.")
        self.engine.post(ChangeSession(params))

    async def choose_languages(self, *, is_source_side: bool = False) -> None:
        """Ask for the pair, or for the spoken language alone, with the terminal's own line editing."""
        if self._is_asking:
            return
        self._is_asking = True
        self._hold.armed = False
        try:
            self.say(f"Now {pair_text(self.wanted)}.")
            recent = recent_text(self.services.recent_pairs())
            if recent and not is_source_side:
                self.say(f"Used before: {recent}.")
            answer = clean(await self._terminal.ask("\n".join(self._wrapped(_ASK_ONE if is_source_side else _ASK))))
        finally:
            self._hold.armed = True
            self._is_asking = False
        if not answer.strip():
            self.say(f"Languages stay: {pair_text(self.wanted)}.")
            return
        try:
            if is_source_side:
                source, target = resolve(answer, may_be_auto=True), self.wanted.target
            else:
                source, target = parse_pair(answer, self.wanted.source, self.wanted.target)
            if source == target:
                raise NotOne("These are not two languages.")
        except NotOne as doubt:
            self.say(f"{doubt} Nothing was changed.")
            return
        self.change(replace(self.wanted, source=source, target=target))
