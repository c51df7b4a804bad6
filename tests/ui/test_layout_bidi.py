"""Right-to-left order and joined Arabic letters."""

from __future__ import annotations

import importlib.util
import itertools
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from pinch_tui.ui.app.theme import UNICODE
from pinch_tui.ui.text import bidi as line_bidi
from pinch_tui.ui.text.cells import clusters
from pinch_tui.ui.text.layout import APART, Order, apart, layout
from pinch_tui.ui.transcript.paint import Painter
from pinch_tui.ui.transcript.row import Role
from pinch_tui.ui.widgets.strip import displayed, parts_of


def shown(text: str, is_rtl: bool | None = None) -> str:
    parts = [part.text for part in clusters(text)]
    level, _ = line_bidi.resolve(parts, line_bidi.is_rtl(text) if is_rtl is None else is_rtl)
    return "".join(line_bidi.mirror(parts[i]) if level[i] % 2 else parts[i] for i in line_bidi.display_order(level))


@pytest.mark.parametrize(
    ("logical", "visual"),
    [
        ("abc", "abc"),
        ("שלום", "םולש"),
        ("abc שלום def", "abc םולש def"),
        ("שלום abc עולם", "םלוע abc םולש"),
        ("שלום (עולם)", "(םלוע) םולש"),
        ("יש 12 שנים", "םינש 12 שי"),
        ("המחיר 12.50₪ היום", "םויה 12.50₪ ריחמה"),
        ("abc (שלום) x", "abc (םולש) x"),
        ("קוד 03-1234567", "03-1234567 דוק"),
        ("car (שלום) is", "car (םולש) is"),
    ],
)
def test_order_of_display(logical: str, visual: str) -> None:
    assert shown(logical) == visual


def test_arabic_numbers_stay_left_to_right() -> None:
    assert shown("سنة ٢٠٢٤ م") == "م ٢٠٢٤ ةنس"
    assert shown("سنة 2024 م") == "م 2024 ةنس"


def test_vowel_points_stay_on_their_letters() -> None:
    assert shown("שָׁלוֹם") == "םוֹלשָׁ"


def test_arabic_letters_join_and_lam_alef_is_one_sign() -> None:
    def joined(text: str) -> str:
        return "".join(part for part, _ in line_bidi.shape([(part.text, part.start) for part in clusters(text)]))

    assert joined("سلام") == "\ufeb3\ufefc\ufee1"
    assert joined("لا") == "\ufefb"
    assert joined("باب") == "\ufe91\ufe8e\ufe8f"
    assert joined("دار") == "\ufea9\ufe8d\ufead"
    assert joined("پیچ") == "\ufb58\ufbff\ufb7b"
    assert joined("abc 1") == "abc 1"
    shaped = line_bidi.shape([(part.text, part.start) for part in clusters("سَلام")])
    assert shaped[0] == ("\ufeb3\u064e", 0)


def test_shaped_letters_are_the_same_letters() -> None:
    text = "مرحبا، كيف حالك اليوم؟ السلام عليكم"
    shaped = "".join(part for part, _ in line_bidi.shape([(p.text, p.start) for p in clusters(text)]))
    assert unicodedata.normalize("NFKC", shaped) == text


def test_a_wrapped_paragraph_reads_line_by_line() -> None:
    lines = layout("אחת שתיים שלוש ארבע", 10, (), Order.LETTERS)
    assert [line.text for line in lines] == ["םייתש תחא", "עברא שולש"]
    assert all(line.is_rtl for line in lines)


@given(st.text(st.sampled_from("abאבג دهم12, .-+"), max_size=24), st.booleans())
@settings(max_examples=200, deadline=None)
@pytest.mark.skipif(importlib.util.find_spec("bidi") is None, reason="python-bidi is the other opinion; not installed")
def test_the_order_agrees_with_another_implementation(text: str, is_rtl: bool) -> None:
    from bidi import get_display

    text = text.strip()
    if text:
        assert shown(text, is_rtl) == get_display(text, base_dir="R" if is_rtl else "L")


MIXED = [
    "שלום (עולם) ab 12",
    "אני גר ב-Tel Aviv כבר 12 שנים",
    "The word שלום means (سلام, 3).",
    "مرحبا، أسكن في Tel Aviv",
]


@pytest.mark.parametrize("text", MIXED)
def test_a_terminal_that_reorders_shows_the_same_line(text: str) -> None:
    """What is written for it, reordered with a left-to-right base as it does, is what the reader is to see."""
    (written,) = layout(text, 60, (), Order.TERMINAL)
    parts = [part.text for part in clusters(written.text)]
    level, _ = line_bidi.resolve(parts, False)
    seen = [line_bidi.mirror(parts[i]) if level[i] % 2 else parts[i] for i in line_bidi.display_order(level)]
    assert "".join(seen).replace("\u200f", "") == shown(text)


@pytest.mark.parametrize("text", MIXED)
def test_a_terminal_that_turns_words_round_shows_the_same_line(text: str) -> None:
    (written,) = layout(text, 60, (), Order.WORDS)
    seen = ""
    for is_rtl, run in itertools.groupby(clusters(written.text), key=lambda part: line_bidi.has_rtl(part.text)):
        parts = [part.text for part in run]
        seen += "".join(reversed(parts) if is_rtl else parts)
    assert seen == layout(text, 60, (), Order.LETTERS)[0].text


@given(st.lists(st.integers(0, 4), max_size=30))
@settings(max_examples=100)
def test_the_order_is_a_permutation(levels: list[int]) -> None:
    assert sorted(line_bidi.display_order(levels)) == list(range(len(levels)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("صباح الخير.", ["."]),
        ("كم يكلف هذا؟", []),  # of the letters' own script: it is turned with them
        ("قال (نعم) ثم 12 مرة.", ["(", ")", "."]),
        ("Hello. How are you?", []),
    ],
)
def test_what_touches_right_to_left_letters_is_set_apart_where_single_words_are_turned(
    text: str, wanted: list[str]
) -> None:
    (line,) = layout(text, 60, (), Order.WORDS)
    found = [run.text for run in line.runs if run.marks & APART]
    assert sorted(found) == sorted(wanted)
    assert sorted(line.text[start:end] for start, end in apart(line.text)) == sorted(wanted)
    for order in (Order.TERMINAL, Order.LETTERS):
        assert not any(run.marks for line in layout(text, 60, (), order) for run in line.runs)


def test_what_is_set_apart_is_of_another_weight_in_lines_and_cards() -> None:
    painter = Painter(lambda _name: Style(color="red"), Style(), UNICODE)
    assert painter.style(Role.ORIGINAL, APART, False).bold and not painter.style(Role.ORIGINAL, 0, False).bold
    shown = displayed("صباح الخير.", Order.WORDS)
    assert parts_of(shown, "$accent", Order.WORDS) == [(".", "bold $accent"), (shown[1:], "$accent")]
    assert parts_of(shown, "$accent", Order.LETTERS) == [(shown, "$accent")]
