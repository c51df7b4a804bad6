"""Rows of the conversation, message by message."""

from __future__ import annotations

import time

import pytest

from pinch_tui.core.transcript.sides import segment_side, speaker_side
from pinch_tui.core.transcript.transcript import TEXT_A_SECOND, TEXT_ROOM, Transcript
from pinch_tui.core.transcript.utterance import Segment, Utterance, UtteranceState, final_part
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage


def original(id_: str, text: str, *, is_final: bool = True, **fields: str | None) -> TranscriptMessage:
    return TranscriptMessage(TranscriptKind.ORIGINAL, id_, text, is_final, **fields)  # type: ignore[arg-type]


def translated(id_: str, text: str, *, is_final: bool = True, **fields: str | None) -> TranscriptMessage:
    return TranscriptMessage(TranscriptKind.TRANSLATED, id_, text, is_final, **fields)  # type: ignore[arg-type]


def conversation(*numbers: int, is_two_way: bool = False, source: str = "en", target: str = "es") -> Transcript:
    transcript = Transcript()
    for number in numbers or (1,):
        started = 1700000000.0 + number
        row = Utterance(number, started, number * 1000, source, target, is_two_way=is_two_way, session_id="ss_1")
        transcript.begin(row)
    return transcript


def test_a_row_from_press_to_settled() -> None:
    transcript = conversation(1)
    assert transcript.apply(1, 1, original("a", "hel", is_final=False), 1500)
    assert transcript.apply(1, 1, original("a", "Hello.", detected_language="en", source_language="en"), 1900)
    transcript.finish(1, 2000)
    assert transcript.utterance(1).state is UtteranceState.WAITING
    assert transcript.apply(1, 1, translated("a", "Hola.", target_language="es"), 2600)
    transcript.mark_speech(1)
    transcript.settle(1, 3000)
    assert transcript.utterance(1) == Utterance(
        1, 1700000001.0, 1000, "en", "es", state=UtteranceState.SETTLED, attempt=1, session_id="ss_1", end_ms=2000,
        has_speech=True, segments=(
            Segment(
                "a", "Hello.", True, 6, "Hola.", True, 5, source_language="en", target_language="es",
                detected_language="en", start_ms=1500, end_ms=2600, revision=3,
            ),
        ),
    )  # fmt: skip


def test_rows_stand_in_press_order_and_the_sequence_is_live() -> None:
    transcript = Transcript()
    rows = transcript.utterances
    for number in (1, 2, 3):
        transcript.begin(Utterance(number, 0.0, 0, "en", "es"))
    transcript.apply(3, 1, original("c", "three"), 5)
    transcript.apply(1, 1, original("a", "one"), 6)
    assert [row.number for row in rows] == [1, 2, 3]
    assert [row.original for row in rows] == ["one", "", "three"]
    with pytest.raises(ValueError, match="begun already"):
        transcript.begin(Utterance(2, 0.0, 0, "en", "es"))
    with pytest.raises(KeyError):
        transcript.utterance(4)


def test_original_and_translation_share_a_segment_whatever_comes_first() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, translated("b", "Adiós."), 1)
    transcript.apply(1, 1, original("a", "Hello."), 2)
    transcript.apply(1, 1, original("b", "Bye."), 3)
    transcript.apply(1, 1, translated("a", "Hola."), 4)
    segments = transcript.utterance(1).segments
    assert [(s.id, s.original, s.translation) for s in segments] == [("b", "Bye.", "Adiós."), ("a", "Hello.", "Hola.")]


def test_a_translation_fills_a_missing_original_provisionally() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, translated("a", "Hola", original_text="Hello"), 1)
    segment = transcript.utterance(1).segments[0]
    assert (segment.original, segment.original_stable, segment.original_is_final) == ("Hello", 0, False)
    transcript.apply(1, 1, original("a", "Hel", is_final=False), 2)
    assert transcript.utterance(1).original == "Hello"
    transcript.apply(1, 1, original("a", "Hello there."), 3)
    transcript.apply(1, 1, translated("a", "Hola, hola", original_text="Hello there. You"), 4)
    segment = transcript.utterance(1).segments[0]
    assert (segment.original, segment.original_is_final) == ("Hello there.", True)


def test_a_note_takes_the_words_of_a_refused_original_back_and_is_no_text() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "Where is"), 1500)
    transcript.apply(1, 1, translated("a", "Dónde", is_final=False), 1600)
    assert transcript.apply(1, 1, original("a", "", note="Not a practice phrase."), 2000)
    transcript.apply(1, 1, translated("a", ""), 2100)
    transcript.settle(1, 3000)
    row = transcript.utterance(1)
    assert (row.state, row.has_text, row.has_note) == (UtteranceState.EMPTY, False, True)
    (segment,) = row.segments
    assert (segment.original, segment.translation, segment.note) == ("", "", "Not a practice phrase.")
    assert final_part(segment) is None


def test_a_note_in_place_of_a_translation_leaves_the_original() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "Good morning."), 1500)
    transcript.apply(1, 1, translated("a", "", note="Not in Klingon."), 1600)
    transcript.settle(1, 3000)
    (segment,) = transcript.utterance(1).segments
    assert (segment.original, segment.translation, segment.note) == ("Good morning.", "", "Not in Klingon.")


def test_a_note_beside_another_phrase_stays_when_the_row_settles() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "Good morning."), 1500)
    transcript.apply(1, 1, translated("a", "Buenos días."), 1600)
    transcript.apply(1, 1, original("b", "", note="Not a practice phrase."), 1900)
    transcript.settle(1, 3000)
    row = transcript.utterance(1)
    assert (row.state, row.original) == (UtteranceState.SETTLED, "Good morning.")
    assert [segment.note for segment in row.segments] == ["", "Not a practice phrase."]


def test_texts_of_segments_join_as_their_script_does() -> None:
    transcript = conversation(1, source="en", target="zh")
    for id_, text, translation in (("a", "Hello.", "你好。"), ("b", "Bye.", "再见。")):
        transcript.apply(1, 1, original(id_, text), 1)
        transcript.apply(1, 1, translated(id_, translation), 1)
    assert transcript.utterance(1).original == "Hello. Bye."
    assert transcript.utterance(1).translation == "你好。再见。"


def test_repeated_and_empty_messages_change_nothing() -> None:
    transcript = conversation(1)
    assert not transcript.apply(1, 1, original("x", "", is_final=False), 1)
    assert not transcript.apply(1, 1, original("x", ""), 1)
    assert transcript.utterance(1).segments == ()
    assert transcript.apply(1, 1, original("a", "Hello."), 1)
    before = transcript.utterance(1)
    assert not transcript.apply(1, 1, original("a", "Hello."), 9)
    assert not transcript.apply(1, 1, original("a", "Hel", is_final=False), 9)
    assert transcript.utterance(1) is before
    assert not transcript.apply(99, 1, original("a", "Hello."), 9)


def test_a_row_without_words_settles_as_empty_until_late_words_come() -> None:
    transcript = conversation(1)
    transcript.finish(1, 1500)
    transcript.settle(1, 2000)
    assert transcript.utterance(1).state is UtteranceState.EMPTY
    transcript.settle(1, 2500)
    assert transcript.apply(1, 1, original("a", "Late."), 3000)
    assert transcript.utterance(1).state is UtteranceState.SETTLED
    assert transcript.utterance(1).end_ms == 1500
    assert transcript.apply(1, 1, original("b", "no", is_final=False), 3100)
    assert transcript.apply(1, 1, original("b", ""), 3200)
    assert transcript.utterance(1).original == "Late."


def test_late_noise_that_is_taken_back_leaves_the_row_empty() -> None:
    transcript = conversation(1)
    transcript.settle(1, 2000)
    transcript.apply(1, 1, original("a", "uh", is_final=False), 2100)
    assert transcript.utterance(1).state is UtteranceState.SETTLED
    transcript.apply(1, 1, original("a", ""), 2200)
    assert transcript.utterance(1).state is UtteranceState.EMPTY


def test_noise_that_the_final_takes_back_leaves_an_empty_row() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "uh", is_final=False), 1)
    transcript.apply(1, 1, original("a", ""), 2)
    assert transcript.utterance(1).original == "uh"
    transcript.settle(1, 3)
    assert transcript.utterance(1).original == ""
    assert transcript.utterance(1).state is UtteranceState.EMPTY


def test_settling_keeps_words_that_never_became_final_and_drops_an_overtaken_rest() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "hello the", is_final=False), 1)
    transcript.apply(1, 1, translated("a", "hola al", is_final=False), 1)
    transcript.apply(1, 1, original("a", "hello"), 2)
    assert transcript.utterance(1).original == "hello the"
    transcript.settle(1, 3)
    segment = transcript.utterance(1).segments[0]
    assert (segment.original, segment.original_is_final) == ("hello", True)
    assert (segment.translation, segment.translation_is_final) == ("hola al", False)


def test_a_cancelled_row_stays_without_words() -> None:
    transcript = conversation(1, 2)
    transcript.apply(1, 1, original("a", "oops"), 1)
    transcript.cancel(1)
    assert not transcript.apply(1, 1, original("a", "oops again"), 2)
    assert not transcript.apply(1, 2, original("a", "oops again"), 2)
    transcript.restart(1, 3, "ss_2")
    transcript.finish(1, 3)
    transcript.settle(1, 3)
    row = transcript.utterance(1)
    assert (row.state, row.segments, row.original) == (UtteranceState.CANCELLED, (), "")
    transcript.settle(2, 3)
    transcript.cancel(2)
    assert transcript.utterance(2).state is UtteranceState.EMPTY


def test_a_row_goes_to_another_session_only_before_words_came() -> None:
    transcript = conversation(1)
    transcript.retarget(1, "en", "fr", "ss_2")
    assert (transcript.utterance(1).target, transcript.utterance(1).session_id) == ("fr", "ss_2")
    transcript.apply(1, 1, original("a", "hi", is_final=False), 1)
    transcript.retarget(1, "en", "de", "ss_3")
    assert transcript.utterance(1).target == "fr"


# ---- resending ----------------------------------------------------------------------------------------------------


def test_a_resend_replaces_the_old_words_once_it_has_reached_them() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "one two three", is_final=False), 1)
    transcript.apply(1, 1, translated("a", "uno dos", is_final=False), 2)
    transcript.restart(1, 2, "ss_2")
    row = transcript.utterance(1)
    assert (row.attempt, row.session_id, row.original, row.translation) == (2, "ss_2", "one two three", "uno dos")
    assert not transcript.apply(1, 1, original("a", "one two three four"), 3)  # the dead session's words
    assert not transcript.apply(1, 2, original("z", "one"), 4)
    assert not transcript.apply(1, 2, original("z", "one two three"), 5)
    assert not transcript.apply(1, 2, translated("z", "uno"), 6)
    assert transcript.utterance(1).original == "one two three"
    assert transcript.apply(1, 2, translated("z", "uno dos tres"), 7)
    row = transcript.utterance(1)
    assert [(s.id, s.original, s.translation) for s in row.segments] == [("z", "one two three", "uno dos tres")]
    assert transcript.apply(1, 2, original("z", "one two three four"), 8)


def test_a_resend_of_fewer_segments_is_as_far_only_when_what_is_shown_is() -> None:
    """The spaces between segments are shown, too."""
    transcript = conversation(1)
    for id_ in "abc":
        transcript.apply(1, 1, original(id_, "12345", is_final=False), 1500)
    transcript.restart(1, 2, "ss_2")
    assert not transcript.apply(1, 2, original("x", "1234567890 1234", is_final=False), 1600)
    assert transcript.utterance(1).original == "12345 12345 12345"
    assert transcript.apply(1, 2, original("x", "1234567890 123456", is_final=False), 1700)


def test_a_resend_that_settles_short_replaces_the_old_words_and_one_without_words_leaves_the_final_ones() -> None:
    transcript = conversation(1, 2, 3)
    for number in (1, 2, 3):
        transcript.apply(number, 1, original("a", "one two three", is_final=number == 2), 1)
        transcript.restart(number, 2, "ss_2")
    transcript.apply(1, 2, original("z", "one two"), 2)
    for number in (1, 2, 3):
        transcript.settle(number, 3)
    assert [transcript.utterance(number).original for number in (1, 2, 3)] == ["one two", "one two three", ""]
    assert transcript.utterance(3).state is UtteranceState.EMPTY, "an interim of a lost connection is no one's word"
    assert transcript.apply(2, 2, original("z", "one"), 4)  # late, and all that the newest attempt has
    assert transcript.utterance(2).original == "one"


def test_a_segment_moves_to_the_row_that_it_answers() -> None:
    transcript = conversation(1, 2)
    transcript.apply(1, 1, original("a", "one", is_final=False), 1)
    assert transcript.move(1, "a", 2, 1, 2)
    assert [transcript.utterance(number).original for number in (1, 2)] == ["", "one"]
    transcript.apply(2, 1, original("a", "one two"), 3)
    assert transcript.utterance(2).original == "one two"
    assert not transcript.move(1, "a", 2, 1, 4)
    transcript.settle(1, 5)
    assert transcript.utterance(1).state is UtteranceState.EMPTY


def test_a_segment_that_moves_to_a_row_thrown_away_goes() -> None:
    transcript = conversation(1, 2)
    transcript.apply(1, 1, original("a", "one", is_final=False), 1)
    transcript.cancel(2)
    assert transcript.move(1, "a", 2, 1, 2)
    assert [transcript.utterance(number).original for number in (1, 2)] == ["", ""]


def test_beside_finals_a_settled_row_keeps_no_stray_interim() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "one"), 1)
    transcript.apply(1, 1, original("b", "stray", is_final=False), 2)
    transcript.settle(1, 3)
    assert transcript.utterance(1).original == "one"


def test_a_settled_row_that_is_sent_again_waits_again() -> None:
    transcript = conversation(1)
    transcript.settle(1, 1)
    transcript.restart(1, 2, "ss_2")
    assert transcript.utterance(1).state is UtteranceState.WAITING
    transcript.apply(1, 2, original("z", "words"), 2)
    transcript.settle(1, 3)
    assert transcript.utterance(1).state is UtteranceState.SETTLED


def test_a_second_resend_holds_what_was_shown() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "one two three"), 1)
    transcript.restart(1, 2, "ss_2")
    transcript.apply(1, 2, original("b", "one"), 2)
    transcript.restart(1, 3, "ss_3")
    transcript.restart(1, 2, "ss_2")
    assert (transcript.utterance(1).attempt, transcript.utterance(1).session_id) == (3, "ss_3")
    assert not transcript.apply(1, 2, original("b", "one two three four"), 3)
    assert transcript.apply(1, 3, original("c", "one two three."), 4)
    assert transcript.utterance(1).original == "one two three."


def test_settled_segments_stay_when_the_rest_is_sent_again() -> None:
    transcript = conversation(1)
    for id_, text in (("seg_1", "One."), ("seg_2", "Two."), ("seg_3", "Thr")):
        transcript.apply(1, 1, original(id_, text, is_final=text.endswith(".")), 1)
        transcript.apply(1, 1, translated(id_, text.upper(), is_final=text.endswith(".")), 1)
    transcript.restart(1, 2, "ss_2", 2)
    assert transcript.utterance(1).original == "One. Two. Thr"
    assert not transcript.apply(1, 1, original("seg_1", "One. More."), 2)
    assert not transcript.apply(1, 2, original("seg_1", "Three.", is_final=False), 2)  # ids begin anew in a session
    assert transcript.apply(1, 2, translated("seg_1", "THREE."), 2)
    row = transcript.utterance(1)
    assert (row.original, row.translation) == ("One. Two. Three.", "ONE. TWO. THREE.")
    assert [(s.id, s.attempt) for s in row.segments] == [("seg_1", 2), ("seg_2", 2), ("seg_1/2", 2)]
    transcript.restart(1, 3, "ss_3", 3)
    assert transcript.apply(1, 3, original("seg_1", "Four."), 2)
    transcript.settle(1, 4)
    assert transcript.utterance(1).original == "One. Two. Three. Four."


def test_a_segment_that_stays_loses_the_rest_that_its_final_overtook() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "One two.", is_final=False), 1)
    transcript.apply(1, 1, original("a", "One"), 2)
    assert transcript.utterance(1).original == "One two."
    transcript.restart(1, 2, "ss_2", 1)
    transcript.apply(1, 2, original("b", "Three four."), 3)
    assert transcript.utterance(1).original == "One Three four."


def test_a_message_leads_to_its_segment_of_the_newest_attempt() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("seg_1", "One."), 1)
    transcript.restart(1, 2, "ss_2", 1)
    assert transcript.segment_of(1, "seg_1") is None
    transcript.apply(1, 2, original("seg_1", "Two."), 2)
    segment = transcript.segment_of(1, "seg_1")
    assert segment is not None
    assert (segment.id, segment.original) == ("seg_1/2", "Two.")


def test_settled_segments_that_are_still_hidden_are_kept_by_the_next_resend() -> None:
    transcript = conversation(1)
    transcript.apply(1, 1, original("a", "One. Two. Three.", is_final=False), 1)
    transcript.restart(1, 2, "ss_2")
    transcript.apply(1, 2, original("b", "One."), 2)
    transcript.restart(1, 3, "ss_3", 1)
    assert transcript.utterance(1).original == "One. Two. Three."
    assert not transcript.apply(1, 3, original("b", "Two."), 3)
    assert transcript.apply(1, 3, original("c", "Three. Four."), 3)
    assert transcript.utterance(1).original == "One. Two. Three. Four."


def test_words_of_an_attempt_that_nobody_announced_start_it() -> None:
    transcript = conversation(1)
    assert transcript.apply(1, 2, original("a", "hi"), 1)
    assert transcript.utterance(1).attempt == 2


# ---- two-way ------------------------------------------------------------------------------------------------------


def side(source: str, target: str, detected: str | None, *, is_two_way: bool = True, **fields: str) -> str | None:
    transcript = conversation(1, is_two_way=is_two_way, source=source, target=target)
    transcript.apply(1, 1, original("a", "text", detected_language=detected, **fields), 1)
    row = transcript.utterance(1)
    assert speaker_side(row) == segment_side(row, row.segments[0])
    return speaker_side(row)


@pytest.mark.parametrize(
    ("source", "target", "detected", "expected"),
    [
        ("en", "es", "en", "left"),
        ("en", "es", "es", "right"),
        ("en", "es", "es-MX", "right"),
        ("en-US", "es-419", "en", "left"),
        ("en", "zh-Hant", "cmn", "right"),
        ("en", "es", "fr", None),
        ("en", "es", None, None),
        ("auto", "es", "es", "right"),
        ("auto", "es", "fr", "left"),
        ("en-US", "en-GB", "en-GB", "right"),
        ("en-US", "en-GB", "en_us", "left"),
        ("en-US", "en-GB", "en", None),
    ],
)
def test_the_detected_language_tells_who_spoke(source: str, target: str, detected: str | None, expected: str) -> None:
    assert side(source, target, detected) == expected
    assert side(source, target, detected, is_two_way=False) is None


def test_a_turned_pair_tells_that_the_other_spoke() -> None:
    assert side("en", "es", None, source_language="es", target_language="en") == "right"
    assert side("en", "es", None, source_language="en", target_language="es") is None
    assert speaker_side(conversation(1, is_two_way=True).utterance(1)) is None


# ---- cost ---------------------------------------------------------------------------------------------------------


def test_ten_thousand_rows_cost_no_more_a_message_than_a_hundred() -> None:
    def seconds_for_2000_messages(rows: int) -> float:
        transcript = conversation(*range(rows))
        best = float("inf")
        for round_ in range(3):
            started = time.perf_counter()
            for n in range(2000):
                transcript.apply(rows - 1, 1, original("a", f"text {round_} {n}", is_final=False), n)
            best = min(best, time.perf_counter() - started)
        return best

    assert seconds_for_2000_messages(10_000) < 5 * seconds_for_2000_messages(100)


def test_an_utterance_keeps_no_more_text_than_anybody_says() -> None:
    transcript = conversation(1)
    for n in range(1_000):
        transcript.apply(1, 1, original("a", f"{n} " + "x" * 1_000), 2_000)
        transcript.apply(1, 1, translated(f"b{n}", "y" * 1_000), 2_000)
    said = transcript.utterance(1)
    size = sum(len(segment.original) + len(segment.translation) for segment in said.segments)
    assert TEXT_ROOM - 5_000 < size <= TEXT_ROOM + TEXT_A_SECOND
    assert transcript.refused > 500
    assert not transcript.apply(1, 1, original("c", "z" * 5_000), 2_000)
    assert transcript.apply(1, 1, original("c", "z" * 5_000), 62_000)
