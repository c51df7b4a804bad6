"""A parser that also reads typed key events (press, repeat, release) and the terminal's answers about them.

It overrides `XTermParser._sequence_to_key_events`, which is private, and wraps two methods that can raise. No input
raises here. No answer and no unknown sequence reaches the application as typed text: a sequence that cannot become a
known one is dropped to its end. A bracketed paste is text up to its end mark. Ctrl+C ends all of these.

A release is matched by key code alone: its modifiers are those held at its moment, and some terminals add text. Presses
and repeats are rewritten to the untyped form that the base class knows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

from textual import events
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, _character_to_key
from textual.message import Message

from pinch_tui.core.keynames import MODIFIERS

LONGEST_SEQUENCE = 128
"""Longest unfinished sequence, in characters: enough for device attributes and composed text."""
LONGEST_PASTE = 1 << 16
"""Longest paste, in characters; the rest is dropped."""
REPORTS_EVENTS = 0b10
"""The keyboard protocol's flag for event types."""
_LOCKS = 64 | 128
_HELD = 0b111111

_typed = re.compile(r"\x1b\[([0-9:]*);([0-9]*):([0-9]+)((?:;[0-9:]*)?)([u~A-HPQRS])")
_untyped = re.compile(r"\x1b\[([0-9:]*);([0-9]*)((?:;[0-9:]*)?)([u~A-HPQRS])")
_bare_u = re.compile(r"\x1b\[([0-9]+)u")
_flags = re.compile(r"\x1b\[\?([0-9]{1,4})u")
_attributes = re.compile(r"\x1b\[\?[0-9;]*c")
_complete = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_begun = re.compile(r"\x1b(?:[\[O][0-?]*)?\Z")
_possible = re.compile(r"\x1b\[(?:[0-?]*[ -/]*[@-~]?|\[.?|M.{0,3})", re.DOTALL)
_interrupt = re.compile(r"\x03|\x1b\[99(?::[0-9:]*)?;(?:5|69|133|197)(?::1)?(?:;[0-9:]*)?u")
_string = re.compile(r"\x1b\][0-9]")
_background = re.compile(r"\x1b\]11;(?:rgba?:|#)([0-9a-fA-F/]{3,19})\x07?")
_STRINGS = "P]_^X"
"""After Escape these begin a string, such as an answer, which ends at BEL or the next Escape."""
_SILENCE_S = 0.1
"""After this silence, input no longer belongs to a dropped sequence."""
_ANSWER_S = 1.0
"""The same for a terminal's answer, which a network can deliver in pieces."""
_EARLY = {"escape": "\x1b", "right_square_bracket": "\x1b]"}
_elsewhere = re.compile(r"\x1b\[(?:\[|M.{0,3}|<?[-0-9;]+[mM]|\?[0-9]+;[0-9]\$y)", re.DOTALL)


class KittyFlags(events.Event, bubble=False):
    """The terminal's answer about the keyboard protocol's flags."""

    key = "<flags>"  # the base parser wants one of every event

    def __init__(self, flags: int) -> None:
        super().__init__()
        self.flags = flags


class DeviceAttributes(events.Event, bubble=False):
    """The terminal's device attributes, which every terminal reports; they come after the flags or instead of them."""

    key = "<device-attributes>"


class TerminalBackground(events.Event, bubble=False):
    """The terminal's background colour; ``red``, ``green`` and ``blue`` from 0.0 to 1.0."""

    key = "<background>"

    def __init__(self, red: float, green: float, blue: float) -> None:
        super().__init__()
        self.red, self.green, self.blue = red, green, blue


class KeyReleased(events.Event, bubble=False):
    """A key was released. ``key``: its Textual name without modifiers."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class HoldParser(XTermParser):
    """``read_at``: when the bytes of the present events were read. ``postponed``: further messages, polled with
    `tick`."""

    def __init__(
        self,
        debug: bool = False,
        clock: Callable[[], float] = time.monotonic,
        postponed: Callable[[], Iterable[Message]] = tuple,
    ) -> None:
        self._clock = clock
        self._postponed = postponed
        self.read_at = clock()
        self.plain_name = ""
        """The key of the last key event if it had no modifiers; "" otherwise or if unknown."""
        self.base_name = ""
        """That key whatever its modifiers: the name that its release will have."""
        self.reports_release = False
        """Whether the last key event had a form that a release report can follow."""
        self.is_repeat = False
        """Whether the last key event was reported as a repeat."""
        self._begun = ""
        self._paste: str | None = None  # the paste so far; its tail can be part of the end mark
        self._dropping = ""  # what introduced the sequence whose rest is dropped
        self._string = ""  # an unfinished operating system command, which ends with BEL or Escape and a backslash
        self._n_reissued = 0  # how many of its characters the base class will still give back as keys
        self._is_closing = False  # only the backslash is missing
        self._is_answer = False  # the dropped rest belongs to such an answer
        self._early = ""  # input that became keys after a silence, but can be the beginning of an answer
        self._early_at = 0.0
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        now = self._clock()
        if self._dropping and now - self.read_at >= (_ANSWER_S if self._is_answer else _SILENCE_S):
            self._dropping, self._is_answer = "", False
        if (self._early + data).startswith("\x1b]11;") and now - self._early_at < _ANSWER_S:
            data, self._early = self._early + data, ""
        self.read_at = now
        return self._feed_around_pastes(data)

    def _feed_around_pastes(self, data: str) -> Iterable[Message]:
        if self._paste is not None and _interrupt.fullmatch(data):
            self._paste = None  # the end mark was lost, and the keyboard would be dead
            yield from self._feed_base(BRACKETED_PASTE_END)
        if not data:
            yield from super().feed(data)
        while data:
            if self._paste is None:
                begun = len(self._begun)
                before, mark, data = (self._begun + data).partition(BRACKETED_PASTE_START)
                yield from self._feed_base((before + mark)[begun:])
                self._paste = "" if mark else None
                continue
            text, mark, rest = (self._paste + data).partition(BRACKETED_PASTE_END)
            if not mark:
                tail = text[-len(BRACKETED_PASTE_END) :]
                self._paste = text if len(text) <= LONGEST_PASTE else text[: LONGEST_PASTE - len(tail)] + tail
                return
            self._paste, data = None, rest
            yield from self._feed_base(BRACKETED_PASTE_END)
            yield events.Paste(text[:LONGEST_PASTE].replace("\x00", ""))

    def _feed_base(self, data: str) -> Iterable[Message]:
        begun = _begun.search(self._begun + data)
        self._begun = begun[0] if begun and len(begun[0]) <= LONGEST_SEQUENCE else ""
        for message in super().feed(data) if data else ():
            if not isinstance(message, events.Paste):  # the base class gets only the marks around it
                yield message

    @property
    def is_midway(self) -> bool:
        """Whether the input ends in the beginning of a sequence, which can also be the Escape key."""
        return self._begun != ""

    @property
    def is_waiting(self) -> bool:
        """Whether `tick` has to be called, since silence ends the sequence that has begun."""
        return getattr(self, "_timeout_time", 0.0) is not None

    def tick(self) -> Iterable[Message]:
        for message in super().tick():
            self._begun = ""
            if isinstance(message, events.Key) and message.key in _EARLY:
                self._early, self._early_at = _EARLY[message.key], self._clock()
                if self._is_closing:
                    continue
            yield message
        yield from self._postponed()

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        return self._messages_of(sequence, alt)  # type: ignore[return-value]  # the base class only needs a ``key``

    def _messages_of(self, sequence: str, alt: bool) -> list[Message]:
        self.plain_name = self.base_name = ""
        self.reports_release = self.is_repeat = False
        if self._dropping and self._drops(sequence):
            return [_ignored(sequence)]
        if (part := self._answer_of(sequence)) is not None:
            return part
        if sequence[0] == "\x1b" and len(sequence) > 2:
            if sequence[-1] == "\x03":
                return list(self._base_events("\x03", False))
            if sequence[1] in _STRINGS and len(sequence) >= LONGEST_SEQUENCE:
                self._dropping = sequence[1]
                return [_ignored(sequence)]
        if not sequence.startswith("\x1b["):
            self.reports_release = sequence.startswith("\x1bO")  # the untyped press of a function key or an arrow
            return list(self._base_events(sequence, alt))
        if len(sequence) >= LONGEST_SEQUENCE or not _possible.fullmatch(sequence):
            return self._given_up(sequence)
        if answer := _flags.fullmatch(sequence):
            return [KittyFlags(int(answer[1]))]
        if _attributes.fullmatch(sequence):
            return [DeviceAttributes()]
        if typed := _typed.fullmatch(sequence):
            code, modifiers, kind, text, end = typed.groups()
            if kind == "3":
                return [KeyReleased(plain_name(code, end))]
            if kind not in ("1", "2"):
                return [_ignored(sequence)]
            self.is_repeat = kind == "2"
            sequence = _rewritten(code, modifiers, text, end)
        elif (untyped := _untyped.fullmatch(sequence)) and (int(untyped[2] or "1") - 1) & _LOCKS:
            sequence = _rewritten(*untyped.groups())
        keys: list[Message] = list(self._base_events(sequence, alt))
        if keys:
            self._describe(sequence)
        elif _complete.fullmatch(sequence) and not _elsewhere.fullmatch(sequence):
            return [_ignored(sequence)]
        return keys

    def _answer_of(self, sequence: str) -> list[Message] | None:
        """The messages for a part of an operating system command; None if this is no part of one.

        The base class does not know these commands. If an Escape or silence ends one, it gives the command back as
        keys, character by character: the Escape first, or the bracket with Alt.
        """
        if self._n_reissued:
            self._n_reissued -= 1
            return []
        is_closing, self._is_closing = self._is_closing, False
        if is_closing and sequence in ("\x1b\\", "\\"):
            return [_ignored(sequence)]
        if len(sequence) > 1:
            is_one = _string.match(sequence) is not None
            self._string = sequence if is_one and len(sequence) < LONGEST_SEQUENCE and sequence[-1] >= " " else ""
            return [_message_of(sequence)] if is_one and sequence[-1] == "\x07" else None
        string, self._string = self._string, ""
        if not string:
            return None
        if sequence == "\x1b":
            self._n_reissued, self._is_closing = len(string) - 1, True
            return [answer] if isinstance(answer := _message_of(string), TerminalBackground) else []
        self._dropping, self._is_answer = "]", True
        return []

    def _given_up(self, sequence: str) -> list[Message]:
        """A control sequence that is too long, or that has become impossible."""
        last = sequence[-1]
        if not "@" <= last <= "~":
            self._dropping = "["
        if last < " ":  # as in terminals, a control character counts inside a sequence, too
            self._dropping = ""
            return list(self._base_events(last, False))
        return [_ignored(sequence)]

    def _drops(self, sequence: str) -> bool:
        """Whether this belongs to the dropped sequence; a control character or another sequence ends that."""
        kind = self._dropping
        if len(sequence) > 1 or sequence < " ":
            self._dropping = ""
            return sequence in ("\x07", "\x1b\\") and kind != "["
        if kind == "[" and "@" <= sequence <= "~":
            self._dropping = ""
        return True

    def parse_mouse_code(self, code: str) -> Message | None:
        try:
            return super().parse_mouse_code(code)
        except (ValueError, ZeroDivisionError):  # a report out of range, or one after a window of no size
            return None

    def _base_events(self, sequence: str, alt: bool) -> list[events.Key]:
        try:
            keys = list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError):  # a code that is no character
            return [_ignored(sequence)]
        if any(key.character is not None and not _is_encodable(key.character) for key in keys):
            return [_ignored(sequence)]
        return keys

    def _describe(self, sequence: str) -> None:
        self.reports_release = True  # of a function key, too, though its form does not promise it
        if match := _bare_u.fullmatch(sequence):
            self.plain_name = self.base_name = plain_name(match[1], "u")
        elif match := _untyped.fullmatch(sequence):
            code, modifiers, _, end = match.groups()
            if end == "u" and code.partition(":")[0] in ("", "0"):  # text of an input method, which is no key
                self.reports_release = False
                return
            self.base_name = plain_name(code, end)
            if not (int(modifiers or "1") - 1) & _HELD or self.base_name in MODIFIERS:
                self.plain_name = self.base_name


def plain_name(code: str, end: str) -> str:
    """A key's Textual name, without modifiers, from its code and final character; "" if it has none."""
    number = code.partition(":")[0] or "1"
    if name := FUNCTIONAL_KEYS.get(f"{number}{end}"):
        return name
    if end != "u":
        return ""
    try:
        character = chr(int(number))
        name = character if character.isalnum() else _character_to_key(character)
    except (ValueError, OverflowError):
        return ""
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _rewritten(code: str, modifiers: str, text: str, end: str) -> str:
    """The untyped form of a key event, without locks.

    If no modifier is held, the field is left out: with it, Enter, Tab and Backspace would lose their characters.
    """
    number = code.partition(":")[0]
    held = max(0, int(modifiers or "1") - 1) & ~_LOCKS
    if held:
        return f"\x1b[{number};{held + 1}{text}{end}"
    if text:
        return f"\x1b[{number};{text}{end}"
    return f"\x1b[{'' if end not in 'u~' and number in ('', '1') else number}{end}"


def _message_of(string: str) -> Message:
    """The message of a complete operating system command. Colours have 1 to 4 hexadecimal digits per channel."""
    match = _background.fullmatch(string)
    if match is None:
        return _ignored(string)
    digits = match[1]
    third = len(digits) // 3
    parts = digits.split("/") if "/" in digits else [digits[:third], digits[third : 2 * third], digits[2 * third :]]
    if len(parts) not in (3, 4) or not all(0 < len(part) <= 4 for part in parts):
        return _ignored(string)
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in parts[:3])
    return TerminalBackground(red, green, blue)


def _ignored(sequence: str) -> events.Key:
    return events.Key(Keys.Ignore, sequence)


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
