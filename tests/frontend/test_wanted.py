from __future__ import annotations

from dataclasses import replace

from pinch_tui.core.events import FinalizeMode, SessionParams, Voice
from pinch_tui.core.options import kept_choices
from pinch_tui.frontend.session import Wanted

SPANISH = SessionParams(source="en", target="es")
SWEDISH = replace(SPANISH, target="sv")
MUTE_SWEDISH = replace(SWEDISH, text_only=True)


def in_swedish() -> Wanted:
    """The service cannot speak the language that was chosen: the engine goes on with text."""
    wanted = Wanted(SPANISH)
    assert wanted.choose(SWEDISH) == SWEDISH
    wanted.adopt(SWEDISH)
    wanted.adopt(MUTE_SWEDISH)
    wanted.adopt(MUTE_SWEDISH)
    return wanted


def test_speech_comes_back_with_another_language() -> None:
    assert in_swedish().choose(replace(MUTE_SWEDISH, target="es")) == SPANISH


def test_it_stays_away_for_the_same_one() -> None:
    wanted = in_swedish()
    assert wanted.choose(replace(MUTE_SWEDISH, source="de")) == replace(MUTE_SWEDISH, source="de")
    assert wanted.choose(replace(MUTE_SWEDISH, target="sv-FI")).audio_output is False
    assert wanted.choose(replace(MUTE_SWEDISH, target="es")).audio_output is True


def test_text_only_that_a_person_chose_stays() -> None:
    wanted = Wanted(SPANISH)
    quiet = replace(SPANISH, text_only=True)
    assert wanted.choose(quiet) == quiet
    wanted.adopt(quiet)
    assert wanted.choose(replace(quiet, target="fr")).audio_output is False
    wanted = in_swedish()
    assert wanted.choose(SWEDISH).audio_output is True  # asked for again ...
    assert wanted.choose(MUTE_SWEDISH).audio_output is False  # ... and given up
    assert wanted.choose(replace(MUTE_SWEDISH, target="es")).audio_output is False


def test_what_a_person_changed_is_kept_and_nothing_else() -> None:
    new = replace(SWEDISH, voice=Voice.FEMALE, two_way=True, context="a flat", source_label="casual")
    assert kept_choices(SPANISH, new) == {"voice": "female", "two_way": True}
    quiet = replace(SPANISH, text_only=True, finalize_mode=FinalizeMode.SENTENCE)
    assert kept_choices(SPANISH, quiet) == {"text_only": True, "finalize_mode": "sentence"}
    assert kept_choices(quiet, SPANISH) == {"text_only": False, "finalize_mode": "stable"}


def test_two_way_ends_where_the_language_is_to_be_detected() -> None:
    wanted = Wanted(replace(SPANISH, two_way=True))
    assert wanted.choose(replace(SPANISH, two_way=True, source="auto")) == replace(SPANISH, source="auto")
