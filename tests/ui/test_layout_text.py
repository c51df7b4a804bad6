"""Widths, wrapping and direction over a corpus of scripts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from pinch_tui.settings.model import Bidi
from pinch_tui.ui.text import layout as layout_text
from pinch_tui.ui.text.breaks import wrap
from pinch_tui.ui.text.cells import WIDTHS_QUERY, Widths, clusters, drawable, guess_widths, widths_from
from pinch_tui.ui.text.layout import Mark, Order, cut, layout, order_for

CORPUS = {
    "latin": "Good morning, I have a reservation — two nights, state-of-the-art/room 12.",
    "accents": "Où est la bibliothèque? Ça me plaît, naïve café e\u0301te\u0301",
    "arabic": "مرحبا، كيف حالك اليوم؟ (نعم) 123 إلى الفندق لا بأس",
    "vowelled": "السَّلَامُ عَلَيْكُمْ",
    "hebrew": "אני גר ב-Tel Aviv (ישראל) כבר 12 שנים",
    "chinese": "今天天气很好，我们去公园散步吧！然后喝一杯咖啡。",
    "japanese": "今日はとても天気がいいですね。「散歩」に行きましょう！コーヒーを飲みたいです。",
    "korean": "오늘 날씨가 정말 좋네요. 같이 산책하러 갈까요?",
    "thai": "สวัสดีครับวันนี้อากาศดีมากไปเดินเล่นกันเถอะ ขอบคุณ",
    "hindi": "सुप्रभात, आप कैसे हैं? क्षमा कीजिए, स्टेशन कहाँ है?",
    "tamil": "வணக்கம், நீங்கள் எப்படி இருக்கிறீர்கள்?",
    "emoji": "Family 👨‍👩‍👧‍👦 flags 🇪🇸🇫🇷 hand 👍🏽 heart ❤️ keycap 1️⃣ done",
    "mixed": "The word שלום means 平和 and سلام in English",
}
texts = st.text(
    st.one_of(
        st.characters(blacklist_categories=["Cs"]),
        st.sampled_from("abc ABC -/.!?(){}אבגدهن خ今日。「」ーไทยเกี่ क्षि👍🏽🇪🇸\u200d\ufe0f\u0301 12,٣"),
    ),
    max_size=80,
)


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize("limit", [7, 20, 34, 200])
@pytest.mark.parametrize("order", [Order.TERMINAL, Order.LETTERS])
def test_lines_of_every_script_fit_and_keep_their_letters(name: str, limit: int, order: Order) -> None:
    text = drawable(CORPUS[name])
    lines = layout(text, limit, (), order)
    for line in lines:
        assert line.cells == cell_len(line.text) <= limit
        assert line.is_rtl or line.text == line.text.strip()
    if order is Order.TERMINAL:
        shown = "".join(part.text for part in clusters(text))
        written = "".join(line.text for line in lines).replace("\u200f", "")
        assert sorted("".join(written.split())) == sorted("".join(shown.split()))
        assert any(line.is_rtl for line in lines) or "".join(written.split()) == "".join(shown.split())
        assert name == "emoji" or shown == text


@pytest.mark.parametrize(
    ("name", "is_rtl"),
    [("latin", False), ("arabic", True), ("vowelled", True), ("hebrew", True), ("mixed", False), ("japanese", False)],
)
def test_direction_is_the_first_strong_letters(name: str, is_rtl: bool) -> None:
    assert {line.is_rtl for line in layout(drawable(CORPUS[name]), 20)} == {is_rtl}


@given(texts, st.integers(1, 40), st.sampled_from(Order))
@settings(max_examples=150, deadline=None)
def test_any_text_wraps_into_lines_that_fit(text: str, limit: int, order: Order) -> None:
    text = drawable(text)
    lines = layout(text, limit, (), order)
    assert bool(lines) == bool(text)
    for line in lines:
        assert line.cells == cell_len(line.text)
        assert line.cells <= limit or len(clusters(line.text)) == 1
        assert all(char >= " " and not "\x7f" <= char <= "\x9f" for char in line.text)


@given(texts, st.integers(1, 30))
@settings(max_examples=150, deadline=None)
def test_wrapping_never_loses_or_reorders_a_cluster(text: str, limit: int) -> None:
    parts = clusters(drawable(text))
    assert [part.start for part in parts] == sorted({part.start for part in parts})
    assert all(part.text[0] == drawable(text)[part.start] or len(part.text) == 1 for part in parts)
    spans = wrap(parts, limit)
    kept = [i for start, end in spans for i in range(start, end)]
    assert kept == sorted(set(kept))
    assert all(parts[i].text == " " for i in set(range(len(parts))) - set(kept))


@given(st.text(st.sampled_from("abcdef  --/.,!?)(–—’“”…"), max_size=120), st.integers(1, 30))
@settings(max_examples=300, deadline=None)
def test_plain_text_wraps_the_same_way_on_the_short_path(text: str, limit: int) -> None:
    text = drawable(text)
    assert layout_text._wrap_narrow(text, limit) == wrap(clusters(text), limit)


@given(texts, st.integers(1, 30), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=3))
@settings(max_examples=100, deadline=None)
def test_marks_stay_with_their_letters(text: str, limit: int, spans: list[tuple[int, int]]) -> None:
    text = drawable(text)
    marks = tuple(Mark(start, end, 1 << i) for i, (start, end) in enumerate(spans))
    marked = layout(text, limit, marks)
    assert [line.text for line in marked] == [line.text for line in layout(text, limit)]
    wanted: dict[str, int] = {}
    for part in clusters(text):
        wanted[part.text] = wanted.get(part.text, 0) | sum(m.bits for m in marks if m.start <= part.start < m.end)
    for line in marked:
        for run in line.runs:
            for part in clusters(drawable(run.text)):  # without the marks of direction
                assert run.marks & ~wanted.get(part.text, 0) == 0


def test_a_mark_is_where_it_was_put_after_reordering() -> None:
    text = "שלום עולם"
    (line,) = layout(text, 40, (Mark(5, 9, 1),), True)
    assert [(run.text, run.marks) for run in line.runs] == [("םלוע", 1), (" םולש", 0)]


def test_clusters_are_what_a_person_calls_a_character() -> None:
    def split(text: str) -> list[str]:
        return [part.text for part in clusters(text)]

    assert split("e\u0301a") == ["e\u0301", "a"]
    assert split("क्षि") == ["क्षि"]
    assert split("กำนี้") == ["กำ", "นี้"]
    assert split("각\u1100\u1161\u11a8") == ["각", "각"]
    assert [part.cells for part in clusters("👨‍👩‍👧🇪🇸今e\u0301")] == [2, 2, 2, 1]


def test_emoji_are_shown_in_forms_that_all_terminals_count_alike() -> None:
    shown = [part.text for part in clusters("👨‍👩‍👧🇪🇸🇫🇷👍🏽❤️1️⃣☎️")]
    assert shown == ["👨", "🇪🇸", "🇫🇷", "👍", "❤", "1", "☎"]


@pytest.mark.parametrize(
    ("word", "cells"),
    [
        ("हिन्दी", (3, 5, 4)),
        ("क्षमा", (3, 4, 4)),
        ("বাংলা", (2, 5, 4)),
        ("ភាសា", (2, 4, 4)),
        ("สวัสดีกำ", (6, 6, 6)),
        ("hello", (5, 5, 5)),
        ("今日", (4, 4, 4)),
        ("שָׁלוֹם", (4, 4, 4)),
    ],
)
def test_vowel_signs_take_the_cells_that_the_terminal_gives_them(word: str, cells: tuple[int, int, int]) -> None:
    order = (Widths.GRAPHEMES, Widths.CODEPOINTS, Widths.CAPPED)
    assert tuple(sum(part.cells for part in clusters(word, widths)) for widths in order) == cells
    assert layout(word, 40, (), True, Widths.CODEPOINTS)[0].cells == cells[1]


def test_the_terminal_s_answer_or_name_decides() -> None:
    assert [widths_from(column) for column in (3, 4, 5, 0)] == [
        Widths.GRAPHEMES,
        Widths.CAPPED,
        Widths.CODEPOINTS,
        None,
    ]
    assert guess_widths({"TERM": "xterm-kitty"}) is Widths.GRAPHEMES
    assert guess_widths({"TERM": "xterm-256color"}) is Widths.CODEPOINTS
    assert guess_widths({"TERM_PROGRAM": "ghostty"}) is Widths.CAPPED


def test_no_line_begins_with_closing_punctuation_or_ends_with_an_opening_bracket() -> None:
    for limit in range(6, 40):
        for name in ("chinese", "japanese"):
            lines = [line.text for line in layout(CORPUS[name], limit)]
            assert not any(line[0] in "，。！、」ーょ" for line in lines)
            assert not any(line[-1] in "「（" for line in lines)


def test_thai_breaks_before_leading_vowels_and_never_after_them() -> None:
    for limit in range(6, 30):
        for line in layout(CORPUS["thai"], limit):
            assert line.text[-1] not in "เแโใไ"
            assert line.text[0] not in "ะาำๅๆ\u0e31\u0e34\u0e48\u0e49"


def test_controls_and_overrides_never_come_through() -> None:
    assert drawable("a\x1b[31mb\x07\u202ec\u200bd\te\n\nf\u2028g\ud800") == "a\ufffd[31mb\ufffdcd e f g\ufffd"
    assert drawable("  [bold]x[/]  ") == "[bold]x[/]"
    assert drawable("می\u200cخواهم 👨\u200d👩") == "می\u200cخواهم 👨\u200d👩"


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert drawable(drawable(text)) == drawable(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in drawable(text))


def test_cut_leaves_whole_clusters_and_says_so() -> None:
    assert cut("conversation", 6) == "conve…"
    assert cut("今日は", 4) == "今…"
    assert cut("short", 5) == "short"
    assert cut("any", 0) == ""
    assert cut("👨‍👩‍👧👨‍👩‍👧", 3) == "👨…"


@pytest.mark.parametrize(
    ("environment", "order"),
    [
        ({"TERM": "xterm-kitty"}, Order.WORDS),
        ({"VTE_VERSION": "7006"}, Order.TERMINAL),
        ({"VTE_VERSION": "5202"}, Order.LETTERS),
        ({"KONSOLE_VERSION": "221203"}, Order.TERMINAL),
        ({"TERM_PROGRAM": "Apple_Terminal"}, Order.TERMINAL),
        ({"TERM": "mlterm"}, Order.TERMINAL),
        ({}, Order.LETTERS),
    ],
)
def test_terminals_that_reorder_by_themselves_are_known(environment: dict[str, str], order: Order) -> None:
    assert order_for(Bidi.AUTO, environment) is order
    assert order_for(Bidi.APP, environment) is not Order.TERMINAL
    assert order_for(Bidi.TERMINAL, environment) is Order.TERMINAL


def test_the_question_about_widths_is_concealed_and_leaves_nothing_behind() -> None:
    written, _, after = WIDTHS_QUERY.partition("\x1b[6n")
    assert written.startswith("\x1b[?2026h\x1b7\x1b[8m")  # one update, the cursor and its style kept, unseen
    assert after.startswith("\x1b[H\x1b[6X")  # from where it was written, as many cells as any terminal gave it
    assert after.endswith("\x1b8\x1b[?2026l")
