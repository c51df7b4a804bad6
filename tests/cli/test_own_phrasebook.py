"""The screen offers what the user's own phrasebook adds, and the built-in phrases while that file has a fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pinch_tui.services.practice import phrasebook
from pinch_tui.settings.model import Settings
from pinch_tui.wiring.app_services import practice_languages, practice_phrases
from pinch_tui.wiring.choosing import own_phrasebook


def test_own_phrases_are_offered_first(tmp_path: Path):
    path = tmp_path / "own.tsv"
    path.write_text("id\ten\tsv\nlamp\tWhere is the lamp?\tVar är lampan?\n", encoding="utf-8")
    settings = Settings()
    assert own_phrasebook(settings) is None
    settings = replace(settings, practice=replace(settings.practice, phrasebook=str(path)))
    book = own_phrasebook(settings)
    assert list(practice_phrases(book, "en", "sv", 3)) == [("Where is the lamp?", "Var är lampan?")]
    assert practice_languages(book)["sv"] == "experimental"
    path.write_text("id\ten\tsv\nlamp\n", encoding="utf-8")
    faulty = path.rename(tmp_path / "faulty.tsv")
    assert list(practice_phrases(faulty, "en", "es", 3)) == phrasebook.suggestions("en", "es", 3)
    assert practice_languages(faulty) == phrasebook.practice_languages()


def test_a_refused_phrase_is_noticed_so_that_the_pause_between_phrases_can_be_explained() -> None:
    from pinch_tui.cli.translate.inputs import ONE_AT_A_TIME, was_refused
    from pinch_tui.core.transcript.transcript import Transcript
    from pinch_tui.core.transcript.utterance import Utterance
    from pinch_tui.core.wire import TranscriptKind, TranscriptMessage

    transcript = Transcript()
    transcript.begin(Utterance(1, 0.0, 0, "en", "es"))
    transcript.apply(1, 1, TranscriptMessage(TranscriptKind.ORIGINAL, "a", "Good morning.", True), 100)
    assert not was_refused(transcript.utterances)
    transcript.apply(1, 1, TranscriptMessage(TranscriptKind.ORIGINAL, "b", "", True, note="Not a phrase."), 200)
    assert was_refused(transcript.utterances)
    assert "half a second" in ONE_AT_A_TIME
