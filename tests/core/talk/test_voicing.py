"""When a segment's voice began, from the sound that was sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.talk.voicing import GAP_MS, LOOKBACK_MS, Voicing
from pinch_tui.core.transcript.export import lines_of
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.utterance import Utterance
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

LOUD, QUIET = 0.2, 0.001


def speak(voicing: Voicing, begin: int, end: int, peak: float = LOUD) -> None:
    for at in range(begin, end, 20):
        voicing.hear(at + 20, peak)


def test_the_first_voice_is_the_beginning() -> None:
    voicing = Voicing()
    speak(voicing, 0, 400, QUIET)
    speak(voicing, 400, 1200)
    assert voicing.onset(0, 1300) == 400


def test_without_voice_it_is_the_arrival() -> None:
    voicing = Voicing()
    assert voicing.onset(0, 900) == 900
    speak(voicing, 0, 400, QUIET)
    assert voicing.onset(0, 900) == 900


def test_a_key_click_is_no_voice() -> None:
    voicing = Voicing()
    speak(voicing, 0, 40)
    speak(voicing, 400, 1200)
    assert voicing.onset(0, 1300) == 400


def test_voice_before_the_last_segments_end_is_that_ones() -> None:
    voicing = Voicing()
    speak(voicing, 100, 900)
    speak(voicing, 1500, 2500)
    assert voicing.onset(1200, 2000) == 1500
    assert voicing.onset(1700, 2000) == 1700  # it was speaking already


def test_noise_of_long_ago_is_not_the_beginning() -> None:
    voicing = Voicing()
    speak(voicing, 0, 60_000)
    assert voicing.onset(0, 60_000) == 60_000 - LOOKBACK_MS
    speak(voicing, 90_000, 91_000)
    assert voicing.onset(0, 91_200) == 90_000
    assert voicing.onset(0, 200_000) == 90_000  # said offline, told much later


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([0.0, 0.3])), max_size=60),
    st.integers(0, 20_000),
    st.integers(0, 20_000),
)
def test_it_lies_between_what_was_before_and_the_arrival(
    sound: list[tuple[int, float]], since: int, waited: int
) -> None:
    voicing, at = Voicing(), 0
    for pause, peak in sound:
        at += 20 * (1 + pause)
        voicing.hear(at, peak)
    assert since <= voicing.onset(since, since + waited) <= since + waited
    assert GAP_MS < LOOKBACK_MS


def text(id_: str, words: str, *, is_final: bool = False) -> TranscriptMessage:
    return TranscriptMessage(TranscriptKind.ORIGINAL, id_, words, is_final)


def said(transcript: Transcript, number: int, begin: int, end: int) -> None:
    for at in range(begin, end, 20):
        transcript.add_sound(number, at + 20, LOUD)


def test_segments_begin_with_their_voice_and_never_overlap() -> None:
    transcript = Transcript()
    transcript.begin(Utterance(1, 0.0, 1000, "en", "es"))
    said(transcript, 1, 900, 1800)  # the press came late, the pre-roll has its first word
    transcript.apply(1, 1, text("a", "one"), 1600)
    transcript.apply(1, 1, text("a", "one two", is_final=True), 2200)
    said(transcript, 1, 2500, 3500)
    transcript.apply(1, 1, text("b", "three"), 3100)
    late = TranscriptMessage(TranscriptKind.TRANSLATED, "a", "uno dos", True)
    transcript.apply(1, 1, late, 3300)
    first, second = transcript.utterance(1).segments
    assert (first.start_ms, first.end_ms) == (1000, 2500)
    assert (second.start_ms, second.end_ms) == (2500, 3100)


def test_a_segment_spoken_before_the_last_words_of_the_one_before_came() -> None:
    transcript = Transcript()
    transcript.begin(Utterance(1, 0.0, 0, "en", "es"))
    said(transcript, 1, 1000, 1700)
    transcript.apply(1, 1, text("a", "one"), 2000)
    said(transcript, 1, 2700, 4000)
    transcript.apply(1, 1, text("a", "one.", is_final=True), 3260)
    transcript.apply(1, 1, text("b", "two"), 3400)
    first, second = transcript.utterance(1).segments
    assert (first.start_ms, first.end_ms) == (1000, 2700)
    assert second.start_ms == 2700


def test_voice_without_a_pause_belongs_to_the_segment_before() -> None:
    voicing = Voicing()
    speak(voicing, 1000, 1700)
    speak(voicing, 1900, 3000)
    assert voicing.pause_before(2500, 1000) == 2500
    assert voicing.pause_before(2500, 1950) == 2500


def test_a_row_begins_with_its_own_voice_and_the_line_before_ends_there() -> None:
    transcript = Transcript()
    transcript.begin(Utterance(1, 0.0, 0, "en", "es"))
    said(transcript, 1, 100, 900)
    transcript.finish(1, 900)
    transcript.begin(Utterance(2, 1.0, 1000, "en", "es"))
    said(transcript, 2, 1000, 2000)
    transcript.apply(1, 1, text("a", "one", is_final=True), 1300)
    transcript.apply(2, 1, text("b", "two", is_final=True), 1600)
    for number in (1, 2):
        transcript.settle(number, 2500)
    first, second = lines_of(transcript.utterances)
    assert (first.start_ms, first.end_ms) == (100, 1000)
    assert (second.start_ms, second.end_ms) == (1000, 1600)
