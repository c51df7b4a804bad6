"""Every byte sequence that terminals were seen to send, whole and split, and anything else they might."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

from pinch_tui.keys.driver_filter import reading
from pinch_tui.keys.parser import (
    DeviceAttributes,
    HoldParser,
    KeyReleased,
    KittyFlags,
    TerminalBackground,
    plain_name,
)


@pytest.fixture(autouse=True)
def as_in_the_driver() -> Iterator[None]:
    with reading(linux_driver):
        yield


def seen(data: str, *, split: bool = False) -> list[str]:
    """What the parser makes of it: ``space``, ``enter='\\r'``, ``-space`` for a release."""
    parser = HoldParser()
    parts = list(data) if split else [data]
    return [described(message) for part in parts for message in parser.feed(part)]


def described(message: Message) -> str:
    match message:
        case KeyReleased():
            return f"-{message.key}"
        case KittyFlags():
            return f"flags {message.flags}"
        case DeviceAttributes():
            return "attributes"
        case TerminalBackground():
            return f"background {message.red:.2f} {message.green:.2f} {message.blue:.2f}"
        case events.Key():
            return message.key if message.character is None else f"{message.key}={message.character!r}"
        case _:
            return type(message).__name__


SPACE = "space=' '"
ENTER = "enter='\\r'"
SEQUENCES = [
    # the talk key
    ("\x1b[32;;32u", [SPACE]),
    ("\x1b[32;1:1;32u", [SPACE]),
    ("\x1b[32;1;32u", [SPACE]),
    ("\x1b[32u", ["space"]),
    ("\x1b[32;1:2;32u", [SPACE]),
    ("\x1b[32;1:3u", ["-space"]),
    ("\x1b[32;1:3;32u", ["-space"]),
    ("\x1b[32;1:3;32u\x1b[32;1:2;32u", ["-space", SPACE]),
    ("\x1b[32;2:3u", ["-space"]),
    ("\x1b[32;129;32u", [SPACE]),
    ("\x1b[32;129:3u", ["-space"]),
    ("\x1b[32;65;32u", [SPACE]),
    (" ", [SPACE]),
    ("   ", [SPACE] * 3),
    # Enter, in the spellings of four terminals
    ("\x1b[13u", [ENTER]),
    ("\x1b[13;1:1u", [ENTER]),
    ("\x1b[13;1;13u", [ENTER]),
    ("\x1b[13;1:2u", [ENTER]),
    ("\x1b[13;1:3u", ["-enter"]),
    ("\x1b[13;1:3;13u", ["-enter"]),
    ("\x1b[13;129u", [ENTER]),
    ("\r", [ENTER]),
    # Tab, Backspace, Escape
    ("\x1b[9;1:1u", ["tab='\\t'"]),
    ("\x1b[9;2u", ["shift+tab"]),
    ("\x1b[9;2:1u", ["shift+tab"]),
    ("\x1b[127;1:2u", ["backspace='\\x7f'"]),
    ("\x1b[127;1:3u", ["-backspace"]),
    ("\x1b[27u", ["escape"]),
    ("\x1b[27;1:1u", ["escape"]),
    ("\x1b[27;1:3u", ["-escape"]),
    # arrows and function keys
    ("\x1b[A", ["up"]),
    ("\x1b[1;1:1A", ["up"]),
    ("\x1b[1;1:2A", ["up"]),
    ("\x1b[1;1:3A", ["-up"]),
    ("\x1b[1;5A", ["ctrl+up"]),
    ("\x1b[1;5:1A", ["ctrl+up"]),
    ("\x1b[1;129A", ["up"]),
    ("\x1b[P", ["f1"]),
    ("\x1b[1;1:1P", ["f1"]),
    ("\x1b[1;1:3P", ["-f1"]),
    ("\x1bOP", ["f1"]),
    ("\x1b[15~", ["f5"]),
    ("\x1b[15;1:1~", ["f5"]),
    ("\x1b[15;1:3~", ["-f5"]),
    ("\x1b[3;1:2~", ["delete"]),
    # Ctrl, Shift, bare modifiers
    (
        "\x1b[57442;5u\x1b[99;5u\x1b[57442;1:3u\x1b[99;1:3u",
        ["left_control", "ctrl+c", "-left_control", "-c"],
    ),
    ("\x1b[99;5:1u", ["ctrl+c"]),
    ("\x1b[99;133u", ["ctrl+c"]),
    ("\x1b[57441;2u\x1b[97;2;65u\x1b[57441;1:3u\x1b[97;1:3u", ["left_shift", "A='A'", "-left_shift", "-a"]),
    ("\x1b[97;2:1;65u", ["A='A'"]),
    ("\x1b[97;1:3;97u", ["-a"]),
    ("\x1b[97;65;65u", ["A='A'"]),
    ("\x1b[97:65;2:1;65u", ["A='A'"]),
    ("\x1b[57449;1:3u", ["-right_alt"]),
    ("\x1b[57358;65u", ["caps_lock"]),
    # input methods and other scripts
    ("\x1b[0;;20320:22909u", ["你='你'", "好='好'"]),
    ("\x1b[0;;" + ":".join(["20320"] * 12) + "u", ["你='你'"] * 12),
    ("\x1b[0;;32u", [SPACE]),
    ("\x1b[233;;233u", ["é='é'"]),
    ("é你", ["é='é'", "你='你'"]),
    # answers
    ("\x1b[?27u\x1b[?62;c", ["flags 27", "attributes"]),
    ("\x1b[?1u", ["flags 1"]),
    ("\x1b[?6c", ["attributes"]),
    ("\x1b[?1;2;4c", ["attributes"]),
    ("\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c", ["attributes"]),
    ("\x1b[?61;4;6;7;14;21;22;23;24;28;32;42;52c", ["attributes"]),
    ("\x1b[?2026;2$y", ["TerminalSupportsSynchronizedOutput"]),
    ("\x1b[5;6R", ["CursorPosition"]),
    ("\x1b[?997;1nx", ["x='x'"]),
    # the rest of what a screen needs
    ("\x1b[I", ["AppFocus"]),
    ("\x1b[O", ["AppBlur"]),
    ("\x1b[<0;5;6M\x1b[<0;5;6m", ["MouseDown", "MouseUp"]),
    ("\x1b[200~a b\x1b[201~c", ["Paste", "c='c'"]),
    # answers to the query of the background, in the spellings that terminals have, and other such answers
    ("\x1b]11;rgb:ffff/ffff/ffff\x07a", ["background 1.00 1.00 1.00", "a='a'"]),
    ("\x1b]11;rgb:1616/1616/1d1d\x1b\\a", ["background 0.09 0.09 0.11", "a='a'"]),
    ("\x1b]11;rgb:f/8/0\x1b\\", ["background 1.00 0.53 0.00"]),
    ("\x1b]11;rgba:00/00/00/ff\x1b\\", ["background 0.00 0.00 0.00"]),
    ("\x1b]11;#faf9f5\x07", ["background 0.98 0.98 0.96"]),
    ("\x1b]11;#ffffffffffff\x07", ["background 1.00 1.00 1.00"]),
    ("\x1b]11;rgb:ffff/ffff\x1b\\a", ["a='a'"]),
    ("\x1b]11;none\x1b\\a", ["a='a'"]),
    ("\x1b]10;rgb:ffff/ffff/ffff\x1b\\a", ["a='a'"]),
    ("\x1b]52;c;" + "QUJD" * 80 + "\x1b\\a", ["a='a'"]),
    ("\x1b]52;c;" + "QUJD" * 80 + "\x07a", ["a='a'"]),
    # event types that do not exist, codes that are no characters
    ("\x1b[32;1:9u", []),
    ("\x1b[32;1:0u", []),
    ("\x1b[99999999;1;99999999u", []),
    ("\x1b[55296;1;55296u", []),
]


@pytest.mark.parametrize(("data", "expected"), SEQUENCES, ids=[repr(data) for data, _ in SEQUENCES])
@pytest.mark.parametrize("split", [False, True], ids=["whole", "split"])
def test_a_sequence_gives_these_keys(data: str, expected: list[str], split: bool) -> None:
    assert seen(data, split=split) == expected


@pytest.mark.parametrize("sequence", sorted(ANSI_SEQUENCES_KEYS), ids=repr)
def test_untyped_keys_are_as_in_the_stock_parser(sequence: str) -> None:
    stock = [described(message) for message in [*XTermParser().feed(sequence)]]
    assert seen(sequence) == stock


def test_escape_alone_comes_after_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("textual._parser.get_time", lambda: now)
    parser = HoldParser()
    assert list(parser.feed("\x1b")) == []
    now = 1.0
    assert [described(message) for message in parser.tick()] == ["escape='\\x1b'"]


WHITE = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"


@pytest.mark.parametrize("at", range(1, len(WHITE)))
def test_an_answer_that_comes_in_two_pieces_types_nothing(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    now = 0.0
    monkeypatch.setattr("textual._parser.get_time", lambda: now)
    parser = HoldParser(clock=lambda: now)
    found = [described(message) for message in parser.feed(WHITE[:at])]
    now = 0.3  # longer than an Escape is waited for
    found += [described(message) for message in parser.tick()]
    found += [described(message) for message in parser.feed(WHITE[at:] + "a")]
    hasty = {1: "escape='\\x1b'", 2: "right_square_bracket=']'"}
    assert [key for key in found if not key.startswith(("Keys.Ignore", "background"))] == [
        *hasty.get(at, "").split(),
        "a='a'",
    ]


@pytest.mark.parametrize(
    ("data", "plain", "reports_release"),
    [
        ("\x1b[32;;32u", "space", True),
        ("\x1b[32;2;32u", "", True),
        ("\x1b[32;129;32u", "space", True),
        (" ", "", False),
        ("\x1b[0;;32u", "", False),
        ("\x1b[57449;4u", "right_alt", True),
        ("\x1b[15~", "", True),
        ("\x1b[97;65;65u", "a", True),
    ],
)
def test_a_press_says_which_key_it_is_and_whether_a_release_can_follow(
    data: str, plain: str, reports_release: bool
) -> None:
    parser = HoldParser()
    for _ in parser.feed(data):
        assert (parser.plain_name, parser.reports_release) == (plain, reports_release)


def test_the_time_is_that_of_the_read() -> None:
    now = 5.0
    parser = HoldParser(clock=lambda: now)
    list(parser.feed("\x1b[32;1"))
    now = 7.0
    list(parser.feed(":3u"))
    assert parser.read_at == 7.0


def test_it_is_midway_until_a_sequence_is_whole_or_was_the_escape_key(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("textual._parser.get_time", lambda: now)
    parser = HoldParser()
    for part, is_midway in (("a", False), ("\x1b", True), ("[32;1", True), (":3u", False), ("  \x1b", True)):
        list(parser.feed(part))
        assert parser.is_midway is is_midway
    now = 1.0
    for message in parser.tick():
        assert described(message).startswith("escape")
        assert not parser.is_midway


@pytest.mark.parametrize(
    ("code", "end", "name"),
    [("32", "u", "space"), ("32:64", "u", "space"), ("", "A", "up"), ("1", "A", "up"), ("15", "~", "f5")],
)
def test_plain_names(code: str, end: str, name: str) -> None:
    assert plain_name(code, end) == name


pieces = st.one_of(
    st.sampled_from([data for data, _ in SEQUENCES]),
    st.sampled_from(
        ["\x1b", "\x1b[", "\x1b[?", "[", ";", ":", "u", "3", "~", "M", "\x1bO", "\x1b[48;0;0;0;0t", "\x1b[<0;1;1M"]
    ),
    st.text(alphabet="\x1b[]?;:0123456789uc~ABCMRtym$<> \x00", max_size=40),
    st.text(max_size=10),
)


class TestAnyBytes:
    @settings(max_examples=300, deadline=None)
    @given(data=st.lists(pieces, max_size=12).map("".join), cuts=st.lists(st.integers(1, 7), min_size=1, max_size=20))
    @example(data="\x1b[48;0;0;0;0t\x1b[<0;1;1M", cuts=[1])
    def test_nothing_raises_however_it_is_split(self, data: str, cuts: list[int]) -> None:
        parser = HoldParser()
        at = 0
        turn = 0
        while at < len(data):
            size = cuts[turn % len(cuts)]
            for message in parser.feed(data[at : at + size]):
                described(message)
            at += size
            turn += 1
        list(parser.tick())

    @settings(max_examples=200, deadline=None)
    @given(
        parts=st.lists(
            st.sampled_from([data for data, expected in SEQUENCES if expected and "200~" not in data]), max_size=8
        ),
        cuts=st.lists(st.integers(1, 9), min_size=1, max_size=20),
    )
    def test_splitting_changes_nothing(self, parts: list[str], cuts: list[int]) -> None:
        data = "".join(parts)
        parser = HoldParser()
        split: list[str] = []
        at = turn = 0
        while at < len(data):
            size = cuts[turn % len(cuts)]
            split += [described(message) for message in parser.feed(data[at : at + size])]
            at, turn = at + size, turn + 1
        assert split == seen(data)
