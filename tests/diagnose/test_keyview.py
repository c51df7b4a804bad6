from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.diagnose.keyview import KeyView, Kind, read, visible

READINGS = [
    ("\x1b[32;;32u", Kind.PRESS, "space"),
    ("\x1b[32;1:1;32u", Kind.PRESS, "space"),
    ("\x1b[32;1:2;32u", Kind.REPEAT, "space"),
    ("\x1b[32;1:3u", Kind.RELEASE, "space"),
    ("\x1b[32;1:3;32u", Kind.RELEASE, "space"),
    ("\x1b[97;2;65u", Kind.PRESS, "shift+a"),
    ("\x1b[99;5u", Kind.PRESS, "ctrl+c"),
    ("\x1b[57441;2u", Kind.PRESS, "shift+left shift"),
    ("\x1b[57442;1:3u", Kind.RELEASE, "left ctrl"),
    ("\x1b[13u", Kind.PRESS, "enter"),
    ("\x1b[13;129u", Kind.PRESS, "enter"),
    ("\x1b[A", Kind.PRESS, "up"),
    ("\x1b[1;1:3A", Kind.RELEASE, "up"),
    ("\x1b[15~", Kind.PRESS, "F5"),
    ("\x1b[15;1:3~", Kind.RELEASE, "F5"),
    ("\x1bOP", Kind.PRESS, "F1"),
    ("\x1b[57350u", Kind.PRESS, "key 57350"),
    (" ", Kind.PRESS, "space"),
    ("a", Kind.PRESS, "a"),
    ("é", Kind.PRESS, "é"),
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


@pytest.mark.parametrize(("sequence", "kind", "key"), READINGS)
def test_sequences(sequence: str, kind: Kind, key: str) -> None:
    assert read(sequence) == (kind, key)


@pytest.mark.parametrize(("sequence", "kind", "key"), [entry for entry in READINGS if len(entry[0]) > 2])
def test_split_reads_make_one_line(sequence: str, kind: Kind, key: str) -> None:
    for cut in range(1, len(sequence)):
        view = KeyView()
        seen = view.feed(sequence[:cut], 0.0) + view.feed(sequence[cut:], 0.01)
        assert [(one.kind, one.key) for one in seen] == [(kind, key)], cut


def test_an_escape_alone_is_a_key() -> None:
    view = KeyView()
    assert view.feed("\x1b", 0.0) == []
    (seen,) = view.flush(0.1)
    assert (seen.kind, seen.key) == (Kind.PRESS, "escape")
    assert view.flush(0.2) == []


def test_untyped_repeats_are_guessed_and_timed() -> None:
    view = KeyView()
    kinds = [view.feed(" ", t)[0].kind for t in (0.0, 0.5, 0.533, 3.0)]
    assert kinds == [Kind.PRESS, Kind.AGAIN, Kind.AGAIN, Kind.PRESS]
    (seen,) = view.feed("x", 3.25)
    assert seen.since_s == 0.25
    assert seen.kind is Kind.PRESS


def test_a_press_after_a_release_is_no_repeat() -> None:
    view = KeyView()
    seen = view.feed("\x1b[32u\x1b[32;1:3u\x1b[32u", 0.0)
    assert [one.kind for one in seen] == [Kind.PRESS, Kind.RELEASE, Kind.PRESS]


@settings(max_examples=300)
@given(st.lists(st.text(max_size=12) | st.sampled_from([entry[0] for entry in READINGS]), max_size=6))
def test_anything_is_shown_harmlessly(chunks: list[str]) -> None:
    view = KeyView()
    seen = [one for n, chunk in enumerate(chunks) for one in view.feed(chunk, n * 0.1)] + view.flush(9.0)
    for one in seen:
        assert one.raw.isprintable()
        assert one.key.isprintable()
    for chunk in chunks:
        assert visible(chunk).isprintable()
