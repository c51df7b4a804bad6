"""The real ear, over speech that espeak-ng makes: what is right, what is refused, what locks."""

from __future__ import annotations

import math
from array import array

import pytest

from pinch_tui.services.practice.helper.workshop import Workshop, open_workshop
from pinch_tui.services.practice.phrasebook import load
from pinch_tui.services.practice.ports import Final, Heard, Interim, SessionPlan
from pinch_tui.services.practice.speech.ear import NOT_KNOWN, ONE_AT_A_TIME, PhrasebookEar, heard_languages, trust
from pinch_tui.services.practice.speech.gate import Gate, Segmenter, SegmentState, level_dbfs
from pinch_tui.services.practice.speech.lexicon import Spelling
from pinch_tui.services.practice.speech.sphinx import Guess
from tests.services.practice.spoken import spoken

pytestmark = pytest.mark.slow

pytest.importorskip("pocketsphinx", reason="the practice extra is not installed")
pytest.importorskip("espeakng_loader", reason="the practice extra is not installed")

SILENCE = bytes(2 * 4_800)


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return open_workshop("auto", "auto", None)


def said(
    workshop: Workshop, text: str, language: str, *, lead: float = 0.3, tail: float = 0.1, room_dbfs: float = -78.0
) -> bytes:
    """A hold of the key with a text spoken by espeak's female voice: 16 kHz, a room (faint noise) around it."""
    import numpy as np

    assert workshop.espeak is not None
    pcm = spoken(text, language) * 20_000
    whole = np.concatenate([np.zeros(int(lead * 16_000)), pcm, np.zeros(int(tail * 16_000))])
    whole += np.random.default_rng(1).normal(0, 32_768 * 10 ** (room_dbfs / 20), whole.size)
    return whole.clip(-32_768, 32_767).astype("<i2").tobytes()


def hold(workshop: Workshop, plan: SessionPlan, *clips: bytes) -> list[Heard]:
    ear = workshop.ear(plan)
    heard: list[Heard] = []
    for clip in clips:
        for at in range(0, len(clip), 640):
            heard += ear.feed(clip[at : at + 640])
        heard += ear.finish()
    ear.close()
    return heard


class ScriptedRecogniser:
    """Gives one guess after another, then the last one for ever."""

    def __init__(self, guesses: list[Guess]) -> None:
        self._guesses = guesses

    def begin(self) -> None:
        pass

    def feed(self, pcm: bytes) -> None:
        pass

    def end(self) -> None:
        pass

    def judge(self, pcm: bytes) -> None:
        return None

    def guess(self) -> Guess:
        return self._guesses.pop(0) if len(self._guesses) > 1 else self._guesses[0]


def is_refused(final: Final) -> bool:
    """A note and no text of any kind."""
    return bool(final.note) and not (final.text or final.translation or final.say)


def finals(heard: list[Heard]) -> list[Final]:
    return [item for item in heard if isinstance(item, Final)]


@pytest.mark.parametrize(
    ("source", "target", "text", "meant"),
    [
        ("en", "es", "Where is the train station?", "¿Dónde está la estación de tren?"),
        ("en", "ru", "A table for four, please.", "Столик на четверых, пожалуйста."),
        ("es", "en", "¿Dónde está la farmacia más cercana?", "Where is the nearest pharmacy?"),
    ],
)
def test_a_phrase_is_heard_and_translated(workshop: Workshop, source: str, target: str, text: str, meant: str):
    heard = hold(workshop, SessionPlan(source, target), said(workshop, text, source))
    (final,) = finals(heard)
    assert (final.text, final.translation, final.say) == (text, meant, meant)
    interims = [item for item in heard if isinstance(item, Interim)]
    assert len(interims) >= 2
    locked = ""
    for interim in interims:
        assert interim.text.startswith(interim.locked)
        assert interim.locked.startswith(locked)
        locked = interim.locked
    assert final.text.startswith(locked)


@pytest.mark.parametrize("room_dbfs", [-60.0, -40.0])
def test_a_room_before_and_after_the_words_is_not_held_against_them(workshop: Workshop, room_dbfs: float):
    # The key goes down early and comes up late. One in ten may be refused.
    texts = ("Where is the nearest pharmacy?", "A cup of tea, please.", "One moment, please.", "Please call a doctor.")
    n_right = 0
    for tail in (0.3, 0.6, 1.2):
        for text in texts:
            clip = said(workshop, text, "en", lead=0.8, tail=tail, room_dbfs=room_dbfs)
            (final,) = finals(hold(workshop, SessionPlan("en", "es"), clip))
            assert final.text == text or is_refused(final)
            n_right += final.text == text
    assert n_right >= 11


def test_words_lock_while_english_is_still_being_spoken(workshop: Workshop):
    texts = ("Where is the train station?", "A table for four, please.", "How much does it cost?", "I need a doctor.")
    plan = SessionPlan("en", "es")
    locked = [
        any(isinstance(item, Interim) and item.locked for item in hold(workshop, plan, said(workshop, text, "en")))
        for text in (*texts, *texts)
    ]
    assert sum(locked) >= 6


def test_a_word_locks_when_four_guesses_agree_on_it_and_another_follows():
    book = load()
    sentence = next(found for found in book.sentences("en") if found.text == "Where is the train station?")
    spelling = Spelling("en", sentence, ("where", "is", "the", "train", "station"), (5, 8, 12, 18, 26))
    script = [Guess((spelling,), n_words, 6.0, 6.0) for n_words in (1, 2, 3, 3, 3, 4, 4)]
    unsure = Guess((spelling,), 5, 6.0, trust("en").lock + 0.1)
    ear = PhrasebookEar(SessionPlan("en", "es"), book, ScriptedRecogniser([*script, unsure]))  # type: ignore[arg-type]
    loud = array("h", [8_000, -8_000] * 160).tobytes()
    syllables = SILENCE + (loud * 12 + bytes(640) * 3) * 8
    heard = [item for at in range(0, len(syllables), 640) for item in ear.feed(syllables[at : at + 640])]
    shown = [(item.text, item.locked) for item in heard if isinstance(item, Interim)]
    assert shown == [
        ("Where", ""),
        ("Where is", ""),
        ("Where is the", ""),
        ("Where is the", "Where"),
        ("Where is the", "Where is"),
        ("Where is the train", "Where is the"),
        ("Where is the train station?", "Where is the"),
    ]


def test_what_is_shown_does_not_jump_between_languages():
    book = load()
    by_language = {code: next(iter(book.sentences(code))) for code in ("en", "es")}
    spellings = {code: Spelling(code, found, (code, "b", "c"), (1, 2, 3)) for code, found in by_language.items()}
    languages = ["es", "en", "es", "es", "en", "en", "es", "en"]
    script = [Guess((spellings[code],), 2, 6.0, 6.0) for code in languages]
    plan = SessionPlan("en", "es", is_two_way=True)
    ear = PhrasebookEar(plan, book, ScriptedRecogniser(script))  # type: ignore[arg-type]
    loud = array("h", [8_000, -8_000] * 160).tobytes()
    syllables = SILENCE + (loud * 12 + bytes(640) * 3) * 10
    heard = [item for at in range(0, len(syllables), 640) for item in ear.feed(syllables[at : at + 640])]
    assert [item.language for item in heard if isinstance(item, Interim)] == ["es", "en"]


@pytest.mark.parametrize(("noise", "n_agreeing"), [(100, 4), (500, 5), (1_000, 0), (3_000, 0)])
def test_words_lock_later_or_not_at_all_where_it_is_loud(noise: int, n_agreeing: int):
    """Speech stands out of the room by 38, 24, 18 and 9 dB."""
    book = load()
    sentence = next(found for found in book.sentences("en") if found.text == "Where is the train station?")
    spelling = Spelling("en", sentence, ("where", "is", "the", "train", "station"), (5, 8, 12, 18, 26))
    script = [Guess((spelling,), 2, 6.0, 6.0)] * 3 + [Guess((spelling,), n, 6.0, 6.0) for n in (3, 4, 4)]
    ear = PhrasebookEar(SessionPlan("en", "es"), book, ScriptedRecogniser(script))  # type: ignore[arg-type]
    room = array("h", [noise, -noise] * 160).tobytes()
    loud = array("h", [8_000, -8_000] * 160).tobytes()
    heard = [item for block in [room] * 30 + [loud] * 50 for item in ear.feed(block)]
    shown = [(item.text, item.locked) for item in heard if isinstance(item, Interim)]
    locked = {4: ("Where is", "Where is"), 5: ("", "Where is"), 0: ("", "")}[n_agreeing]
    assert shown == [("Where is", ""), ("Where is the", locked[0]), ("Where is the train", locked[1])]


@pytest.mark.parametrize("language", ["fr", "de", "it", "ru", "ja", "zh"])
def test_the_other_languages_are_understood_or_refused_never_guessed(workshop: Workshop, language: str):
    phrase = workshop.book.find("pharmacy", "", language)
    assert phrase is not None
    (final,) = finals(hold(workshop, SessionPlan(language, "en"), said(workshop, phrase.spoken, language)))
    if not is_refused(final):
        assert (final.text, final.translation) == (phrase.text, "Where is the nearest pharmacy?")


def test_any_chopping_of_the_sound_gives_the_same_finals(workshop: Workshop):
    clip = said(workshop, "¿Dónde está la farmacia más cercana?", "es") + bytes(2 * 16_000)
    heard: list[list[Final]] = []
    for step in (640, 1_000, 6_400, len(clip)):
        ear = workshop.ear(SessionPlan("es", "en"))
        heard.append(finals([item for at in range(0, len(clip), step) for item in ear.feed(clip[at : at + step])]))
        ear.close()
    assert [final.translation for final in heard[0]] == ["Where is the nearest pharmacy?"]
    assert all(other == heard[0] for other in heard)


def test_what_is_not_in_the_book_is_refused(workshop: Workshop):
    clip = said(workshop, "The quick brown fox jumps over the lazy dog.", "en")
    (final,) = finals(hold(workshop, SessionPlan("en", "es"), clip))
    assert is_refused(final)
    assert (final.say, final.tone) == ("", "falling")


def test_a_near_miss_names_the_closest_phrase(workshop: Workshop):
    (final,) = finals(hold(workshop, SessionPlan("en", "es"), said(workshop, "Where is the museum?", "en")))
    assert is_refused(final)
    start, _, closest = final.note.partition(" Closest: ")
    assert start == NOT_KNOWN
    assert closest.startswith("Where is")
    assert closest in {sentence.text for sentence in workshop.book.sentences("en")}


@pytest.mark.parametrize(
    "text",
    [
        "Where is the train station? How much does it cost?",
        "Where is the nearest pharmacy? One moment, please.",
    ],
)
def test_two_phrases_in_one_breath_are_told_apart_from_a_near_miss(workshop: Workshop, text: str):
    (final,) = finals(hold(workshop, SessionPlan("en", "es"), said(workshop, text, "en")))
    assert is_refused(final)
    assert final.note == ONE_AT_A_TIME


def test_a_name_is_refused_honestly(workshop: Workshop):
    (final,) = finals(hold(workshop, SessionPlan("en", "es"), said(workshop, "My name is Barbara Miller.", "en")))
    assert is_refused(final)


def test_silence_and_hiss_give_nothing(workshop: Workshop):
    import numpy as np

    hiss = np.random.default_rng(2).normal(0, 300, 32_000).astype("<i2").tobytes()
    assert hold(workshop, SessionPlan("en", "es"), bytes(64_000)) == []
    assert hold(workshop, SessionPlan("en", "es"), hiss) == []


def test_a_pause_inside_a_hold_ends_a_segment(workshop: Workshop):
    first = said(workshop, "Where is the train station?", "en")
    second = said(workshop, "How much does it cost?", "en")
    both = finals(hold(workshop, SessionPlan("en", "de"), first + bytes(2 * 16_000) + second))
    assert [final.segment for final in both] == [1, 2]
    assert both[0].translation == "Wo ist der Bahnhof?"


def test_two_way_tells_the_language_and_the_direction(workshop: Workshop):
    plan = SessionPlan("en", "es", is_two_way=True, is_stable=False)
    clips = (
        said(workshop, "Where is the train station?", "en"),
        said(workshop, "¿Dónde está la estación de tren?", "es"),
    )
    one, two = finals(hold(workshop, plan, *clips))
    assert (one.language, one.target, one.translation) == ("en", "es", "¿Dónde está la estación de tren?")
    assert (two.language, two.target, two.translation) == ("es", "en", "Where is the train station?")


@pytest.mark.parametrize("other", ["fr", "it", "ru"])
def test_two_way_works_with_english_and(workshop: Workshop, other: str):
    plan = SessionPlan("en", other, is_two_way=True, is_stable=False)
    check_languages(workshop, plan, ("en", other), {"en": other, other: "en"})


def test_auto_tells_the_languages_apart(workshop: Workshop):
    languages = ("en", "es", "fr", "it", "ru")
    check_languages(workshop, SessionPlan("auto", "de"), languages, dict.fromkeys(languages, "de"))


def check_languages(workshop: Workshop, plan: SessionPlan, languages: tuple[str, ...], targets: dict[str, str]) -> None:
    """Two phrases in each language are taken for themselves; one in five may be refused, none may be mistaken."""
    n_refused = 0
    phrases = [(phrase, language) for language in languages for phrase in ("pharmacy", "taxi")]
    for phrase, language in phrases:
        said_in = workshop.book.find(phrase, "", language)
        meant = workshop.book.find(phrase, "", targets[language])
        assert said_in is not None
        assert meant is not None
        (final,) = finals(hold(workshop, plan, said(workshop, said_in.spoken, language)))
        if is_refused(final):
            n_refused += 1
            continue
        assert (final.text, final.translation) == (said_in.text, meant.text)
        assert (final.language, final.target) == (language, targets[language])
    assert n_refused <= max(1, len(phrases) // 5)


def test_which_languages_a_session_listens_for():
    known = ("en", "es", "fr", "it", "ru", "de")
    assert heard_languages(SessionPlan("auto", "de"), known) == ("en", "es", "fr", "it", "ru", "de")
    assert heard_languages(SessionPlan("en", "de", is_two_way=True), known) == ("en", "de")
    assert heard_languages(SessionPlan("sv", "de"), known) == ()


@pytest.mark.parametrize(
    "language", ["en", "es", "fr", "de", "it", "pt", "nl", "pl", "ru", "tr", "ja", "ko", "zh", "ar", "hi"]
)
def test_the_voice_speaks_every_language(workshop: Workshop, language: str):
    phrase = workshop.book.find("train_station", "", language)
    assert phrase is not None
    for voice in ("male", "female"):
        samples = array("f", workshop.voice.speak(phrase.spoken, language, voice))
        assert len(samples) > 24_000 // 2
        assert 0.05 < max(samples) <= 1.0
    assert workshop.voice.speak("hej", "sv", "male") == b""


def test_levels_and_the_gate():
    assert level_dbfs(b"") == -96.0
    assert level_dbfs(bytes(640)) == -96.0
    assert level_dbfs(array("h", [32_767, -32_768] * 160).tobytes()) == pytest.approx(0.0, abs=0.01)
    gate = Gate()
    assert not any(gate.is_speech(bytes(640)) for _ in range(50))
    assert gate.is_speech(array("h", [4_000, -4_000] * 160).tobytes())


@pytest.mark.parametrize("noise", [100, 1_000, 3_000])
def test_how_far_speech_stands_out_of_the_room(noise: int):
    segmenter = Segmenter()
    loud = array("h", [8_000, -8_000] * 160).tobytes()
    list(segmenter.push(array("h", [noise, -noise] * 160).tobytes() * 30 + loud * 40))
    assert segmenter.snr_db == pytest.approx(level_dbfs(loud) - 20 * math.log10(noise / 32_768), abs=1.0)
    segmenter.finish()
    assert segmenter.snr_db == 0.0


def test_a_click_is_dropped():
    segmenter = Segmenter()
    loud = array("h", [8_000, -8_000] * 160).tobytes()
    states = [state for state, _ in segmenter.push(SILENCE + loud * 4 + bytes(640 * 40))]
    assert SegmentState.START in states
    assert SegmentState.DROPPED in states
    assert SegmentState.END not in states
