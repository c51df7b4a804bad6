from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.keys.hold_input import HoldInput
from pinch_tui.keys.view import KeyView, Kind, Seen, visible
from pinch_tui.settings.model import TalkSettings

READINGS = [
    ("\x1b[32;;32u", Kind.PRESS, "space"),
    ("\x1b[32;1:1;32u", Kind.PRESS, "space"),
    ("\x1b[32;1:2;32u", Kind.REPEAT, "space"),
    ("\x1b[32;1:3u", Kind.RELEASE, "space"),
    ("\x1b[32;1:3;32u", Kind.RELEASE, "space"),
    ("\x1b[97;2;65u", Kind.PRESS, "A"),
    ("\x1b[99;5u", Kind.PRESS, "ctrl+c"),
    ("\x1b[57441;2u", Kind.PRESS, "left_shift"),
    ("\x1b[57442;1:3u", Kind.RELEASE, "left_control"),
    ("\x1b[13u", Kind.PRESS, "enter"),
    ("\x1b[13;129u", Kind.PRESS, "enter"),
    ("\x1b[A", Kind.PRESS, "up"),
    ("\x1b[1;1:3A", Kind.RELEASE, "up"),
    ("\x1b[15~", Kind.PRESS, "f5"),
    ("\x1b[15;1:3~", Kind.RELEASE, "f5"),
    ("\x1bOP", Kind.PRESS, "f1"),
    (" ", Kind.PRESS, "space"),
    ("a", Kind.PRESS, "a"),
    ("\x03", Kind.PRESS, "ctrl+c"),
    ("\r", Kind.PRESS, "enter"),
    ("\x7f", Kind.PRESS, "backspace"),
    ("\x1bx", Kind.PRESS, "alt+x"),
    ("\x1b[I", Kind.FOCUS, "the window"),
    ("\x1b[O", Kind.BLUR, "the window"),
    ("\x1b[?27u", Kind.ANSWER, "key protocol flags 27"),
    ("\x1b[?62;52;c", Kind.ANSWER, "device attributes"),
    ("\x1b[<0;3;4M", Kind.OTHER, "?"),
]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look of Textual's parser at the clock is a second later, so that its waits are over at the next one."""
    monkeypatch.setattr("textual._parser.get_time", map(float, itertools.count()).__next__)


def view() -> KeyView:
    return KeyView(HoldInput(TalkSettings(probe=False), lambda edge: None, clock=lambda: 0.0))


def read(text: str) -> list[Seen]:
    shown = view()
    return shown.feed(text, 0.0) + shown.feed("", 1.0)


@pytest.mark.parametrize(("sequence", "kind", "key"), READINGS)
def test_sequences(sequence: str, kind: Kind, key: str) -> None:
    assert [(one.kind, one.key, one.raw) for one in read(sequence)] == [(kind, key, visible(sequence))]


def test_several_sequences_in_one_read_are_told_apart() -> None:
    readings = [reading for reading in READINGS if reading[0] != "\x1bx"]  # which only time tells from an Escape
    seen = read("".join(sequence for sequence, _, _ in readings))
    assert [(one.kind, one.key) for one in seen] == [(kind, key) for _, kind, key in readings]


def test_an_escape_alone_is_a_key() -> None:
    shown = view()
    assert shown.feed("\x1b", 0.0) == []
    seen = shown.feed("", 0.2)
    assert [(one.kind, one.key) for one in seen] == [(Kind.PRESS, "escape")]
    assert shown.feed("", 0.4) == []


def test_untyped_repeats_are_guessed_and_timed() -> None:
    shown = view()
    kinds = [shown.feed(" ", t)[0].kind for t in (0.0, 0.5, 0.533, 3.0)]
    assert kinds == [Kind.PRESS, Kind.AGAIN, Kind.AGAIN, Kind.PRESS]
    (seen,) = shown.feed("x", 3.25)
    assert seen.since_s == 0.25
    assert seen.kind is Kind.PRESS


def test_a_press_after_a_release_is_no_repeat() -> None:
    shown = view()
    seen = shown.feed("\x1b[32u\x1b[32;1:3u\x1b[32u", 0.0)
    assert [one.kind for one in seen] == [Kind.PRESS, Kind.RELEASE, Kind.PRESS]


@settings(max_examples=300)
@given(st.lists(st.text(max_size=12) | st.sampled_from([entry[0] for entry in READINGS]), max_size=6))
def test_anything_is_shown_harmlessly(chunks: list[str]) -> None:
    shown = view()
    seen = [one for n, chunk in enumerate(chunks) for one in shown.feed(chunk, n * 0.1)] + shown.feed("", 9.0)
    for one in seen:
        assert one.raw.isprintable()
        assert one.key.isprintable()
    for chunk in chunks:
        assert visible(chunk).isprintable()
