"""Common to the drivers of all platforms: start and stop, the query to the terminal, the filter for its messages."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Iterator
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, ClassVar

from textual import _xterm_parser, constants, events
from textual.keys import Keys
from textual.message import Message

from pinch_tui.keys.flood import FloodGate, Lane
from pinch_tui.keys.hold_input import HoldInput
from pinch_tui.keys.parser import (
    LONGEST_SEQUENCE,
    REPORTS_EVENTS,
    DeviceAttributes,
    HoldParser,
    KeyReleased,
    KittyFlags,
)
from pinch_tui.keys.screen_output import ScreenOutput, repainting

if TYPE_CHECKING:
    from textual.driver import Driver as _Driver
else:
    _Driver = object

ASK = "\x1b[<u\x1b[>27u\x1b[?u\x1b[c"
"""Replaces the driver's flags by 27 (1 unambiguous, 2 event types, 8 all keys, 16 text), then queries the flags and the
device attributes. Every terminal reports its attributes; if they come first, the flags will not come."""
CALM = "\x1b[=0;1u"
"""Switches reports off, and leaves the entry for the driver's own pop."""

INTERRUPT = "ctrl+c"
_LEAVING = (INTERRUPT, "ctrl+q")


class TalkKeyFilter:
    """Makes the parser, and keeps the talk key's messages and those of a flood from the application.

    Ctrl+C overtakes the keys that are queued on the ``loop``: ``hold.on_interrupt`` is called there, in the context in
    which this filter was made.
    """

    def __init__(self, hold: HoldInput, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.gate = FloodGate()
        self._hold = hold
        hold.dropped = lambda: self.gate.dropped
        self._postponed: dict[str, Message] = {}
        self._parser = self.make_parser()
        self._loop = loop
        self._context = contextvars.copy_context()

    def make_parser(self, debug: bool = False) -> HoldParser:
        parser = self._parser = HoldParser(debug, self._hold.clock, self.take_postponed)
        self._hold.is_midway = lambda: parser.is_midway
        return parser

    def can_time_out(self) -> bool:
        """Whether a message can come without any further input."""
        return self._parser.is_waiting or bool(self._postponed)

    def takes(self, message: Message) -> bool:
        """Whether to keep this message from the application."""
        return (
            self._is_too_many(message)
            or self._is_ours(message)
            or self._overtakes(message)
            or not self._passes(message)
        )

    def _is_too_many(self, message: Message) -> bool:
        if not isinstance(message, events.Key) or message.key in _LEAVING:
            return False
        return message.key == Keys.Ignore or not self.gate.passes(Lane.READ, self._hold.clock())

    def _overtakes(self, message: Message) -> bool:
        on_interrupt, loop = self._hold.on_interrupt, self._loop
        if not isinstance(message, events.Key) or message.key != INTERRUPT or on_interrupt is None or loop is None:
            return False
        with contextlib.suppress(RuntimeError):  # the loop has closed: the program is ending
            loop.call_soon_threadsafe(on_interrupt, context=self._context)
        return True

    def take_postponed(self) -> list[Message]:
        """The newest dropped message about each state (focus, size, button), once there is room for them."""
        if not self._postponed or not self.gate.has_room(Lane.REST, self._hold.clock()):
            return []
        postponed, self._postponed = list(self._postponed.values()), {}
        return postponed

    def _passes(self, message: Message) -> bool:
        now = self._hold.clock()
        match message:
            case events.Key():
                return message.key in _LEAVING or self.gate.passes(Lane.KEYS, now)
            case events.MouseEvent():
                lane, state = Lane.POINTER, "button" if isinstance(message, events.MouseUp) else ""
            case events.AppFocus() | events.AppBlur():
                lane, state = Lane.REST, "focus"
            case events.Resize():
                lane, state = Lane.REST, "size"
            case _:
                return self.gate.passes(Lane.REST, now)
        passes = self.gate.passes(lane, now)
        self._postponed.pop(state, None)
        if state and not passes:
            self._postponed[state] = message
        return passes

    def _is_ours(self, message: Message) -> bool:
        parser, hold = self._parser, self._hold
        t = parser.read_at
        match message:
            case KeyReleased():
                hold.key_released(message.key, t)
                return True
            case KittyFlags():
                hold.answered(bool(message.flags & REPORTS_EVENTS), t)
                return True
            case DeviceAttributes():
                hold.answered(False, t)
                return True
            case events.Key():
                return hold.key_pressed(
                    message.key, parser.plain_name, base=parser.base_name, reports_release=parser.reports_release, t=t
                )
            case events.AppBlur():
                hold.blur(t)
            case events.AppFocus():
                hold.focus(t)
            case _:
                pass
        return False


class TalkKeyDriver(_Driver):
    """A base to put before the platform's driver. `pinch_tui.keys.hook` makes the subclass that has ``hold``."""

    hold: ClassVar[HoldInput]
    module: ClassVar[ModuleType]
    """The module of the platform's driver."""
    input_tty: Any = True
    fileno: Any = None
    _writer_thread: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._filter = TalkKeyFilter(self.hold, self._loop)

    def start_application_mode(self) -> None:
        writer_before = self._writer_thread
        is_disabled = constants.DISABLE_KITTY_KEY
        self.hold.attach(self.fileno if self.input_tty else None)
        if self.input_tty:  # before the input thread starts, since this forgets earlier answers
            self.hold.asked(self.hold.clock(), is_disabled=is_disabled)
        with replaced_names(self.module, WriterThread=self._output):
            super().start_application_mode()  # type: ignore[safe-super]
        is_stopped_again = self._writer_thread is writer_before  # it was started as a background job
        if self.input_tty and self.hold.settings.exact and not is_disabled and not is_stopped_again:
            self.write(ASK)
            self.flush()

    def _output(self, file: IO[str]) -> ScreenOutput:
        return ScreenOutput(file, repainting(self._loop, self._app))

    def stop_application_mode(self) -> None:
        self.hold.detach(self.hold.clock())
        if self.hold.findings.is_claimed and self._writer_thread is not None:
            self.write(CALM)
        super().stop_application_mode()  # type: ignore[safe-super]
        self.hold.detach(self.hold.clock())  # for a press that came before the input thread ended

    def process_message(self, message: Message) -> None:
        if not self._filter.takes(message):
            super().process_message(message)


@contextlib.contextmanager
def replaced_names(module: ModuleType, **names: object) -> Iterator[None]:
    """Replace a module's names inside the block."""
    before = {name: getattr(module, name) for name in names}
    try:
        for name, value in names.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


@contextlib.contextmanager
def collecting() -> Iterator[None]:
    """Let the parser collect longer sequences inside the block, such as xterm's device attributes. Blocks must not
    overlap, since each restores the length that it found."""
    with replaced_names(_xterm_parser, _MAX_SEQUENCE_SEARCH_THRESHOLD=LONGEST_SEQUENCE):
        yield


@contextlib.contextmanager
def reading(driver_module: ModuleType, **names: object) -> Iterator[None]:
    """`replaced_names` in the driver's module and `collecting`, for the thread that reads."""
    with replaced_names(driver_module, **names), collecting():
        yield
