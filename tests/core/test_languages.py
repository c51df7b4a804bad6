"""The table of languages: spelling, direction, finding."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core import languages
from pinch_tui.core.languages import AUTO, LANGUAGES, find, is_rtl, label, normalize, same_language


def codes(query: str, n: int = 4, **options: bool) -> list[str]:
    return [language.code for language in find(query, **options)][:n]


def test_the_table_is_sound() -> None:
    assert 90 <= len(LANGUAGES) <= 140
    assert len({language.code for language in LANGUAGES}) == len(LANGUAGES)
    assert len({language.name for language in LANGUAGES}) == len(LANGUAGES)
    for language in LANGUAGES:
        assert normalize(language.code) == language.code
        assert language.name.strip() == language.name != ""
        assert language.native.strip() == language.native != ""
        assert unicodedata.normalize("NFC", language.native) == language.native
        is_drawn_rtl = unicodedata.bidirectional(language.native[0]) in ("R", "AL")
        assert language.is_rtl == is_drawn_rtl, language.code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("spanish", "es"), ("Español", "es"), ("ESPANOL", "es"), (" german ", "de"), ("日本語", "ja"),
        ("русский", "ru"), ("العربية", "ar"), ("Portuguese (Brazil)", "pt-BR"), ("portuguese brazil", "pt-BR"),
        ("mandarin", "zh"), ("norsk bokmål", "nb"), ("lao", "lo"), ("pt_br", "pt-BR"), ("tlh", "tlh"), ("AUTO", "auto"),
        ("es-419", "es-419"), ("kurdish", None), ("span", None), ("", None), ("klingon", None),
    ],
)  # fmt: skip
def test_a_language_is_understood_by_code_or_by_whole_name(text: str, code: str | None) -> None:
    assert languages.understood(text) == code


def test_every_language_is_understood_by_all_its_names() -> None:
    for language in LANGUAGES:
        assert languages.understood(language.code) == language.code
        assert languages.understood(language.name) == language.code
        assert languages.understood(language.native) == language.code


def test_exactly_the_ten_known_languages_and_their_regions_are_marked() -> None:
    marked = {language.code for language in LANGUAGES if language.known_speech}
    assert {code for code in marked if "-" not in code} == {"en", "es", "fr", "de", "it", "pt", "ru", "ja", "ko", "zh"}
    assert {code.partition("-")[0] for code in marked} == languages.KNOWN_SPEECH
    assert "yue" not in marked


@pytest.mark.parametrize(
    ("code", "normalized"),
    [
        ("EN", "en"), ("en_us", "en-US"), (" pt-br ", "pt-BR"), ("ZH-hant", "zh-Hant"), ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"), ("yue", "yue"), ("AUTO", "auto"), ("sl-ROZAJ", "sl-rozaj"), ("xx", "xx"), ("tlh", "tlh"),
        ("", None), (None, None), ("e", None), ("english", None), ("en us", None), ("en-", None), ("-en", None),
        ("en-USA1", None), ("[red]", None), ("en\n", "en"), ("x1", None), ("en-U\x1b", None), ("ñu", None),
    ],
)  # fmt: skip
def test_codes_are_spelt_as_usual_or_refused(code: str | None, normalized: str | None) -> None:
    assert normalize(code) == normalized


@given(st.text(max_size=12))
def test_normalizing_twice_changes_nothing(code: str) -> None:
    once = normalize(code)
    assert once is None or (normalize(once) == once and once.isascii())
    assert isinstance(label(code), str)
    assert find(code) is not None
    assert same_language(code, code) == (once is not None and once != AUTO)


@pytest.mark.parametrize(
    ("a", "b", "is_same"),
    [
        ("en", "en-US", True), ("EN_gb", "en-US", True), ("zh-Hant", "zh-Hans", True), ("cmn", "zh", True),
        ("eng", "en", True), ("iw", "he", True), ("nb", "no", True), ("pt-BR", "pt-PT", True), ("tl", "fil", True),
        ("yue", "zh", False), ("en", "es", False), ("auto", "auto", False), ("auto", "en", False), (None, None, False),
        (None, "en", False), ("??", "??", False), ("xx", "xx-YY", True),
    ],
)  # fmt: skip
def test_same_language(a: str | None, b: str | None, is_same: bool) -> None:
    assert same_language(a, b) is is_same
    assert same_language(b, a) is is_same


def test_direction_follows_script_then_language() -> None:
    assert [is_rtl(code) for code in ("ar", "ar-EG", "he", "iw", "fa", "ur", "ckb", "pa-Arab", "az-Arab")] == [True] * 9
    assert not any(is_rtl(code) for code in ("en", "ku", "pa", "ar-Latn", "auto", "", None, "nonsense!", "zh-Hant"))


def test_labels() -> None:
    assert label("en") == "English"
    assert label("pt_br") == "Portuguese (Brazil)"
    assert label("pt-AO") == "Portuguese (AO)"
    assert label("eng") == "English"
    assert label("xx") == "xx"
    assert label("auto") == "Detect language"
    assert label("\x1b[31m[red]") == "[red]"


def test_typing_finds_codes_names_and_native_names() -> None:
    assert codes("es")[0] == "es"
    assert codes("span")[0] == "es"
    assert codes("espanol")[0] == codes("ESPAÑ")[0] == codes("español")[0] == "es"
    assert codes("francais")[0] == "fr"
    assert codes("deu")[0] == "de"
    assert codes("日")[0] == "ja"
    assert codes("中文")[0] == "zh"
    assert codes("العر")[0] == "ar"
    assert codes("हिन")[0] == "hi"
    assert codes("рус")[0] == "ru"
    assert codes("tieng viet")[0] == "vi"
    assert codes("brazil") == ["pt-BR"]
    assert codes("olelo")[0] == "haw"
    assert codes("pt") == ["pt", "pt-BR", "pt-PT"]
    assert codes("pt_br") == codes("pt-BR") == ["pt-BR"]


def test_names_that_begin_with_the_query_come_before_those_that_contain_it() -> None:
    found = codes("ger", 20)
    assert found[0] == "de"
    assert "ger" not in found
    assert find("man")[-1].code == "man"  # a well-formed code outside the table: offered last
    assert codes("zzz") == ["zzz"]
    assert codes("zzzz") == []


def test_an_empty_query_lists_everything_and_known_speech_first() -> None:
    everything = find("")
    assert set(everything) == set(LANGUAGES)
    marks = [language.known_speech for language in everything]
    assert marks == sorted(marks, reverse=True)
    assert codes("", with_auto=True)[0] == AUTO
    assert AUTO not in codes("", 500)
    assert codes("detect", with_auto=True) == [AUTO]
    assert codes("auto", with_auto=True) == [AUTO]
    assert codes("auto") == []


def test_free_codes_become_entries() -> None:
    assert codes("pt-AO")[0] == "pt-AO"
    assert find("pt-AO")[0].known_speech
    assert find("ar-Latn-EG")[0].is_rtl is False


def test_other_names_that_people_type_are_found() -> None:
    wanted = {"mandarin": "zh", "farsi": "fa", "swiss": "de-CH", "castell": "es", "tagalog": "fil", "Gaelic": "ga"}
    assert {query: find(query)[0].code for query in wanted} == wanted
    assert "zh" not in [language.code for language in find("ma")]
