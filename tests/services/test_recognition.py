"""The times of words that a provider gives, as shares of the text that was joined."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.wire import TranscriptMessage
from pinch_tui.errors import PinchError
from pinch_tui.services.cartesia.protocol import ManualRecognition
from pinch_tui.services.recognition import word_times
from pinch_tui.services.smallest.protocol import SmallestRecognition


def words(*timed: tuple[str, float, float]) -> list[dict[str, object]]:
    return [{"word": word, "start": start, "end": end} for word, start, end in timed]


def said(heard: object) -> tuple[tuple[int, float], ...]:
    (message,) = [one for one in list(heard) if isinstance(one, TranscriptMessage)]  # type: ignore[call-overload]
    return tuple(message.word_times)


def test_cartesia_words_are_counted_over_all_its_deltas() -> None:
    recognition = ManualRecognition("u1", lambda status: PinchError(str(status)))
    first = {"type": "transcript", "text": "Wait here.", "is_final": True}
    second = {"type": "transcript", "text": " Go on.", "is_final": True}
    heard = recognition.message(json.dumps(first | {"words": words(("Wait", 0.5, 0.8), ("here.", 0.9, 1.2))}))
    assert said(heard) == ((0, 0.5), (4, 0.8), (5, 0.9), (10, 1.2))
    heard = recognition.message(json.dumps(second | {"words": words(("Go", 7.0, 7.2), ("on.", 7.2, 7.5))}))
    assert said(heard)[4:] == ((11, 7.0), (13, 7.2), (14, 7.2), (17, 7.5))
    assert said(recognition.message(json.dumps(second)))[-1] == (17, 7.5)


def test_smallest_words_are_counted_over_the_joined_text() -> None:
    recognition = SmallestRecognition("u1")
    recognition.message(json.dumps({"type": "transcription", "transcript": "Hello", "is_final": True}))
    last = {"type": "transcription", "transcript": "there", "is_final": True, "words": words(("there", 1.0, 1.4))}
    assert said(recognition.message(json.dumps(last))) == ((6, 1.0), (11, 1.4))


@given(
    st.lists(st.sampled_from(["one", "two", "é", "好", ""]), max_size=6),
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "word": st.sampled_from(["one", "two", "é", "好", "", None, 7]),
                "start": st.floats() | st.none() | st.integers(-1, 5) | st.booleans(),
                "end": st.floats() | st.none() | st.integers(-1, 5) | st.just("1"),
            },
        )
        | st.none(),
        max_size=6,
    ),
)
def test_whatever_comes_the_marks_rise_within_the_text(parts: list[str], claimed: list[object]) -> None:
    whole = " ".join(parts)
    found = word_times(whole, 0, claimed)
    assert all(0 <= n <= len(whole) and 0 <= seconds for n, seconds in found)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(found))


def test_no_words_no_marks() -> None:
    final = {"type": "transcription", "transcript": "x", "is_final": True}
    assert said(SmallestRecognition("u1").message(json.dumps(final))) == ()
    assert word_times("x", 0, "words") == []
