from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.errors import ConfigError
from pinch_tui.services.practice import phrasebook
from pinch_tui.services.practice.phrasebook import load, practice_languages, suggestions

LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "nl", "pl", "ru", "tr", "ja", "ko", "zh", "ar", "hi")


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_built_in_phrasebook_is_whole():
    book = load()
    assert book.languages == LANGUAGES
    assert len(book) >= 100
    counts = {code: len(book.sentences(code)) for code in LANGUAGES}
    assert set(counts.values()) == {counts["en"]}
    for code in LANGUAGES:
        texts = [sentence.text for sentence in book.sentences(code)]
        assert len(set(texts)) == len(texts)
        assert not any("{" in text or "}" in text or "  " in text for text in texts)
    assert all(sentence.spoken.isascii() is False for sentence in book.sentences("ja"))


def test_numbers_are_slots_with_their_own_grammar():
    book = load()
    table = {sentence.value: sentence.text for sentence in book.sentences("ru") if sentence.phrase == "table"}
    assert table["2"] == "Столик на двоих, пожалуйста."
    assert table["5"] == "Столик на пятерых, пожалуйста."
    found = book.find("table", "4", "tr")
    assert found is not None
    assert found.text == "Dört kişilik bir masa, lütfen."
    japanese = book.find("table", "3", "ja")
    assert japanese is not None
    assert japanese.spoken.startswith("さんにんよー")
    arabic = book.find("offer", "20", "ar")
    assert arabic is not None
    assert arabic.text.endswith("أعطيك عشرين يورو.")


def letters(arabic: str) -> str:
    """What stays of Arabic without its marks; alifs, a final h and an article after "bi" are written otherwise."""
    plain = "".join(sign for sign in arabic if unicodedata.category(sign) != "Mn")
    return re.sub(r"\bبا?ل", "ب", re.sub("[اأإآ](?!ل)", "", plain)).replace("ا", "").replace("ة", "ه")


def test_arabic_is_spoken_with_its_vowel_signs():
    for sentence in load().sentences("ar"):
        assert letters(sentence.spoken) == letters(sentence.text)
        for word in sentence.spoken.split():
            assert any(unicodedata.category(sign) == "Mn" for sign in word), sentence.spoken
        assert not any(unicodedata.category(sign) == "Mn" for sign in sentence.text)


def test_japanese_is_spoken_in_kana_as_they_sound():
    sentences = {sentence.phrase: sentence for sentence in load().sentences("ja")}
    assert sentences["hello"].spoken == "こんにちわ。"
    assert sentences["bathroom"].spoken == "トイレわどこですか。"
    assert sentences["city_center"].spoken == "しないちゅーしんぶえわどーいきますか。"
    for sentence in load().sentences("ja"):
        assert all(sign in "、。ー" or "ぁ" <= sign <= "ヶ" for sign in sentence.spoken), sentence.spoken


def test_suggestions_and_languages_for_the_screen():
    pairs = suggestions("en", "es", 3)
    assert len(pairs) == 3
    assert pairs[0] == ("I would like a coffee, please.", "Quisiera un café, por favor.")
    assert suggestions("auto", "de-DE", 3)[1] == (
        "Where is the nearest pharmacy?",
        "Wo ist die nächste Apotheke?",
    )
    for language in practice_languages():
        assert len(suggestions(language, "es" if language == "en" else "en", 6)) == 6
    assert suggestions("sv", "es") == []
    assert practice_languages()["en"] == "ok"
    assert practice_languages()["ja"] == "experimental"
    assert set(practice_languages().values()) == {"ok", "experimental"}


def test_own_file_adds_and_replaces(tmp_path: Path):
    path = own(
        tmp_path,
        "# mine\nid\ten\tes\nhello\tHello there.\tHola a todos.\nlamp\tBring {colour} lamps.\tTraiga {colour}.\n"
        "colour=red\tred\tlámparas rojas\ncolour=blue\tblue\tlámparas azules\n",
    )
    book = load(path)
    assert len(book) == len(load()) + 1
    hello = book.find("hello", "", "en")
    assert hello is not None
    assert hello.text == "Hello there."
    assert [s.text for s in book.sentences("es") if s.phrase == "lamp"] == [
        "Traiga lámparas rojas.",
        "Traiga lámparas azules.",
    ]
    assert book.find("hello", "", "de") is None


def test_the_example_of_the_help_page_loads(tmp_path: Path):
    page = (Path(__file__).parents[3] / "pinch_tui" / "help" / "phrasebook.md").read_text(encoding="utf-8")
    example = page[page.index("id\ten\tes\n") :].partition("```")[0]
    assert len(load(own(tmp_path, example))) == len(load()) + 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", "", "empty"),
        ("phrase\ten\tes\n", ":1", "name the columns"),
        ("id\ten\tSpanish\n", ":1", "not a language code"),
        ("id\ten\ten\n", ":1", "twice"),
        ("id\ten\tes\nBad Id\tGood day.\tHola.\n", ":2", "not an id"),
        ("id\ten\tes\none_x\tOne x.\tUno x.\textra\n", ":2", "4 cells"),
        ("id\ten\tes\n\n# note\none_x\tOnly this.\t\n", ":4", "two languages"),
        ("id\ten\tes\none_x\tA \x07 bell.\tHola x.\n", ":2", "control character"),
        ("id\ten\tes\none_x\t...\tHola x.\n", ":2", "no letter"),
        ("id\ten\tes\none_x\tOne x.\tUno x.\none_x\tTwo x.\tDos x.\n", ":3", "already"),
        ("id\ten\tes\none_x\tA {size} x.\tUna x {size}.\n", ":2", "no values"),
        ("id\ten\tes\none_x\tA {people} x.\tUna x.\n", ":2", "slot"),
        ("id\ten\tes\none_x\tWhere is {Place} x?\tDónde x?\n", ":2", "brace"),
        ("id\ten\tes\none_x\tOne \u2028 x.\tUno x.\n", ":2", "control character"),
        ("id\ten\tes\none_x\tOne \x0c x.\tUno x.\n", ":2", "control character"),
        ("id\ten\tes\r\none_x\tOne x.\tUno x.\r\nBad Id\tOne.\tUno.\r\n", ":3", "not an id"),
        ("id\ten\tes\none_x\tWhere is the bathroom\tUno x.\n", ":2", "the same"),
        ("id\ten\tes\none_x\t" + "a" * 300 + "\tUno x.\n", ":2", "200"),
    ],
)
def test_faults_of_an_own_file_name_the_line(tmp_path: Path, text: str, line: str, words: str):
    with pytest.raises(ConfigError) as fault:
        load(own(tmp_path, text))
    assert words in str(fault.value)
    assert f"mine.tsv{line}" in str(fault.value)
    assert fault.value.exit_code == 2


def test_missing_and_foreign_files(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.tsv")
    (tmp_path / "latin.tsv").write_bytes(b"id\ten\tes\nx\tcaf\xe9\tb\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "latin.tsv")


@given(st.text(max_size=300))
def test_any_text_loads_or_names_its_fault(tmp_path_factory: pytest.TempPathFactory, text: str):
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    path.write_text("id\ten\tes\n" + text, encoding="utf-8", errors="replace", newline="")
    try:
        phrasebook.Phrasebook(phrasebook.read_rows(path))
    except ConfigError as fault:
        assert "any.tsv" in str(fault)
