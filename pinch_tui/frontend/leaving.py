"""Quits and suspends the program: closes the microphone and waits for the last words."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from pinch_tui.core.events import EngineEvent, Foreground, MicState, Quit, TalkSource
from pinch_tui.core.transcript.unheard import Unheard
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.engine.facade import EngineFacade
from pinch_tui.errors import EXIT_INTERRUPTED, EXIT_OK, PinchError
from pinch_tui.frontend.ports import AppExit, Face, TalkKey

BACKSTOP_S = 6.0
"""The program leaves after this time even if the engine has not stopped. A drain should take 3 s at most."""
CLOSE_S = 3.5
"""Longest wait for the microphone to close, enough for a hanging open to time out."""
_SEND_S = 0.05
"""Time for the last frames and the finalize to be sent."""


def farewell(n_said: int, n_kept: int | None, conversation: str = "", wordless: Sequence[Utterance] = ()) -> str:
    """The line printed after the program has quit. ``n_said``: lines with words. ``n_kept``: lines in the history, None
    if it is off. ``conversation``: the continued conversation, "" for a new one. ``wordless``: utterances without
    words."""
    if not n_said and not n_kept:
        return f"Nothing was kept: {_fates(wordless)}." if wordless else "Nothing was said."
    if n_kept is None:
        return f"{_lines(n_said)} not kept: the history is off."
    if not n_kept:
        return f"{_lines(n_kept)} kept, though something was said."
    return f"{_lines(n_kept)} kept. To show: {f'pinch-tui history show {conversation}'.strip()}"


def _fates(wordless: Sequence[Utterance]) -> str:
    """``2 utterances were thrown away, 1 was not understood``."""
    counts = Counter(map(_fate, wordless))
    parts = [f"{counts[fate]} {'was' if counts[fate] == 1 else 'were'} {fate}" for fate in _FATES if counts[fate]]
    number, _, rest = parts[0].partition(" ")
    return ", ".join([f"{number} utterance{'' if number == '1' else 's'} {rest}", *parts[1:]])


_FATES = ("thrown away", "not understood", "silent", "not answered")


def _fate(utterance: Utterance) -> str:
    match utterance.state:
        case UtteranceState.CANCELLED:
            return "thrown away"
        case UtteranceState.EMPTY if utterance.has_note or utterance.unheard is Unheard.NO_TEXT:
            return "not understood"
        case UtteranceState.EMPTY:
            return "silent"
        case _:
            return "not answered"


def _lines(n: int) -> str:
    return "1 line was" if n == 1 else f"{n} lines were"


class Leaving:
    """Quits or suspends the program, once."""

    def __init__(self, engine: EngineFacade, hold: TalkKey, face: Face, clock: Callable[[], float]) -> None:
        self._engine, self._hold, self._face, self._clock = engine, hold, face, clock
        self._has_ended = False
        self._is_interrupted = False
        self._is_suspending = False
        self._backstop: asyncio.TimerHandle | None = None
        self.is_under_way = False

    def ask(self, *, is_interrupt: bool = False) -> None:
        """Wait for the last words, then leave. A second request, by Ctrl+C or a signal, leaves at once."""
        self._is_interrupted = self._is_interrupted or is_interrupt
        if self.is_under_way:
            if is_interrupt:
                self._engine.post(Quit(drain=False))
                self.end()
            return
        self.is_under_way = True
        self._face.close_panels()
        self._hold.end(TalkSource.QUIT, self._clock())
        self._face.confirm("Leaving; waiting for the last words. Ctrl+C leaves at once.")
        self._backstop = asyncio.get_running_loop().call_later(BACKSTOP_S, self.end)
        self._engine.post(Quit(drain=True))

    def interrupt(self) -> None:
        """Ctrl+C or a signal."""
        self.ask(is_interrupt=True)

    def hang_up(self) -> None:
        """The terminal is gone. Both a signal and the input report it; that must not count as two requests."""
        if not self.is_under_way:
            self.ask(is_interrupt=True)

    def end(self, unsettled: int = 0) -> None:
        """The engine has stopped; the last words of ``unsettled`` utterances did not arrive."""
        self._leave(AppExit(EXIT_INTERRUPTED if self._is_interrupted else EXIT_OK, unsettled))

    def fail(self, error: PinchError) -> None:
        """The engine could not run: leave with its message and exit code, without a traceback."""
        self._leave(AppExit(error.exit_code), str(error))

    def _leave(self, how: AppExit, message: str = "") -> None:
        if self._has_ended:
            return
        self._has_ended = self.is_under_way = True
        if self._backstop is not None:
            self._backstop.cancel()
        self._face.leave(how, message)

    # ---- to the background ----------------------------------------------------------------------------------------

    def suspend(self) -> None:
        """Suspend to the shell, with the microphone closed first: a stopped program must not listen."""
        self._hold.end(TalkSource.QUIT, self._clock())
        if not self._is_suspending:
            self._is_suspending = True
            self._face.begin("suspend", self._suspend())

    async def _suspend(self) -> None:
        try:
            await close_microphone(self._engine)
            self._face.stop_process()
        finally:
            self._is_suspending = False


async def close_microphone(engine: EngineFacade) -> None:
    """End the utterance under way; returns once the microphone is closed and the last frames are sent."""
    is_closed = asyncio.Event()

    def look(_event: EngineEvent | None) -> None:
        if engine.status.mic in (MicState.CLOSED, MicState.ABSENT):
            is_closed.set()

    engine.post(Foreground(False))
    unsubscribe = engine.subscribe(look)
    look(None)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await is_closed.wait()
    finally:
        unsubscribe()
    await asyncio.sleep(_SEND_S)
