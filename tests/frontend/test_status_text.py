"""The state in words."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinch_tui.core.events import (
    Delay,
    Latency,
    Levels,
    MicState,
    SessionParams,
    StateWord,
    Status,
)
from pinch_tui.core.keynames import key_name
from pinch_tui.frontend import status_text as text
from pinch_tui.ui.app.theme import ASCII, UNICODE
from pinch_tui.ui.widgets.meter import meter
from pinch_tui.ui.widgets.strip import cells

NOW = 1000.0


def line(**changes: object) -> text.StateLine:
    return text.state_line(replace(Status(), **changes), NOW, method="exact", key="space")  # type: ignore[arg-type]


@pytest.mark.parametrize("word", list(StateWord))
def test_every_state_has_its_own_word_and_shape(word: StateWord) -> None:
    shown = line(word=word)
    assert word.value in shown.word
    for shapes in (UNICODE, ASCII):
        assert len({shapes.states[one] for one in StateWord}) == len(StateWord)
        assert len(shapes.states[word]) == 1


def test_reconnecting_counts_down() -> None:
    assert line(word=StateWord.RECONNECTING, retry_at=NOW + 3.2).word == "reconnecting in 4 s"
    assert line(word=StateWord.RECONNECTING, retry_at=NOW - 1).word == "reconnecting"
    assert "space" in line(word=StateWord.RECONNECTING, retry_at=NOW + 1).hint


def test_talking_shows_the_timer_and_warns_of_the_limit() -> None:
    talking = {"word": StateWord.TALKING, "talking_since": NOW - 67.4}
    assert line(**talking, limit_at=NOW + 52).word == "talking 1:07"
    assert line(**talking, limit_at=NOW + 10.5).warning == ""
    assert line(**talking, limit_at=NOW + 9.5).warning == "ends by itself in 10 s"
    assert "let go" in line(**talking).hint
    assert "space ends it" in line(**talking, is_latched=True).hint
    assert "let go?" in line(**talking, is_soft_stopped=True).hint
    assert "let go" not in line(**talking, talk_source="control").hint
    assert "space" in line(**talking, talk_source="control").hint


def test_leaving_counts_down_and_names_the_way_out() -> None:
    shown = line(word=StateWord.FINALIZING, draining_until=NOW + 2.1)
    assert shown.word == "leaving in 3 s"
    assert "Ctrl+C" in shown.warning


@pytest.mark.parametrize(
    ("method", "words"),
    [("exact", "hold space"), ("learned", "hold space"), ("tap", "press space"), ("mouse", "mouse")],
)
def test_ready_says_how_to_talk_here(method: str, words: str) -> None:
    status = Status(word=StateWord.READY)
    assert words in text.state_line(status, NOW, method=method, key="space").hint
    assert text.state_line(status, NOW, method=method, key="space", is_narrow=True).hint


def problem(levels: Levels, *, since: float | None = None, is_test: bool = False) -> str:
    status = Status(mic=MicState.OPEN, word=StateWord.READY if since is None else StateWord.TALKING)
    return text.mic_line(replace(status, talking_since=since), levels, NOW, is_test=is_test).problem


def test_zeros_since_the_press_are_named_within_two_seconds_with_their_causes() -> None:
    assert problem(Levels(zeros_s=30.0, has_heard=True), since=NOW - 1.0) == ""  # what was before the press is nothing
    for heard_before in (False, True):
        named = problem(Levels(zeros_s=1.6, has_heard=heard_before), since=NOW - 1.8)
        assert "muted" in named and "blocked" in named and "wrong device" in named
    assert problem(Levels(zeros_s=1.9, has_heard=True), since=NOW - 4.0) == ""  # somebody has stopped to think
    assert "muted" in problem(Levels(zeros_s=2.0, has_heard=True), since=NOW - 4.0)  # or has muted the microphone


def test_zeros_while_nobody_talks_are_named_only_of_a_microphone_that_was_never_heard() -> None:
    assert problem(Levels(zeros_s=9.9)) == ""
    assert "no sound" in problem(Levels(zeros_s=10.1))
    assert problem(Levels(zeros_s=600.0, has_heard=True)) == ""
    assert "no sound" in problem(Levels(zeros_s=1.6), is_test=True)


def test_the_microphones_troubles_have_different_words() -> None:
    talking = Status(word=StateWord.TALKING, mic=MicState.OPEN, talking_since=NOW - 5.0)
    lines = {
        text.mic_line(talking, Levels(is_clipping=True), NOW),
        text.mic_line(talking, Levels(is_too_quiet=True), NOW),
        text.mic_line(talking, Levels(zeros_s=50), NOW),
        text.mic_line(replace(talking, mic=MicState.LOST), Levels(), NOW),
        text.mic_line(replace(talking, mic=MicState.ABSENT), Levels(), NOW),
        text.mic_line(replace(talking, mic=MicState.CLOSED), Levels(), NOW),
        text.mic_line(replace(talking, mic=MicState.OPENING), Levels(), NOW),
        text.mic_line(talking, Levels(), NOW),
    }
    assert len(lines) == 8
    assert text.mic_line(replace(talking, word=StateWord.READY), Levels(is_too_quiet=True), NOW).problem == ""


def test_a_quiet_voice_is_named_after_half_a_second_of_talk() -> None:
    quiet = Levels(is_too_quiet=True)
    pressed = Status(word=StateWord.TALKING, mic=MicState.OPEN, talking_since=NOW)
    assert text.mic_line(pressed, quiet, NOW + 0.4).problem == ""
    assert text.mic_line(pressed, quiet, NOW + 0.5).problem == "too quiet"


def test_lateness_is_told_above_two_seconds() -> None:
    assert text.backlog_text(Status(speech_late_s=2.0)) == ""
    assert text.backlog_text(Status(speech_late_s=2.6)) == "voice is 3 s behind"
    offered = text.backlog_text(Status(speech_late_s=6.0, speech_gaps=2), catch_up="Ctrl+X")
    assert offered == "voice is 6 s behind, Ctrl+X catches up"
    assert text.backlog_text(Status(speech_gaps=1)) == "a gap in the voice"
    assert text.backlog_text(Status(speech_gaps=3)) == "3 gaps in the voice"
    assert text.backlog_text(Status(speech_gaps=3), is_narrow=True) == ""
    assert "2 s of speech still to send" in text.backlog_text(Status(behind_s=2.0))


def test_a_narrow_bar_gives_the_room_to_what_presses() -> None:
    ending = Status(word=StateWord.TALKING, talking_since=NOW - 7, limit_at=NOW + 8)
    leaving = Status(word=StateWord.FINALIZING, draining_until=NOW + 2.1)
    for status in (ending, replace(ending, retry_at=NOW + 4), replace(ending, is_latched=True), leaving):
        wide = text.state_line(status, NOW, method="exact", key="space")
        narrow = text.state_line(status, NOW, method="exact", key="space", is_narrow=True)
        assert (narrow.word, narrow.warning) == (wide.word, wide.warning)
        assert wide.hint.startswith(narrow.hint)
        assert len(f"  * {narrow.word}  {narrow.hint} {narrow.warning} ") <= 60
    unhurried = replace(ending, limit_at=None)
    assert "Esc" in text.state_line(unhurried, NOW, method="exact", key="space", is_narrow=True).hint
    assert text.backlog_text(Status(behind_s=4.0), is_narrow=True) == "4 s to send"


def test_key_names() -> None:
    assert key_name("ctrl+q") == "Ctrl+Q"
    assert key_name("question_mark") == "?"
    assert key_name("N") == "N"
    assert key_name("right_alt") == "Right alt"
    assert key_name("escape") == "Esc"


def test_latency_and_volume() -> None:
    assert text.latency_text(Latency()) == ""
    assert text.latency_text(Latency(first_text=Delay(210), first_sound=Delay(430))) == "text 0.2 s, voice 0.4 s"
    assert (
        text.latency_text(Latency(first_sound=Delay(430), last_sound=Delay(2_540)))
        == "voice 0.4 s, end of the voice 2.5 s"
    )
    assert text.volume_text(Status()) == ""
    assert text.volume_text(Status(is_muted=True)) == "voice muted"
    assert text.volume_text(Status(volume=0.7)) == "volume 70 %"
    assert text.volume_text(Status(params=SessionParams(text_only=True))) == "text only"


@given(
    st.floats(-120, 6) | st.just(-math.inf),
    st.floats(-120, 6) | st.just(-math.inf),
    st.integers(0, 60),
    st.booleans(),
)
@settings(max_examples=150)
def test_the_meter_fills_exactly_its_width(peak: float, hold: float, width: int, is_ascii: bool) -> None:
    shapes = ASCII if is_ascii else UNICODE
    pieces = meter(Levels(peak_dbfs=peak, hold_dbfs=hold), width, shapes, is_live=True)
    assert cells(pieces) == width
    if is_ascii:
        assert "".join(piece.text for piece in pieces).isascii()


def test_the_meter_is_linear_in_decibels_and_marks_the_peak() -> None:
    drawn = "".join(p.text for p in meter(Levels(peak_dbfs=-30, hold_dbfs=-15), 40, ASCII, is_live=True))
    assert drawn.count("#") == 20
    assert drawn.index("|") == 30
    silent = "".join(p.text for p in meter(Levels(), 40, ASCII, is_live=False))
    assert silent == "." * 40
    full = meter(Levels(peak_dbfs=0, hold_dbfs=0), 40, ASCII, is_live=True)
    assert full[-1].style == "$error" and full[0].style == "$accent"


def test_the_link_is_told_truly_while_somebody_talks() -> None:
    talking = Status(word=StateWord.TALKING, session_id="abc")
    assert text.link_word(talking) is StateWord.READY
    assert text.link_word(replace(talking, retry_at=NOW + 3)) is StateWord.RECONNECTING
    assert text.link_word(replace(talking, session_id=None)) is StateWord.CONNECTING
    assert text.link_word(Status(word=StateWord.OFFLINE)) is StateWord.OFFLINE
    assert "safe" in line(word=StateWord.TALKING, talking_since=NOW, retry_at=NOW + 3).hint


def test_a_press_before_the_first_sample_is_told_to_wait() -> None:
    shown = line(word=StateWord.READY, talking_since=NOW, detail="Opening the microphone.")
    assert (shown.word, shown.hint) == ("ready", "Opening the microphone.")
    assert "wait until it says talking" in line(word=StateWord.CONNECTING, talking_since=NOW).hint


def test_without_a_microphone_ready_promises_no_talking() -> None:
    status = Status(word=StateWord.READY, mic=MicState.ABSENT, detail="PortAudio is not installed.")
    assert "hold" not in text.state_line(status, NOW, method="exact", key="space").hint
    assert text.mic_line(status, Levels(), NOW).problem == "PortAudio is not installed."


@pytest.mark.parametrize("mic", [MicState.OPEN, MicState.OPENING, MicState.CLOSED])
def test_a_microphone_that_the_system_muted_is_named_before_the_press(mic: MicState) -> None:
    status = replace(Status(), mic=mic, mic_is_muted=True, mic_name="Yeti")
    assert text.mic_line(status, Levels(), NOW).problem == "muted by the system"
