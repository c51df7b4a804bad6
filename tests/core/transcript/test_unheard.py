"""Why nothing came back: the one decision, and its words."""

from __future__ import annotations

import pytest

from pinch_tui.core.talk.voicing import Voicing
from pinch_tui.core.transcript.transcript import Transcript
from pinch_tui.core.transcript.unheard import Unheard, cause_of, note, sentences
from pinch_tui.core.transcript.utterance import Utterance, UtteranceState
from pinch_tui.core.wire import TranscriptKind, TranscriptMessage


def heard(*peaks: float, is_muted: bool = False) -> Voicing:
    voicing = Voicing()
    for n, peak in enumerate(peaks):
        voicing.hear(20 * (n + 1), peak, is_muted=is_muted)
    return voicing


@pytest.mark.parametrize(
    ("sound", "cause"),
    [
        (heard(), None),
        (heard(0.0, 0.0), Unheard.ZEROS),
        (heard(0.0, 0.0, is_muted=True), Unheard.MUTED),
        (heard(0.2, 0.2, 0.2, is_muted=True), Unheard.NO_TEXT),
        (heard(0.0, 0.002, 0.0), Unheard.QUIET),
        (heard(0.002, 0.5, 0.5, 0.002), Unheard.QUIET),  # a click of 40 ms
        (heard(0.002, 0.5, 0.5, 0.5, 0.002), Unheard.NO_TEXT),
    ],
)
def test_the_sound_tells_the_cause(sound: Voicing, cause: Unheard | None) -> None:
    assert cause_of(sound) is cause


def test_every_cause_has_words_of_its_own() -> None:
    causes = [None, *Unheard]
    assert len({sentences(cause, "en", "es")[0] for cause in causes}) == len(causes)
    assert len({note(cause) for cause in causes}) == len(causes)


def test_the_language_is_asked_about() -> None:
    def asked(source: str, target: str = "es", **more: object) -> str:
        return sentences(Unheard.NO_TEXT, source, target, **more)[1]  # type: ignore[arg-type]

    assert asked("en") == "Is this really English?"
    assert asked("en", is_two_way=True) == "Is this really English or Spanish?"
    assert asked("auto") == "The service recognised no language in it."
    assert asked("en", detected="fr") == "The service heard French, not English."
    assert asked("en-US", detected="en") == "Is this really English (United States)?"


def spoken(*messages: TranscriptMessage, peak: float = 0.3) -> Transcript:
    transcript = Transcript()
    transcript.begin(Utterance(1, 1e9, 0, "en", "es", session_id="ss_1"))
    for at in range(20, 520, 20):
        transcript.add_sound(1, at, peak)
    transcript.finish(1, 520)
    for message in messages:
        transcript.apply(1, 1, message, 600)
    transcript.settle(1, 5_000)
    return transcript


def test_the_row_keeps_the_cause_and_the_language_that_was_told_without_a_text() -> None:
    empty = TranscriptMessage(TranscriptKind.ORIGINAL, "seg_1", "", True, detected_language="fr")
    row = spoken(empty).utterance(1)
    assert (row.state, row.unheard, row.heard_as) == (UtteranceState.EMPTY, Unheard.NO_TEXT, "fr")


def test_a_text_that_comes_late_takes_the_cause_back() -> None:
    transcript = spoken()
    assert transcript.utterance(1).unheard is Unheard.NO_TEXT
    late = TranscriptMessage(TranscriptKind.ORIGINAL, "seg_1", "Hello.", True)
    assert transcript.apply(1, 1, late, 6_000)
    assert transcript.utterance(1).unheard is None


def test_what_the_service_explains_itself_has_no_other_cause() -> None:
    refused = TranscriptMessage(TranscriptKind.ORIGINAL, "seg_1", "", True, note="Not in the phrasebook.")
    assert spoken(refused).utterance(1).unheard is None
