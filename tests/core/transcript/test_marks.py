"""When the words within a segment were said: what subtitles cut by."""

from __future__ import annotations

from pinch_tui.core.transcript.documents import cues
from pinch_tui.core.transcript.export import ExportSide, lines_of
from pinch_tui.core.transcript.rows import MAX_MARKS
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage
from pinch_tui.store.history.lines import encode_final, final_part, read

FIRST, SECOND = "Wait here, please, until I am back.", "Now we can go, the others are waiting."
WHOLE = f"{FIRST} {SECOND}"


def original(text: str, *, final: bool = True, said: tuple[tuple[int, float], ...] = ()) -> TranscriptMessage:
    return TranscriptMessage(TranscriptKind.ORIGINAL, "u1.1", text, final, word_times=said)


def talking() -> Transcript:
    transcript = Transcript()
    transcript.begin(Utterance(1, 0.0, 1000, "en", "es", session_id="ss_1"))
    for end_ms in range(1020, 14_000, 20):
        transcript.add_sound(1, end_ms, 0.5)
    return transcript


def test_times_of_words_put_a_pause_where_it_was() -> None:
    transcript = talking()
    said = ((0, 0.0), (len(FIRST), 3.0), (len(FIRST) + 1, 10.0), (len(WHOLE), 13.0))
    transcript.apply(1, 1, original(WHOLE, said=said), 14_500)
    transcript.settle(1, 15_000)
    first, second = cues(lines_of(transcript.utterances), ExportSide.ORIGINAL)
    assert (first.start_ms, first.end_ms) == (1000, 4000)
    assert (second.start_ms, second.end_ms) == (11_000, 14_000)


def test_finals_that_extend_a_text_time_its_pieces_by_their_arrival() -> None:
    transcript = talking()
    transcript.apply(1, 1, original(FIRST), 4000)
    transcript.apply(1, 1, original(WHOLE), 14_000)
    transcript.settle(1, 14_500)
    segment = transcript.utterance(1).segments[0]
    assert segment.marks == ((len(FIRST), 4000), (len(WHOLE), 14_000))
    first, *_ = cues(lines_of(transcript.utterances), ExportSide.ORIGINAL)
    assert (first.lines[0], first.end_ms) == (FIRST, 4000)


def test_one_final_is_cut_in_proportion() -> None:
    transcript = talking()
    transcript.apply(1, 1, original("Wait", final=False), 2000)
    transcript.apply(1, 1, original(WHOLE), 12_000)
    transcript.settle(1, 12_500)
    assert transcript.utterance(1).segments[0].marks == ()
    segment = transcript.utterance(1).segments[0]
    first, second = cues(lines_of(transcript.utterances), ExportSide.ORIGINAL)
    middle = segment.start_ms + (segment.end_ms - segment.start_ms) * WHOLE.index("Now") / len(WHOLE)
    assert abs(second.start_ms - middle) < 300
    assert first.end_ms <= second.start_ms


def test_times_of_a_resend_that_keeps_something_are_not_taken() -> None:
    transcript = talking()
    transcript.apply(1, 1, original("Kept."), 2000)
    transcript.restart(1, 2, "ss_2", kept=1)
    transcript.apply(
        1, 2, TranscriptMessage(TranscriptKind.ORIGINAL, "u1.2", FIRST, True, word_times=((9, 0.5),)), 5000
    )
    assert [segment.marks for segment in transcript.utterance(1).segments] == [(), ()]


def test_marks_are_bounded_and_kept_in_the_history() -> None:
    transcript = talking()
    text = "x" * 1000
    transcript.apply(1, 1, original(text, said=tuple((n, n / 100) for n in range(1001))), 20_000)
    transcript.settle(1, 20_500)
    (row,) = transcript.utterances
    marks = row.segments[0].marks
    assert len(marks) <= MAX_MARKS
    assert marks[-1] == (1000, 11_000)
    segment = final_part(row.segments[0])
    assert segment is not None
    (read_back,) = read([encode_final(row, segment).encode()]).utterances.values()
    assert read_back.segments[0].marks == marks
