"""Corrections: a person's wording is shown and exported, the service's is kept, and nothing from the wire undoes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.transcript.correct import corrected, first_wording, new_words
from pinch_tui.core.transcript.export import lines_of
from pinch_tui.core.transcript.merge import whole
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Segment, Utterance
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage
from tests.fakes.conversation import segment


def texts(segments: tuple[Segment, ...]) -> list[tuple[str, str]]:
    return [(one.original, one.translation) for one in segments]


def test_a_correction_keeps_the_first_wording_and_can_be_taken_back() -> None:
    line = (segment("a", "I met doctor Reese.", "Conocí al doctor Reese."),)
    better = corrected(line, "I met doctor Ruiz.", "Conocí al doctor Ruiz.")
    assert texts(better) == [("I met doctor Ruiz.", "Conocí al doctor Ruiz.")]
    assert (better[0].first_original, better[0].first_translation) == ("I met doctor Reese.", "Conocí al doctor Reese.")
    best = corrected(better, "I met Dr. Ruiz.", None)
    assert best[0].first_original == "I met doctor Reese."
    assert first_wording(best[0]).original == "I met doctor Reese."
    back = corrected(best, "I met doctor Reese.", "Conocí al doctor Reese.")
    assert texts(back) == texts(line)
    assert not back[0].is_corrected
    assert corrected(line, "", " \n") == line
    assert corrected(line, "x\x1b[2Jy", None)[0].original == "xy"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("I met doctor Ruiz. He was kind. Bye.", ["I met doctor Ruiz.", "He was kind.", "Bye."]),
        ("I met doctor Reese. He was very kind. Bye.", ["I met doctor Reese.", "He was very kind.", "Bye."]),
        ("He was kind. Bye.", ["", "He was kind.", "Bye."]),
        (
            "I met doctor Reese. He was kind. Good-bye, then.",
            ["I met doctor Reese.", "He was kind.", "Good-bye, then."],
        ),
    ],
)
def test_each_segment_keeps_what_is_still_its_own(text: str, parts: list[str]) -> None:
    line = tuple(segment(str(n), said, "") for n, said in enumerate(("I met doctor Reese.", "He was kind.", "Bye.")))
    assert [one.original for one in corrected(line, text, None)] == parts


WORDS = st.lists(st.sampled_from(["one", "two", "three.", "好", "é", "x-y"]), min_size=1, max_size=6).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=4), WORDS)
def test_nothing_of_a_correction_is_lost_and_the_way_back_is_exact(parts: list[str], text: str) -> None:
    line = tuple(segment(str(n), part, "y") for n, part in enumerate(parts))
    changed = corrected(line, text, None)
    assert "".join(whole(one.original for one in changed).split()) == "".join(text.split())
    assert [first_wording(one).original for one in changed] == parts
    assert texts(corrected(changed, whole(parts), None)) == texts(line)


def test_new_words_are_what_a_context_lacks() -> None:
    assert new_words("I met doctor Reese at noon.", "I met doctor María Ruiz at noon.") == ("María Ruiz",)
    assert new_words("Hello.", "Hello.") == ()


def message(kind: TranscriptKind, text: str, *, final: bool = True) -> TranscriptMessage:
    return TranscriptMessage(kind, "seg_1", text, final)


def settled() -> Transcript:
    transcript = Transcript()
    transcript.begin(Utterance(1, 0.0, 0, "en", "es", session_id="ss_1"))
    transcript.apply(1, 1, message(TranscriptKind.ORIGINAL, "I met Reese."), 500)
    transcript.apply(1, 1, message(TranscriptKind.TRANSLATED, "Conocí a Reese."), 600)
    transcript.finish(1, 700)
    return transcript


def test_only_a_settled_line_is_corrected_and_exports_use_the_correction() -> None:
    transcript = settled()
    assert not transcript.correct(1, "I met Ruiz.", None)
    transcript.settle(1, 900)
    assert transcript.correct(1, "I met Ruiz.", "Conocí a Ruiz.")
    assert not transcript.correct(1, "I met Ruiz.", None)
    assert not transcript.correct(7, "x", None)
    (line,) = lines_of(transcript.utterances)
    assert (line.original, line.translation) == ("I met Ruiz.", "Conocí a Ruiz.")


def test_late_texts_and_a_new_attempt_do_not_undo_a_correction() -> None:
    transcript = settled()
    transcript.settle(1, 900)
    transcript.correct(1, "I met Ruiz.", None)
    transcript.apply(1, 1, message(TranscriptKind.ORIGINAL, "I met Reese. Yesterday."), 1000)
    assert transcript.utterance(1).original == "I met Ruiz."
    transcript.restart(1, 2, "ss_2")
    assert not transcript.apply(1, 2, message(TranscriptKind.ORIGINAL, "I met Reese."), 1100)
    assert transcript.utterance(1).original == "I met Ruiz."
    assert transcript.utterance(1).segments[0].first_original == "I met Reese."
