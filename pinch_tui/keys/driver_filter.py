"""What the drivers of all platforms share: the question to the terminal, and the sorting of what comes back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from textual import _xterm_parser, events
from textual.message import Message

from pinch_tui.keys.parser import (
    LONGEST_SEQUENCE,
    REPORTS_EVENTS,
    DeviceAttributes,
    HoldParser,
    KeyReleased,
    KittyFlags,
)

if TYPE_CHECKING:
    from pinch_tui.keys.hold_input import HoldInput

ASK = "\x1b[<u\x1b[>27u\x1b[?u\x1b[c"
"""Replace the driver's flags by 27 (1 unambiguous, 2 event types, 8 all keys, 16 text), ask for the flags in force,
and ask what every terminal answers, so that a missing answer is known as soon as the other one comes."""
CALM = "\x1b[=0;1u"
"""No more reports, while the entry stays for the driver's own pop."""


class TalkKeyFilter:
    """What both drivers share: a parser of ours, and each message sorted into ours and the application's."""

    def __init__(self, hold: HoldInput) -> None:
        self._hold = hold
        self._parser: HoldParser | None = None

    def make_parser(self, debug: bool = False) -> HoldParser:
        parser = self._parser = HoldParser(debug, self._hold.clock)
        self._hold.is_midway = lambda: parser.is_midway
        return parser

    def takes(self, message: Message) -> bool:
        """Whether this message is ours and goes no further."""
        parser, hold = self._parser, self._hold
        t = parser.read_at if parser is not None else hold.clock()
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
                plain = parser.plain_name if parser is not None else ""
                base = parser.base_name if parser is not None else ""
                reports_release = parser is not None and parser.reports_release
                return hold.key_pressed(message.key, plain, base=base, reports_release=reports_release, t=t)
            case events.AppBlur():
                hold.blur(t)
                return False
            case events.AppFocus():
                hold.focus(t)
                return False
            case _:
                return False


@contextlib.contextmanager
def replaced_names(driver_module: ModuleType, **names: object) -> Iterator[None]:
    """Put these names in place of a driver module's own, and let the parser collect longer sequences, for a while."""
    swaps: list[tuple[ModuleType, str, object]] = [(driver_module, name, value) for name, value in names.items()]
    swaps.append((_xterm_parser, "_MAX_SEQUENCE_SEARCH_THRESHOLD", LONGEST_SEQUENCE))
    before = [(module, name, getattr(module, name)) for module, name, _ in swaps]
    try:
        for module, name, value in swaps:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
