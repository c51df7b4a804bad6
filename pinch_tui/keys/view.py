"""What the driver's parser makes of a terminal's bytes, sequence by sequence (``pinch-tui keys``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from textual import events
from textual.keys import Keys
from textual.message import Message

from pinch_tui.keys.driver_filter import TalkKeyFilter
from pinch_tui.keys.hold_input import HoldInput
from pinch_tui.keys.parser import DeviceAttributes, KeyReleased, KittyFlags

REPEAT_WITHIN_S = 1.1
"""The same untyped key within this time is probably a repeat; the delay before the first repeat can be a second."""
_LONGEST = 80


class Kind(StrEnum):
    PRESS = "press"
    REPEAT = "repeat"
    RELEASE = "release"
    AGAIN = "repeat?"  # untyped, and the same key came within `REPEAT_WITHIN_S`
    FOCUS = "focus"
    BLUR = "blur"
    ANSWER = "answer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Seen:
    """One sequence: its bytes made visible, its kind, its key, and the seconds since the sequence before."""

    raw: str
    kind: Kind
    key: str
    since_s: float | None = None


class KeyView:
    """Reads input and passes it to ``hold`` as the driver would. The parser gets one character at a time, so that each
    message belongs to the characters since the one before."""

    def __init__(self, hold: HoldInput) -> None:
        self._filter = TalkKeyFilter(hold)
        self._parser = self._filter.make_parser()
        self._raw = ""
        self._last: tuple[str, float] | None = None
        self._at: float | None = None

    def feed(self, text: str, t: float) -> list[Seen]:
        """Read more input; "" (silence) ends an unfinished sequence."""
        seen: list[Seen] = []
        for char in text:
            self._raw += char
            seen += self._see(self._parser.feed(char), t)
        if not text:
            seen += self._see(self._parser.tick(), t)
        return seen

    def _see(self, messages: Iterable[Message], t: float) -> list[Seen]:
        seen: list[Seen] = []
        for message in messages:
            kind, key = self._read(message, t)
            since = None if self._at is None else t - self._at
            self._at = t
            seen.append(Seen(visible(self._raw), kind, key, since))
            self._filter.takes(message)
        if seen:
            self._raw = ""
        return seen

    def _read(self, message: Message, t: float) -> tuple[Kind, str]:
        match message:
            case KeyReleased():
                self._last = None
                return Kind.RELEASE, visible(message.key) or "?"
            case KittyFlags():
                return Kind.ANSWER, f"key protocol flags {message.flags}"
            case DeviceAttributes():
                return Kind.ANSWER, "device attributes"
            case events.AppFocus():
                return Kind.FOCUS, "the window"
            case events.AppBlur():
                return Kind.BLUR, "the window"
            case events.Key() if message.key != Keys.Ignore:
                if self._parser.is_repeat:
                    return Kind.REPEAT, visible(message.key)
                last, self._last = self._last, (self._raw, t)
                is_again = last is not None and last[0] == self._raw and t - last[1] < REPEAT_WITHIN_S
                return (Kind.AGAIN if is_again else Kind.PRESS), visible(message.key)
            case _:
                return Kind.OTHER, "?"


def visible(sequence: str) -> str:
    """The sequence as printable text: ``ESC[32;1:3u``."""
    out = []
    for char in sequence[:_LONGEST]:
        if char == "\x1b":
            out.append("ESC")
        elif char == " ":
            out.append("SPACE")
        elif char < " " or char == "\x7f":
            out.append(f"^{chr(ord(char) ^ 0x40)}")
        else:
            out.append(char if char.isprintable() else f"\\u{ord(char):04x}")
    return "".join(out)[:_LONGEST]
